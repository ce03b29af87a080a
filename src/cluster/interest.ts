// Whether anybody here wants something of a camera elsewhere, and for how long after the last one it is still fetched.
// Counts only; what is fetched, and how, is its owner's.

import type { Clock } from '../base/clock.ts';

/** Fetched for this long after the last one: a reload of the page must not begin anew. */
const lingerMs = 5_000;

export class Interest {
  readonly #clock: Clock;
  /** Begins to fetch. @returns ends it. */
  readonly #fetch: () => () => void;
  #count = 0;
  #end: (() => void) | null = null;
  #cancelLinger: (() => void) | null = null;

  constructor(clock: Clock, fetch: () => () => void) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  get active(): boolean {
    return this.#end !== null;
  }

  /** @returns ends it; idempotent. */
  take(): () => void {
    this.#count += 1;
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    this.#end ??= this.#fetch();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count -= 1;
      if (this.#count > 0 || !this.#end) return;
      this.#cancelLinger?.();
      this.#cancelLinger = this.#clock.after(lingerMs, () => this.close());
    };
  }

  /** At once, whoever is interested. */
  close(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    this.#end?.();
    this.#end = null;
  }
}
