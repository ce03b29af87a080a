// What a hostile camera can send to a decoder: each is refused or shown, and costs neither the worker nor its neighbours.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { h264Sps, nalOf, ue } from '../../test/support/hostile-video.ts';
import { type Log, silentLog } from '../base/log.ts';
import type { AccessUnit, VideoCodec } from '../media/access-unit.ts';
import { h264Nal, h264NalType, h265Nal, h265NalType, joinAnnexB, splitAnnexB } from '../media/nal.ts';
import { announcedPixels, maxPixels, maxUnitBytes, maxUnitsAtOnce, residentMemory } from './limits.ts';
import { clip, closePools, createPool, open, until } from './testing.ts';

afterEach(closePools);

const u = (value: number, bits: number) => value.toString(2).padStart(bits, '0');

function h265Sps(width: number, height: number) {
  const profile = `${u(0, 2)}0${u(1, 5)}${u(0x60000000, 32)}${u(0, 48)}${u(186, 8)}`;
  const bits = `${u(0, 4)}${u(0, 3)}1${profile}${ue(0)}${ue(1)}${ue(width)}${ue(height)}0${ue(0)}${ue(0)}${ue(4)}1`;
  return nalOf([h265Nal.sps << 1, 1], bits + ue(0).repeat(9));
}

/** A keyframe whose SPS says something else. */
function withSps(unit: AccessUnit, codec: VideoCodec, sps: Uint8Array): AccessUnit {
  const isSps = ([first = 0]: Uint8Array) =>
    codec === 'h264' ? h264NalType(first) === h264Nal.sps : h265NalType(first) === h265Nal.sps;
  return { ...unit, data: joinAnnexB(splitAnnexB(unit.data).map((each) => (isSps(each) ? sps : each))) };
}

/** The size in the frame header (SOF0) becomes another. */
function jpegOf(unit: AccessUnit, width: number, height: number): AccessUnit {
  const data = unit.data.slice();
  const header = data.findIndex((byte, at) => byte === 0xff && data[at + 1] === 0xc0);
  data.set([height >> 8, height & 255, width >> 8, width & 255], header + 5);
  return { ...unit, data };
}

/** No worker died, no memory was taken for it, and the next good picture is shown. */
async function refused(codec: VideoCodec, bad: AccessUnit, trouble: RegExp): Promise<void> {
  const pool = createPool();
  const [good] = clip({ codec, frames: 1 });
  const neighbour = open(pool, codec);
  await neighbour.feed([good!]);
  const { pid } = pool.workers[0]!;
  const before = residentMemory(pid);
  const viewer = open(pool, codec);
  await viewer.feed([bad]);
  await until('trouble is told', () => viewer.troubles.length > 0);
  expect(viewer.troubles[0]).toMatch(trouble);
  expect(residentMemory(pid) - before).toBeLessThan(64e6);
  await viewer.feed([{ ...good!, timestamp: 10_000_000 }]);
  expect(viewer.pictures.map(({ timestamp }) => timestamp)).toEqual([10_000_000]);
  await neighbour.feed([{ ...good!, timestamp: 10_000_000 }]);
  expect(neighbour.pictures).toHaveLength(2);
  expect([pool.stats.deaths, viewer.resets]).toEqual([0, 0]);
}

const tooLarge = /picture size is not one that can be shown/;

test('an SPS of 16384×16384 is refused before the decoder sees it (H.264)', async () => {
  const bad = withSps(clip({ frames: 1 })[0]!, 'h264', h264Sps({ width: 16_384, height: 16_384 }));
  expect(announcedPixels('h264', bad.data)).toBe(16_384 ** 2);
  await refused('h264', bad, tooLarge);
});

test('an SPS of 16384×16384 is refused before the decoder sees it (H.265)', async () => {
  const bad = withSps(clip({ codec: 'h265', frames: 1 })[0]!, 'h265', h265Sps(16_384, 16_384));
  expect(announcedPixels('h265', bad.data)).toBe(16_384 ** 2);
  await refused('h265', bad, tooLarge);
});

