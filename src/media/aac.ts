// AAC's description of itself: the AudioSpecificConfig (ISO 14496-3 §1.6.2.1), read and written.
// The coded sound is not looked into.

import type { AudioParameters } from './audio.ts';
import { BitReader } from './nal.ts';

export interface AacConfig {
  /** Audio object type: 2 is AAC-LC, 5 HE-AAC (SBR), 29 HE-AAC v2 (PS). */
  readonly objectType: number;
  /** Of the sound that comes out, Hz. */
  readonly sampleRate: number;
  /** 0 when a program config element says it, inside of the coded sound. */
  readonly channels: number;
  /** Duration of one access unit, µs. */
  readonly unitDuration: number;
  /** The config alone, without what followed it. */
  readonly bytes: Uint8Array;
}

const rates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
];
const escapeRate = 15;
const aacLc = 2;
const sbr = 5;
const ps = 29;
/** Main, LC, SSR, LTP, and the error-resilient LC: those whose config goes on with a GASpecificConfig that is read here. */
const generalAudio = new Set([1, aacLc, 3, 4]);

/** @param from in bits. */
function startAt(data: Uint8Array, from: number): BitReader {
  const bits = new BitReader(data);
  bits.skip(from);
  return bits;
}

function readRate(bits: BitReader): number {
  const index = bits.bits(4);
  return index === escapeRate ? bits.bits(24) : (rates[index] ?? 0);
}

function readObjectType(bits: BitReader): number {
  const type = bits.bits(5);
  return type === 31 ? 32 + bits.bits(6) : type;
}

/** The bits from `from` to `to` as bytes, the last one filled up with zeros. */
function cut(data: Uint8Array, from: number, to: number): Uint8Array {
  const bits = startAt(data, from);
  const bytes = new Uint8Array(Math.ceil((to - from) / 8));
  for (let at = from, i = 0; at < to; at += 8, i++) {
    const count = Math.min(8, to - at);
    bytes[i] = bits.bits(count) << (8 - count);
  }
  return bytes;
}

/**
 * Reads an AudioSpecificConfig that begins at bit `from` of `data`.
 * @returns null for anything but AAC as cameras send it, HE-AAC included, or when it is cut off.
 */
export function parseAacConfig(data: Uint8Array, from = 0): AacConfig | null {
  const bits = startAt(data, from);
  const objectType = readObjectType(bits);
  const coreRate = readRate(bits);
  const channelConfig = bits.bits(4);
  let sampleRate = coreRate;
  let coreType = objectType;
  if (objectType === sbr || objectType === ps) {
    sampleRate = readRate(bits);
    coreType = readObjectType(bits);
  }
  if (!generalAudio.has(coreType)) return null;
  // GASpecificConfig (§4.4.1).
  const samples = bits.bits(1) ? 960 : 1024;
  if (bits.bits(1)) bits.bits(14);
  bits.bits(1);
  if (bits.overrun || !isUsableRate(coreRate) || !isUsableRate(sampleRate) || channelConfig > 7) return null;
  return {
    objectType,
    sampleRate,
    channels: objectType === ps ? 2 : channelConfig === 7 ? 8 : channelConfig,
    unitDuration: (samples * 1_000_000) / coreRate,
    // A program config element follows: without it the config is worth nothing, so all of it is kept.
    bytes: channelConfig === 0 ? cut(data, from, data.length * 8) : cut(data, from, bits.position),
  };
}

function isUsableRate(rate: number): boolean {
  return rate >= 7350 && rate <= 192_000;
}

/** The config of plain AAC-LC. @param channels 1–8, 7 excepted. */
export function buildAacConfig(sampleRate: number, channels: number): Uint8Array {
  const index = rates.indexOf(sampleRate);
  const channelConfig = channels === 8 ? 7 : channels;
  if (index === -1) {
    const high = (aacLc << 11) | (escapeRate << 7) | (sampleRate >> 17);
    const low = ((sampleRate & 0x1_ffff) << 7) | (channelConfig << 3);
    return Uint8Array.of(high >> 8, high, low >>> 16, low >>> 8, low);
  }
  const bits = (aacLc << 11) | (index << 7) | (channelConfig << 3);
  return Uint8Array.of(bits >> 8, bits);
}

/**
 * What other sound is made into: AAC-LC that every browser plays. At this rate a unit is short, so that sound lags
 * little behind its picture, whatever the camera's own rate is.
 */
export function aacOf({ channels: of }: AudioParameters): AudioParameters {
  const channels = Math.min(of, 2);
  const config = buildAacConfig(madeRate, channels);
  return { codec: 'aac', sampleRate: madeRate, channels, config, codecString: 'mp4a.40.2' };
}

const madeRate = 48_000;
/** Samples of one unit, and its duration in µs. */
export const madeUnit = { samples: 1024, duration: (1024 * 1_000_000) / madeRate };
