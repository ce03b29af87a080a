// Where a camera's sound lies on the clock of its video: by the sender reports of both, until then by arrival.
// Pure arithmetic on the two clocks of a session; the session's place in the stream is the timeline's business.

import type { RtpClock } from './timestamps.ts';

/** Sound that is off by less than this stays where it is, µs: nobody hears it, and an even flow is worth more. */
const reportTolerance = 20_000;
/** By arrival alone nothing is known more exactly than this, µs. */
const arrivalTolerance = 100_000;
/** Sound this far from the pictures that arrive with it is not believed, whatever the reports say, µs. */
const plausible = 3_000_000;
/** Weight of the newest packet in the mean distance: some seconds of packets count. */
const smoothing = 1 / 256;

export class AudioAlignment {
  readonly #video: RtpClock;
  readonly #audio: RtpClock;
  /** Video time = audio time + offset, µs; null before the first. */
  #offset: number | null = null;
  /** Mean distance between where the sound lies and where its arrival says, µs. */
  #drift = 0;

  constructor(video: RtpClock, audio: RtpClock) {
    this.#video = video;
    this.#audio = audio;
  }

  /**
   * @param timestamp µs on the clock of the sound. @param now ms, monotonic: its arrival.
   * @returns µs on the clock of the video; null while no video has come.
   */
  map(timestamp: number, now: number): number | null {
    const live = this.#video.timeAt(now);
    if (live === null) return null;
    const reported = this.#reportedOffset();
    if (reported !== null && Math.abs(timestamp + reported - live) <= plausible) {
      if (this.#offset === null || Math.abs(reported - this.#offset) > reportTolerance) this.#move(reported);
    } else this.#followArrival(timestamp, live);
    return Math.round(timestamp + this.#offset!);
  }

  #reportedOffset(): number | null {
    const { wallClockOffset: audio } = this.#audio;
    const { wallClockOffset: video } = this.#video;
    return audio === null || video === null ? null : (audio - video) * 1000;
  }

  #followArrival(timestamp: number, live: number): void {
    const offset = live - timestamp;
    const distance = this.#offset === null ? Number.POSITIVE_INFINITY : offset - this.#offset;
    if (Math.abs(distance) > plausible) {
      this.#move(offset);
      return;
    }
    this.#drift += (distance - this.#drift) * smoothing;
    if (Math.abs(this.#drift) > arrivalTolerance) this.#move(this.#offset! + this.#drift);
  }

  #move(offset: number): void {
    this.#offset = offset;
    this.#drift = 0;
  }
}
