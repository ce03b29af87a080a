// H.265 parameter sets: picture size, frame rate and codec string from an SPS (ITU-T H.265 §7.3.2.2, annex E).
// Garbage gives null; nothing here throws.

import type { VideoParameters } from './access-unit.ts';
import { BitReader, h265Nal, h265NalType, plausibleFps, plausibleSize, unescapeNal } from './nal.ts';

export interface H265Sps {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number | null;
  /** ISO/IEC 14496-15 annex E.3: `hvc1.1.6.L93.B0`. */
  readonly codecString: string;
  /** chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** From general_profile_space to general_level_idc as they stand in the SPS: 12 bytes. */
  readonly profileTierLevel: Uint8Array;
  readonly temporalLayers: number;
  readonly temporalIdNested: boolean;
}

/** profile_tier_level (§7.3.3); gives its codec string. */
function readProfile(reader: BitReader, maxSubLayersMinus1: number): string {
  const space = ['', 'A', 'B', 'C'][reader.bits(2)]!;
  const tier = reader.flag() ? 'H' : 'L';
  const profile = reader.bits(5);
  let compatibility = 0;
  for (let i = 0; i < 32; i++) compatibility += reader.bit() * 2 ** i;
  const constraints = Array.from({ length: 6 }, () => reader.bits(8));
  const level = reader.bits(8);
  const present = Array.from({ length: maxSubLayersMinus1 }, () => [reader.flag(), reader.flag()] as const);
  if (maxSubLayersMinus1 > 0) reader.skip(2 * (8 - maxSubLayersMinus1));
  for (const [profilePresent, levelPresent] of present)
    reader.skip((profilePresent ? 88 : 0) + (levelPresent ? 8 : 0));
  while (constraints.at(-1) === 0) constraints.pop();
  const hex = (value: number) => value.toString(16).toUpperCase();
  return [`hvc1.${space}${profile}`, hex(compatibility), `${tier}${level}`, ...constraints.map(hex)].join(
    '.',
  );
}

/** §7.3.4. */
function skipScalingLists(reader: BitReader): void {
  for (let size = 0; size < 4; size++)
    for (let matrix = 0; matrix < 6 && !reader.overrun; matrix += size === 3 ? 3 : 1) {
      if (!reader.flag()) {
        reader.ue();
        continue;
      }
      if (size > 1) reader.se();
      for (let i = 0; i < Math.min(64, 1 << (4 + 2 * size)); i++) reader.se();
    }
}

/** §7.3.7: the number of pictures in each set is all that the next one needs. False when it cannot be true. */
function skipReferenceSets(reader: BitReader, count: number): boolean {
  let previous = 0;
  for (let index = 0; index < count; index++) {
    if (reader.overrun) return false;
    if (index > 0 && reader.flag()) {
      reader.skip(1);
      reader.ue();
      let used = 0;
      for (let i = 0; i <= previous; i++) if (reader.flag() || reader.flag()) used++;
      previous = used;
    } else {
      const negative = reader.ue();
      const positive = reader.ue();
      if (negative > 16 || positive > 16) return false;
      for (let i = 0; i < negative + positive; i++) {
        reader.ue();
        reader.skip(1);
      }
      previous = negative + positive;
    }
    if (previous > 32) return false;
  }
  return !reader.overrun;
}

/** From behind the bit depths to the end of what stands before the VUI. False when it cannot be true. */
function skipToVui(reader: BitReader, maxSubLayersMinus1: number): boolean {
  const pocBits = reader.ue() + 4;
  const orderings = reader.flag() ? maxSubLayersMinus1 + 1 : 1;
  for (let i = 0; i < orderings * 3; i++) reader.ue();
  for (let i = 0; i < 6; i++) reader.ue();
  if (reader.flag() && reader.flag()) skipScalingLists(reader);
  reader.skip(2);
  if (reader.flag()) {
    reader.skip(8);
    reader.ue();
    reader.ue();
    reader.skip(1);
  }
  const sets = reader.ue();
  if (sets > 64 || !skipReferenceSets(reader, sets)) return false;
  if (reader.flag()) {
    const longTerm = reader.ue();
    if (longTerm > 32) return false;
    reader.skip(longTerm * (pocBits + 1));
  }
  reader.skip(2);
  return !reader.overrun;
}

