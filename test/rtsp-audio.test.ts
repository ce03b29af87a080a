// Sound of simulated cameras through the real client: each codec over TCP and UDP, and what must never harm the video.
// Packets and descriptions by themselves are tested beside their parsers.

import { afterEach, describe, expect, it } from 'vitest';
import { type AudioOptions, soundClip } from '../simulator/audio.ts';
import type { Behaviour } from '../simulator/behaviour.ts';
import { sceneClip } from '../simulator/clips.ts';
import { emptyScene } from '../simulator/scene.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import type { AccessUnit } from '../src/media/access-unit.ts';
import type { AudioCodec, AudioOffer, AudioUnit } from '../src/media/audio.ts';
import { parseCameraUrl } from '../src/media/camera-url.ts';
import { RtspClient, type RtspClientOptions } from '../src/rtsp/client.ts';

const clip = await sceneClip({ scene: emptyScene(4), fps: 15, gopSeconds: 1 });
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function camera(audio: AudioOptions, behaviour: Partial<Behaviour> = {}): Promise<Simulator> {
  const simulator = await startSimulator({
    cameras: [{ path: '/cam', clip, audio: await soundClip(audio), behaviour }],
  });
  opened.push(simulator);
  return simulator;
}

async function listen(simulator: Simulator, more: Partial<RtspClientOptions> = {}) {
  const units: AccessUnit[] = [];
  const sound: AudioUnit[] = [];
  const offers: AudioOffer[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const each of waiting) each();
  };
  const client = await RtspClient.connect({
    url: parseCameraUrl(simulator.url('/cam')),
    events: {
      onVideo: () => undefined,
      onAccessUnit: (unit) => {
        units.push(unit);
        wake();
      },
      onAudio: (offer) => void offers.push(offer),
      onAudioUnit: (unit) => {
        sound.push(unit);
        wake();
      },
    },
    ...more,
  });
  opened.push({ [Symbol.asyncDispose]: () => client.close() });
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => waiting.add(resolve));
  };
  return { client, units, sound, offers, until };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

const codecs: readonly AudioCodec[] = ['aac', 'opus', 'pcmu', 'pcma', 'l16'];
const kinds = codecs.flatMap((codec) => (['tcp', 'udp'] as const).map((transport) => ({ codec, transport })));

describe('sound beside the video', () => {
  it.each(kinds)(
    'comes as $codec over $transport, whole and in step with it',
    async ({ codec, transport }) => {
      const simulator = await camera({ codec });
      const made = await soundClip({ codec });
      const { client, units, sound, offers, until } = await listen(simulator, { transport });
      await until(() => sound.length >= 30 && units.length >= 10);
      expect(client.stats).toMatchObject({
        transport,
        droppedUnits: 0,
        audio: { lostPackets: 0, droppedUnits: 0 },
      });
      const { sampleRate, config } = made;
      expect(offers).toMatchObject([{ kind: 'audio', audio: { codec, sampleRate, channels: 1 } }]);
      const { audio } = sound[0]!;
      expect(sound.every((unit) => unit.audio === audio)).toBe(true);
      if (codec === 'aac')
        expect(Buffer.from(config).subarray(0, audio.config.length)).toEqual(Buffer.from(audio.config));
      // Byte for byte what the camera's encoder gave, one after the other.
      const first = made.units.findIndex((unit) => Buffer.from(unit).equals(sound[0]!.data));
      expect(first).not.toBe(-1);
      for (const [i, { data }] of sound.entries())
        expect(Buffer.from(data)).toEqual(Buffer.from(made.units[(first + i) % made.units.length]!));
      const duration = (made.samplesPerUnit * 1_000_000) / sampleRate;
      expect(sound.every((unit) => Math.abs(unit.duration - duration) < 1)).toBe(true);
      const gaps = sound.slice(1).map((unit, i) => unit.timestamp - sound[i]!.timestamp);
      expect(median(gaps)).toBeCloseTo(duration, -1);
      // A unit is sent when its last sample was heard, a picture when it was taken.
      const live = (unit: { timestamp: number; receivedAt: number }) =>
        unit.timestamp / 1000 - unit.receivedAt;
      const video = median(units.map(live));
      const ends = median(sound.map((unit) => live(unit) + unit.duration / 1000));
      expect(Math.abs(ends - video)).toBeLessThan(100);
    },
  );

  it('is not asked for when nobody takes it', async () => {
    const simulator = await camera({ codec: 'aac' });
    const { client, units, until } = await listen(simulator, { audio: false });
    await until(() => units.length >= 5);
    expect(client.stats.audio).toBeNull();
  });

  it('that was announced and never comes is never heard of, and the video plays', async () => {
    const simulator = await camera({ codec: 'pcmu' }, { withholds: 'audio', audioFirst: true });
    const { client, units, offers, until } = await listen(simulator);
    await until(() => units.length >= 20);
    expect(offers).toEqual([]);
    expect(client.stats).toMatchObject({ droppedUnits: 0, audio: { packets: 0 } });
  });

  it('does not pass for video: without pictures no packet is counted', async () => {
    const simulator = await camera({ codec: 'pcma' }, { withholds: 'video' });
    const { client } = await listen(simulator);
    await expect.poll(() => client.stats.audio?.packets ?? 0).toBeGreaterThan(5);
    expect(client.stats).toMatchObject({ packets: 0, lastPacketAt: null, units: 0 });
  });
});
