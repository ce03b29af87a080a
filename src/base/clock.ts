// Time as a dependency: logic that waits takes a Clock, so that tests can move it by hand.
// Monotonic milliseconds for durations, wall time only for what people read.

export interface Clock {
  /** Monotonic, ms, comparable within this process only. */
  now(): number;
  /** Milliseconds since 1970, for display and storage; may jump. */
  wallTime(): number;
  /** Calls `fn` once after `ms`; the returned function cancels it. Never keeps the process alive. */
  after(ms: number, fn: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
