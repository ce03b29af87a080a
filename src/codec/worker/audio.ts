// One FFmpeg decoder and AAC encoder: a camera's sound in, AAC units out, evenly spaced on the same clock.
// Only the codecs of media/audio.ts can be opened. No queue, no messages.

import {
  AV_CHANNEL_ORDER_NATIVE,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_OPUS,
  AV_CODEC_ID_PCM_ALAW,
  AV_CODEC_ID_PCM_MULAW,
  AV_CODEC_ID_PCM_S16BE,
  AV_SAMPLE_FMT_FLTP,
} from 'node-av/constants';
import {
  AudioFifo,
  Codec,
  CodecContext,
  FFmpegError,
  Frame,
  Packet,
  Rational,
  SoftwareResampleContext,
} from 'node-av/lib';
import { aacOf, madeUnit } from '../../media/aac.ts';
import type { AudioCodec, AudioParameters } from '../../media/audio.ts';

/** AAC is passed on, never made into AAC. */
const codecIds = {
  opus: AV_CODEC_ID_OPUS,
  pcmu: AV_CODEC_ID_PCM_MULAW,
  pcma: AV_CODEC_ID_PCM_ALAW,
  l16: AV_CODEC_ID_PCM_S16BE,
} as const satisfies Partial<Record<AudioCodec, unknown>>;

const bitRatePerChannel = 64_000;
/** Steps of the camera's clock up to here are nobody's gap, s. */
const tolerance = 0.01;
/** A gap up to here is filled with silence: a player stops at a hole. A longer one is a jump, s. */
const longestSilence = 1;

/** The sound cannot be decoded. The next piece may be. */
export class AudioError extends Error {
  override readonly name = 'AudioError';
}

export interface MadeUnit {
  readonly data: Uint8Array;
  /** µs. */
  readonly timestamp: number;
}

function layoutOf(channels: number) {
  return { nbChannels: channels, order: AV_CHANNEL_ORDER_NATIVE, mask: (1n << BigInt(channels)) - 1n };
}

/** FFmpeg has mono as the centre, not as the left. */
const mono = { nbChannels: 1, order: AV_CHANNEL_ORDER_NATIVE, mask: 4n };
const layout = (channels: number) => (channels === 1 ? mono : layoutOf(channels));

function check(result: number, what: string): void {
  if (result < 0) throw new AudioError(`${what}: ${FFmpegError.strerror(result)}`);
}

export class AudioTranscoder {
  readonly #made: AudioParameters;
  readonly #decoder = new CodecContext();
  readonly #encoder = new CodecContext();
  readonly #packet = new Packet();
  readonly #decoded = new Frame();
  readonly #resampled = new Frame();
  readonly #fifo = new AudioFifo();
  #resampler: SoftwareResampleContext | null = null;
  /** Where the sound in the fifo begins, in samples of the made sound since time 0; null before any. */
  #start: number | null = null;

