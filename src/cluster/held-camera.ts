// What is known of one camera that this instance has: its job, its right, and how far its beginning or end has come.
// A record only; what is done with it is held-cameras.ts's.

import type { LockedJob } from './camera-queue.ts';
import type { Moment } from './elapsed.ts';
import type { HeldLease } from './lease.ts';

export class HeldCamera {
  readonly streamId: string;
  /** Null once its lock is lost; it runs on while its fence stands. */
  job: LockedJob | null;
  /** From when on nobody else can have had the job. */
  lockedAt: Moment;
  /** Its lock was lost once: it proves nothing until the database has confirmed the fence. */
  doubtful = false;
  lease: HeldLease | null = null;
  claimedAt: Moment | null = null;
  running = false;
  /** False once the database knows no such stream: it was deleted, and word of it is on its way. */
  exists = true;
  /** Settles when it is claimed or was given up before. */
  claim: Promise<boolean> = Promise.resolve(true);
  ending: Promise<void> | null = null;

  constructor(job: LockedJob, lockedAt: Moment) {
    this.streamId = job.id;
    this.job = job;
    this.lockedAt = lockedAt;
  }
}
