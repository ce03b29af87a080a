import { Demuxer } from 'node-av/api';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AudioOptions, soundClip } from '../simulator/audio.ts';
import type { Clip } from '../simulator/clip.ts';
import { sceneClip } from '../simulator/clips.ts';
import { decodeAac, frequencyOf } from '../simulator/test-audio.ts';
import { parseAacConfig } from '../src/media/aac.ts';
import { decodeTimeOf, Listening, sampleCountOf, trackOf, tracksOf } from './support/listening.ts';
import { isInitSegment, readAnnexB, readFragment } from './support/packets.ts';
import { eventually, useParts } from './support/parts.ts';

const parts = useParts(['/first']);
const open = new Set<Listening>();
let video: Clip;
let cameras = 0;

beforeAll(async () => {
  video = await sceneClip({ gopSeconds: 2 });
}, 120_000);

afterEach(async () => {
  await Promise.all([...open].map(({ viewer }) => viewer.close()));
  open.clear();
});

/** A saved stream of a new camera, online, with its sound if it has one. */
async function camera(audio: AudioOptions | null) {
  const path = `/camera${++cameras}`;
  const simulated = parts.simulator.addCamera({
    path,
    clip: video,
    ...(audio && { audio: await soundClip(audio) }),
  });
  const { id } = await parts.save(parts.simulator.url(path));
  const watch = (query: string) => {
    const viewer = new Listening(parts, id, query);
    open.add(viewer);
    return viewer;
  };
  const first = watch('&format=annexb');
  await first.until('shown', () => first.kind(1).length > 0 && (!audio || first.told.at(-1)!.audio !== null));
  await first.viewer.close();
  return { id, simulated, watch };
}

interface SoundStats {
  readonly listeners: number;
  readonly transcoders: number;
  readonly units: number;
}

async function soundStats(id: string): Promise<SoundStats> {
  return (await parts.service.api<{ audio: SoundStats }>('GET', `/api/streams/${id}/stats/`)).audio;
}

