// What every depacketizer has in common: its interface, its sink, and the memory that access units are built in.
// Nothing here knows a codec.

import type { AccessUnit, VideoParameters } from '../../media/access-unit.ts';
import type { RtpPacket } from '../rtp.ts';

/** An access unit may be this large, in bytes; larger ones are dropped. */
export const maxAccessUnitBytes = 4 * 1024 * 1024;

/** `loss`: packets missing; `too_large`; `broken`: the payload makes no sense; `no_parameters`: nothing to decode it with yet. */
export type DropReason = 'loss' | 'too_large' | 'broken' | 'no_parameters';

export interface DepacketizerSink {
  /** Before the first unit, and before the unit from which on other parameters hold. */
  onVideo(video: VideoParameters): void;
  onAccessUnit(unit: AccessUnit): void;
  onDropped(reason: DropReason): void;
}

export interface Depacketizer {
  /**
   * Takes one packet, in order of sequence number; its bytes are not kept.
   * @param timestamp µs, of the unit that the packet belongs to.
   * @param receivedAt ms, monotonic.
   * @param gap packets were lost right before this one.
   */
  push(packet: RtpPacket, timestamp: number, receivedAt: number, gap: boolean): void;
  /** Bytes held between two packets. */
  readonly retainedBytes: number;
}

const slabBytes = 128 * 1024;

/**
 * Where access units are put together: one after the other in slabs that are handed out in slices, so that each
 * payload byte is copied once and small units cost no allocation of their own. A finished unit is never written again.
 */
export class UnitBuffer {
  #slab = new Uint8Array(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  get retainedBytes(): number {
    return this.#slab.length;
  }

  /** False when the unit would grow beyond `maxAccessUnitBytes`; nothing is then written. */
  append(data: Uint8Array, from: number, to: number): boolean {
    const count = to - from;
    if (!this.#reserve(count)) return false;
    // A subarray costs more than a short loop.
    if (count < 24) for (let i = from; i < to; i++) this.#slab[this.#end++] = data[i]!;
    else {
      this.#slab.set(data.subarray(from, to), this.#end);
      this.#end += count;
    }
    return true;
  }

  /** 00 00 00 01 and nothing else. */
  appendStartCode(): boolean {
    if (!this.#reserve(4)) return false;
    this.#slab[this.#end++] = 0;
    this.#slab[this.#end++] = 0;
    this.#slab[this.#end++] = 0;
    this.#slab[this.#end++] = 1;
    return true;
  }

  appendByte(byte: number): boolean {
    if (!this.#reserve(1)) return false;
    this.#slab[this.#end++] = byte;
    return true;
  }

  /** Leaves room that is filled in later, by `take`. */
  skip(count: number): void {
    if (this.#reserve(count)) this.#end += count;
  }

  /** A view of what was written from `offset` on; valid until the next call. */
  view(offset: number): Uint8Array {
    return this.#slab.subarray(this.#start + offset, this.#end);
  }

  truncate(length: number): void {
    this.#end = this.#start + length;
  }

  /**
   * Ends the unit: `prefix`, then what was written after the first `room` bytes.
   * The bytes are the caller's for ever after.
   */
  take(prefix: Uint8Array, room: number): Uint8Array {
    const missing = prefix.length - room;
    if (missing > 0) {
      // Parameter sets are small and bounded; a unit at the limit is not lost for them.
      this.#reserve(missing, Number.POSITIVE_INFINITY);
      this.#slab.copyWithin(this.#start + prefix.length, this.#start + room, this.#end);
      this.#end += missing;
    }
    const from = missing > 0 ? this.#start : this.#start - missing;
    this.#slab.set(prefix, from);
    const unit = this.#slab.subarray(from, this.#end);
    this.#start = this.#end;
    return unit;
  }

  #reserve(count: number, limit = maxAccessUnitBytes): boolean {
    const needed = this.length + count;
    if (needed > limit) return false;
    if (this.#end + count <= this.#slab.length) return true;
    const size = needed <= slabBytes / 4 ? slabBytes : Math.max(slabBytes, 2 * needed);
    // Not cleared: every byte that is handed out was written before.
    const larger = new Uint8Array(
      Buffer.allocUnsafeSlow(Math.max(needed, Math.min(size, maxAccessUnitBytes))).buffer,
    );
    larger.set(this.#slab.subarray(this.#start, this.#end));
    this.#slab = larger;
    this.#end -= this.#start;
    this.#start = 0;
    return true;
  }
}
