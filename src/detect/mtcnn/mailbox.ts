// Frames that wait for a busy detector: the newest of each channel, channels in turn. Never holds more than one each.
// Pure: knows neither threads nor time.

export class Mailbox<F> {
  /** In the order in which channels began to wait: who was served goes to the end. */
  readonly #waiting = new Map<number, F>();

  /** @returns true when an older frame of the channel was skipped for this one. */
  offer(channel: number, frame: F): boolean {
    const skipped = this.#waiting.has(channel);
    // A channel that replaces its frame keeps its turn.
    this.#waiting.set(channel, frame);
    return skipped;
  }

  /** Takes the frame of the channel that has waited longest. */
  take(): F | undefined {
    for (const [channel, frame] of this.#waiting) {
      this.#waiting.delete(channel);
      return frame;
    }
    return undefined;
  }

  /** @returns true when a frame of the channel was waiting and is dropped. */
  forget(channel: number): boolean {
    return this.#waiting.delete(channel);
  }

  /** Channels with a frame waiting. */
  get size(): number {
    return this.#waiting.size;
  }
}
