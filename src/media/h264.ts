// H.264 parameter sets: picture size, frame rate and codec string from an SPS (ITU-T H.264 §7.3.2.1, annex E).
// Garbage gives null; nothing here throws.

import type { VideoParameters } from './access-unit.ts';
import { BitReader, h264Nal, h264NalType, hexByte, plausibleFps, plausibleSize, unescapeNal } from './nal.ts';

export interface H264Sps {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number | null;
  /** RFC 6381 §3.3: `avc1.` and the three bytes after the NAL header. */
  readonly codecString: string;
  /** chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

/** Those whose SPS, and `avcC` box, say more of the samples than that they are 4:2:0 with 8 bits. */
const profilesWithChroma = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size && !reader.overrun; i++) {
    if (next !== 0) next = (last + reader.se() + 256) & 255;
    if (next !== 0) last = next;
  }
}

export function saysChroma(profile: number): boolean {
  return profilesWithChroma.has(profile);
}

interface Chroma {
  readonly format: number;
  readonly separatePlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

/** chroma_format_idc up to the scaling lists; 4:2:0 with 8 bits for the profiles that do not say. */
export function readChroma(reader: BitReader, profile: number): Chroma {
  if (!saysChroma(profile)) return { format: 1, separatePlanes: false, bitDepthLuma: 8, bitDepthChroma: 8 };
  const format = reader.ue();
  const separatePlanes = format === 3 && reader.flag();
  const bitDepthLuma = 8 + reader.ue();
  const bitDepthChroma = 8 + reader.ue();
  reader.skip(1);
  const lists = reader.flag() ? (format === 3 ? 12 : 8) : 0;
  for (let i = 0; i < lists; i++) if (reader.flag()) skipScalingList(reader, i < 6 ? 16 : 64);
  return { format, separatePlanes, bitDepthLuma, bitDepthChroma };
}

/** pic_order_cnt_type and what belongs to it. */
export function skipPictureOrder(reader: BitReader): void {
  const type = reader.ue();
  if (type === 0) reader.ue();
  if (type !== 1) return;
  reader.skip(1);
  reader.se();
  reader.se();
  const cycle = reader.ue();
  for (let i = 0; i < cycle && i < 255 && !reader.overrun; i++) reader.se();
}

/** Annex E.1.1 as far as the timing. */
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
  if (!reader.flag()) return null;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  return reader.overrun ? null : plausibleFps(timeScale / (2 * unitsInTick));
}

/** @param nal one NAL unit, header byte included. Null when it is no SPS that could be true. */
export function parseH264Sps(nal: Uint8Array): H264Sps | null {
  if (nal.length < 5 || nal.length > 4096 || h264NalType(nal[0]!) !== h264Nal.sps) return null;
  const data = unescapeNal(nal);
  const reader = new BitReader(data, 4);
  const id = reader.ue();
  const { format, separatePlanes, bitDepthLuma, bitDepthChroma } = readChroma(reader, data[1]!);
  reader.ue();
  skipPictureOrder(reader);
  reader.ue();
  reader.skip(1);
  const widthInMacroblocks = reader.ue() + 1;
  const heightInMapUnits = reader.ue() + 1;
  const framesOnly = reader.flag();
  if (!framesOnly) reader.skip(1);
  reader.skip(1);
  const crop = reader.flag() ? [reader.ue(), reader.ue(), reader.ue(), reader.ue()] : [0, 0, 0, 0];
  if (reader.overrun || id > 31 || format > 3 || bitDepthLuma > 14 || bitDepthChroma > 14) return null;
  const planar = format === 0 || separatePlanes;
  const cropUnitX = !planar && format < 3 ? 2 : 1;
  const cropUnitY = (!planar && format === 1 ? 2 : 1) * (framesOnly ? 1 : 2);
  const width = widthInMacroblocks * 16 - (crop[0]! + crop[1]!) * cropUnitX;
  const height = heightInMapUnits * 16 * (framesOnly ? 1 : 2) - (crop[2]! + crop[3]!) * cropUnitY;
  if (!plausibleSize(width, height)) return null;
  const codecString = `avc1.${hexByte(data[1]!)}${hexByte(data[2]!)}${hexByte(data[3]!)}`;
  return {
    id,
    width,
    height,
    fps: readFps(reader),
    codecString,
    chromaFormat: format,
    bitDepthLuma,
    bitDepthChroma,
  };
}

/** pic_parameter_set_id, or null when `nal` is no PPS. */
export function h264PpsId(nal: Uint8Array): number | null {
  if (nal.length < 2 || h264NalType(nal[0]!) !== h264Nal.pps) return null;
  const reader = new BitReader(unescapeNal(nal.subarray(0, 16)), 1);
  const id = reader.ue();
  return reader.overrun || id > 255 ? null : id;
}

/** What these parameter sets (SPS first) say of a video; null without an SPS that can be read. */
export function describeH264(parameterSets: readonly Uint8Array[]): VideoParameters | null {
  const nal = parameterSets.find((set) => set.length > 0 && h264NalType(set[0]!) === h264Nal.sps);
  const sps = nal ? parseH264Sps(nal) : null;
  if (!sps) return null;
  const { width, height, fps, codecString } = sps;
  return { codec: 'h264', width, height, fps, codecString, parameterSets };
}
