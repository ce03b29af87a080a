// Which frames become pictures when fewer are wanted than come: evenly spaced on the media clock.
// Pure; no timers, since the media's own timestamps are the clock.

const SECOND = 1_000_000;

/**
 * Frames are due at fixed steps. One that comes up to half a step early is taken, so that jitter costs no frame, while
 * the steps themselves never move closer: over time there are never more than `fps` pictures a second.
 */
export class Pacer {
  readonly #period: number;
  #due = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** @param fps at most so many frames a second. */
  constructor(fps: number) {
    this.#period = SECOND / fps;
  }

  /** @param timestamp µs. @returns whether this frame is to be shown. */
  take(timestamp: number): boolean {
    // A camera's clock that jumps back by seconds begins a new timeline; a little back is a frame that came too late.
    if (this.#last === Number.NEGATIVE_INFINITY || timestamp < this.#last - SECOND) this.#due = timestamp;
    else if (timestamp <= this.#last) return false;
    if (timestamp + this.#period / 2 < this.#due) return false;
    this.#due = Math.max(this.#due, timestamp - this.#period / 2) + this.#period;
    this.#last = timestamp;
    return true;
  }
}
