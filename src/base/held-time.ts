// How long things were held, all of them together: ten for three seconds are thirty.
// Arithmetic over a clock; what is held, and why, is the caller's business.

import type { Clock } from './clock.ts';

export class HeldTime {
  readonly #clock: Pick<Clock, 'now'>;
  #held = 0;
  #total = 0;
  #since: number;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  get held(): number {
    return this.#held;
  }

  /** To be called whenever it changes. */
  set held(count: number) {
    this.#total = this.total;
    this.#since = this.#clock.now();
    this.#held = count;
  }

  /** Ms; never less than before. */
  get total(): number {
    return this.#total + this.#held * (this.#clock.now() - this.#since);
  }
}
