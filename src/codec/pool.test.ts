import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../base/clock.ts';
import { clip, closePools, createPool, open, until } from './testing.ts';
import { decodeJpeg, psnr, testCard } from './worker/test-clips.ts';

afterEach(closePools);

function isAlive(pid: number): boolean {
  try {
    // A zombie counts as gone: only its entry is left.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function children(): number[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);
}

const garbage = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 131 + 17) & 0xff);

test.each(['h264', 'h265', 'mjpeg'] as const)('%s comes out as pictures of the right look', async (codec) => {
  const viewer = open(createPool(), codec);
  await viewer.feed(clip({ codec, width: 1280, height: 960, frames: 3 }));
  expect(viewer.pictures).toHaveLength(3);
  const [last] = viewer.pictures.slice(-1);
  expect(last).toMatchObject({ width: 640, height: 480, timestamp: 133_333 });
  const image = decodeJpeg(last!.data);
  // Against the card drawn at the small size: bars and gradients fall on the same places, the square does not.
  expect(psnr(image, testCard(640, 480, 2))).toBeGreaterThan(20);
  expect(viewer.channel.stats).toMatchObject({
    sent: 3,
    dropped: 0,
    pictures: 3,
    decodeErrors: 0,
    restarts: 0,
  });
  expect(viewer.channel.stats.processingTime).toBeGreaterThan(0);
});

test('a test card keeps its colours through the whole way', async () => {
  const viewer = open(createPool());
  await viewer.feed(clip({ width: 640, height: 480, frames: 4 }));
  expect(psnr(decodeJpeg(viewer.pictures.at(-1)!.data), testCard(640, 480, 3))).toBeGreaterThan(38);
});

test('of 25 frames a second 15 become pictures; of 15 all do', async () => {
  const pool = createPool();
  const fast = open(pool);
  await fast.feed(clip({ fps: 25, frames: 51, gop: 25 }));
  expect(Math.abs(fast.pictures.length - 31)).toBeLessThanOrEqual(1);
  const gaps = fast.pictures.slice(1).map((p, index) => p.timestamp - fast.pictures[index]!.timestamp);
  expect(new Set(gaps)).toEqual(new Set([40_000, 80_000]));
  const slow = open(pool);
  await slow.feed(clip({ frames: 30 }));
  expect(slow.pictures).toHaveLength(30);
});

test('units sent to catch up are decoded but not shown', async () => {
  const viewer = open(createPool());
  const units = clip({ frames: 60, gop: 60 });
  const accepted = units.map((unit, index) => viewer.channel.send(unit, index === units.length - 1));
  expect(accepted.every(Boolean)).toBe(true);
  await viewer.idle();
  expect(viewer.pictures.map((picture) => picture.timestamp)).toEqual([units.at(-1)!.timestamp]);
});

test('too much in flight is refused up to the next keyframe, and counted', async () => {
  const pool = createPool();
  const viewer = open(pool);
  const units = clip({ frames: 45, gop: 40 });
  // The process is still starting: nothing can be done yet.
  const accepted = units.map((unit) => viewer.channel.send(unit));
  const refused = accepted.indexOf(false);
  expect(refused).toBeGreaterThan(0);
  expect(accepted.slice(refused, 40)).toEqual(new Array(40 - refused).fill(false));
  expect(viewer.channel.stats).toMatchObject({ sent: refused, dropped: 45 - refused });
  await viewer.idle();
  expect(viewer.channel.send(units[41]!)).toBe(false);
  await viewer.feed(units.slice(40));
  expect(viewer.pictures.at(-1)!.timestamp).toBe(units.at(-1)!.timestamp);
});

test('garbage is reported, and the next keyframe is good', async () => {
  const viewer = open(createPool());
  const units = clip({ frames: 16, gop: 8 });
  await viewer.feed(units.slice(0, 4));
  await viewer.feed([{ ...units[4]!, data: garbage(3000) }, ...units.slice(5, 8)]);
  expect(viewer.pictures).toHaveLength(4);
  await until('trouble is told', () => viewer.troubles.length > 0);
  expect(viewer.troubles[0]).toMatch(/cannot be decoded/);
  await viewer.feed(units.slice(8));
  expect(viewer.pictures).toHaveLength(12);
  await viewer.feed([{ ...units[0]!, data: new Uint8Array(0) }, ...units]);
  expect(viewer.resets).toBe(0);
  expect(viewer.pictures.at(-1)!.timestamp).toBe(units.at(-1)!.timestamp);
});

