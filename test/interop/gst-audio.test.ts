// Sound of cameras that are not ours: GStreamer's RTSP server with every codec that can be used, over TCP and UDP.
// Heard through the real client and the real codec workers: the tone that went in must come out.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decodeAac, frequencyOf, loudnessOf } from '../../simulator/test-audio.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { AudioFeed } from '../../src/codec/audio-feed.ts';
import { CodecPool } from '../../src/codec/pool.ts';
import { Source } from '../../src/ingest/source.ts';
import type { AccessUnit } from '../../src/media/access-unit.ts';
import type { AudioParameters, AudioUnit } from '../../src/media/audio.ts';
import { parseCameraUrl } from '../../src/media/camera-url.ts';
import { Stream } from '../../src/stream/stream.ts';
import { skipsWithout } from '../support/components.ts';
import { type GstCamera, type GstServer, startGstServer } from '../support/gst-rtsp-server.ts';

const sounds = ['aac', 'aac-latm', 'opus', 'pcmu', 'pcma', 'l16'] as const;
const cameras: readonly GstCamera[] = sounds.flatMap((audio) =>
  (['tcp', 'udp'] as const).map((transport) => ({
    path: `/${audio}-${transport}`,
    codec: 'h264' as const,
    audio,
    transport,
    keyframeEvery: 15,
  })),
);

describe.skipIf(skipsWithout('gst-rtsp-server'))('the sound of GStreamer’s RTSP server', () => {
  let server: GstServer;
  let pool: CodecPool;
  let source: Source | null = null;

  beforeAll(async () => {
    server = await startGstServer({ cameras });
    pool = new CodecPool({ maxWorkers: 1, log: silentLog });
  });

  afterEach(async () => {
    await source?.stop();
  });

  afterAll(async () => {
    await pool?.close();
    await server?.stop();
  });

  test.for(cameras)('$audio over $transport is heard as it was made', async ({ path, transport, audio }) => {
    const stream = new Stream();
    const feed = new AudioFeed({ stream, pool });
    const pictures: AccessUnit[] = [];
    const units: AudioUnit[] = [];
    const told: (AudioParameters | null)[] = [];
    stream.subscribe({ onUnit: (unit) => void pictures.push(unit) });
    feed.subscribe({ onAudio: (made) => void told.push(made), onAudioUnit: (unit) => void units.push(unit) });
    source = new Source({
      stream,
      address: parseCameraUrl(server.url(path)),
      resolve: async (host) => [host],
      clock: systemClock,
      log: silentLog,
    });
    source.setWatched(true);
    source.start();
    await expect.poll(() => units.length, { timeout: 20_000 }).toBeGreaterThan(150);
    feed.close();
    expect(source.figures).toMatchObject({ connects: 1, lostPackets: 0, transport });
    expect(told).toHaveLength(1);
    const rate = audio === 'aac-latm' ? 44_100 : 48_000;
    expect(told[0]).toMatchObject({ codec: 'aac', sampleRate: rate, channels: 1, codecString: 'mp4a.40.2' });
    const samples = await decodeAac(
      told[0]!,
      units.map(({ data }) => data),
    );
    const steady = samples.subarray(rate / 2);
    expect(Math.abs(frequencyOf(steady, rate) - 1000)).toBeLessThan(3);
    expect(loudnessOf(steady)).toBeGreaterThan(0.2);
    expect(loudnessOf(steady)).toBeLessThan(0.35);
    // Both are made live: what is heard is what is seen, give or take an encoder's delay.
    const late = (unit: { timestamp: number; receivedAt: number }) => unit.receivedAt - unit.timestamp / 1000;
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
    expect(Math.abs(median(units.map(late)) - median(pictures.map(late)))).toBeLessThan(500);
  });
});
