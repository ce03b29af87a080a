// Choosing frames so that a slower rate comes out evenly spaced.
// Decides on media time alone; who decodes or sends is elsewhere.

/**
 * Lets at most `fps` frames a second through. Deadlines advance by whole intervals, so that 25 → 15 fps keeps the
 * average exactly; a frame a little early (jitter, clock rounding) still counts for its deadline, so that a camera
 * already at `fps` loses nothing.
 */
export class FrameRateLimiter {
  readonly #interval: number;
  #due = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(fps: number) {
    this.#interval = 1_000_000 / fps;
  }

  /** @param timestamp media time, µs. @returns whether this frame is one to show. */
  take(timestamp: number): boolean {
    // A step back or a long gap: begin anew, or nothing would be shown until the old deadline.
    if (timestamp < this.#last - 1_000_000 || timestamp - this.#due > 2 * this.#interval)
      this.#due = timestamp;
    this.#last = timestamp;
    if (timestamp < this.#due - this.#interval * 0.4) return false;
    this.#due += this.#interval;
    return true;
  }
}
