// A clip: access units encoded once, to be sent in a loop. The type, NAL unit helpers, and the size of a JPEG.
// Neither encodes nor sends.

import type { VideoCodec } from '../src/media/access-unit.ts';

export interface ClipUnit {
  /** Annex B with 00 00 00 01 before each NAL unit, parameter sets first in a keyframe; or one JPEG image. */
  readonly data: Uint8Array;
  readonly keyframe: boolean;
  /** Frame of the clip in order of presentation: what the strip shows. Differs from the position only with B-frames. */
  readonly index: number;
}

export interface Clip {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** In decoding order; the first one is a keyframe. */
  readonly accessUnits: readonly ClipUnit[];
  /** VPS, SPS, PPS without start codes; empty for MJPEG. */
  readonly parameterSets: readonly Uint8Array[];
}

/** Splits Annex B into NAL units without start codes; views of `data`. */
export function splitNals(data: Uint8Array): Uint8Array[] {
  const nals: Uint8Array[] = [];
  let start = -1;
  for (let i = 0; i + 2 < data.length; i++) {
    if (data[i + 2]! > 1) i += 2;
    else if (data[i] === 0 && data[i + 1] === 0 && data[i + 2] === 1) {
      if (start >= 0) nals.push(trimZeros(data.subarray(start, i)));
      start = i + 3;
      i += 2;
    }
  }
  if (start >= 0) nals.push(trimZeros(data.subarray(start)));
  return nals.filter((nal) => nal.length > 0);
}

/** A four-byte start code leaves its first zero behind the NAL unit before it. */
function trimZeros(nal: Uint8Array): Uint8Array {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end--;
  return nal.subarray(0, end);
}

export function joinNals(nals: readonly Uint8Array[]): Buffer {
  const startCode = Buffer.from([0, 0, 0, 1]);
  return Buffer.concat(nals.flatMap((nal) => [startCode, nal]));
}

export type NalRole = 'parameters' | 'keyframe' | 'picture' | 'other';

/** H.264 §7.4.1, H.265 §7.4.2.2. `other` is SEI, delimiter, filler. */
export function nalRole(codec: 'h264' | 'h265', nal: Uint8Array): NalRole {
  if (codec === 'h264') {
    const type = nal[0]! & 0x1f;
    if (type === 7 || type === 8) return 'parameters';
    if (type === 5) return 'keyframe';
    return type >= 1 && type <= 4 ? 'picture' : 'other';
  }
  const type = (nal[0]! >> 1) & 0x3f;
  if (type >= 32 && type <= 34) return 'parameters';
  if (type >= 16 && type <= 23) return 'keyframe';
  return type < 32 ? 'picture' : 'other';
}

/** An access unit as this product passes it on: no delimiter, no SEI, uniform start codes. */
export function tidyUnit(codec: 'h264' | 'h265', annexB: Uint8Array, index: number): ClipUnit {
  const nals = splitNals(annexB).filter((nal) => nalRole(codec, nal) !== 'other');
  return { data: joinNals(nals), keyframe: nals.some((nal) => nalRole(codec, nal) === 'keyframe'), index };
}

/** The parameter sets of the first keyframe. */
export function parameterSetsOf(codec: 'h264' | 'h265', units: readonly ClipUnit[]): Uint8Array[] {
  const first = units.find((unit) => unit.keyframe);
  if (!first) return [];
  return splitNals(first.data).filter((nal) => nalRole(codec, nal) === 'parameters');
}

/**
 * A clip of access units that were not encoded here (a file, a test's own).
 * @param units Annex B or JPEG, in decoding order and order of presentation at once.
 */
export function clipFromUnits(
  codec: VideoCodec,
  size: { readonly width: number; readonly height: number; readonly fps: number },
  units: readonly Uint8Array[],
): Clip {
  if (codec === 'mjpeg') {
    const accessUnits = units.map((data, index) => ({ data, keyframe: true, index }));
    return { codec, ...size, accessUnits, parameterSets: [] };
  }
  const accessUnits = units.map((data, index) => tidyUnit(codec, data, index));
  return { codec, ...size, accessUnits, parameterSets: parameterSetsOf(codec, accessUnits) };
}
