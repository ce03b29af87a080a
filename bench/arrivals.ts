// When each message of a camera arrived at two viewers, told apart by what is in it: how much later one of them has it.
// For messages that are the same for every viewer; nothing is decoded.

import { hash } from 'node:crypto';

/** A clip begins again after many seconds: the same bytes later than this are another showing of them. */
const sameShowingMs = 5_000;

export class Arrivals {
  readonly #seen = new Map<string, number[]>();

  /** @param headerBytes at its start, which may differ between viewers. */
  add(message: Buffer, at: number, headerBytes: number): void {
    const key = hash('sha1', message.subarray(headerBytes), 'base64');
    const times = this.#seen.get(key);
    if (times) times.push(at);
    else this.#seen.set(key, [at]);
  }

  /** For every message that both got: how much later it came here than there, ms. */
  laterThan(other: Arrivals): number[] {
    const delays: number[] = [];
    for (const [key, times] of this.#seen)
      for (const at of times) {
        const there = other.#seen.get(key)?.find((time) => Math.abs(time - at) < sameShowingMs);
        if (there !== undefined) delays.push(at - there);
      }
    return delays;
  }
}