test('a change of size in mid-stream is followed', async () => {
  const viewer = open(createPool());
  await viewer.feed(clip({ frames: 3 }));
  await viewer.feed(clip({ width: 1280, height: 720, frames: 3, start: 1_000_000 }));
  await viewer.feed(clip({ width: 240, height: 320, frames: 3, start: 2_000_000 }));
  const sizes = viewer.pictures.map(({ width, height }) => `${width}×${height}`);
  expect(sizes).toEqual([
    ...Array(3).fill('320×240'),
    ...Array(3).fill('640×360'),
    ...Array(3).fill('240×320'),
  ]);
});

test('a picture beyond the pixel cap is refused before it is decoded', async () => {
  const viewer = open(createPool(), 'mjpeg');
  const [unit] = clip({ codec: 'mjpeg', frames: 1 });
  const bomb = unit!.data.slice();
  // The size in the frame header (SOF0) becomes 65,500 × 65,500.
  const header = bomb.findIndex((byte, at) => byte === 0xff && bomb[at + 1] === 0xc0);
  bomb.set([0xff, 0xdc, 0xff, 0xdc], header + 5);
  await viewer.feed([{ ...unit!, data: bomb }]);
  await until('trouble is told', () => viewer.troubles.length > 0);
  await viewer.feed([unit!]);
  expect(viewer.pictures).toHaveLength(1);
  expect(viewer.resets).toBe(0);
});

test('a worker that crashes is replaced; the other worker’s video loses nothing', async () => {
  const pool = createPool({ maxWorkers: 2 });
  const struck = open(pool);
  const spared = open(pool);
  const units = clip({ frames: 30, gop: 30 });
  await struck.feed(units.slice(0, 10));
  await spared.feed(units.slice(0, 10));
  expect(pool.workers.map(({ channels }) => channels)).toEqual([1, 1]);
  await until('a spare is ready', () => pool.stats.spare !== null);
  const { spare } = pool.stats;
  const [victim] = pool.workers;
  process.kill(victim!.pid, 'SIGSEGV');
  await spared.feed(units.slice(10, 20));
  await until('pictures are back', () => struck.resets === 1 && struck.pictures.length === 11);
  expect(struck.pictures.at(-1)!.timestamp).toBe(units[9]!.timestamp);
  expect(pool.workers.map(({ pid }) => pid)).toContain(spare);
  await struck.feed(units.slice(10));
  await spared.feed(units.slice(20));
  expect(struck.pictures).toHaveLength(31);
  expect(spared.pictures).toHaveLength(30);
  expect([spared.resets, spared.channel.stats.dropped]).toEqual([0, 0]);
  expect(struck.channel.stats.restarts).toBe(1);
  await until('there is a new spare', () => pool.stats.spare !== null && pool.stats.spare !== spare);
});

test('a worker that dies while it starts is started again', async () => {
  const units = clip();
  const pool = createPool();
  const viewer = open(pool);
  expect(pool.ready).toBe(false);
  process.kill(pool.workers[0]!.pid, 'SIGKILL');
  await until('the channel begins anew', () => viewer.resets === 1);
  expect(viewer.troubles).toEqual(['The decoder process does not start.']);
  await viewer.feed(units);
  expect(viewer.pictures).toHaveLength(units.length);
  expect(pool.ready).toBe(true);
});

test('a worker that hangs is replaced', async () => {
  const pool = createPool({ hangTimeout: 1000 });
  const viewer = open(pool);
  const units = clip();
  await viewer.feed(units.slice(0, 5));
  const [victim] = pool.workers;
  process.kill(victim!.pid, 'SIGSTOP');
  await viewer.feed(units.slice(5));
  expect(viewer.resets).toBe(1);
  expect(viewer.pictures.at(-1)!.timestamp).toBe(units.at(-1)!.timestamp);
  await until('the hung one is gone', () => !isAlive(victim!.pid));
});

