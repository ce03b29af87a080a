// AAC over RTP in access units (RFC 3640, modes AAC-hbr and AAC-lbr): several in a packet, or one in several packets.
// Interleaving (AU-Index-delta) is not what cameras do; such packets are dropped.

import { BitReader } from '../../media/nal.ts';
import type { RtpPacket } from '../rtp.ts';
import type { AudioPayload } from '../sdp-audio.ts';
import type { AudioSink } from './audio.ts';
import type { Depacketizer, DropReason } from './depacketizer.ts';

type Layout = Omit<Extract<AudioPayload, { kind: 'mpeg4-generic' }>, 'kind'>;

/** An access unit of which only fragments have come. */
interface Open {
  readonly data: Uint8Array;
  length: number;
  readonly rtpTimestamp: number;
  readonly timestamp: number;
}

export class AacDepacketizer implements Depacketizer {
  readonly #layout: Layout;
  readonly #sink: AudioSink;
  #open: Open | null = null;

  constructor(layout: Layout, sink: AudioSink) {
    this.#layout = layout;
    this.#sink = sink;
  }

  get retainedBytes(): number {
    return this.#open?.data.length ?? 0;
  }

  push(packet: RtpPacket, timestamp: number, receivedAt: number, gap: boolean): void {
    if (this.#open && (gap || packet.timestamp !== this.#open.rtpTimestamp)) this.#giveUp('loss');
    const sizes = this.#readSizes(packet);
    if (sizes === null) {
      this.#giveUp(null);
      this.#sink.onDropped('broken');
      return;
    }
    const start = packet.payloadEnd - sizes.bytesAfter;
    const [first = 0] = sizes.units;
    const alone = sizes.units.length === 1;
    if (alone && (this.#open || first > sizes.bytesAfter))
      this.#readFragment(packet, start, first, timestamp, receivedAt);
    else this.#readUnits(packet, start, sizes.units, timestamp, receivedAt);
  }

  /** The AU Header Section (§3.2.1); null when it makes no sense. */
  #readSizes(packet: RtpPacket): { units: number[]; bytesAfter: number } | null {
    const { sizeLength, indexLength, indexDeltaLength } = this.#layout;
    const { data, payloadStart: at, payloadEnd: end } = packet;
    if (end - at < 2) return null;
    const headerBits = (data[at]! << 8) | data[at + 1]!;
    const after = at + 2 + Math.ceil(headerBits / 8);
    if (headerBits === 0 || after > end) return null;
    const bits = new BitReader(data.subarray(at + 2, after));
    const units: number[] = [];
    while (bits.position < headerBits) {
      const first = units.length === 0;
      units.push(bits.bits(sizeLength));
      const index = bits.bits(first ? indexLength : indexDeltaLength);
      // The index of the first unit is nobody's business without interleaving.
      if ((!first && index !== 0) || bits.position > headerBits || bits.overrun) return null;
    }
    return { units, bytesAfter: end - after };
  }

  #readUnits(
    packet: RtpPacket,
    start: number,
    sizes: readonly number[],
    timestamp: number,
    receivedAt: number,
  ): void {
    this.#giveUp('loss');
    let at = start;
    for (const [i, size] of sizes.entries()) {
      if (size === 0 || at + size > packet.payloadEnd) {
        this.#sink.onDropped('broken');
        return;
      }
      const data = Uint8Array.from(packet.data.subarray(at, at + size));
      const { unitDuration } = this.#layout;
      this.#sink.onUnit(data, timestamp + Math.round(i * unitDuration), unitDuration, receivedAt);
      at += size;
    }
  }

  /** §3.2.3.1: each fragment says the size of the whole unit; the last one has the marker. */
  #readFragment(packet: RtpPacket, start: number, size: number, timestamp: number, receivedAt: number): void {
    this.#open ??= {
      data: new Uint8Array(size),
      length: 0,
      rtpTimestamp: packet.timestamp,
      timestamp,
    };
    const open = this.#open;
    const count = packet.payloadEnd - start;
    if (size !== open.data.length || open.length + count > size) {
      this.#giveUp('broken');
      return;
    }
    open.data.set(packet.data.subarray(start, packet.payloadEnd), open.length);
    open.length += count;
    if (open.length < size) return;
    this.#open = null;
    this.#sink.onUnit(open.data, open.timestamp, this.#layout.unitDuration, receivedAt);
  }

  #giveUp(reason: DropReason | null): void {
    if (!this.#open) return;
    this.#open = null;
    if (reason) this.#sink.onDropped(reason);
  }
}
