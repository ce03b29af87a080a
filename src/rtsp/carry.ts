// Bytes carried from one chunk of a connection to the next: a frame in pieces, or a line that is not at its end.
// Grows to one frame at most; what the bytes mean is the parser's business.

import { rtspLimits } from './syntax.ts';

const lineFeed = 0x0a;
/** A frame with its head. */
const maxBytes = 4 + 0xffff;

export class Carry {
  #bytes: Uint8Array = new Uint8Array(2048);
  #length = 0;
  #line: string | null = null;

  /** Valid up to `length`, until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** The line that `collectLine` completed, without its end; null when it did not. */
  get line(): string | null {
    return this.#line;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Gives the memory back; nothing may be carried afterwards. */
  release(): void {
    this.#length = 0;
    this.#bytes = new Uint8Array();
  }

  dropFront(count: number): void {
    this.#bytes.copyWithin(0, count, this.#length);
    this.#length -= count;
  }

  append(chunk: Uint8Array, start: number, end: number): void {
    const total = this.#length + end - start;
    if (total > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(Math.max(total, this.#bytes.length * 2), maxBytes));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    if (end - start < 16) for (let i = start; i < end; i++) this.#bytes[this.#length++] = chunk[i]!;
    else this.#bytes.set(chunk.subarray(start, end), this.#length);
    this.#length = total;
  }

  /** Adds up to the line feed. Gives where to read on, or -1 for a line over the limit; see `line`. */
  collectLine(chunk: Uint8Array, start: number): number {
    const room = rtspLimits.line - this.#length;
    const feed = chunk.subarray(start, start + room + 1).indexOf(lineFeed);
    if (feed === -1 && chunk.length - start > room) return -1;
    const end = feed === -1 ? chunk.length : start + feed;
    this.append(chunk, start, end);
    this.#line = null;
    if (feed === -1) return end;
    const cut = this.#length > 0 && this.#bytes[this.#length - 1] === 0x0d ? 1 : 0;
    this.#line = Buffer.from(this.#bytes.buffer, 0, this.#length - cut).toString('utf8');
    this.#length = 0;
    return end + 1;
  }
}
