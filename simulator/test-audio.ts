// What tests need to hear: a decoder for AAC, and the pitch and loudness of samples.
// Only for tests.

import { AV_CODEC_ID_AAC } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet } from 'node-av/lib';
import type { AudioParameters } from '../src/media/audio.ts';

/** @returns samples −1…1 of the first channel. */
export async function decodeAac(audio: AudioParameters, units: readonly Uint8Array[]): Promise<Float32Array> {
  const decoder = Codec.findDecoder(AV_CODEC_ID_AAC);
  using context = new CodecContext();
  context.allocContext3(decoder);
  context.extraData = Buffer.from(audio.config);
  FFmpegError.throwIfError(await context.open2(decoder, null), 'open decoder');
  using packet = new Packet();
  using frame = new Frame();
  packet.alloc();
  frame.alloc();
  const blocks: Float32Array[] = [];
  for (const unit of units) {
    packet.data = Buffer.from(unit);
    FFmpegError.throwIfError(await context.sendPacket(packet), 'decode');
    packet.unref();
    while ((await context.receiveFrame(frame)) >= 0) {
      if (frame.sampleRate !== audio.sampleRate) throw new Error(`decoded at ${frame.sampleRate} Hz`);
      const plane = frame.data![0]!;
      blocks.push(new Float32Array(Uint8Array.from(plane.subarray(0, 4 * frame.nbSamples)).buffer));
      frame.unref();
    }
  }
  const samples = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    samples.set(block, at);
    at += block.length;
  }
  return samples;
}

/** Periods that are measured together: a tenth of a second at 1 kHz. */
const periods = 100;

/**
 * Of a pure tone, Hz: by its rising zero crossings, placed between samples. Over the median stretch of some periods, so that
 * a moment that a busy server left out counts as what it is, and not as another pitch. NaN when there are too few.
 */
export function frequencyOf(samples: Float32Array, sampleRate: number): number {
  const crossings: number[] = [];
  for (let i = 1; i < samples.length; i++) {
    const [before, after] = [samples[i - 1]!, samples[i]!];
    if (before < 0 && after >= 0) crossings.push(i - after / (after - before));
  }
  const stretches = crossings.slice(periods).map((at, i) => at - crossings[i]!);
  return (periods * sampleRate) / (stretches.toSorted((a, b) => a - b)[stretches.length >> 1] ?? Number.NaN);
}

/** Root mean square. */
export function loudnessOf(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}
