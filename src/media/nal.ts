// NAL units of H.264 and H.265: their types, Annex B start codes (split and join), emulation prevention.
// What parameter sets say is h264.ts's and h265.ts's work; how packets carry NAL units is src/rtsp/depacketize's.

/** nal_unit_type of H.264 (ITU-T H.264 table 7-1). */
export const h264Nal = {
  slice: 1,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  aud: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
} as const;

/** nal_unit_type of H.265 (ITU-T H.265 table 7-1). */
export const h265Nal = {
  firstIrap: 16,
  lastIrap: 23,
  lastVcl: 31,
  vps: 32,
  sps: 33,
  pps: 34,
  aud: 35,
  endOfSequence: 36,
  endOfBitstream: 37,
  filler: 38,
  prefixSei: 39,
} as const;

/** @param firstByte of the NAL unit. */
export function h264NalType(firstByte: number): number {
  return firstByte & 0x1f;
}

/** @param firstByte of the NAL unit. */
export function h265NalType(firstByte: number): number {
  return (firstByte >> 1) & 0x3f;
}

/** Position after the next start code 00 00 01 at or after `from`, or -1. */
function afterStartCode(data: Uint8Array, from: number): number {
  for (let one = data.indexOf(1, from + 2); one !== -1; one = data.indexOf(1, one + 1))
    if (data[one - 1] === 0 && data[one - 2] === 0) return one + 1;
  return -1;
}

/**
 * The NAL units of an Annex B byte stream, as views without start codes; zeros that trail one are not part of it.
 * Bytes before the first start code and empty NAL units are left out.
 */
export function splitAnnexB(data: Uint8Array): Uint8Array[] {
  const nals: Uint8Array[] = [];
  for (let start = afterStartCode(data, 0); start !== -1; ) {
    const next = afterStartCode(data, start);
    let end = next === -1 ? data.length : next - 3;
    while (end > start && data[end - 1] === 0) end--;
    if (end > start) nals.push(data.subarray(start, end));
    start = next;
  }
  return nals;
}

/** Each NAL unit behind 00 00 00 01. */
export function joinAnnexB(nals: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(nals.reduce((sum, nal) => sum + 4 + nal.length, 0));
  let at = 0;
  for (const nal of nals) {
    joined[at + 3] = 1;
    joined.set(nal, at + 4);
    at += 4 + nal.length;
  }
  return joined;
}

/** The payload without its emulation prevention bytes: 00 00 03 becomes 00 00 (H.264 and H.265 §7.3.1). */
export function unescapeNal(nal: Uint8Array): Uint8Array {
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

/** Reads bits of an unescaped NAL unit. Past the end it gives zeros and `overrun` becomes true. */
export class BitReader {
  readonly #data: Uint8Array;
  #bit: number;
  overrun = false;

  /** @param start in bytes. */
  constructor(data: Uint8Array, start = 0) {
    this.#data = data;
    this.#bit = start * 8;
  }

  /** Bits read so far, counted from the beginning of the data. */
  get position(): number {
    return this.#bit;
  }

  bit(): number {
    const byte = this.#data[this.#bit >> 3];
    if (byte === undefined) {
      this.overrun = true;
      return 0;
    }
    return (byte >> (7 - (this.#bit++ & 7))) & 1;
  }

  flag(): boolean {
    return this.bit() === 1;
  }

  /** u(n), n ≤ 32. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.bit();
    return value;
  }

  skip(count: number): void {
    this.#bit += count;
    if (this.#bit > this.#data.length * 8) this.overrun = true;
  }

  /** ue(v), Exp-Golomb (H.264 §9.1). More than 32 leading zeros count as an overrun. */
  ue(): number {
    let zeros = 0;
    while (!this.overrun && this.bit() === 0) {
      if (++zeros > 32) this.overrun = true;
    }
    return this.overrun ? 0 : 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v). */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

/** Frames a second of timing information, or null when it cannot be true. */
export function plausibleFps(fps: number): number | null {
  return Number.isFinite(fps) && fps >= 0.01 && fps <= 300 ? Math.round(fps * 1000) / 1000 : null;
}

/** The largest side of a picture that is believed; larger ones come from damaged parameter sets. */
export const maxPictureSide = 16_384;

export function plausibleSize(width: number, height: number): boolean {
  return width > 0 && height > 0 && width <= maxPictureSide && height <= maxPictureSide;
}

export function hexByte(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}
