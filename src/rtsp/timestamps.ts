// RTP timestamps (32 bits, any rate, any start) as µs since the session's first one, and their wall-clock time.
// Mapping several sessions of a camera on one clock is the stream's business.

/** One per session and track. */
export class RtpClock {
  readonly #rate: number;
  #last = -1;
  /** Ticks since the first timestamp; of the newest packet, so it may step back with B-frames. */
  #ticks = 0;
  #lastArrival = 0;
  #wallClockOffset: number | null = null;

  /** @param rate ticks a second, from the rtpmap. */
  constructor(rate: number) {
    this.#rate = rate > 0 ? rate : 90_000;
  }

  /** Wall-clock time of timestamp 0, in ms since 1970, from the newest sender report; null before the first. */
  get wallClockOffset(): number | null {
    return this.#wallClockOffset;
  }

  /**
   * µs since the first packet; negative for pictures shown before it. Steps of up to half of 2^32 ticks either way
   * are followed, so wraps and B-frames come out right.
   * @param receivedAt ms, monotonic.
   */
  toMicroseconds(timestamp: number, receivedAt: number): number {
    if (this.#last !== -1) this.#ticks += (timestamp - this.#last) | 0;
    this.#last = timestamp;
    this.#lastArrival = receivedAt;
    return Math.round((this.#ticks * 1_000_000) / this.#rate);
  }

  /** Which of its times would be sent now, µs, by the newest packet and the time since; null before the first. */
  timeAt(now: number): number | null {
    if (this.#last === -1) return null;
    return (this.#ticks * 1_000_000) / this.#rate + (now - this.#lastArrival) * 1000;
  }

  /** The sender began anew (another SSRC): go on from here by the time of arrival. */
  restart(timestamp: number, receivedAt: number): void {
    if (this.#last !== -1)
      this.#ticks += Math.max(1, Math.round(((receivedAt - this.#lastArrival) * this.#rate) / 1000));
    this.#last = timestamp;
    this.#lastArrival = receivedAt;
    this.#wallClockOffset = null;
  }

  /** @param ntpMs ms since 1970 at which `timestamp` was sampled (RFC 3550 §6.4.1). */
  senderReport(ntpMs: number, timestamp: number): void {
    if (this.#last === -1) return;
    const ticks = this.#ticks + ((timestamp - this.#last) | 0);
    this.#wallClockOffset = ntpMs - (ticks * 1000) / this.#rate;
  }
}