test('a video that kills its worker again and again is found, kept out and tried again later', async () => {
  const quarantined: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    after(ms, fn) {
      if (ms < 3000) return systemClock.after(ms, fn);
      quarantined.push(fn);
      return () => undefined;
    },
  };
  const pool = createPool({ clock });
  const culprit = open(pool);
  const innocent = open(pool);
  const units = clip({ width: 1280, height: 720, frames: 15 });

  const die = async () => {
    const deaths = pool.stats.deaths + 1;
    // Both have units in flight: what is in flight alone does not tell who it was.
    innocent.channel.send(units[0]!);
    process.kill(culprit.channel.worker!.pid, 'SIGKILL');
    await until('the worker is replaced', () => pool.stats.deaths === deaths);
    await innocent.idle();
    await until('there is a spare', () => pool.stats.spare !== null);
  };
  /** Stops the process in the middle of one of the culprit's units, as a crash would. */
  const stopInside = async () => {
    const { pid } = culprit.channel.worker!;
    for (;;) {
      for (const unit of units) culprit.channel.send(unit, false);
      await until('a unit is worked on', () => culprit.channel.begun || culprit.channel.inFlight === 0);
      if (!culprit.channel.begun) continue;
      process.kill(pid, 'SIGSTOP');
      await sleep(50);
      if (culprit.channel.begun) return;
      process.kill(pid, 'SIGCONT');
      await culprit.idle();
    }
  };

  await innocent.feed(units.slice(0, 3));
  await until('there is a spare', () => pool.stats.spare !== null);
  process.kill(culprit.channel.worker!.pid, 'SIGSTOP');
  culprit.channel.send(units[0]!);
  await die();
  expect([culprit.channel.strikes, innocent.channel.strikes]).toEqual([[], []]);
  for (let crash = 0; crash < 3; crash += 1) {
    expect(pool.stats.quarantined).toBe(0);
    await stopInside();
    await die();
  }
  expect(pool.stats.quarantined).toBe(1);
  expect(innocent.channel.strikes).toEqual([]);
  expect(culprit.troubles.at(-1)).toMatch(/crashes the decoder/);
  expect(culprit.channel.send(units[0]!)).toBe(false);
  await innocent.feed(units);
  expect(innocent.pictures.at(-1)!.timestamp).toBe(units.at(-1)!.timestamp);

  const { resets } = culprit;
  quarantined[0]!();
  expect(culprit.resets).toBe(resets + 1);
  await culprit.feed(units.slice(0, 2));
  expect(culprit.pictures.at(-1)!.timestamp).toBe(units[1]!.timestamp);
});

test('no process runs before the first video, none but the spare without one, and none after close', async () => {
  const before = children();
  const pool = createPool({ maxWorkers: 2, idleTimeout: 100, hangTimeout: 500 });
  expect(children()).toEqual(before);
  const viewers = [open(pool), open(pool), open(pool)];
  for (const viewer of viewers) await viewer.feed(clip({ frames: 2 }));
  expect(pool.workers.map(({ channels }) => channels).toSorted()).toEqual([1, 2]);
  for (const viewer of viewers) viewer.channel.close();
  await until('idle workers have ended', () => pool.workers.length === 0);
  await until('only the spare is left', () => children().length === before.length + 1);
  const again = open(pool);
  await again.feed(clip({ frames: 2 }));
  expect(again.pictures).toHaveLength(2);
  await pool.close();
  await until('every process is gone', () => children().every((pid) => before.includes(pid)));
  expect(again.channel.send(clip()[0]!)).toBe(false);
});

test('opening and closing again and again leaks no process, descriptor or memory', async () => {
  const pool = createPool();
  const cycle = async () => {
    const viewer = open(pool);
    await viewer.feed(clip({ frames: 2 }));
    expect(viewer.pictures).toHaveLength(2);
    viewer.channel.close();
  };
  const rss = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pool.workers[0]!.pid}/status`, 'utf8'))![1]);
  for (let i = 0; i < 100; i += 1) await cycle();
  await until('the spare is ready', () => pool.stats.spare !== null);
  const descriptors = readdirSync('/proc/self/fd').length;
  const processes = children().length;
  const memory = rss();
  for (let i = 0; i < 300; i += 1) await cycle();
  expect(readdirSync('/proc/self/fd').length).toBe(descriptors);
  expect(children().length).toBe(processes);
  // 300 leaked decoders of 320×240 would be well over 100 MB.
  expect(rss() - memory).toBeLessThan(40_000);
});

test('the worker’s environment holds no secrets', async () => {
  process.env.CANARY_PASSWORD = 'canary-in-the-coal-mine';
  try {
    const pool = createPool();
    const viewer = open(pool);
    await viewer.feed(clip({ frames: 1 }));
    const environment = readFileSync(`/proc/${pool.workers[0]!.pid}/environ`, 'utf8');
    expect(environment).not.toContain('canary');
    const names = environment
      .split('\0')
      .filter(Boolean)
      .map((line) => line.split('=')[0]);
    const allowed = [
      'MALLOC_ARENA_MAX',
      'LD_LIBRARY_PATH',
      'NODE_CHANNEL_FD',
      'NODE_CHANNEL_SERIALIZATION_MODE',
    ];
    expect(names.filter((name) => !allowed.includes(name!) && name !== 'NODE_V8_COVERAGE')).toEqual([]);
  } finally {
    delete process.env.CANARY_PASSWORD;
  }
});

test('a warmed pool has a process ready, which the first video then uses', async () => {
  const pool = createPool();
  pool.warm();
  await until('the spare is ready', () => pool.stats.spare !== null);
  const { spare } = pool.stats;
  const viewer = open(pool);
  expect(pool.workers.map(({ pid }) => pid)).toEqual([spare]);
  await viewer.feed(clip({ frames: 2 }));
  expect(viewer.pictures).toHaveLength(2);
});