  /** @throws AudioError when FFmpeg does not open it. */
  constructor(audio: AudioParameters) {
    this.#made = aacOf(audio);
    for (const each of [this.#packet, this.#decoded, this.#resampled]) each.alloc();
    this.#fifo.alloc(AV_SAMPLE_FMT_FLTP, this.#made.channels, 2 * madeUnit.samples);
    try {
      this.#openDecoder(audio);
      this.#openEncoder();
    } catch (error) {
      this.free();
      throw error;
    }
  }

  #openDecoder({ codec, sampleRate, channels }: AudioParameters): void {
    const implementation = codec === 'aac' ? null : Codec.findDecoder(codecIds[codec]);
    if (!implementation) throw new AudioError(`There is no decoder for ${codec}`);
    this.#decoder.allocContext3(implementation);
    this.#decoder.sampleRate = sampleRate;
    this.#decoder.channelLayout = layout(channels);
    this.#decoder.threadCount = 1;
    this.#decoder.pktTimebase = new Rational(1, 1_000_000);
    check(this.#decoder.open2Sync(implementation, null), `The ${codec} decoder does not open`);
  }

  #openEncoder(): void {
    const { sampleRate, channels } = this.#made;
    const implementation = Codec.findEncoder(AV_CODEC_ID_AAC);
    if (!implementation) throw new AudioError('There is no AAC encoder');
    const encoder = this.#encoder;
    encoder.allocContext3(implementation);
    encoder.sampleRate = sampleRate;
    encoder.sampleFormat = AV_SAMPLE_FMT_FLTP;
    encoder.channelLayout = layout(channels);
    encoder.timeBase = new Rational(1, sampleRate);
    encoder.bitRate = BigInt(bitRatePerChannel * channels);
    encoder.threadCount = 1;
    // Half of the work of the default, and no camera's microphone shows the difference.
    check(encoder.setOption('aac_coder', 'fast'), 'The AAC encoder');
    encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    check(encoder.open2Sync(implementation, null), 'The AAC encoder does not open');
  }

  /**
   * Takes one unit. A tenth of a millisecond of work: worth no thread.
   * @param timestamp of its first sample, µs.
   * @returns what is complete now; mostly behind by two units, one to be filled and one that the encoder holds.
   * @throws AudioError
   */
  transcode(data: Uint8Array, timestamp: number): MadeUnit[] {
    const packet = this.#packet;
    packet.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    packet.pts = BigInt(Math.round(timestamp));
    const sent = this.#decoder.sendPacketSync(packet);
    packet.unref();
    check(sent, 'The sound cannot be decoded');
    const made: MadeUnit[] = [];
    let at = Math.round((timestamp * this.#made.sampleRate) / 1_000_000);
    while (this.#decoder.receiveFrameSync(this.#decoded) >= 0) {
      try {
        at += this.#append(this.#decoded, at);
      } finally {
        this.#decoded.unref();
      }
      this.#encode(made);
    }
    return made;
  }

  /** Gives the native memory back. */
  free(): void {
    this.#resampler?.free();
    this.#fifo.free();
    for (const each of [this.#packet, this.#decoded, this.#resampled]) each.free();
    this.#decoder.freeContext();
    this.#encoder.freeContext();
  }

  /** @param at where the frame belongs, in samples. @returns how many it has. */
  #append(frame: Frame, at: number): number {
    const { sampleRate } = this.#made;
    const end = this.#start === null ? at : this.#start + this.#fifo.size;
    const gap = at - end;
    // What was heard already is not heard again: the camera's clock was put back a little.
    if (gap < -tolerance * sampleRate) return Math.round((frame.nbSamples * sampleRate) / frame.sampleRate);
    if (this.#start === null || gap > longestSilence * sampleRate) {
      this.#fifo.reset();
      this.#start = at;
    } else if (gap > tolerance * sampleRate) this.#write(silence(this.#made.channels, gap), gap);
    return this.#resample(frame);
  }

  #resample(frame: Frame): number {
    const resampled = this.#resampled;
    const { sampleRate, channels } = this.#made;
    this.#resampler ??= this.#createResampler(frame);
    resampled.sampleRate = sampleRate;
    resampled.format = AV_SAMPLE_FMT_FLTP;
    resampled.channelLayout = layout(channels);
    try {
      check(this.#resampler.convertFrame(resampled, frame), 'The sound cannot be resampled');
      const count = resampled.nbSamples;
      const planes = (resampled.data ?? []).slice(0, channels).map((plane) => plane.subarray(0, 4 * count));
      if (count > 0) this.#write(planes, count);
      return count;
    } finally {
      resampled.unref();
    }
  }

  #createResampler(frame: Frame): SoftwareResampleContext {
    const { sampleRate, channels } = this.#made;
    const resampler = new SoftwareResampleContext();
    const result = resampler.allocSetOpts2(
      layout(channels),
      AV_SAMPLE_FMT_FLTP,
      sampleRate,
      frame.channelLayout,
      frame.format as never,
      frame.sampleRate,
    );
    // Kept before it is known to be good, so that it is freed with the rest.
    this.#resampler = resampler;
    check(result < 0 ? result : resampler.init(), 'The resampler does not open');
    return resampler;
  }

  #write(planes: Buffer[], count: number): void {
    check(this.#fifo.writeSync(planes, count), 'The sound cannot be kept');
  }

  #encode(made: MadeUnit[]): void {
    const { sampleRate, channels } = this.#made;
    const { samples } = madeUnit;
    while (this.#fifo.size >= samples) {
      const block = Buffer.alloc(4 * samples * channels);
      const planes = Array.from({ length: channels }, (_, i) =>
        block.subarray(4 * samples * i, 4 * samples * (i + 1)),
      );
      check(this.#fifo.readSync(planes, samples), 'The sound cannot be read');
      using frame = Frame.fromAudioBuffer(block, {
        nbSamples: samples,
        format: AV_SAMPLE_FMT_FLTP,
        sampleRate,
        channelLayout: layout(channels),
        timeBase: { num: 1, den: sampleRate },
        pts: BigInt(this.#start!),
      });
      this.#start! += samples;
      check(this.#encoder.sendFrameSync(frame), 'The sound cannot be encoded');
      this.#collect(made);
    }
  }

  #collect(made: MadeUnit[]): void {
    const packet = this.#packet;
    while (this.#encoder.receivePacketSync(packet) >= 0) {
      const timestamp = Math.round((Number(packet.pts) * 1_000_000) / this.#made.sampleRate);
      // The first one only leads in; before the beginning of time there is no place for it.
      if (timestamp >= 0) made.push({ data: new Uint8Array(packet.data!), timestamp });
      packet.unref();
    }
  }
}

function silence(channels: number, samples: number): Buffer[] {
  return Array.from({ length: channels }, () => Buffer.alloc(4 * samples));
}