function expectInARow(numbers: readonly number[]): void {
  expect(numbers).toEqual(Array.from(numbers, (_, i) => numbers[0]! + i));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

describe('the sound of a camera in annexb', () => {
  it('comes bit by bit when it is AAC, to those who ask; nobody else gets more than being told', async () => {
    const { id, watch } = await camera({ codec: 'aac' });
    const muted = watch('&format=annexb');
    const hears = watch('&format=annexb&audio=1');
    await hears.until('heard enough', () => hears.kind(2).length > 80 && hears.kind(1).length > 30);
    await muted.until('shown enough', () => muted.kind(1).length > 30);
    expect(muted.kind(2)).toEqual([]);
    expect(muted.told.map(({ audio }) => audio?.sent)).toEqual([false]);
    expect(await soundStats(id)).toMatchObject({ listeners: 1, transcoders: 0 });

    expect(hears.infos).toHaveLength(1);
    const { audio } = hears.infos[0]!;
    expect(audio).toMatchObject({ codec: 'mp4a.40.2', sample_rate: 16_000, channels: 1, sent: true });
    expect(parseAacConfig(Buffer.from(audio!.config, 'base64'))).toMatchObject({
      objectType: 2,
      sampleRate: 16_000,
      channels: 1,
    });
    const units = hears.kind(2).map(readAnnexB);
    const made = (await soundClip({ codec: 'aac' })).units.map((data) => Buffer.from(data));
    const first = made.findIndex((data) => data.equals(units[0]!.unit));
    expect(first).not.toBe(-1);
    units.forEach(({ unit }, i) => {
      expect(made[(first + i) % made.length]!.equals(unit)).toBe(true);
    });
    expectInARow(units.map(({ sequence }) => sequence));
    const steps = units.slice(1).map(({ timestamp }, i) => timestamp - units[i]!.timestamp);
    expect(median(steps)).toBeCloseTo(64_000, -1);
    // The video is whole beside it.
    expect(readAnnexB(hears.messages[0]!.data)).toMatchObject({ kind: 1, keyframe: true });
    expectInARow(hears.kind(1).map((data) => readAnnexB(data).sequence));
  }, 30_000);

  it('is transcoded once for all who listen, and only while somebody does', async () => {
    const { id, watch } = await camera({ codec: 'pcmu', sound: 'tone' });
    const [muted, a, b, mp4] = [
      watch('&format=annexb'),
      watch('&format=annexb'),
      watch('&format=annexb'),
      watch('&format=mp4'),
    ];
    const all = [muted, a, b, mp4];
    await Promise.all(all.map((viewer) => viewer.until('shown', () => viewer.messages.length > 20)));
    expect(muted.infos[0]!.audio).toMatchObject({ sample_rate: 48_000, channels: 1, sent: false });
    expect(await soundStats(id)).toMatchObject({ listeners: 0, transcoders: 0, units: 0 });

    for (const viewer of [a, b, mp4]) viewer.hear(true);
    await Promise.all([a, b].map((viewer) => viewer.until('heard', () => viewer.kind(2).length > 100)));
    await mp4.until('heard', () => mp4.sent && mp4.segment().length > 30);
    expect(await soundStats(id)).toMatchObject({ listeners: 2, transcoders: 1 });
    const ofA = new Map(a.kind(2).map((data) => [readAnnexB(data).sequence, data]));
    const both = b.kind(2).filter((data) => ofA.has(readAnnexB(data).sequence));
    expect(both.length).toBeGreaterThan(50);
    for (const data of both) expect(ofA.get(readAnnexB(data).sequence)!.equals(data)).toBe(true);
    const { audio } = a.told.at(-1)!;
    const samples = await decodeAac(
      {
        codec: 'aac',
        sampleRate: 48_000,
        channels: 1,
        config: Buffer.from(audio!.config, 'base64'),
        codecString: audio!.codec,
      },
      a.kind(2).map((data) => readAnnexB(data).unit),
    );
    expect(Math.abs(frequencyOf(samples.subarray(9_600), 48_000) - 1000)).toBeLessThan(2);

    for (const viewer of [a, mp4]) viewer.hear(false);
    await b.viewer.close();
    const idle = await eventually(
      'idle',
      () => soundStats(id),
      ({ transcoders }) => transcoders === 0,
    );
    expect(idle.listeners).toBe(0);
    expect(muted.kind(2)).toEqual([]);
  }, 60_000);

  it('begins and ends at once when asked, and the video is not touched', async () => {
    const { watch } = await camera({ codec: 'aac' });
    const viewer = watch('&format=annexb');
    await viewer.until('shown', () => viewer.kind(1).length > 3);
    viewer.hear(true);
    await viewer.until('heard', () => viewer.kind(2).length > 5);
    viewer.hear(false);
    await viewer.until('muted', () => !viewer.sent);
    const heard = viewer.kind(2).length;
    const shown = viewer.kind(1).length;
    await viewer.until('shown on', () => viewer.kind(1).length > shown + 15);
    expect(viewer.kind(2)).toHaveLength(heard);
    viewer.hear(true);
    await viewer.until('heard again', () => viewer.kind(2).length > heard + 5);
    expect(viewer.told.map(({ audio }) => audio!.sent)).toEqual([false, true, false, true]);
    expect(viewer.infos).toHaveLength(1);
    expectInARow(viewer.kind(1).map((data) => readAnnexB(data).sequence));
  }, 30_000);

  it('that ends, and comes back, is told, and the video goes on', async () => {
    const { simulated, watch } = await camera({ codec: 'aac' });
    const viewer = watch('&format=annexb&audio=1');
    await viewer.until('heard', () => viewer.kind(2).length > 5);
    simulated.behave({ withholds: 'audio' });
    await viewer.until('told of the end', () => viewer.told.at(-1)!.audio === null);
    simulated.behave({ withholds: 'nothing' });
    await viewer.until('told of the return', () => viewer.sent);
    const heard = viewer.kind(2).length;
    await viewer.until('heard again', () => viewer.kind(2).length > heard + 5);
    expect(viewer.infos).toHaveLength(1);
    expectInARow(viewer.kind(1).map((data) => readAnnexB(data).sequence));
  }, 60_000);
});

describe('the sound of a camera in mp4', () => {
  it.each(['aac', 'pcmu'] as const)(
    'is a second track that can be demuxed, in step: %s',
    async (codec) => {
      const { watch } = await camera({ codec });
      const viewer = watch('&format=mp4&audio=1');
      const count = (track: number) =>
        viewer
          .segment()
          .slice(1)
          .filter((data) => trackOf(data) === track).length;
      await viewer.until('both came', () => viewer.sent && count(1) > 60 && count(2) > 30, 30_000);
      await viewer.viewer.close();
      const { mime, audio, codec: videoCodec } = viewer.infos.at(-1)!;
      expect(mime).toBe(`video/mp4; codecs="${videoCodec}, mp4a.40.2"`);
      const [init, ...fragments] = viewer.segment();
      expect(tracksOf(init!)).toBe(2);
      expect(readFragment(fragments[0]!)).toMatchObject({ track: 1, sync: true });
      const sequences = fragments.map((data) => Buffer.from(data).readUInt32BE(20));
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
      const unitMs = 1_024_000 / audio!.sample_rate;
      const sound = fragments.filter((data) => trackOf(data) === 2);
      for (const data of sound) expect(sampleCountOf(data) * unitMs).toBeLessThanOrEqual(100);
      expect(median(sound.map((data) => sampleCountOf(data)))).toBe(codec === 'aac' ? 1 : 4);

      await using demuxer = await Demuxer.open(Buffer.concat([init!, ...fragments]));
      const streams = [demuxer.video()!, demuxer.audio()!];
      expect(streams[1]!.codecpar).toMatchObject({ sampleRate: audio!.sample_rate, channels: 1 });
      const seconds = streams.map(({ timeBase }) => timeBase.num / timeBase.den);
      const times: number[][] = [[], []];
      for await (using packet of demuxer.packets())
        if (packet) {
          const which = packet.streamIndex === streams[0]!.index ? 0 : 1;
          times[which]!.push(Number(packet.pts) * seconds[which]!);
        }
      const [pictures, units] = times as [number[], number[]];
      expect(pictures).toHaveLength(fragments.length - sound.length);
      expect(units).toHaveLength(sound.reduce((sum, data) => sum + sampleCountOf(data), 0));
      // As long as it says: no hole, and no drift.
      const span = units.at(-1)! - units[0]!;
      expect(Math.abs(span * 1000 - (units.length - 1) * unitMs)).toBeLessThan(100);
      expect(pictures[0]!).toBeLessThanOrEqual(units[0]! + 0.1);

      // When sound comes, it ends about where the newest picture is: both are live, on one clock.
      let newest = 0;
      const leads: number[] = [];
      for (const data of fragments) {
        if (trackOf(data) === 1) newest = decodeTimeOf(data) / 1000;
        else
          leads.push(
            (decodeTimeOf(data) * 1000) / audio!.sample_rate + sampleCountOf(data) * unitMs - newest,
          );
      }
      // A transcoder holds some back: two units, and packets of 40 ms.
      expect(Math.abs(median(leads))).toBeLessThan(codec === 'aac' ? 100 : 200);
    },
    60_000,
  );

  it('is switched on and off by a new initialisation segment, and a keyframe', async () => {
    const { watch } = await camera({ codec: 'aac' });
    const viewer = watch('&format=mp4');
    await viewer.until('shown', () => viewer.segment().length > 5);
    viewer.hear(true);
    await viewer.until('heard', () => viewer.sent && viewer.segment().length > 15);
    viewer.hear(true);
    viewer.hear(false);
    await viewer.until('muted', () => viewer.infos.length === 3 && viewer.segment().length > 15);
    expect(viewer.infos.map(({ audio }) => audio!.sent)).toEqual([false, true, false]);
    expect(viewer.told).toHaveLength(3);
    for (const [i, { codec, mime }] of viewer.infos.entries()) {
      const [init, first, ...others] = viewer.segment(i + 1);
      const heard = i === 1;
      expect(mime).toBe(`video/mp4; codecs="${codec}${heard ? ', mp4a.40.2' : ''}"`);
      expect(tracksOf(init!)).toBe(heard ? 2 : 1);
      expect(readFragment(first!)).toMatchObject({ track: 1, sync: true });
      expect(others.some(isInitSegment)).toBe(false);
      expect(others.some((data) => trackOf(data) === 2)).toBe(heard);
    }
  }, 30_000);

  it('that ends takes its track along, so that the picture does not wait for it', async () => {
    const { simulated, watch } = await camera({ codec: 'pcma' });
    const viewer = watch('&format=mp4&audio=1');
    await viewer.until('heard', () => viewer.sent);
    const described = viewer.infos.length;
    simulated.behave({ withholds: 'audio' });
    await viewer.until('without', () => viewer.infos.length > described && viewer.segment().length > 15);
    expect(viewer.infos.at(-1)!.audio?.sent ?? false).toBe(false);
    expect(tracksOf(viewer.segment()[0]!)).toBe(1);
    simulated.behave({ withholds: 'nothing' });
    await viewer.until('heard again', () => viewer.sent && viewer.segment().length > 15);
    expect(tracksOf(viewer.segment()[0]!)).toBe(2);
  }, 60_000);
});

describe('sound that is not to be had', () => {
  it('is refused in a sentence, and all stays as it was', async () => {
    const { watch } = await camera(null);
    const silent = watch('&format=mp4&audio=1');
    await silent.until('shown', () => silent.segment().length > 5);
    expect(silent.errors).toEqual([]);
    expect(silent.infos.map(({ audio }) => audio)).toEqual([null]);
    silent.hear(true);
    await silent.until('refused', () => silent.errors.length === 1);
    const before = silent.messages.length;
    await silent.until('shown on', () => silent.messages.length > before + 5);
    expect(silent.errors).toEqual(['audio_unavailable']);
    expect(silent.infos).toHaveLength(1);
    silent.viewer.send({ command: 'audio', on: 'yes' });
    await silent.until('refused', () => silent.errors.length === 2);
    expect(silent.errors[1]).toBe('invalid_message');
  });

  it('is so in JPEG, which tells of it; the wish of the query holds for later', async () => {
    const { watch } = await camera({ codec: 'aac' });
    const viewer = watch('&audio=1');
    await viewer.until('shown', () => viewer.messages.length > 3);
    expect(viewer.infos[0]).toMatchObject({ format: 'jpeg', audio: { codec: 'mp4a.40.2', sent: false } });
    viewer.hear(true);
    await viewer.until('refused', () => viewer.errors.length === 1);
    expect(viewer.errors).toEqual(['audio_unavailable']);
    viewer.viewer.send({ command: 'format', format: 'annexb' });
    await viewer.until('heard', () => viewer.kind(2).length > 3);
    for (const { info, data } of viewer.messages)
      if (info.format === 'jpeg') expect([...data.subarray(0, 2)]).toEqual([0xff, 0xd8]);
  });
});
