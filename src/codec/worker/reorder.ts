// Why a decoder holds pictures back, in the bits of H.264: B slices, and the SPS's claim that pictures are reordered.
// Pure functions on Annex B access units (ITU-T H.264 7.3.2.1.1, 7.3.3, E.1.1); no decoder here.

import { readChroma, skipPictureOrder } from '../../media/h264.ts';
import { BitReader, h264Nal, h264NalType, unescapeNal } from '../../media/nal.ts';

/** Index of the next 00 00 01 at or after `from`, or -1. */
function startCode(data: Uint8Array, from: number): number {
  for (let i = from; i + 2 < data.length; ) {
    const third = data[i + 2]!;
    if (third > 1) i += 3;
    else if (third === 1 && data[i] === 0 && data[i + 1] === 0) return i;
    else i += 1;
  }
  return -1;
}

/** Puts emulation prevention bytes in (7.4.1). */
function withEscapes(rbsp: Uint8Array): Uint8Array {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of rbsp) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out.push(byte);
  }
  return Uint8Array.from(out);
}

function skipHrd(bits: BitReader): void {
  const count = bits.ue() + 1;
  bits.skip(8);
  for (let i = 0; i < count && !bits.overrun; i += 1) {
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  bits.skip(20);
}

/** Reads up to vui_parameters_present_flag, and says whether it is set. `bits` stands after the level. */
function skipToVui(bits: BitReader, profile: number): boolean {
  bits.ue();
  readChroma(bits, profile);
  bits.ue();
  skipPictureOrder(bits);
  bits.ue();
  bits.skip(1);
  bits.ue();
  bits.ue();
  if (!bits.flag()) bits.skip(1);
  bits.skip(1);
  if (bits.flag()) for (let i = 0; i < 4; i += 1) bits.ue();
  return bits.flag();
}

/** From the start of vui_parameters() to bitstream_restriction_flag, which is the next bit. */
function skipToRestriction(bits: BitReader): void {
  if (bits.flag() && bits.bits(8) === 255) bits.skip(32);
  if (bits.flag()) bits.skip(1);
  if (bits.flag()) {
    bits.skip(4);
    if (bits.flag()) bits.skip(24);
  }
  if (bits.flag()) {
    bits.ue();
    bits.ue();
  }
  if (bits.flag()) bits.skip(65);
  const nalHrd = bits.flag();
  if (nalHrd) skipHrd(bits);
  const vclHrd = bits.flag();
  if (vclHrd) skipHrd(bits);
  if (nalHrd || vclHrd) bits.skip(1);
  bits.skip(1);
}

/**
 * The SPS (one NAL unit, header included) without its bitstream restriction, when that claims reordered pictures;
 * otherwise null. The restriction is the last thing in an SPS: cutting it off is clearing one flag.
 */
export function withoutReorderClaim(sps: Uint8Array): Uint8Array | null {
  const rbsp = unescapeNal(sps);
  const bits = new BitReader(rbsp, 4);
  if (!skipToVui(bits, rbsp[1] ?? 0)) return null;
  skipToRestriction(bits);
  const flagAt = bits.position;
  if (!bits.flag()) return null;
  bits.skip(1);
  for (let i = 0; i < 4; i += 1) bits.ue();
  const reordered = bits.ue();
  // A damaged SPS is the decoder's to judge: it goes there as it came.
  if (reordered === 0 || bits.overrun) return null;
  // The flag becomes 0, the stop bit follows, the rest of that byte is zero.
  const cut = rbsp.slice(0, ((flagAt + 1) >> 3) + 1);
  const stop = flagAt + 1;
  const last = stop >> 3;
  if (flagAt >> 3 !== last) cut[flagAt >> 3]! &= 0xfe;
  else cut[last]! &= ~(1 << (7 - (flagAt & 7)));
  cut[last] = (cut[last]! & (0xff << (8 - (stop & 7)))) | (1 << (7 - (stop & 7)));
  return withEscapes(cut);
}

/** An H.264 access unit as seen from outside the decoder. */
export interface UnitBits {
  /** Its first slice is a B slice: pictures of this stream are reordered. */
  readonly bSlice: boolean;
  /** Where its SPS NAL units lie: [start, end) pairs after their start codes. */
  readonly sps: readonly (readonly [number, number])[];
}

/** Looks at the NAL units up to and including the first slice. */
export function inspectH264(data: Uint8Array): UnitBits {
  const sps: [number, number][] = [];
  for (let code = startCode(data, 0); code >= 0; ) {
    const start = code + 3;
    const type = h264NalType(data[start] ?? 0);
    if (type === h264Nal.slice || type === h264Nal.idr) return { bSlice: isBSlice(data, start), sps };
    code = startCode(data, start);
    if (type === h264Nal.sps) {
      let end = code < 0 ? data.length : code;
      while (end > start && data[end - 1] === 0) end -= 1;
      sps.push([start, end]);
    }
  }
  return { bSlice: false, sps };
}

function isBSlice(data: Uint8Array, start: number): boolean {
  const bits = new BitReader(unescapeNal(data.subarray(start + 1, start + 17)));
  bits.ue();
  return bits.ue() % 5 === 1 && !bits.overrun;
}

/** The access unit with the claim taken out of each of its SPS; the same bytes when there is none. */
export function clearReorderClaim(data: Uint8Array, sps: UnitBits['sps']): Uint8Array {
  let out: Uint8Array[] | null = null;
  let from = 0;
  for (const [start, end] of sps) {
    const replaced = withoutReorderClaim(data.subarray(start, end));
    if (!replaced) continue;
    out ??= [];
    out.push(data.subarray(from, start), replaced);
    from = end;
  }
  if (!out) return data;
  out.push(data.subarray(from));
  return Buffer.concat(out);
}
