// Why a decoder holds pictures back, in the bits of H.264: B slices, and the SPS's claim that pictures are reordered.
// Pure functions on Annex B access units (ITU-T H.264 7.3.2.1.1, 7.3.3, E.1.1); no decoder here.

const SPS = 7;
const NON_IDR_SLICE = 1;
const IDR_SLICE = 5;
/** profile_idc values whose SPS carries chroma format and scaling lists (7.3.2.1.1). */
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Big-endian bits of an RBSP; reading past the end throws RangeError. */
class Bits {
  readonly #bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bit(): number {
    const byte = this.#bytes[this.position >> 3];
    if (byte === undefined) throw new RangeError('The parameter set ends too early');
    const value = (byte >> (7 - (this.position & 7))) & 1;
    this.position += 1;
    return value;
  }

  skip(count: number): void {
    this.position += count;
  }

  u8(): number {
    let value = 0;
    for (let i = 0; i < 8; i += 1) value = value * 2 + this.bit();
    return value;
  }

  /** ue(v), 9.1. */
  ue(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      zeros += 1;
      if (zeros > 32) throw new RangeError('An Exp-Golomb code is too long');
    }
    let value = 1;
    for (let i = 0; i < zeros; i += 1) value = value * 2 + this.bit();
    return value - 1;
  }

  /** se(v), 9.1.1. */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

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

/** Removes emulation prevention bytes (7.4.1). */
function withoutEscapes(nal: Uint8Array): Uint8Array {
  const out = new Uint8Array(nal.length);
  let length = 0;
  let zeros = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
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

function skipScalingLists(bits: Bits, chromaFormat: number): void {
  const lists = chromaFormat === 3 ? 12 : 8;
  for (let list = 0; list < lists; list += 1) {
    if (!bits.bit()) continue;
    let last = 8;
    let next = 8;
    for (let i = 0; i < (list < 6 ? 16 : 64); i += 1) {
      if (next !== 0) next = (last + bits.se() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

function skipHrd(bits: Bits): void {
  const count = bits.ue() + 1;
  if (count > 32) throw new RangeError('Too many buffers in the HRD parameters');
  bits.skip(8);
  for (let i = 0; i < count; i += 1) {
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  bits.skip(20);
}

/** Reads up to vui_parameters_present_flag, and says whether it is set. */
function skipToVui(bits: Bits): boolean {
  bits.skip(8);
  const profile = bits.u8();
  bits.skip(16);
  bits.ue();
  if (highProfiles.has(profile)) {
    const chromaFormat = bits.ue();
    if (chromaFormat === 3) bits.skip(1);
    bits.ue();
    bits.ue();
    bits.skip(1);
    if (bits.bit()) skipScalingLists(bits, chromaFormat);
  }
  bits.ue();
  const pocType = bits.ue();
  if (pocType === 0) bits.ue();
  else if (pocType === 1) {
    bits.skip(1);
    bits.se();
    bits.se();
    const cycle = bits.ue();
    if (cycle > 255) throw new RangeError('Too many reference frames in the POC cycle');
    for (let i = 0; i < cycle; i += 1) bits.se();
  }
  bits.ue();
  bits.skip(1);
  bits.ue();
  bits.ue();
  if (!bits.bit()) bits.skip(1);
  bits.skip(1);
  if (bits.bit()) for (let i = 0; i < 4; i += 1) bits.ue();
  return bits.bit() === 1;
}

/** From the start of vui_parameters() to bitstream_restriction_flag, which is the next bit. */
function skipToRestriction(bits: Bits): void {
  if (bits.bit() && bits.u8() === 255) bits.skip(32);
  if (bits.bit()) bits.skip(1);
  if (bits.bit()) {
    bits.skip(4);
    if (bits.bit()) bits.skip(24);
  }
  if (bits.bit()) {
    bits.ue();
    bits.ue();
  }
  if (bits.bit()) bits.skip(65);
  const nalHrd = bits.bit();
  if (nalHrd) skipHrd(bits);
  const vclHrd = bits.bit();
  if (vclHrd) skipHrd(bits);
  if (nalHrd || vclHrd) bits.skip(1);
  bits.skip(1);
}

/**
 * The SPS (one NAL unit, header included) without its bitstream restriction, when that claims reordered pictures;
 * otherwise null. The restriction is the last thing in an SPS: cutting it off is clearing one flag.
 */
export function withoutReorderClaim(sps: Uint8Array): Uint8Array | null {
  const rbsp = withoutEscapes(sps);
  const bits = new Bits(rbsp);
  let flagAt: number;
  try {
    if (!skipToVui(bits)) return null;
    skipToRestriction(bits);
    flagAt = bits.position;
    if (!bits.bit()) return null;
    bits.skip(1);
    for (let i = 0; i < 4; i += 1) bits.ue();
    if (bits.ue() === 0) return null;
  } catch (error) {
    // A damaged SPS is the decoder's to judge: it goes there as it came.
    if (error instanceof RangeError) return null;
    throw error;
  }
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
    const type = (data[start] ?? 0) & 0x1f;
    if (type === NON_IDR_SLICE || type === IDR_SLICE) return { bSlice: isBSlice(data, start), sps };
    code = startCode(data, start);
    if (type === SPS) {
      let end = code < 0 ? data.length : code;
      while (end > start && data[end - 1] === 0) end -= 1;
      sps.push([start, end]);
    }
  }
  return { bSlice: false, sps };
}

function isBSlice(data: Uint8Array, start: number): boolean {
  const bits = new Bits(withoutEscapes(data.subarray(start + 1, start + 17)));
  try {
    bits.ue();
    return bits.ue() % 5 === 1;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
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
