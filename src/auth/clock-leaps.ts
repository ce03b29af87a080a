// Whether the wall clock can be gone by for what is deleted for good: a clock that leaps ahead, until somebody sets it
// right, must not take sessions and audit trail with it. What is deleted, and when, is the caller's.

import type { Clock } from '../base/clock.ts';

const dayMs = 24 * 60 * 60_000;

export class ClockLeaps {
  readonly #clock: Clock;
  /** How far the wall clock is ahead of the monotonic one, as far as it is believed, ms. */
  #believed: number;
  /** Since when it is further ahead than that, by the monotonic clock; null: it is not. */
  #doubtedSince: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#believed = clock.wallTime() - clock.now();
  }

  /** False for a day after the wall clock went ahead by more than one: a machine that was asleep is right about it. */
  believed(): boolean {
    const now = this.#clock.now();
    const ahead = this.#clock.wallTime() - now;
    if (ahead - this.#believed > dayMs) {
      this.#doubtedSince ??= now;
      if (now - this.#doubtedSince < dayMs) return false;
    }
    this.#believed = ahead;
    this.#doubtedSince = null;
    return true;
  }
}
