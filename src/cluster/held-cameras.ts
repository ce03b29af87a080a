// The cameras that this instance has: from the moment a job was taken, over claim, locks and doubts, until it is let go.
// Which jobs are taken, and when one is given away, is decided elsewhere.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { CameraQueue, LockedJob } from './camera-queue.ts';
import { type Moment, moment } from './elapsed.ts';
import { HeldCamera } from './held-camera.ts';
import { HeldLease } from './lease.ts';
import type { Owner, Owners } from './owners.ts';
import type { OwnershipCheck } from './ownership-check.ts';
import type { CameraRunner, OwnershipStore, ReleaseReason } from './ports.ts';

export interface HeldCamerasOptions {
  readonly instance: string;
  readonly queue: CameraQueue;
  readonly ownership: OwnershipStore;
  readonly check: OwnershipCheck;
  readonly owners: Owners;
  readonly runner: CameraRunner;
  readonly clock: Clock;
  readonly log: Log;
  readonly lockMs: number;
  /** What the database said counts for so long. */
  readonly confirmedMs: number;
  readonly isWanted: (streamId: string) => boolean;
  /** Reads a stream that is not known to be wanted: another instance may just have created or started it. */
  readonly learn: (streamId: string) => Promise<void>;
  /** Nothing new is begun. */
  readonly isLeaving: () => boolean;
  /** Resolves when the former owner has let the camera go, or need not be waited for any longer. Never rejects. */
  readonly untilFree: (former: Owner, streamId: string, fence: number) => Promise<void>;
  /** There is one more or one less. */
  readonly onCount: () => void;
  /** A job waits again, or a new one may be needed. */
  readonly onQueued: (streamId: string) => void;
  readonly onTrouble: (error: unknown) => void;
}

export class HeldCameras {
  readonly #options: HeldCamerasOptions;
  readonly #cameras = new Map<string, HeldCamera>();
  #beginning = 0;

  constructor(options: HeldCamerasOptions) {
    this.#options = options;
  }

  /** Also those that are about to begin or to end. */
  get count(): number {
    return this.#cameras.size;
  }

  /** Jobs taken whose camera is not connected yet. */
  get beginning(): number {
    return this.#beginning;
  }

  has(streamId: string): boolean {
    return this.#cameras.has(streamId);
  }

  /** Those that run and are not being let go. */
  get running(): string[] {
    return [...this.#cameras.values()].flatMap(({ running, ending, streamId }) =>
      running && ending === null ? [streamId] : [],
    );
  }

  /** As `running`, with those that are about to. */
  get ids(): string[] {
    return [...this.#cameras.keys()];
  }

  fence(streamId: string): number {
    return this.#cameras.get(streamId)?.lease?.fence.number ?? 0;
  }

  /**
   * Takes what belongs to a job that was just locked: claims the stream, waits for its former owner, connects the camera.
   * One that runs here already goes on as it is.
   *
   * @returns false when the database did not answer: the job was put back.
   */
  async receive(job: LockedJob): Promise<boolean> {
    const existing = this.#cameras.get(job.id);
    if (existing !== undefined) {
      // It lost its lock, and found its job in the queue like anybody else. One that ends puts the job back or ends it.
      existing.job = job;
      existing.lockedAt = moment(this.#options.clock);
      // Somebody else may have had it in between.
      existing.doubtful = true;
      return true;
    }
    const camera = new HeldCamera(job, moment(this.#options.clock));
    this.#cameras.set(job.id, camera);
    this.#beginning += 1;
    this.#options.onCount();
    camera.claim = this.#claim(camera);
    try {
      return await camera.claim;
    } finally {
      this.#beginning -= 1;
    }
  }

  /** @returns false when the database did not answer. Whatever else keeps the camera from running has been seen to. */
  async #claim(camera: HeldCamera): Promise<boolean> {
    const { ownership, instance, clock, check, owners, untilFree, confirmedMs, runner, isWanted, learn } =
      this.#options;
    const { streamId } = camera;
    try {
      if (!isWanted(streamId)) await learn(streamId);
      if (!this.#mayBegin(camera)) return true;
      const former = await ownership.owner(streamId);
      const free = former === null || former.instance === instance || owners.isFreed(streamId, former.fence);
      const askedAt = moment(clock);
      const fence = await ownership.claim(streamId, instance);
      if (fence === null) {
        camera.exists = false;
        return true;
      }
      camera.claimedAt = moment(clock);
      camera.lease = new HeldLease(fence, clock, () => check.ask());
      camera.lease.proven(askedAt, confirmedMs);
      owners.announce(streamId, fence.number);
      if (!free) await untilFree(former, streamId, fence.number);
      if (!this.#mayBegin(camera) || owners.fence(streamId) > fence.number) return true;
      runner.hold(streamId, camera.lease);
      camera.running = true;
      return true;
    } catch (error) {
      this.#options.onTrouble(error);
      return false;
    } finally {
      if (!camera.running) camera.ending ??= this.#finish(camera);
    }
  }

  #mayBegin(camera: HeldCamera): boolean {
    const { isWanted, isLeaving } = this.#options;
    return camera.ending === null && camera.job !== null && !isLeaving() && isWanted(camera.streamId);
  }

  /** Lets go of the camera; resolves when it is gone from here and its job is seen to. Never rejects. */
  end(streamId: string, reason: ReleaseReason): Promise<void> {
    const camera = this.#cameras.get(streamId);
    if (camera === undefined) return Promise.resolve();
    if (reason === 'lost') camera.lease?.lose();
    camera.ending ??= this.#end(camera, reason);
    return camera.ending;
  }

  async #end(camera: HeldCamera, reason: ReleaseReason): Promise<void> {
    // A claim that is on its way must have come to its end: it must not follow the one of whoever gets the job next.
    await camera.claim;
    if (camera.running) {
      try {
        await this.#options.runner.release(camera.streamId, reason);
      } catch (error) {
        this.#options.log.error(
          { error, streamId: camera.streamId },
          'a camera could not be let go in order',
        );
      }
    }
    await this.#finish(camera);
  }

  async #finish(camera: HeldCamera): Promise<void> {
    const { owners, onCount } = this.#options;
    camera.lease?.lose();
    camera.running = false;
    this.#cameras.delete(camera.streamId);
    if (camera.lease !== null) owners.free(camera.streamId, camera.lease.fence.number);
    onCount();
    if (camera.job !== null) await this.#giveUp(camera.job, camera.exists);
  }

  /** When Redis is away, the lock lapses, the job is taken again, and whoever takes it sees to it. */
  async #giveUp(job: LockedJob, exists = true): Promise<void> {
    const { queue, isWanted, onQueued, onTrouble } = this.#options;
    const isToRun = () => exists && isWanted(job.id);
    try {
      if (isToRun()) await queue.putBack(job);
      else await queue.complete(job);
    } catch (error) {
      onTrouble(error);
    }
    // It may have been started again while its job was on the way out: then the job that was there is gone by now.
    if (isToRun()) onQueued(job.id);
  }

