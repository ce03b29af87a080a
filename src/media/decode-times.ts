// Decoding times for pictures that come in decoding order with presentation times only, as RTP brings them.
// Pure arithmetic; needed by formats that carry both, such as MP4.

/** H.264 and H.265 allow no deeper reordering. */
const deepest = 16;
/** After a gap in the pictures as long as this, µs, decoding begins anew: it must not lag behind by the gap. */
const gapUs = 1_000_000;

/** How many pictures come before one that is shown first, as seen so far: 0 without B-frames. */
export class ReorderDepth {
  /** Presentation times of the pictures that came last, in order of coming. */
  readonly #recent: number[] = [];
  #depth: number;

  constructor(depth = 0) {
    this.#depth = depth;
  }

  get depth(): number {
    return this.#depth;
  }

  /** @param timestamp presentation time of the next picture in decoding order, µs. */
  notice(timestamp: number): void {
    let later = 0;
    for (const time of this.#recent) if (time > timestamp) later++;
    this.#recent.push(timestamp);
    if (this.#recent.length > deepest) this.#recent.shift();
    if (later > this.#depth) this.#depth = later;
  }
}

/**
 * The decoding times are the presentation times in rising order, late by the depth of the reordering: so each picture
 * is decoded before it is shown, and a stream without B-frames is decoded at its presentation times. A depth that is
 * not known at first is learned.
 */
export class DecodeTimes {
  readonly #period: number;
  readonly #reorder: ReorderDepth;
  /** The highest presentation times, one more than the depth, rising; the first one is the newest decoding time. */
  #times: number[] = [];
  #last = -1;

  /**
   * @param depth of the reordering, as far as known.
   * @param period from picture to picture, µs: how long before the first one decoding begins.
   */
  constructor(depth: number, period: number) {
    this.#reorder = new ReorderDepth(depth);
    this.#period = period;
  }

  /**
   * @param timestamp presentation time, µs.
   * @returns decoding time, µs: an integer ≥ 0, above the one before, and at most `timestamp` once the depth is known.
   */
  next(timestamp: number): number {
    this.#reorder.notice(timestamp);
    const { depth } = this.#reorder;
    if (this.#times.length === 0 || timestamp - this.#times.at(-1)! > gapUs) {
      this.#times = Array.from({ length: depth + 1 }, (_, i) => timestamp - (depth - i) * this.#period);
    } else {
      while (this.#times.length <= depth) this.#times.unshift(this.#times[0]!);
      this.#times[0] = timestamp;
      this.#times.sort((a, b) => a - b);
    }
    this.#last = Math.max(Math.round(this.#times[0]!), this.#last + 1);
    return this.#last;
  }
}