/** Annex E.2.1 as far as the timing. */
function readFps(reader: BitReader): number | null {
  if (!reader.flag()) return null;
  if (reader.flag() && reader.bits(8) === 255) reader.skip(32);
  if (reader.flag()) reader.skip(1);
  if (reader.flag()) {
    reader.skip(4);
    if (reader.flag()) reader.skip(24);
  }
  if (reader.flag()) {
    reader.ue();
    reader.ue();
  }
  reader.skip(3);
  if (reader.flag()) for (let i = 0; i < 4; i++) reader.ue();
  if (!reader.flag()) return null;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  return reader.overrun ? null : plausibleFps(timeScale / unitsInTick);
}

/** @param nal one NAL unit, its two header bytes included. Null when it is no SPS that could be true. */
export function parseH265Sps(nal: Uint8Array): H265Sps | null {
  if (nal.length < 8 || nal.length > 4096 || h265NalType(nal[0]!) !== h265Nal.sps) return null;
  const data = unescapeNal(nal);
  const reader = new BitReader(data, 2);
  reader.skip(4);
  const maxSubLayersMinus1 = reader.bits(3);
  if (maxSubLayersMinus1 > 6) return null;
  const temporalIdNested = reader.flag();
  const profileTierLevel = data.slice(3, 15);
  const codecString = readProfile(reader, maxSubLayersMinus1);
  const id = reader.ue();
  const format = reader.ue();
  const separatePlanes = format === 3 && reader.flag();
  const codedWidth = reader.ue();
  const codedHeight = reader.ue();
  const crop = reader.flag() ? [reader.ue(), reader.ue(), reader.ue(), reader.ue()] : [0, 0, 0, 0];
  if (reader.overrun || id > 15 || format > 3) return null;
  const cropUnitX = !separatePlanes && (format === 1 || format === 2) ? 2 : 1;
  const cropUnitY = !separatePlanes && format === 1 ? 2 : 1;
  const width = codedWidth - (crop[0]! + crop[1]!) * cropUnitX;
  const height = codedHeight - (crop[2]! + crop[3]!) * cropUnitY;
  if (!plausibleSize(width, height)) return null;
  const bitDepthLuma = 8 + reader.ue();
  const bitDepthChroma = 8 + reader.ue();
  if (reader.overrun || bitDepthLuma > 16 || bitDepthChroma > 16) return null;
  const fps = skipToVui(reader, maxSubLayersMinus1) ? readFps(reader) : null;
  return {
    id,
    width,
    height,
    fps,
    codecString,
    chromaFormat: format,
    bitDepthLuma,
    bitDepthChroma,
    profileTierLevel,
    temporalLayers: maxSubLayersMinus1 + 1,
    temporalIdNested,
  };
}

/** pps_pic_parameter_set_id, or null when `nal` is no PPS. */
export function h265PpsId(nal: Uint8Array): number | null {
  if (nal.length < 3 || h265NalType(nal[0]!) !== h265Nal.pps) return null;
  const reader = new BitReader(unescapeNal(nal.subarray(0, 16)), 2);
  const id = reader.ue();
  return reader.overrun || id > 63 ? null : id;
}

/** What these parameter sets say of a video; null without an SPS that can be read. */
export function describeH265(parameterSets: readonly Uint8Array[]): VideoParameters | null {
  const nal = parameterSets.find((set) => set.length > 0 && h265NalType(set[0]!) === h265Nal.sps);
  const sps = nal ? parseH265Sps(nal) : null;
  if (!sps) return null;
  const { width, height, fps, codecString } = sps;
  return { codec: 'h265', width, height, fps, codecString, parameterSets };
}
