// One monotonic media clock per stream, across reconnects, clock jumps and wraps of the camera.
// Pure arithmetic on timestamps; knows nothing of RTP.

/** A step of a camera's clock beyond this (µs), against the local clock, is a jump and not jitter or a B-frame. */
const jumpUs = 2_000_000;

/**
 * Maps the timestamps of consecutive RTSP sessions (each starting anywhere) onto one clock that starts at 0 and
 * follows local time on the whole. Within a session differences are kept exactly, so that pictures stay evenly spaced;
 * small steps backwards pass through, since B-frames arrive in decoding order.
 */
export class Timeline {
  #startedAt: number | null = null;
  /** Media time = session time + offset. */
  #offset = 0;
  #anchored = false;
  #latest = -1;

  /** The next unit belongs to a new session: its timestamps have no relation to the last ones. */
  newSession(): void {
    this.#anchored = false;
  }

  /**
   * @param timestamp session time of the unit, µs.
   * @param receivedAt local monotonic time of its arrival, ms.
   * @returns media time of the stream, µs, an integer ≥ 0.
   */
  map(timestamp: number, receivedAt: number): number {
    this.#startedAt ??= receivedAt;
    const local = (receivedAt - this.#startedAt) * 1000;
    if (!this.#anchored || Math.abs(timestamp + this.#offset - local) > jumpUs) {
      // Never before what was already given out: a decoder and a player expect time to go on.
      const start = Math.max(local, this.#latest + 1);
      this.#offset = Math.round(start) - timestamp;
      this.#anchored = true;
    }
    const mapped = Math.max(0, Math.round(timestamp + this.#offset));
    this.#latest = Math.max(this.#latest, mapped);
    return mapped;
  }

  /**
   * Media time of what lies beside the mapped units on the clock of the same session, as sound does; it moves nothing.
   * @returns null before the first unit of the session, and for what lies before the beginning.
   */
  project(timestamp: number): number | null {
    if (!this.#anchored) return null;
    const projected = Math.round(timestamp + this.#offset);
    return projected < 0 ? null : projected;
  }
}
