// H.265 over RTP (RFC 7798): single NAL units, aggregation packets, fragmentation units, DONL skipped.
// Packets stay in the order they were sent in; PACI packets damage their unit.

import { describeH265, h265PpsId, parseH265Sps } from '../../media/h265.ts';
import { h265Nal, h265NalType } from '../../media/nal.ts';
import type { RtpPacket } from '../rtp.ts';
import type { Depacketizer, DepacketizerSink } from './depacketizer.ts';
import { NalAssembler, type NalKind, type NalRules } from './nal-assembler.ts';

const aggregation = 48;
const fragmentation = 49;

function kindOf(type: number): NalKind {
  if (type >= h265Nal.firstIrap && type <= h265Nal.lastIrap) return 'key';
  if (type <= h265Nal.lastVcl) return 'slice';
  if (type <= h265Nal.pps) return 'set';
  if (type === h265Nal.aud || type === h265Nal.filler || type >= aggregation) return 'skip';
  return 'other';
}

/** The id of a VPS stands in its first bits (§7.3.2.1). */
function idOf(nal: Uint8Array): number | null {
  if (nal.length < 4) return null;
  const type = h265NalType(nal[0]!);
  if (type === h265Nal.vps) return nal[2]! >> 4;
  return type === h265Nal.sps ? (parseH265Sps(nal)?.id ?? null) : h265PpsId(nal);
}

const rules: NalRules = {
  codec: 'h265',
  types: [h265Nal.vps, h265Nal.sps, h265Nal.pps],
  required: [h265Nal.vps, h265Nal.sps, h265Nal.pps],
  typeOf: h265NalType,
  idOf,
  describe: describeH265,
  kindOf,
};

/** first_slice_segment_in_pic_flag is the first bit after the NAL header. */
function beginsPicture(type: number, firstSliceByte: number): boolean {
  return type <= h265Nal.lastVcl ? firstSliceByte >= 0x80 : true;
}

export class H265Depacketizer implements Depacketizer {
  readonly #units: NalAssembler;
  readonly #donl: number;

  /**
   * @param declaredSets of the SDP, NAL units without start codes.
   * @param donl decoding order numbers stand in the packets (`sprop-max-don-diff` > 0).
   */
  constructor(declaredSets: readonly Uint8Array[], donl: boolean, sink: DepacketizerSink) {
    this.#units = new NalAssembler(rules, declaredSets, sink);
    this.#donl = donl ? 2 : 0;
  }

  get retainedBytes(): number {
    return this.#units.retainedBytes;
  }

  push(packet: RtpPacket, timestamp: number, receivedAt: number, gap: boolean): void {
    const { data, payloadStart: start, payloadEnd: end } = packet;
    const starts = gap && end > start && this.#startsPicture(data, start, end);
    this.#units.beginPacket(packet.timestamp, timestamp, receivedAt, gap, starts);
    if (end - start > 2) this.#readPayload(data, start, end);
    this.#units.endPacket(packet.marker);
  }

  #startsPicture(data: Uint8Array, start: number, end: number): boolean {
    const type = h265NalType(data[start]!);
    if (type === fragmentation) {
      const header = data[start + 2] ?? 0;
      return (header & 0x80) !== 0 && beginsPicture(header & 0x3f, data[start + 3 + this.#donl] ?? 0);
    }
    const at = type === aggregation ? start + 4 + this.#donl : start;
    const slice = type === aggregation ? at + 2 : at + 2 + this.#donl;
    return slice < end && beginsPicture(h265NalType(data[at]!), data[slice]!);
  }

  #readPayload(data: Uint8Array, start: number, end: number): void {
    const type = h265NalType(data[start]!);
    if (type === fragmentation) this.#readFragment(data, start, end);
    else if (type === aggregation) this.#readAggregate(data, start + 2, end);
    else if (type > fragmentation) this.#units.damage('broken');
    else if (this.#donl === 0) this.#units.add(data, start, end);
    else if (end - start > 4) {
      // §4.4.1: the DONL stands between the header and the payload, where no NAL unit has it.
      this.#units.openFragment(data[start]!, data[start + 1]!, data, start + 4, end);
      this.#units.endFragment();
    }
  }

  /** RFC 7798 §4.4.3. */
  #readFragment(data: Uint8Array, start: number, end: number): void {
    if (end - start < 3) return;
    const header = data[start + 2]!;
    if (header & 0x80) {
      const first = (data[start]! & 0x81) | ((header & 0x3f) << 1);
      const payload = Math.min(end, start + 3 + this.#donl);
      this.#units.openFragment(first, data[start + 1]!, data, payload, end);
    } else this.#units.addFragment(data, start + 3, end);
    if (header & 0x40) this.#units.endFragment();
  }

  /** RFC 7798 §4.4.2: a DONL before the first unit, a DOND of one byte before each other. */
  #readAggregate(data: Uint8Array, start: number, end: number): void {
    let at = start + this.#donl;
    while (at + 2 < end) {
      const next = at + 2 + ((data[at]! << 8) | data[at + 1]!);
      if (next > end) {
        this.#units.damage('broken');
        return;
      }
      this.#units.add(data, at + 2, next);
      at = next + (this.#donl > 0 ? 1 : 0);
    }
  }
}
