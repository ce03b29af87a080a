// For how long data has come without anything to be seen of it: that tells a way of playing that does not work from a
// camera that is silent. Arithmetic on times that it is given.

/** Data comes, and nothing is to be seen: this way does not work here, ms. */
export const unshownMs = 4_000;

export class Flow {
  /** Since when data has come without a long pause, and its newest. */
  #since = 0;
  #newest = 0;

  /** Data has come. @returns the same time. */
  take(now: number): number {
    // What came before may have been held back for want of what follows, as decoders do with the last picture.
    if (now - this.#newest > unshownMs) this.#since = now;
    this.#newest = now;
    return now;
  }

  /** @param since when the first of it came that nothing was shown of; null when all is well. */
  unshownMs(since: number | null): number {
    return since === null ? 0 : Math.max(0, this.#newest - Math.max(since, this.#since));
  }
}
