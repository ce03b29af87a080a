import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type S3Server, startS3 } from '../../test/support/s3-server.ts';
import { systemClock } from '../base/clock.ts';
import type { Alone } from './alone.ts';
import { FolderImageStore } from './folder.ts';
import type { ImageStore } from './image-store.ts';
import { planRetention, Retention, type RetentionPort } from './retention.ts';
import { bucketPlace, type Place } from './testing.ts';

const day = 86_400_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'retention-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Row {
  readonly time: number;
  readonly images: readonly string[];
}

/** Detections in memory, oldest first, with their real images. */
class Rows implements RetentionPort {
  rows: Row[] = [];
  readonly steps: number[] = [];

  async removeOldest(limit: number, before: number | null) {
    const old = this.rows.slice(0, limit).filter((row) => before === null || row.time < before);
    this.rows = this.rows.slice(old.length);
    this.steps.push(old.length);
    return { removed: old.length, images: old.flatMap((row) => row.images) };
  }

  /** Each `every`th has its two images, of 1,000 bytes each. */
  async add(store: ImageStore, count: number, time: (index: number) => number, every = 1) {
    for (let index = 0; index < count; index++) {
      const images = index % every === 0 ? [await store.put(image), await store.put(image)] : [];
      this.rows.push({ time: time(index), images });
    }
  }
}

const image = new Uint8Array(1_000);

async function scene(limits: { days?: number; bytes?: number }) {
  const store = new FolderImageStore(folder);
  await store.open();
  const rows = new Rows();
  const troubles: unknown[] = [];
  const retention = new Retention({
    limits: { days: 30, bytes: 1e9, ...limits },
    rows,
    store,
    clock: systemClock,
    onTrouble: (error) => troubles.push(error),
    everyMs: 5,
  });
  return { store, rows, retention, troubles };
}

describe('retention', () => {
  it('removes what is too old, with its images, and keeps the rest', async () => {
    const { store, rows, retention } = await scene({ days: 1 });
    const now = Date.now();
    await rows.add(store, 130, (n) => (n < 120 ? now - 2 * day + n : now - 1_000), 10);
    expect(await retention.run()).toBe(120);
    expect(rows.rows).toHaveLength(10);
    expect(rows.steps).toEqual([100, 20]);
    expect(store.usage()).toMatchObject({ files: 2, bytes: 2_000 });
    expect(await retention.run()).toBe(0);
    expect(retention.removed).toBe(120);
  });

  it('removes the oldest until the images are within the size, and no more than needed', async () => {
    const { store, rows, retention } = await scene({ bytes: 100_000 });
    await rows.add(store, 60, (n) => Date.now() + n);
    const newest = rows.rows.slice(-48);
    await retention.run();
    expect(store.usage().bytes).toBe(96_000);
    expect(rows.rows).toEqual(newest);
  });

  it('works by itself until stopped', async () => {
    const { store, rows, retention, troubles } = await scene({ bytes: 20_000 });
    retention.start();
    await rows.add(store, 40, () => Date.now());
    await expect.poll(() => store.usage().bytes, { timeout: 20_000 }).toBeLessThanOrEqual(20_000);
    await retention.stop();
    const { length } = rows.steps;
    await rows.add(store, 20, () => Date.now());
    expect(rows.steps).toHaveLength(length);
    expect(troubles).toEqual([]);
  });

  it('makes room on a full disk whatever the limits say', async () => {
    const { store, rows, retention } = await scene({});
    await rows.add(store, 110, () => Date.now(), 10);
    const files = store.usage().files;
    expect(await retention.makeRoom()).toBe(20);
    expect(rows.rows).toHaveLength(90);
    expect(store.usage().files).toBeLessThan(files);
  });

  it('makes room at most once in a while, so that a disk filled by others does not cost the history', async () => {
    const { store, rows, retention } = await scene({});
    await rows.add(store, 110, () => Date.now(), 10);
    for (let attempt = 0; attempt < 50; attempt++) await retention.makeRoom();
    expect(rows.rows).toHaveLength(90);
  });

  it('removes no more rows while images cannot be deleted, for that would free nothing', async () => {
    const { store, rows, retention } = await scene({ bytes: 10_000 });
    await rows.add(store, 150, () => Date.now(), 10);
    const remove = store.delete.bind(store);
    store.delete = async (names) => {
      if (names.length > 0) throw new Error('read-only');
    };
    await expect(retention.run({ ages: false })).rejects.toThrow('read-only');
    const left = rows.rows.length;
    expect(left).toBeLessThan(150);
    await expect(retention.run({ ages: false })).rejects.toThrow('read-only');
    expect(rows.rows).toHaveLength(left);
    store.delete = remove;
    await retention.run({ ages: false });
    expect(store.usage().bytes).toBeLessThanOrEqual(10_000);
    expect(store.usage().files).toBe(rows.rows.flatMap((row) => row.images).length);
  });

  it('ends when only images without rows are left', async () => {
    const { store, retention } = await scene({ bytes: 1_000 });
    await store.put(new Uint8Array(5_000));
    expect(await retention.run()).toBe(0);
  });

  it('plans small steps only, and none while the size is unknown', () => {
    const usage = fc.record({
      files: fc.integer({ min: 0, max: 1e6 }),
      bytes: fc.integer({ min: 0, max: 1e12 }),
      counted: fc.boolean(),
    });
    const progress = fc.record({ agesDone: fc.boolean(), shrinking: fc.boolean() });
    fc.assert(
      fc.property(usage, progress, fc.integer({ min: 1, max: 1e12 }), (used, done, bytes) => {
        const step = planRetention({ days: 30, bytes }, used, 40 * day, done);
        if (step !== null) expect(step.rows).toBeGreaterThanOrEqual(1);
        if (step !== null) expect(step.rows).toBeLessThanOrEqual(100);
        if (!done.agesDone) expect(step).toMatchObject({ reason: 'age', before: 10 * day });
        else if (!used.counted) expect(step).toBeNull();
        else if (used.bytes > bytes && used.files > 0) expect(step).toMatchObject({ reason: 'size' });
      }),
    );
  });
});

