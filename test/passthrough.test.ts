import { Demuxer } from 'node-av/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clip } from '../simulator/clip.ts';
import { sceneClip } from '../simulator/clips.ts';
import type { ServerMessage } from '../src/live/protocol.ts';
import {
  type AnnexBPacket,
  findBox,
  isInitSegment,
  type Mp4Fragment,
  picturesOf,
  readAnnexB,
  readFragment,
} from './support/packets.ts';
import { eventually, useParts } from './support/parts.ts';
import { Viewer } from './support/viewer.ts';

const parts = useParts(['/first']);

type Info = Extract<ServerMessage, { type: 'stream_info' }>;
type Stats = Extract<ServerMessage, { type: 'performance_stats' }>;

/** A viewer that keeps what it gets, each binary message with the stream_info that was told before it. */
class Watching {
  readonly viewer: Viewer;
  readonly messages: { readonly info: Info | undefined; readonly data: Buffer }[] = [];
  readonly infos: Info[] = [];

  constructor(id: string, query: string) {
    this.viewer = new Viewer(`${parts.service.socketUrl(`/ws/stream/?stream_id=${id}`)}${query}`, {
      headers: parts.service.headers,
      onPicture: (data) => this.messages.push({ info: this.infos.at(-1), data }),
      onMessage: (message) => {
        if (message.type === 'stream_info') this.infos.push(message);
      },
    });
    watching.add(this);
  }

  /** Of `format=annexb`. */
  get packets(): AnnexBPacket[] {
    return this.of('annexb').map(readAnnexB);
  }

  /** Of `format=mp4`. */
  get fragments(): Mp4Fragment[] {
    return this.of('mp4')
      .filter((data) => !isInitSegment(data))
      .map(readFragment);
  }

  get errors(): string[] {
    return this.viewer.messages.flatMap((message) => (message.type === 'error' ? [message.code] : []));
  }

  of(format: Info['format']): Buffer[] {
    return this.messages.flatMap(({ info, data }) => (info?.format === format ? [data] : []));
  }

  async until(what: string, holds: () => boolean, timeoutMs?: number): Promise<void> {
    await this.viewer.until(what, holds, timeoutMs);
  }

  async told(format: Info['format'], nth = 1): Promise<void> {
    const told = () => this.infos.filter((info) => info.format === format).length >= nth;
    await this.until(`told of ${format}`, told);
    const from = this.messages.length;
    await this.until(`shown ${format}`, () => this.messages.length > from + 3);
  }
}

const watching = new Set<Watching>();
const clips: Record<string, Clip> = {};

/** A saved stream of a new camera that plays this clip. */
async function camera(path: string, clip: Clip) {
  const simulated = parts.simulator.addCamera({ path, clip });
  const { id } = await parts.save(parts.simulator.url(path));
  return { id, simulated };
}

async function online(id: string): Promise<void> {
  await eventually(
    'online',
    () => parts.status(id),
    ({ status }) => status === 'online',
  );
}

beforeAll(async () => {
  clips.h264 = await sceneClip({ gopSeconds: 2 });
  clips.h265 = await sceneClip({ codec: 'h265', gopSeconds: 2 });
  clips.small = await sceneClip({ gopSeconds: 1, width: 320, height: 240 });
  clips.rareKeyframes = await sceneClip({ gopSeconds: 5 });
  clips.bFrames = await sceneClip({ gopSeconds: 1, bFrames: 2 });
  clips.mjpeg = await sceneClip({ codec: 'mjpeg' });
}, 120_000);

afterAll(async () => {
  await Promise.all([...watching].map(({ viewer }) => viewer.close()));
});

function expectSame(units: readonly Uint8Array[], clip: Clip): void {
  const all = clip.accessUnits.map(({ data }) => Buffer.from(data));
  const first = all.findIndex((data) => data.equals(units[0]!));
  expect(first).toBeGreaterThanOrEqual(0);
  units.forEach((unit, i) => {
    expect(all[(first + i) % all.length]!.equals(unit)).toBe(true);
  });
}

