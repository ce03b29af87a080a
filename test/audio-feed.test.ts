// Sound all the way from a simulated camera to those who listen, with real codec workers.
// The edges that carry it to browsers have tests of their own.

import { afterEach, describe, expect, it } from 'vitest';
import { type AudioOptions, soundClip } from '../simulator/audio.ts';
import type { Behaviour } from '../simulator/behaviour.ts';
import { sceneClip } from '../simulator/clips.ts';
import { emptyScene } from '../simulator/scene.ts';
import { startSimulator } from '../simulator/server.ts';
import { decodeAac, frequencyOf } from '../simulator/test-audio.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { AudioFeed } from '../src/codec/audio-feed.ts';
import { CodecPool } from '../src/codec/pool.ts';
import { Source } from '../src/ingest/source.ts';
import type { AccessUnit } from '../src/media/access-unit.ts';
import type { AudioParameters, AudioUnit } from '../src/media/audio.ts';
import { parseCameraUrl } from '../src/media/camera-url.ts';
import { Stream } from '../src/stream/stream.ts';

const clip = await sceneClip({ scene: emptyScene(4), fps: 15, gopSeconds: 1 });
const endings: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function watch(audio: AudioOptions, behaviour: Partial<Behaviour> = {}) {
  const simulator = await startSimulator({
    cameras: [{ path: '/cam', clip, audio: await soundClip(audio), behaviour }],
  });
  const stream = new Stream();
  const pool = new CodecPool({ maxWorkers: 1, log: silentLog });
  const feed = new AudioFeed({ stream, pool });
  const source = new Source({
    stream,
    address: parseCameraUrl(simulator.url('/cam')),
    resolve: async (host) => [host],
    clock: systemClock,
    log: silentLog,
  });
  endings.push(
    () => simulator.close(),
    () => pool.close(),
    () => source.stop(),
  );
  source.setWatched(true);
  source.start();
  return { camera: simulator.camera('/cam'), stream, pool, feed, source };
}

class Listener {
  readonly audio: (AudioParameters | null)[] = [];
  readonly units: AudioUnit[] = [];
  onAudio(audio: AudioParameters | null): void {
    this.audio.push(audio);
  }
  onAudioUnit(unit: AudioUnit): void {
    this.units.push(unit);
  }
  async have(count: number): Promise<void> {
    await expect.poll(() => this.units.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

describe('listening to a camera', () => {
  it('whose sound is AAC gets it untouched, and no worker is started', async () => {
    const { feed, pool, stream } = await watch({ codec: 'aac' });
    const listener = new Listener();
    feed.subscribe(listener);
    await listener.have(20);
    const { units } = await soundClip({ codec: 'aac' });
    for (const { data } of listener.units)
      expect(units.some((unit) => Buffer.from(unit).equals(data))).toBe(true);
    expect(listener.audio).toEqual([stream.audio]);
    expect(feed.figures).toMatchObject({ listeners: 1, transcoding: false });
    expect(pool.stats).toMatchObject({ workers: 0, channels: 0 });
  });

  it('whose sound is another is transcoded once for all, while somebody listens', async () => {
    const { feed, pool, stream } = await watch({ codec: 'pcmu', sound: 'tone' });
    const pictures: AccessUnit[] = [];
    stream.subscribe({ onUnit: (unit) => void pictures.push(unit) });
    const [first, second] = [new Listener(), new Listener()];
    const leaveFirst = feed.subscribe(first);
    const leaveSecond = feed.subscribe(second);
    await first.have(100);
    expect(pool.stats.channels).toBe(1);
    const [made] = first.audio;
    expect(first.audio).toHaveLength(1);
    expect(made).toMatchObject({ codec: 'aac', sampleRate: 48_000, channels: 1 });
    expect(second.units[0]).toBe(first.units[0]);
    const samples = await decodeAac(
      made!,
      first.units.map(({ data }) => data),
    );
    expect(Math.abs(frequencyOf(samples.subarray(9_600), 48_000) - 1000)).toBeLessThan(2);
    // In step with the pictures: a unit ends where the newest sound in it was heard.
    const ends = first.units.map((unit) => (unit.timestamp + unit.duration) / 1000 - unit.receivedAt);
    const seen = pictures.map((unit) => unit.timestamp / 1000 - unit.receivedAt);
    // Two units of delay are the encoder's.
    expect(Math.abs(median(ends) - median(seen))).toBeLessThan(150);
    const times = first.units.map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    leaveFirst();
    const before = second.units.length;
    await second.have(before + 10);
    leaveSecond();
    leaveSecond();
    expect(feed.figures).toMatchObject({ listeners: 0, transcoding: false, dropped: 0, errors: 0 });
    expect(pool.stats.channels).toBe(0);
  });

  it('that falls silent while it shows pictures is told, and so is the sound that comes back', async () => {
    const { camera, feed, stream } = await watch({ codec: 'pcma' });
    const listener = new Listener();
    feed.subscribe(listener);
    await listener.have(5);
    camera.behave({ withholds: 'audio' });
    await expect.poll(() => listener.audio.at(-1), { timeout: 20_000 }).toBeNull();
    expect(stream).toMatchObject({ status: 'online', audio: null });
    camera.behave({ withholds: 'nothing' });
    await expect.poll(() => listener.audio.length, { timeout: 20_000 }).toBe(3);
    await listener.have(listener.units.length + 5);
  });

  it('that is gone and comes back goes on with the same sound, later and never twice', async () => {
    const { camera, feed, stream } = await watch({ codec: 'l16' });
    const listener = new Listener();
    feed.subscribe(listener);
    await listener.have(20);
    camera.dropSessions('reset');
    await expect.poll(() => stream.status).not.toBe('online');
    const before = listener.units.length;
    await listener.have(before + 20);
    expect(listener.audio).toHaveLength(1);
    const times = listener.units.map(({ timestamp }) => timestamp);
    expect(times.slice(1).every((time, i) => time > times[i]!)).toBe(true);
  });
});

it('a camera that shows nothing although it sends sound is noticed, and asked again without sound', async () => {
  const { camera, stream, source } = await watch({ codec: 'pcmu' }, { withholds: 'video' });
  await expect.poll(() => source.figures.connects, { timeout: 30_000 }).toBeGreaterThan(1);
  expect(stream.status).not.toBe('online');
  const sounds: AudioUnit[] = [];
  stream.subscribe({ onAudioUnit: (unit) => void sounds.push(unit) });
  camera.behave({ withholds: 'nothing' });
  await expect.poll(() => stream.latestUnit !== null, { timeout: 30_000 }).toBe(true);
  expect(sounds).toEqual([]);
  expect(stream.audio).toBeNull();
}, 60_000);
