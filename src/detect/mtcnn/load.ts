// How busy the detector is, and the rate it can keep up with: figures for those who decide how often to ask it.
// Pure: time is given.

/** Seconds-long memory: long enough to be steady, short enough to follow a camera being switched on. */
const MEMORY_MS = 3_000;

/** Averages with this weight for a new frame's time. */
const NEWEST_WEIGHT = 0.1;

/** Part of the time that detection may take before frames begin to wait for each other. */
const COMFORTABLE = 0.7;

export class Load {
  #busy = false;
  #utilisation = 0;
  #at: number;
  #averageTime = 0;
  /** When each channel last offered a frame. */
  readonly #channels = new Map<number, number>();

  /** @param now ms, monotonic, as in every method. */
  constructor(now: number) {
    this.#at = now;
  }

  offered(channel: number, now: number): void {
    this.#channels.set(channel, now);
  }

  forget(channel: number): void {
    this.#channels.delete(channel);
  }

  /** The detector begins (`true`) or ends (`false`) to work on a frame. */
  working(busy: boolean, now: number): void {
    this.#advance(now);
    this.#busy = busy;
  }

  took(ms: number): void {
    this.#averageTime =
      this.#averageTime === 0 ? ms : this.#averageTime + NEWEST_WEIGHT * (ms - this.#averageTime);
  }

  /** ms per frame, a moving average; 0 before the first. */
  get averageTime(): number {
    return this.#averageTime;
  }

  /** Part of the last seconds spent detecting, 0–1. */
  utilisation(now: number): number {
    this.#advance(now);
    return this.#utilisation;
  }

  /** Each channel can be analysed every so many ms without frames being skipped; 0 before the first frame. */
  sustainableInterval(now: number): number {
    let active = 0;
    for (const last of this.#channels.values()) if (now - last < MEMORY_MS) active++;
    return (this.#averageTime * active) / COMFORTABLE;
  }

  #advance(now: number): void {
    const kept = Math.exp((this.#at - now) / MEMORY_MS);
    this.#utilisation = this.#utilisation * kept + (this.#busy ? 1 - kept : 0);
    this.#at = now;
  }
}