describe('format=annexb', () => {
  it.each([
    ['h264', /^avc1\.[0-9A-F]{6}$/, 'video/H264'],
    ['h265', /^hvc1\.1\.6\.L\d+\.[0-9A-F]+$/, 'video/H265'],
  ] as const)(
    'carries the frames of an %s camera bit by bit, and decodes nothing',
    async (codec, string, mime) => {
      const clip = clips[codec]!;
      const { id, simulated } = await camera(`/annexb-${codec}`, clip);
      await online(id);
      await eventually(
        'in the middle of a group',
        () => simulated.stats.unitsSent % 30,
        (n) => n > 8 && n < 24,
      );
      const watched = new Watching(id, '&format=annexb');
      // More than two groups of pictures.
      await watched.until('shown enough', () => watched.messages.length > 70, 20_000);
      const { packets } = watched;
      expect(watched.infos).toHaveLength(1);
      expect(watched.infos[0]).toMatchObject({ format: 'annexb', mime, width: 640, height: 480 });
      expect(watched.infos[0]!.codec).toMatch(string);
      expect(packets[0]!.keyframe).toBe(true);
      expect(packets.filter(({ keyframe }) => keyframe).length).toBeGreaterThan(1);
      packets.slice(1).forEach((packet, i) => {
        const before = packets[i]!;
        expect(packet.kind).toBe(1);
        expect(packet.sequence).toBe(before.sequence + 1);
        expect(packet.timestamp - before.timestamp).toBeGreaterThan(50_000);
        expect(packet.timestamp - before.timestamp).toBeLessThan(90_000);
      });
      expectSame(
        packets.map(({ unit }) => unit),
        clip,
      );
      const stats = await parts.service.api(`GET`, `/api/streams/${id}/stats/`);
      expect(stats).toMatchObject({ decoders: 0, pictures: 0, viewers: 1 });
    },
  );

  it('begins at once with the frames since the last keyframe', async () => {
    const { id } = await camera('/late', clips.rareKeyframes!);
    const { total_frames: before } = await eventually(
      'in the middle of a group',
      () => parts.service.api<{ total_frames: number }>('GET', `/api/streams/${id}/stats/`),
      (stats) => stats.total_frames > 10,
    );
    const watched = new Watching(id, '&format=annexb');
    await watched.until('shown', () => watched.messages.length > before);
    expect(watched.packets[0]!.keyframe).toBe(true);
    expect(watched.packets.map(({ sequence }) => sequence)).toEqual([...watched.packets.keys()]);
  });

  it('sends frames of a camera with B-frames in the order of decoding, with their time of showing', async () => {
    const { id } = await camera('/annexb-b', clips.bFrames!);
    const watched = new Watching(id, '&format=annexb');
    await watched.until('shown enough', () => watched.messages.length > 40, 20_000);
    const times = watched.packets.map(({ timestamp }) => timestamp);
    expect(times.some((time, i) => i > 0 && time < times[i - 1]!)).toBe(true);
    expectSame(
      watched.packets.map(({ unit }) => unit),
      clips.bFrames!,
    );
  });
});

describe('format=mp4', () => {
  it.each(['h264', 'h265', 'bFrames'] as const)('can be demuxed: %s', async (name) => {
    const clip = clips[name]!;
    const codec = name === 'h265' ? 'h265' : 'h264';
    const { id, simulated } = await camera(`/mp4-${name}`, clip);
    await online(id);
    await eventually(
      'long enough to know the order of its frames',
      () => simulated.stats.unitsSent,
      (sent) => sent > 40,
    );
    const watched = new Watching(id, '&format=mp4');
    await watched.until('shown enough', () => watched.messages.length > 50, 20_000);
    await watched.viewer.close();
    expect(watched.infos).toHaveLength(1);
    expect(watched.infos[0]!.mime).toBe(`video/mp4; codecs="${watched.infos[0]!.codec}"`);
    expect(isInitSegment(watched.messages[0]!.data)).toBe(true);

    const { fragments } = watched;
    expect(fragments[0]!.sync).toBe(true);
    const units = clip.accessUnits.map(({ data }) => Buffer.concat(picturesOf(codec, data)));
    const first = units.findIndex((data) => data.equals(Buffer.concat(fragments[0]!.nals)));
    fragments.forEach(({ nals, decodeTime, duration, compositionOffset }, i) => {
      expect(Buffer.concat(nals).equals(units[(first + i) % units.length]!)).toBe(true);
      expect(compositionOffset).toBeGreaterThanOrEqual(0);
      if (name !== 'bFrames') expect(compositionOffset).toBe(0);
      const next = fragments[i + 1];
      if (!next) return;
      expect(next.decodeTime).toBeGreaterThan(decodeTime);
      // What comes later than twice the duration of the frame before is dropped by Media Source.
      expect(next.decodeTime - decodeTime).toBeLessThan(2 * duration);
    });

    await using demuxer = await Demuxer.open(Buffer.concat(watched.of('mp4')));
    const { codecpar } = demuxer.video()!;
    expect(codecpar).toMatchObject({ width: 640, height: 480 });
    let frames = 0;
    for await (using packet of demuxer.packets()) if (packet) frames++;
    expect(frames).toBe(fragments.length);
    const stats = await parts.service.api(`GET`, `/api/streams/${id}/stats/`);
    expect(stats).toMatchObject({ decoders: 0, pictures: 0 });
  });

  it('is made once: every viewer gets the same bytes', async () => {
    const { id } = await camera('/mp4-many', clips.h264!);
    const all = Array.from({ length: 3 }, () => new Watching(id, '&format=mp4'));
    await Promise.all(all.map((one) => one.until('shown', () => one.messages.length > 35, 20_000)));
    const [a, ...others] = all.map((one) => new Map(one.of('mp4').map((data) => [keyOf(data), data])));
    for (const other of others) {
      const both = [...other].filter(([key]) => a!.has(key));
      expect(both.length).toBeGreaterThan(20);
      for (const [key, data] of both) expect(a!.get(key)!.equals(data)).toBe(true);
    }
  });
});

