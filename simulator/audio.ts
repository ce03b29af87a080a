// Sound for a simulated camera: made, encoded once with FFmpeg's encoders, to be sent in a loop.
// Neither packs nor sends; that is packetize-audio.ts's and audio-loop.ts's.

import {
  AV_CHANNEL_ORDER_NATIVE,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_LOG_ERROR,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
  AVERROR_EAGAIN,
  AVERROR_EOF,
} from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Log, Packet, Rational } from 'node-av/lib';
import type { AudioCodec } from '../src/media/audio.ts';

/** `tone`: a sine of 1 kHz. `speech`: voiced syllables with pauses, as unlike music as speech is. */
export type Sound = 'tone' | 'speech';

export interface AudioOptions {
  readonly codec: AudioCodec;
  /** Default `speech`. */
  readonly sound?: Sound;
  /** Hz; default 16000 for AAC and L16, 48000 for Opus (which knows no other on the wire), 8000 for the rest. */
  readonly sampleRate?: number;
}

/** One channel. */
export interface AudioClip {
  readonly codec: AudioCodec;
  readonly sampleRate: number;
  /** AudioSpecificConfig for AAC, else empty. */
  readonly config: Uint8Array;
  readonly units: readonly Uint8Array[];
  readonly samplesPerUnit: number;
}

interface Encoding {
  readonly name: string;
  readonly float: boolean;
  readonly sampleRate: number;
  /** ms, where the codec leaves it open. */
  readonly unitMs: number;
  readonly bitRate: bigint;
}

const encodings: Readonly<Record<AudioCodec, Encoding>> = {
  aac: { name: 'aac', float: true, sampleRate: 16_000, unitMs: 0, bitRate: 32_000n },
  opus: { name: 'libopus', float: false, sampleRate: 48_000, unitMs: 0, bitRate: 32_000n },
  pcmu: { name: 'pcm_mulaw', float: false, sampleRate: 8000, unitMs: 40, bitRate: 64_000n },
  pcma: { name: 'pcm_alaw', float: false, sampleRate: 8000, unitMs: 40, bitRate: 64_000n },
  l16: { name: 'pcm_s16be', float: false, sampleRate: 16_000, unitMs: 20, bitRate: 256_000n },
};
/** A whole number of cycles of the tone and of AAC's units at 8, 16, 32 and 64 kHz. */
const seconds = 4.096;
/** What an encoder says before it has settled is left out, so that the loop's seam is as smooth as its middle. */
const settlingUnits = 3;
const toneHz = 1000;
const mono = { nbChannels: 1, order: AV_CHANNEL_ORDER_NATIVE, mask: 4n };

/** @returns −1…1. */
function toneAt(t: number): number {
  return 0.4 * Math.sin(2 * Math.PI * toneHz * t);
}

/** Four syllables a second, every fourth one a pause; harmonics of a gliding voice, brighter and darker by turns. */
function speechAt(t: number): number {
  const syllable = Math.floor(t * 4);
  if (syllable % 4 === 3) return 0;
  const within = t * 4 - syllable;
  const envelope = Math.sin(Math.PI * within) ** 2;
  const pitch = 110 + 20 * Math.sin(2 * Math.PI * 0.5 * t) + 8 * (syllable % 3);
  const bright = 1.2 + (syllable % 5) * 0.3;
  let value = 0;
  for (let k = 1; k <= 12; k++) value += Math.sin(2 * Math.PI * pitch * k * within * 0.25) / k ** bright;
  return 0.25 * envelope * value;
}

const made = new Map<string, Promise<AudioClip>>();

/** Equal sounds are made once. Shared: never write to it. */
export function soundClip(options: AudioOptions): Promise<AudioClip> {
  const key = JSON.stringify(options);
  let clip = made.get(key);
  if (!clip) {
    clip = encodeSound(options);
    made.set(key, clip);
    clip.catch(() => made.delete(key));
  }
  return clip;
}

async function encodeSound({ codec, sound = 'speech', sampleRate }: AudioOptions): Promise<AudioClip> {
  const encoding = encodings[codec];
  const rate = sampleRate ?? encoding.sampleRate;
  Log.setLevel(AV_LOG_ERROR);
  using context = await openEncoder(encoding, rate);
  const samplesPerUnit = context.frameSize || (encoding.unitMs * rate) / 1000;
  const unitCount = Math.round((seconds * rate) / samplesPerUnit);
  const source = sound === 'tone' ? toneAt : speechAt;
  const units: Uint8Array[] = [];
  using packet = new Packet();
  packet.alloc();
  for (let unit = 0; units.length < unitCount + settlingUnits; unit++) {
    const start = unit * samplesPerUnit;
    const data = samples(source, start, samplesPerUnit, rate, encoding.float);
    using frame = Frame.fromAudioBuffer(data, {
      nbSamples: samplesPerUnit,
      format: encoding.float ? AV_SAMPLE_FMT_FLTP : AV_SAMPLE_FMT_S16,
      sampleRate: rate,
      channelLayout: mono,
      timeBase: { num: 1, den: rate },
      pts: BigInt(start),
    });
    FFmpegError.throwIfError(await context.sendFrame(frame), 'encode');
    await drain(context, packet, units);
  }
  const config = codec === 'aac' ? new Uint8Array(context.extraData ?? []) : new Uint8Array();
  return { codec, sampleRate: rate, config, units: units.slice(settlingUnits), samplesPerUnit };
}

async function openEncoder({ name, float, bitRate }: Encoding, rate: number): Promise<CodecContext> {
  const encoder = Codec.findEncoderByName(name as Parameters<typeof Codec.findEncoderByName>[0]);
  if (!encoder) throw new Error(`This FFmpeg has no encoder ${name}.`);
  const context = new CodecContext();
  context.allocContext3(encoder);
  context.sampleRate = rate;
  context.channelLayout = mono;
  context.sampleFormat = float ? AV_SAMPLE_FMT_FLTP : AV_SAMPLE_FMT_S16;
  context.timeBase = new Rational(1, rate);
  context.bitRate = bitRate;
  context.threadCount = 1;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  FFmpegError.throwIfError(await context.open2(encoder, null), `open ${name}`);
  return context;
}

function samples(
  source: (t: number) => number,
  start: number,
  count: number,
  rate: number,
  float: boolean,
): Buffer {
  const data = Buffer.alloc(count * (float ? 4 : 2));
  for (let i = 0; i < count; i++) {
    const value = source(((start + i) / rate) % seconds);
    if (float) data.writeFloatLE(value, 4 * i);
    else data.writeInt16LE(Math.round(value * 32_000), 2 * i);
  }
  return data;
}

async function drain(context: CodecContext, packet: Packet, units: Uint8Array[]): Promise<void> {
  for (;;) {
    const result = await context.receivePacket(packet);
    if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return;
    FFmpegError.throwIfError(result, 'encode');
    units.push(new Uint8Array(packet.data!));
    packet.unref();
  }
}