test('an SPS of 16384×16384 that is cropped to a stamp is refused all the same', async () => {
  const bad = withSps(
    clip({ frames: 1 })[0]!,
    'h264',
    h264Sps({ width: 16_384, height: 16_384, crop: [8160, 8160] }),
  );
  expect(announcedPixels('h264', bad.data)).toBe(64 * 64);
  await refused('h264', bad, /cannot be decoded|can be shown/);
});

test('an SPS beyond every size that is believed is refused', async () => {
  await refused(
    'h264',
    withSps(clip({ frames: 1 })[0]!, 'h264', h264Sps({ width: 1e6, height: 1e6 })),
    /cannot be decoded|can be shown/,
  );
});

test('a JPEG that announces 65,500×65,500 is refused before the decoder sees it', async () => {
  const bad = jpegOf(clip({ codec: 'mjpeg', frames: 1 })[0]!, 65_500, 65_500);
  expect(announcedPixels('mjpeg', bad.data)).toBeGreaterThan(maxPixels);
  await refused('mjpeg', bad, tooLarge);
});

test('a JPEG with a second, larger header behind a small one is refused or shown small', async () => {
  const [good] = clip({ codec: 'mjpeg', frames: 1 });
  const large = jpegOf(good!, 65_500, 65_500).data;
  const header = large.findIndex((byte, at) => byte === 0xff && large[at + 1] === 0xc0);
  const length = (large[header + 2]! << 8) | large[header + 3]!;
  const second = large.subarray(header, header + 2 + length);
  const data = Uint8Array.from([
    ...good!.data.subarray(0, header + 2 + length),
    ...second,
    ...good!.data.subarray(header + 2 + length),
  ]);
  await refused('mjpeg', { ...good!, data }, /./);
});

test.each(['h264', 'h265'] as const)(
  'an SPS of a profile that no decoder knows is harmless (%s)',
  async (codec) => {
    const [good] = clip({ codec, frames: 1 });
    const sps =
      codec === 'h264' ? h264Sps({ width: 320, height: 240, profile: 254 }) : h265Sps(320, 240).slice();
    if (codec === 'h265') sps[3] = 0x1f;
    const pool = createPool();
    const viewer = open(pool, codec);
    await viewer.feed([withSps(good!, codec, sps), { ...good!, timestamp: 1_000_000 }]);
    expect(viewer.pictures.at(-1)?.timestamp).toBe(1_000_000);
    expect(pool.stats.deaths).toBe(0);
  },
);

test.each([
  [1, 1],
  [2, 2],
  [1, 240],
  [8000, 1],
])('a picture of %d×%d is shown or refused, and the next one is good', async (width, height) => {
  const pool = createPool();
  const viewer = open(pool, 'mjpeg');
  const [good] = clip({ codec: 'mjpeg', frames: 1 });
  await viewer.feed([jpegOf(good!, width, height), { ...good!, timestamp: 1_000_000 }]);
  expect(viewer.pictures.at(-1)?.timestamp).toBe(1_000_000);
  expect(pool.stats.deaths).toBe(0);
});

test('an access unit over 8 MiB is not sent to the worker', async () => {
  const viewer = open(createPool());
  const [good] = clip({ frames: 1 });
  const bomb = { ...good!, data: new Uint8Array(maxUnitBytes + 1) };
  expect(viewer.channel.send(bomb)).toBe(false);
  expect(viewer.channel.send(bomb, false)).toBe(false);
  await viewer.feed([good!]);
  expect(viewer.channel.stats).toMatchObject({ sent: 1, dropped: 2, pictures: 1 });
});

