// A number of places, shared by all who may take one.
// Counting only; what a place is, and what is said when none is left, is the caller's.

export class Places {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get most(): number {
    return this.#most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @returns gives the place back, idempotent; null when there is none. */
  take(): (() => void) | null {
    if (this.#taken >= this.#most) return null;
    this.#taken += 1;
    let given = false;
    return () => {
      if (!given) this.#taken -= 1;
      given = true;
    };
  }
}
