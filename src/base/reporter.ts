// Errors of hot paths, told at a bounded rate: the first at once, then a count with the latest one.
// Where it is told to is the caller's.

import type { Clock } from './clock.ts';

export class Reporter<E = unknown> {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #tell: (count: number, latest: E) => void;
  #count = 0;
  #latest: E | null = null;
  #waiting = false;

  constructor(clock: Clock, everyMs: number, tell: (count: number, latest: E) => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#tell = tell;
  }

  add(error: E): void {
    this.#count += 1;
    this.#latest = error;
    if (!this.#waiting) this.#flush();
  }

  #flush(): void {
    if (this.#count === 0) {
      this.#waiting = false;
      return;
    }
    this.#tell(this.#count, this.#latest as E);
    this.#count = 0;
    this.#waiting = true;
    this.#clock.after(this.#everyMs, () => this.#flush());
  }
}