test('more units a second than any camera sends are dropped; a camera’s own rate never is', async () => {
  const viewer = open(createPool(), 'mjpeg');
  const [good] = clip({ codec: 'mjpeg', frames: 1 });
  /** At a rate of its own clock, which is the one that counts. */
  const accepted = async (perSecond: number, from: number, seconds: number) => {
    let sum = 0;
    for (let i = 0; i < perSecond * seconds; i += 1) {
      const receivedAt = from + (i * 1000) / perSecond;
      sum += Number(viewer.channel.send({ ...good!, timestamp: receivedAt * 1000, receivedAt }));
      await viewer.idle();
    }
    return sum;
  };
  expect(await accepted(120, 0, 5)).toBe(600);
  // 240 a second, and what may come at once.
  expect(await accepted(2000, 10_000, 1)).toBeLessThanOrEqual(maxUnitsAtOnce + 240);
});

test('a worker that takes too much memory is replaced, says why, and the other video goes on', async () => {
  const reasons: string[] = [];
  const log = {
    ...silentLog,
    warn: (fields: { reason?: string }) => reasons.push(fields.reason ?? ''),
  } as unknown as Log;
  const probe = createPool();
  const first = open(probe);
  await first.feed(clip({ frames: 2 }));
  const usual = residentMemory(probe.workers[0]!.pid);

  const pool = createPool({ log, hangTimeout: 1000, memoryLimit: usual + 60e6 });
  const modest = open(pool);
  const greedy = open(pool, 'mjpeg');
  await modest.feed(clip({ frames: 2 }));
  const { pid } = pool.workers[0]!;
  // 24 million pixels: the decoded frame, its copy for scaling and the image.
  const [huge] = clip({ codec: 'mjpeg', width: 6000, height: 4000, frames: 1 });
  await greedy.feed([huge!]);
  await until('the worker is replaced', () => {
    if (pool.stats.deaths === 0) greedy.channel.send({ ...huge!, timestamp: performance.now() * 1000 });
    return pool.stats.deaths > 0;
  });
  greedy.channel.close();
  expect(reasons[0]).toMatch(/^used \d+ MB of memory; allowed are \d+$/);
  expect(pool.workers.map((worker) => worker.pid)).not.toContain(pid);
  await until('the modest one begins anew', () => modest.resets > 0);
  const units = clip({ frames: 4, gop: 2 });
  await modest.feed(units);
  expect(modest.pictures.at(-1)!.timestamp).toBe(units.at(-1)!.timestamp);
});

test('a worker has no socket but those to the service, and none of the network', async () => {
  const pool = createPool();
  const viewer = open(pool);
  await viewer.feed(clip({ frames: 2 }));
  const { pid } = pool.workers[0]!;
  const sockets = readdirSync(`/proc/${pid}/fd`)
    .map((name) => /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1])
    .filter((inode) => inode !== undefined);
  // Its messages, and its standard error.
  expect(sockets).toHaveLength(2);
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'packet']) {
    const inodes = readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .flatMap((line) => line.trim().split(/\s+/).slice(8, 10));
    for (const inode of sockets) expect(inodes, table).not.toContain(inode);
  }
});

test('a worker’s JavaScript runs under permissions: no files but its own code to read, none to write, no processes', async () => {
  const pool = createPool();
  await open(pool).feed(clip({ frames: 1 }));
  const flags = readFileSync(`/proc/${pool.workers[0]!.pid}/cmdline`, 'utf8').split('\0');
  expect(flags).toContain('--permission');
  expect(flags.filter((flag) => /^--allow-(fs-write|child-process|inspector|wasi)/.test(flag))).toEqual([]);
  const readable = flags.flatMap((flag) => /^--allow-fs-read=(.*)$/.exec(flag)?.slice(1) ?? []);
  const root = join(import.meta.dirname, '../..');
  expect(readable.map((path) => path.replace(`${root}/`, ''))).toEqual([
    'src/*',
    'models/*',
    'node_modules/*',
    'package.json',
  ]);
});
