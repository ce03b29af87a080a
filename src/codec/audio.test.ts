import { afterEach, describe, expect, it } from 'vitest';
import { type AudioOptions, soundClip } from '../../simulator/audio.ts';
import { decodeAac, frequencyOf, loudnessOf } from '../../simulator/test-audio.ts';
import { aacOf, madeUnit } from '../media/aac.ts';
import type { AudioCodec, AudioParameters, AudioUnit } from '../media/audio.ts';
import type { AudioPiece } from './messages.ts';
import { closePools, createPool, until } from './testing.ts';

afterEach(closePools);

/** Seconds of a camera's sound as the client gives it. */
async function sound(options: AudioOptions, seconds: number, from = 5_000_000): Promise<AudioUnit[]> {
  const { codec, sampleRate, config, units, samplesPerUnit } = await soundClip(options);
  const audio: AudioParameters = { codec, sampleRate, channels: 1, config, codecString: codec };
  const duration = (samplesPerUnit * 1_000_000) / sampleRate;
  return Array.from({ length: Math.floor((seconds * 1_000_000) / duration) }, (_, i) => ({
    audio,
    data: units[i % units.length]!,
    timestamp: from + Math.round(i * duration),
    duration,
    receivedAt: 1000 + (i * duration) / 1000,
  }));
}

async function transcode(units: readonly AudioUnit[]) {
  const pieces: AudioPiece[] = [];
  const troubles: string[] = [];
  const channel = createPool().openAudio(units[0]!.audio, {
    onPieces: (made) => void pieces.push(...made),
    onTrouble: (message) => void troubles.push(message),
    onReset: () => undefined,
  });
  for (const unit of units) {
    await until('there is room', () => channel.inFlight < 64);
    expect(channel.send(unit)).toBe(true);
  }
  await until('all is done', () => channel.inFlight === 0);
  return { pieces, troubles, made: aacOf(units[0]!.audio) };
}

const codecs: readonly AudioCodec[] = ['pcmu', 'pcma', 'l16', 'opus'];

describe('sound made into AAC', () => {
  it.each(codecs)('from %s keeps a tone of 1 kHz, its loudness and its time', async (codec) => {
    const units = await sound({ codec, sound: 'tone' }, 4);
    const { pieces, troubles, made } = await transcode(units);
    expect(troubles).toEqual([]);
    expect(made).toMatchObject({ codec: 'aac', sampleRate: 48_000, channels: 1, codecString: 'mp4a.40.2' });
    expect(Buffer.from(made.config).toString('hex')).toBe('1188');
    // All but what still waits to be a whole unit.
    expect(pieces.length * madeUnit.duration).toBeGreaterThan(3.9e6);
    for (const [i, { timestamp }] of pieces.entries())
      expect(Math.abs(timestamp - pieces[0]!.timestamp - i * madeUnit.duration)).toBeLessThan(2);
    // The first one leads in: it lies before the sound.
    expect(Math.abs(pieces[0]!.timestamp + madeUnit.duration - 5_000_000)).toBeLessThan(1000);
    const decoded = await decodeAac(
      made,
      pieces.map(({ data }) => data),
    );
    const steady = decoded.subarray(24_000, 24_000 + 3 * 48_000);
    expect(Math.abs(frequencyOf(steady, 48_000) - 1000)).toBeLessThan(2);
    // 0.4 of full scale, as it was made.
    expect(loudnessOf(steady)).toBeGreaterThan((0.9 * 0.4) / Math.SQRT2);
    expect(loudnessOf(steady)).toBeLessThan((1.1 * 0.4) / Math.SQRT2);
  });

  it('fills a short gap with silence, and jumps over a long one', async () => {
    const units = await sound({ codec: 'pcmu', sound: 'tone' }, 3);
    const shortGap = units.filter(({ timestamp }) => timestamp < 6_000_000 || timestamp >= 6_400_000);
    const { pieces, made } = await transcode(shortGap);
    for (const [i, { timestamp }] of pieces.entries())
      expect(Math.abs(timestamp - pieces[0]!.timestamp - i * madeUnit.duration)).toBeLessThan(2);
    const decoded = await decodeAac(
      made,
      pieces.map(({ data }) => data),
    );
    const at = (seconds: number) => Math.round((seconds - pieces[0]!.timestamp / 1e6) * 48_000);
    expect(loudnessOf(decoded.subarray(at(6.1), at(6.3)))).toBeLessThan(0.01);
    expect(loudnessOf(decoded.subarray(at(6.5), at(6.9)))).toBeGreaterThan(0.2);

    const long = units.map((unit, i) =>
      i < 40 ? unit : { ...unit, timestamp: unit.timestamp + 10_000_000 },
    );
    const jumped = (await transcode(long)).pieces.map(({ timestamp }) => timestamp);
    const steps = jumped.slice(1).map((timestamp, i) => timestamp - jumped[i]!);
    expect(steps.filter((step) => step > 30_000)).toHaveLength(1);
    expect(steps.every((step) => step > 0)).toBe(true);
    expect(jumped.at(-1)! - units.at(-1)!.timestamp).toBeGreaterThan(9_800_000);
  });

  it('that steps back is not heard twice', async () => {
    const units = await sound({ codec: 'pcma' }, 2);
    const again = [...units.slice(0, 20), ...units.slice(10)];
    const { pieces } = await transcode(again);
    const once = await transcode(units);
    expect(pieces.map(({ timestamp }) => timestamp)).toEqual(once.pieces.map(({ timestamp }) => timestamp));
  });

  it('that is garbage is told of, and the sound after it is heard', async () => {
    const units = await sound({ codec: 'opus', sound: 'tone' }, 2);
    const bent = units.map((unit, i) =>
      i === 20 ? { ...unit, data: Uint8Array.of(0xff, 0xff, 0xff) } : unit,
    );
    const { pieces, troubles } = await transcode(bent);
    expect(troubles.join()).toMatch(/cannot be decoded/);
    expect(pieces.at(-1)!.timestamp).toBeGreaterThan(units.at(-1)!.timestamp - 100_000);
  });
});

it('a worker that dies costs its sound a moment, and the owner hears of it', async () => {
  const units = await sound({ codec: 'pcmu' }, 4);
  const pieces: AudioPiece[] = [];
  let resets = 0;
  const pool = createPool();
  const channel = pool.openAudio(units[0]!.audio, {
    onPieces: (made) => void pieces.push(...made),
    onTrouble: () => undefined,
    onReset: () => void resets++,
  });
  for (const unit of units.slice(0, 40)) channel.send(unit);
  await until('sound came', () => pieces.length > 10);
  await until('all is done', () => channel.inFlight === 0);
  process.kill(pool.workers[0]!.pid, 'SIGKILL');
  await until('it begins anew', () => resets === 1);
  const before = pieces.length;
  for (const unit of units.slice(40)) channel.send(unit);
  await until('sound goes on', () => pieces.length > before + 10);
  expect(pool.stats).toMatchObject({ channels: 1, deaths: 1 });
  channel.close();
  expect(pool.stats.channels).toBe(0);
});
