// Choosing frames so that a slower rate comes out evenly spaced.
// Decides on media time alone; who decodes or sends is elsewhere.

const second = 1_000_000;

/**
 * Lets at most `fps` frames a second through. Deadlines advance by whole intervals, so that 25 → 15 fps keeps the
 * average exactly; a frame up to half an interval early (jitter, clock rounding) still counts for its deadline, so that
 * a camera already at `fps` loses nothing. What is let through is in order.
 */
export class FrameRateLimiter {
  readonly #interval: number;
  #due = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(fps: number) {
    this.#interval = second / fps;
  }

  /** @param timestamp media time, µs. @returns whether this frame is one to show. */
  take(timestamp: number): boolean {
    // A step back by more than a second or a gap begins anew; a smaller step back is a frame that came too late.
    const sinceLast = timestamp - this.#last;
    if (sinceLast < -second || timestamp - this.#due > 2 * this.#interval) this.#due = timestamp;
    else if (sinceLast <= 0) return false;
    if (timestamp + this.#interval / 2 < this.#due) return false;
    // Deadlines that were missed are not made up for.
    this.#due = Math.max(this.#due, timestamp - this.#interval / 2) + this.#interval;
    this.#last = timestamp;
    return true;
  }
}
