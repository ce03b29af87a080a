// What an MP4 track says of its video, `avc1` with `avcC` or `hvc1` with `hvcC` (ISO/IEC 14496-15), or its sound, and its samples.
// Read from parameter sets or a configuration; the boxes around it are fmp4.ts's.

import type { AccessUnit, VideoParameters } from './access-unit.ts';
import type { AudioParameters } from './audio.ts';
import { box, fullBox, joined, u8, u16, u32 } from './fmp4.ts';
import { parseH264Sps, saysChroma } from './h264.ts';
import { parseH265Sps } from './h265.ts';
import { h264Nal, h264NalType, h265Nal, h265NalType, splitAnnexB } from './nal.ts';

/** Null for a video that MP4 does not carry, or whose parameter sets cannot be read. */
export function videoSampleEntry(video: VideoParameters): Uint8Array | null {
  const configuration = video.codec === 'h264' ? avcC(video) : video.codec === 'h265' ? hvcC(video) : null;
  if (!configuration) return null;
  return box(
    video.codec === 'h264' ? 'avc1' : 'hvc1',
    new Uint8Array(6),
    u16(1),
    new Uint8Array(16),
    u16(video.width, video.height),
    // 72 dots an inch, no data, one frame a sample, no name, colour without alpha (ISO 14496-12 §12.1.3).
    u32(0x00480000, 0x00480000, 0),
    u16(1),
    new Uint8Array(32),
    u16(24, 0xffff),
    configuration,
  );
}

function withLength(nal: Uint8Array): Uint8Array[] {
  return [u16(nal.length), nal];
}

/** §5.3.3.1. */
function avcC({ parameterSets }: VideoParameters): Uint8Array | null {
  const ofType = (type: number) => parameterSets.filter((nal) => h264NalType(nal[0]!) === type);
  const spsNals = ofType(h264Nal.sps);
  const ppsNals = ofType(h264Nal.pps);
  const first = spsNals[0];
  const sps = first && parseH264Sps(first);
  if (!sps || spsNals.length > 31 || ppsNals.length > 255) return null;
  const [profile, compatibility, level] = first.subarray(1, 4);
  const samples = saysChroma(profile!)
    ? u8(0xfc | sps.chromaFormat, 0xf8 | (sps.bitDepthLuma - 8), 0xf8 | (sps.bitDepthChroma - 8), 0)
    : u8();
  return box(
    'avcC',
    u8(1, profile!, compatibility!, level!, 0xfc | 3, 0xe0 | spsNals.length),
    ...spsNals.flatMap(withLength),
    u8(ppsNals.length),
    ...ppsNals.flatMap(withLength),
    samples,
  );
}

/** §8.3.3.1. */
function hvcC({ parameterSets }: VideoParameters): Uint8Array | null {
  const ofType = (type: number) => parameterSets.filter((nal) => h265NalType(nal[0]!) === type);
  const first = ofType(h265Nal.sps)[0];
  const sps = first && parseH265Sps(first);
  if (!sps) return null;
  const arrays = [h265Nal.vps, h265Nal.sps, h265Nal.pps].map((type) => {
    const nals = ofType(type);
    // array_completeness: all of them are here.
    return [u8(0x80 | type), u16(nals.length), ...nals.flatMap(withLength)];
  });
  return box(
    'hvcC',
    u8(1),
    sps.profileTierLevel,
    // No minimum of slices, no known way to decode in parallel.
    u16(0xf000),
    u8(0xfc, 0xfc | sps.chromaFormat, 0xf8 | (sps.bitDepthLuma - 8), 0xf8 | (sps.bitDepthChroma - 8)),
    // Frame rate unknown; NAL units behind 4 bytes of length.
    u16(0),
    u8((sps.temporalLayers << 3) | (sps.temporalIdNested ? 4 : 0) | 3, arrays.length),
    ...arrays.flat(),
  );
}

/** `mp4a` with `esds` (ISO/IEC 14496-14 §5.6). @param audio AAC. */
export function audioSampleEntry({ sampleRate, channels, config }: AudioParameters): Uint8Array {
  const mpeg4Audio = 0x40;
  const audioStream = (5 << 2) | 1;
  // Buffer and bit rates are unknown.
  const decoder = [u8(mpeg4Audio, audioStream, 0, 0, 0), u32(0, 0), descriptor(5, config)];
  return box(
    'mp4a',
    new Uint8Array(6),
    u16(1),
    new Uint8Array(8),
    u16(channels, 16, 0, 0),
    // 16.16; a rate above is told by the configuration, which holds in any case.
    u32(sampleRate < 0x10000 ? sampleRate * 0x10000 : 0),
    fullBox('esds', 0, 0, descriptor(3, u16(0), u8(0), descriptor(4, ...decoder), descriptor(6, u8(2)))),
  );
}

/** ISO/IEC 14496-1 §8.3.3: the length in groups of 7 bits, all but the last one marked. */
function descriptor(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = joined(...contents);
  const groups = [body.length & 0x7f];
  for (let rest = body.length >> 7; rest > 0; rest >>= 7) groups.unshift(0x80 | (rest & 0x7f));
  return joined(u8(tag, ...groups), body);
}

/**
 * The NAL units of a sample. A keyframe's parameter sets are left out, since the sample entry has them; sets that come
 * without one are needed from there on.
 */
export function sampleNals({ codec, data, keyframe }: AccessUnit): Uint8Array[] {
  const nals = splitAnnexB(data);
  return keyframe ? nals.filter((nal) => !isParameterSet(codec, nal[0]!)) : nals;
}

function isParameterSet(codec: AccessUnit['codec'], firstByte: number): boolean {
  if (codec === 'h264') return [h264Nal.sps, h264Nal.pps].some((type) => type === h264NalType(firstByte));
  const type = h265NalType(firstByte);
  return type >= h265Nal.vps && type <= h265Nal.pps;
}

export function sampleBytes(nals: readonly Uint8Array[]): number {
  return nals.reduce((sum, { length }) => sum + 4 + length, 0);
}

/** Each NAL unit behind its length in 4 bytes. @param target of `sampleBytes` bytes. */
export function writeSample(nals: readonly Uint8Array[], target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  let at = 0;
  for (const nal of nals) {
    view.setUint32(at, nal.length);
    target.set(nal, at + 4);
    at += 4 + nal.length;
  }
}
