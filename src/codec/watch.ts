// Whether a worker is still fit to work: started in time, moves on, keeps within its memory.
// Looks only; replacing it is pool.ts's.

import type { WorkerChild } from './child.ts';
import { residentMemory } from './limits.ts';
import type { WorkerChannel } from './worker-channel.ts';

/** Looks per hang time-out. Looks are counted, not clock time: when the service itself was held up, nobody hung. */
export const looks = 5;
/** A start may take so many times the hang time-out: a busy machine loads slowly. */
const startPatience = 6;

export interface WatchedWorker {
  readonly child: WorkerChild;
  readonly channels: ReadonlySet<WorkerChannel>;
  /** Looks before it was ready. */
  looksBeforeReady: number;
}

/** One look. @param memoryLimit bytes. @returns why it must be replaced, or null. */
export function whyUnfit(worker: WatchedWorker, memoryLimit: number): string | null {
  const memory = residentMemory(worker.child.pid);
  if (memory > memoryLimit)
    return `used ${megabytes(memory)} MB of memory; allowed are ${megabytes(memoryLimit)}`;
  if (!worker.child.ready) {
    worker.looksBeforeReady += 1;
    return worker.looksBeforeReady > looks * startPatience ? 'did not start in time' : null;
  }
  let stuck = false;
  for (const channel of worker.channels) {
    if (channel.inFlight === 0) channel.looksWithoutProgress = 0;
    else if (++channel.looksWithoutProgress > looks) stuck = true;
  }
  return stuck ? 'hung' : null;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