  /** Another instance has claimed the stream. Resolves when no connection to the camera is left here. */
  async claimedElsewhere(streamId: string, fence: number): Promise<void> {
    if (fence > (this.#cameras.get(streamId)?.lease?.fence.number ?? Number.POSITIVE_INFINITY))
      await this.end(streamId, 'lost');
  }

  /** What the database says that this instance holds. */
  judge(held: ReadonlyMap<string, number>, askedAt: Moment): void {
    for (const camera of this.#cameras.values()) {
      const { lease, claimedAt, streamId } = camera;
      // What was claimed after the question was asked may be missing from the answer.
      if (lease === null || claimedAt === null || claimedAt.monotonic > askedAt.monotonic) continue;
      if (held.get(streamId) !== lease.fence.number) {
        void this.end(streamId, 'lost');
        continue;
      }
      lease.proven(askedAt, this.#options.confirmedMs);
      if (camera.job !== null && camera.lockedAt.monotonic <= askedAt.monotonic) camera.doubtful = false;
    }
  }

  /** Renews all locks. Rejects when Redis does not answer. */
  async extend(): Promise<void> {
    const { clock, queue, lockMs } = this.#options;
    const locked = [...this.#cameras.values()].flatMap((camera) =>
      camera.job === null ? [] : [{ camera, job: camera.job }],
    );
    if (locked.length === 0) return;
    const sentAt = moment(clock);
    const lost = new Set(await queue.extend(locked.map(({ job }) => job)));
    for (const { camera, job } of locked) {
      if (camera.job !== job) continue;
      if (lost.has(job.id)) {
        camera.job = null;
        camera.doubtful = true;
      } else if (!camera.doubtful) camera.lease?.proven(sentAt, lockMs);
    }
  }

  /** Whether some run without their job, or with one that proves nothing yet. */
  get anyInDoubt(): boolean {
    return [...this.#cameras.values()].some(({ doubtful }) => doubtful);
  }

  #withoutJob(): HeldCamera[] {
    return [...this.#cameras.values()].filter(
      ({ job, running, ending }) => job === null && running && ending === null,
    );
  }

  /**
   * Locks the jobs of the cameras that run here without: their locks lapsed while this process or Redis stood still, or
   * Redis was emptied. Nobody is interrupted by it: what somebody else has stays theirs. Rejects when Redis does not answer.
   */
  async regain(): Promise<void> {
    const { queue, isWanted } = this.#options;
    let cameras = this.#withoutJob();
    const results = await this.#lock(cameras);
    cameras = cameras.filter(
      (camera, index) => results[index] === 'absent' && isWanted(camera.streamId) && camera.ending === null,
    );
    if (cameras.length === 0) return;
    await queue.add(cameras.map(({ streamId }) => streamId));
    await this.#lock(cameras);
  }

  async #lock(cameras: readonly HeldCamera[]): Promise<(LockedJob | 'absent' | 'taken')[]> {
    const { queue, clock } = this.#options;
    if (cameras.length === 0) return [];
    const results = await queue.lock(cameras.map(({ streamId }) => streamId));
    for (const [index, camera] of cameras.entries()) {
      const result = results[index]!;
      if (typeof result === 'string') continue;
      if (this.#cameras.get(camera.streamId) === camera && camera.job === null) {
        camera.job = result;
        camera.lockedAt = moment(clock);
      } else await this.#giveUp(result);
    }
    return results;
  }

  /** Lets go of what is not to run any more. */
  endUnwanted(): void {
    const { isWanted } = this.#options;
    for (const { streamId, claimedAt } of this.#cameras.values())
      if (claimedAt !== null && !isWanted(streamId)) void this.end(streamId, 'stopped');
  }
}