describe('retention of several instances', () => {
  let server: S3Server;
  let place: Place;
  let now: number;

  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    now = 0;
    place = await bucketPlace(server, { ...systemClock, now: () => now });
  });
  afterEach(() => place.clear());

  /** As a lock in a database they share. */
  function lock(): { alone: Alone; held: Set<string> } {
    const held = new Set<string>();
    const alone: Alone = async (name, task) => {
      if (held.has(name)) return false;
      held.add(name);
      try {
        await task();
      } finally {
        held.delete(name);
      }
      return true;
    };
    return { alone, held };
  }

  function instance(store: ImageStore, rows: RetentionPort, alone: Alone, bytes: number): Retention {
    const limits = { days: 30, bytes };
    const onTrouble = (error: unknown) => {
      throw error;
    };
    return new Retention({ limits, rows, store, clock: systemClock, onTrouble, alone });
  }

  it('is done by one of them at a time, and no more goes than with one', async () => {
    const rows = new Rows();
    const { alone } = lock();
    const stores = [await place.open(), await place.open(), await place.open()];
    await rows.add(stores[0]!, 60, (n) => Date.now() + n);
    now = 3_600_000;
    const all = stores.map((store) => instance(store, rows, alone, 100_000));
    const removed = await Promise.all(all.map((retention) => retention.run()));
    expect(removed.toSorted((a, b) => a - b)).toEqual([0, 0, 12]);
    expect(rows.rows).toHaveLength(48);
    for (const retention of all) await retention.run();
    expect(rows.rows).toHaveLength(48);
  });

  it('counts what the others put and deleted before anything goes for its size', async () => {
    const rows = new Rows();
    const { alone } = lock();
    const [mine, others] = [await place.open(), await place.open()];
    const retention = instance(mine, rows, alone, 100_000);
    await rows.add(mine, 60, (n) => Date.now() + n);
    // What a user deletes elsewhere is not known here.
    await others.delete(rows.rows.splice(0, 20).flatMap((row) => row.images));
    expect(mine.usage().bytes).toBe(120_000);
    now = 61_000;
    expect(await retention.run()).toBe(0);
    expect(mine.usage().bytes).toBe(80_000);
    // What another instance puts counts some minutes later.
    await rows.add(others, 20, (n) => Date.now() + n);
    expect(await retention.run()).toBe(0);
    now += 900_001;
    expect(await retention.run()).toBe(12);
    expect(mine.usage()).toMatchObject({ files: 96, bytes: 96_000 });
  });

  it('makes room even while another one is at the retention, but not while it makes room', async () => {
    const rows = new Rows();
    const { alone, held } = lock();
    const store = await place.open();
    await rows.add(store, 50, () => Date.now(), 50);
    held.add('retention');
    expect(await instance(store, rows, alone, 1e9).run()).toBe(0);
    expect(await instance(store, rows, alone, 1e9).makeRoom()).toBe(20);
    held.add('room for images');
    expect(await instance(store, rows, alone, 1e9).makeRoom()).toBe(0);
    expect(rows.rows).toHaveLength(30);
  });

  it('goes on with what is too old while the bucket cannot be counted', async () => {
    const rows = new Rows();
    const store = await place.open();
    await rows.add(store, 30, (n) => (n < 20 ? n : Date.now()), 100);
    await store.delete(rows.rows[0]!.images);
    rows.rows[0] = { time: 0, images: [] };
    now = 3_600_000;
    await server.kill();
    await expect(instance(store, rows, lock().alone, 1e9).run()).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    expect(rows.rows).toHaveLength(10);
    await server.restart();
  });
});
