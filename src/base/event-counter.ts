// Counts what happens, each key apart, within a window that begins with the first; over any store of the limiter.
// What is counted, and what too much of it means, is the caller's.

import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

export interface EventCounter {
  /** Counts one, also one too many. */
  count(key: string): Promise<Counted>;
}

export interface Counted {
  /** Null: no more than allowed. Else how long until the window is over, ms. */
  readonly waitMs: number | null;
  /** As if it had not happened. */
  takeBack(): Promise<void>;
}

export class LimiterCounter implements EventCounter {
  readonly #limiter: RateLimiterAbstract;

  constructor(limiter: RateLimiterAbstract) {
    this.#limiter = limiter;
  }

  async count(key: string): Promise<Counted> {
    const takeBack = async () => {
      await this.#limiter.reward(key);
    };
    try {
      await this.#limiter.consume(key);
      return { waitMs: null, takeBack };
    } catch (error) {
      if (error instanceof RateLimiterRes) return { waitMs: error.msBeforeNext, takeBack };
      throw error;
    }
  }
}

/** Of this process only. */
export function memoryCounter(kind: string, allowed: number, windowSeconds: number): EventCounter {
  return new LimiterCounter(
    new RateLimiterMemory({ keyPrefix: kind, points: allowed, duration: windowSeconds }),
  );
}
