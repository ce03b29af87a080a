// H.264 over RTP (RFC 6184), packetization modes 0 and 1: single NAL units, STAP-A, FU-A.
// The interleaved mode (STAP-B, MTAP, FU-B) is never negotiated; such packets damage their unit.

import { describeH264, h264PpsId, parseH264Sps } from '../../media/h264.ts';
import { h264Nal, h264NalType } from '../../media/nal.ts';
import type { RtpPacket } from '../rtp.ts';
import type { Depacketizer, DepacketizerSink } from './depacketizer.ts';
import { NalAssembler, type NalKind, type NalRules } from './nal-assembler.ts';

const stapA = 24;
const fuA = 28;

function kindOf(type: number): NalKind {
  if (type === h264Nal.idr) return 'key';
  if (type >= 1 && type < h264Nal.idr) return 'slice';
  if (type === h264Nal.sps || type === h264Nal.pps) return 'set';
  if (type === 0 || type === h264Nal.aud || type === h264Nal.filler || type >= stapA) return 'skip';
  return 'other';
}

const rules: NalRules = {
  codec: 'h264',
  types: [h264Nal.sps, h264Nal.pps],
  required: [h264Nal.sps, h264Nal.pps],
  typeOf: h264NalType,
  idOf: (nal) => (h264NalType(nal[0]!) === h264Nal.sps ? (parseH264Sps(nal)?.id ?? null) : h264PpsId(nal)),
  describe: describeH264,
  kindOf,
};

/** Whether a NAL unit of this type, with this byte after its header, begins a picture: first_mb_in_slice is 0. */
function beginsPicture(type: number, firstSliceByte: number): boolean {
  const kind = kindOf(type);
  return kind === 'slice' || kind === 'key' ? firstSliceByte >= 0x80 : true;
}

function startsPicture(data: Uint8Array, start: number, end: number): boolean {
  const type = h264NalType(data[start]!);
  if (type === fuA) {
    const header = data[start + 1] ?? 0;
    return (header & 0x80) !== 0 && beginsPicture(header & 0x1f, data[start + 2] ?? 0);
  }
  const at = type === stapA ? start + 3 : start;
  return at + 1 < end && beginsPicture(h264NalType(data[at]!), data[at + 1]!);
}

export class H264Depacketizer implements Depacketizer {
  readonly #units: NalAssembler;

  /** @param declaredSets of the SDP, NAL units without start codes. */
  constructor(declaredSets: readonly Uint8Array[], sink: DepacketizerSink) {
    this.#units = new NalAssembler(rules, declaredSets, sink);
  }

  get retainedBytes(): number {
    return this.#units.retainedBytes;
  }

  push(packet: RtpPacket, timestamp: number, receivedAt: number, gap: boolean): void {
    const { data, payloadStart: start, payloadEnd: end } = packet;
    const starts = gap && end > start && startsPicture(data, start, end);
    this.#units.beginPacket(packet.timestamp, timestamp, receivedAt, gap, starts);
    if (end > start) this.#readPayload(data, start, end);
    this.#units.endPacket(packet.marker);
  }

  #readPayload(data: Uint8Array, start: number, end: number): void {
    const type = h264NalType(data[start]!);
    if (type === fuA) this.#readFragment(data, start, end);
    else if (type === stapA) this.#readAggregate(data, start + 1, end);
    else if (type > stapA && type < 30) this.#units.damage('broken');
    else this.#units.add(data, start, end);
  }

  /** RFC 6184 §5.8. */
  #readFragment(data: Uint8Array, start: number, end: number): void {
    if (end - start < 2) return;
    const header = data[start + 1]!;
    const nalHeader = (data[start]! & 0xe0) | (header & 0x1f);
    if (header & 0x80) this.#units.openFragment(nalHeader, -1, data, start + 2, end);
    else this.#units.addFragment(data, start + 2, end);
    if (header & 0x40) this.#units.endFragment();
  }

  /** RFC 6184 §5.7.1. */
  #readAggregate(data: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at + 2 < end) {
      const next = at + 2 + ((data[at]! << 8) | data[at + 1]!);
      if (next > end) {
        this.#units.damage('broken');
        return;
      }
      this.#units.add(data, at + 2, next);
      at = next;
    }
  }
}