function keyOf(data: Buffer): number {
  return isInitSegment(data) ? -1 : readFragment(data).sequence;
}

describe('changes', () => {
  it('switches formats in place, told before the first message of each, and stops decoding', async () => {
    const { id } = await camera('/switch', clips.h264!);
    const watched = new Watching(id, '');
    await watched.told('jpeg');
    watched.viewer.send({ command: 'format', format: 'annexb' });
    await watched.told('annexb');
    watched.viewer.send({ command: 'format', format: 'mp4' });
    await watched.told('mp4');
    watched.viewer.send({ command: 'format', format: 'mp4' });
    await watched.told('mp4', 2);
    watched.viewer.send({ command: 'format', format: 'tape' });
    await watched.until('refused', () => watched.errors.length === 1);
    const stats = () => parts.service.api<{ decoders: number }>('GET', `/api/streams/${id}/stats/`);
    await eventually('decoding no more', stats, ({ decoders }) => decoders === 0, 15_000);
    watched.viewer.send({ command: 'format', format: 'jpeg' });
    await watched.told('jpeg', 2);

    expect(watched.errors).toEqual(['format_unavailable']);
    expect(watched.infos.map(({ format }) => format)).toEqual(['jpeg', 'annexb', 'mp4', 'mp4', 'jpeg']);
    expect(watched.packets[0]!.keyframe).toBe(true);
    for (const data of watched.of('jpeg')) expect(data.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
    const begun = watched.of('mp4').map(isInitSegment);
    expect(begun.filter(Boolean)).toHaveLength(2);
    // Asked for again, it begins anew with a keyframe.
    expect(readFragment(watched.of('mp4')[begun.lastIndexOf(true) + 1]!).sync).toBe(true);
  }, 30_000);

  it('tells a new size, and goes on from a keyframe', async () => {
    const { id, simulated } = await camera('/size', clips.h264!);
    const annexb = new Watching(id, '&format=annexb');
    const mp4 = new Watching(id, '&format=mp4');
    await Promise.all([annexb.told('annexb'), mp4.told('mp4')]);
    simulated.switchClip(clips.small!);
    await Promise.all([annexb.told('annexb', 2), mp4.told('mp4', 2)]);
    for (const { infos } of [annexb, mp4])
      expect(infos.map(({ width, height }) => [width, height])).toEqual([
        [640, 480],
        [320, 240],
      ]);
    const small = annexb.messages.find(({ info }) => info?.width === 320)!;
    expect(readAnnexB(small.data).keyframe).toBe(true);
    const [init, fragment] = mp4.messages.filter(({ info }) => info?.width === 320).map(({ data }) => data);
    expect(Buffer.from(findBox(init!, 'moov/trak/tkhd')).readUInt16BE(76)).toBe(320);
    expect(readFragment(fragment!).sync).toBe(true);
  });

  it('follows a camera from H.264 to H.265, and to JPEG when it sends nothing else', async () => {
    const { id } = await camera('/before', clips.h264!);
    const annexb = new Watching(id, '&format=annexb');
    const mp4 = new Watching(id, '&format=mp4');
    await Promise.all([annexb.told('annexb'), mp4.told('mp4')]);
    const change = (path: string, clip: Clip) => {
      parts.simulator.addCamera({ path, clip });
      return parts.service.api('PATCH', `/api/streams/${id}/`, { rtsp_url: parts.simulator.url(path) });
    };
    await change('/then', clips.h265!);
    await Promise.all([annexb.told('annexb', 2), mp4.told('mp4', 2)]);
    for (const { infos } of [annexb, mp4]) expect(infos[1]!.codec).toMatch(/^hvc1\./);
    const times = annexb.packets.map(({ timestamp }) => timestamp);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    await change('/at-last', clips.mjpeg!);
    await Promise.all([annexb.told('jpeg'), mp4.told('jpeg')]);
    for (const { errors } of [annexb, mp4]) expect(errors).toEqual(['format_unavailable']);
  }, 30_000);

  it('shows an MJPEG camera as JPEG, says so, and refuses to switch', async () => {
    const { id } = await camera('/mjpeg', clips.mjpeg!);
    await online(id);
    const watched = new Watching(id, '&format=mp4');
    await watched.told('jpeg');
    expect(watched.errors).toEqual(['format_unavailable']);
    watched.viewer.send({ command: 'format', format: 'annexb' });
    await watched.until('refused', () => watched.errors.length === 2);
    const from = watched.of('jpeg').length;
    await watched.until('shown on', () => watched.of('jpeg').length > from + 3);
    expect(watched.infos.map(({ format }) => format)).toEqual(['jpeg']);
  });

  it('refuses to switch while nobody knows what the camera sends, and begins in the format asked for at first', async () => {
    const { id, simulated } = await camera('/later', clips.h264!);
    await online(id);
    await parts.service.api('PATCH', `/api/streams/${id}/status/`, { action: 'stop' });
    const unknown = parts.simulator.addCamera({
      path: '/never',
      clip: clips.h264!,
      behaviour: { refuse: 503 },
    });
    const { id: dark } = await parts.save(parts.simulator.url('/never'));
    const watched = new Watching(dark, '');
    await watched.until('told', () => watched.viewer.status !== null);
    watched.viewer.send({ command: 'format', format: 'mp4' });
    await watched.until('refused', () => watched.errors.length === 1);
    expect(watched.errors).toEqual(['format_unavailable']);
    const early = new Watching(dark, '&format=annexb');
    await early.until('told', () => early.viewer.status !== null);
    unknown.refuse(null);
    await parts.service.api('PATCH', `/api/streams/${dark}/status/`, { action: 'start' });
    await early.told('annexb');
    expect(early.packets[0]!.keyframe).toBe(true);
    expect(early.errors).toEqual([]);
    expect(simulated.stats.sessions).toBe(0);
  }, 60_000);

  it('pauses, and goes on at a keyframe', async () => {
    const { id } = await camera('/pause', clips.h264!);
    const watched = new Watching(id, '&format=annexb');
    await watched.told('annexb');
    watched.viewer.send({ command: 'pause' });
    await watched.until('told of the pause', () =>
      watched.viewer.messages.some(
        (message) => message.type === 'status' && /paused/i.test(message.message ?? ''),
      ),
    );
    const held = watched.messages.length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(watched.messages.length).toBe(held);
    watched.viewer.send({ command: 'resume' });
    await watched.told('annexb', 2);
    expect(readAnnexB(watched.messages[held]!.data).keyframe).toBe(true);
  });
});

describe('a slow viewer', () => {
  it('skips to a keyframe, is told how many frames it lost, and takes nothing from the others', async () => {
    const { id } = await camera('/slow', clips.h264!);
    const slow = new Watching(id, '&format=annexb');
    const quick = new Watching(id, '&format=annexb');
    await Promise.all([slow.told('annexb'), quick.told('annexb')]);
    slow.viewer.pauseReading();
    const from = quick.messages.length;
    await quick.until('shown on', () => quick.messages.length > from + 90, 20_000);
    slow.viewer.resumeReading();
    // After each gap it goes on with a keyframe.
    const gaps = () => {
      const { packets } = slow;
      return packets.flatMap((packet, i) => {
        const lost = i === 0 ? 0 : packet.sequence - packets[i - 1]!.sequence - 1;
        return lost === 0 ? [] : [{ lost, keyframe: packet.keyframe }];
      });
    };
    const dropped = ({ viewer }: Watching) =>
      viewer.messages.findLast((message): message is Stats => message.type === 'performance_stats')!
        .dropped_frames;
    await slow.until('back', () => gaps().length > 0, 10_000);
    const told = () => dropped(slow) === gaps().reduce((sum, { lost }) => sum + lost, 0);
    await slow.until('told how many it lost', told, 15_000);
    expect(gaps().every(({ keyframe }) => keyframe)).toBe(true);
    expect(dropped(slow)).toBeGreaterThan(30);
    quick.packets.slice(1).forEach((packet, i) => {
      expect(packet.sequence).toBe(quick.packets[i]!.sequence + 1);
    });
    expect(dropped(quick)).toBe(0);
    // Live again, not working off what it missed.
    expect(quick.packets.at(-1)!.sequence - slow.packets.at(-1)!.sequence).toBeLessThan(30);
  }, 60_000);
});
