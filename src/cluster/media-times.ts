// Media times of a camera whose owners change: each has a clock of its own, viewers see one.
// Pure arithmetic.

/** Media times of one owner after the other, on one clock that never steps back between them. */
export class MediaTimes {
  #offset: number | null = 0;
  #last: number | null = null;
  #lastAt = 0;

  /** Times of another clock come from now on. */
  begin(): void {
    if (this.#last !== null) this.#offset = null;
  }

  /** @param time µs. @param at ms, monotonic, when it was received from the camera. @returns µs. */
  map(time: number, at: number): number {
    if (this.#offset === null) {
      const since = Math.max(1, Math.round((at - this.#lastAt) * 1000));
      this.#offset = this.#last! + since - time;
    }
    const mapped = Math.max(0, time + this.#offset);
    if (this.#last === null || mapped > this.#last) {
      this.#last = mapped;
      this.#lastAt = at;
    }
    return mapped;
  }
}
