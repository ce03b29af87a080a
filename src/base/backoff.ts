// How long to wait before trying again: exponential, capped, jittered so that many do not try in step.

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * @param attempt 0 for the wait after the first failure.
 * @param random a number in [0, 1), injected for tests.
 * @returns between 75 % and 125 % of the doubled wait, never over `maxMs`.
 */
export function backoffMs(attempt: number, { firstMs, maxMs }: BackoffOptions, random: () => number): number {
  const doubled = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.min(maxMs, doubled * (0.75 + random() * 0.5));
}
