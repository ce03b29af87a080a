import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type S3Server, startS3 } from '../../test/support/s3-server.ts';
import { systemClock } from '../base/clock.ts';
import type { Alone } from './alone.ts';
import { type ImageStore, newImageName } from './image-store.ts';
import { Sweeper, type SweeperOptions, sweepOrphans } from './sweep.ts';
import { bucketPlace, bytes, folderPlace, listed, type Place } from './testing.ts';

let server: S3Server;

beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.stop());

describe.each([
  ['a folder', folderPlace],
  ['a bucket', () => bucketPlace(server)],
])('the sweep of %s', (_, openPlace) => {
  let place: Place;
  let store: ImageStore;
  let sweepers: Sweeper[];

  beforeEach(async () => {
    sweepers = [];
    place = await openPlace();
    store = await place.open();
  });
  afterEach(async () => {
    for (const sweeper of sweepers) await sweeper.stop();
    await place.clear();
  });

  async function names(): Promise<string[]> {
    return (await listed(store)).map((image) => image.name).sort();
  }

  function sweeper(options: Partial<SweeperOptions> = {}) {
    const told: unknown[] = [];
    const made = new Sweeper({
      store,
      known: async () => new Set(),
      clock: systemClock,
      // What is put here counts as old at once, whatever fraction of a second the store keeps.
      orphanAgeMs: -60_000,
      everyMs: 10,
      onRemoved: (files) => told.push(files),
      onTrouble: (error) => told.push(error),
      ...options,
    });
    sweepers.push(made);
    return { sweeper: made, told };
  }

  it('removes old images that no row names, and nothing else', async () => {
    const [named, orphan] = [await store.put(bytes(1)), await store.put(bytes(2))];
    await place.plant(`${named.slice(0, 2)}/notes.txt`, 'foreign');
    const before = Math.max(...(await listed(store)).map((image) => image.modified)) + 1;
    // A bucket tells seconds.
    await sleep(1_100);
    const young = await store.put(bytes(3));
    const known = async (some: readonly string[]) => new Set(some.filter((name) => name === named));
    expect(await sweepOrphans(store, { before, known })).toBe(1);
    expect(await names()).toEqual([named, young].sort());
    await expect(store.get(orphan)).rejects.toMatchObject({ code: 'image_not_found' });
    expect(await sweepOrphans(store, { before, known })).toBe(0);
  });

  it('asks in small steps and touches nothing when the rows cannot be read', async () => {
    const planted = Array.from({ length: 450 }, () => `ab/${newImageName().slice(3)}`);
    for (const name of planted) await place.plant(name, 'x');
    const before = Date.now() + 60_000;
    const unreadable = sweepOrphans(store, { before, known: () => Promise.reject(new Error('locked')) });
    await expect(unreadable).rejects.toThrow('locked');
    expect(await names()).toEqual(planted.sort());
    const steps: number[] = [];
    const removed = await sweepOrphans(store, {
      before,
      known: async (some) => {
        steps.push(some.length);
        return new Set();
      },
    });
    expect({ removed, steps }).toEqual({ removed: 450, steps: [200, 200, 50] });
  }, 60_000);

  it('comes again by itself for what others leave behind, also after it failed, until it is stopped', async () => {
    let readable = false;
    const { sweeper: made, told } = sweeper({
      known: async () => {
        if (!readable) throw new Error('locked');
        return new Set();
      },
    });
    const first = await store.put(bytes(1));
    made.start();
    await expect.poll(() => told.length).toBeGreaterThan(0);
    expect(await names()).toEqual([first]);
    expect(told.every((error) => (error as Error).message === 'locked')).toBe(true);
    readable = true;
    await expect.poll(names).toEqual([]);
    await store.put(bytes(1));
    await expect.poll(names).toEqual([]);
    await made.stop();
    const left = await store.put(bytes(1));
    await sleep(100);
    expect(await names()).toEqual([left]);
    expect(told.filter((files) => typeof files === 'number')).toEqual([1, 1]);
  });

  it('comes once when it is not told how often', async () => {
    const { sweeper: made, told } = sweeper({ everyMs: undefined });
    await store.put(bytes(1));
    made.start();
    await expect.poll(() => told).toEqual([1]);
    const left = await store.put(bytes(1));
    await sleep(100);
    expect(await names()).toEqual([left]);
  });

  it('is left to another instance that is at it', async () => {
    let free = false;
    let refused = 0;
    const alone: Alone = async (name, task) => {
      expect(name).toBe('sweep');
      if (free) await task();
      else refused += 1;
      return free;
    };
    const { sweeper: made } = sweeper({ alone });
    const orphan = await store.put(bytes(1));
    made.start();
    await expect.poll(() => refused).toBeGreaterThan(1);
    expect(await names()).toEqual([orphan]);
    free = true;
    await expect.poll(names).toEqual([]);
  });
});
