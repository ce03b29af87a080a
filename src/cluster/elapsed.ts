// How much time has passed, whatever stopped this process meanwhile (SIGSTOP, a suspended machine), and waiting for it.
// Nothing of what is done about it.

import type { Clock } from '../base/clock.ts';

export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

export function moment(clock: Clock): Moment {
  return { monotonic: clock.now(), wall: clock.wallTime() };
}

/**
 * Milliseconds. The monotonic clock stands still while the machine is suspended, the wall clock may be set back: the one
 * that went further is believed. A wall clock set forward makes it too long, which is on the safe side for any right.
 */
export function elapsedMs(clock: Clock, since: Moment): number {
  return Math.max(clock.now() - since.monotonic, clock.wallTime() - since.wall);
}

/** As `task`, but rejects after `ms`; the task goes on. */
export async function within<T>(clock: Clock, ms: number, task: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(ms, () => late.reject(new Error(`${what} did not answer within ${ms} ms`)));
  try {
    return await Promise.race([task, late.promise]);
  } finally {
    cancel();
  }
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
