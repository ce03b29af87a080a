import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type S3Server, startS3 } from '../../test/support/s3-server.ts';
import { type ImageStore, isImageName, newImageName } from './image-store.ts';
import { bucketPlace, bytes, folderPlace, listed, type Place } from './testing.ts';

let server: S3Server;

beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.stop());

describe.each([
  ['a folder', folderPlace],
  ['a bucket', () => bucketPlace(server)],
])('images in %s', (_, openPlace) => {
  let place: Place;
  let store: ImageStore;

  beforeEach(async () => {
    place = await openPlace();
    store = await place.open();
  });
  afterEach(async () => {
    await place.clear();
  });

  it('give back what was put, under names that say nothing', async () => {
    const names = await Promise.all([1, 2, 3].map((value) => store.put(bytes(100 * value, value))));
    expect(new Set(names).size).toBe(3);
    for (const [index, name] of names.entries()) {
      expect(isImageName(name)).toBe(true);
      expect([...(await store.get(name))]).toEqual([...bytes(100 * (index + 1), index + 1)]);
    }
    expect((await listed(store)).map(({ name, size }) => [name, size]).sort()).toEqual(
      names.map((name, index) => [name, 100 * (index + 1)]).sort(),
    );
    const large = await store.put(bytes(3_000_000, 9));
    expect(Buffer.compare(await store.get(large), bytes(3_000_000, 9))).toBe(0);
  });

  it('tell when they were put', async () => {
    const before = Date.now();
    await store.put(bytes(10));
    const [image] = await listed(store);
    // A bucket tells seconds.
    expect(image?.modified).toBeGreaterThan(before - 2_000);
    expect(image?.modified).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  it('are deleted by name; what is not there is skipped', async () => {
    const [kept, gone] = [await store.put(bytes(10)), await store.put(bytes(20))];
    await store.delete([gone, newImageName(), gone, 'no name']);
    await store.delete([]);
    await expect(store.get(gone)).rejects.toMatchObject({ status: 404, code: 'image_not_found' });
    expect((await listed(store)).map((image) => image.name)).toEqual([kept]);
  });

  it('are never looked up by a name that is none', async () => {
    const name = await store.put(bytes(10));
    const secrets = ['secret.jpg', '../secret.jpg', `${name.slice(0, 2)}/secret.jpg`];
    for (const secret of secrets) await place.plant(secret, 'secret');
    const attacks = [
      ...secrets,
      'ab/../../secret.jpg',
      `${name}\0`,
      `${name}\n`,
      `./${name}`,
      `/${name}`,
      name.toUpperCase(),
      name.replace('/', '\\'),
      name.replace('/', '%2f'),
      name.replace('/', '//'),
      '',
      '.',
      '.check',
      '__proto__',
    ];
    for (const attack of attacks)
      await expect(store.get(attack)).rejects.toMatchObject({ code: 'image_not_found' });
    await store.delete(attacks);
    expect((await listed(store)).map((image) => image.name)).toEqual([name]);
    expect(await store.get(name)).toHaveLength(10);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(isImageName(text) && /[^0-9a-f/.jpg]|\.\./.test(text)).toBe(false);
      }),
    );
  });

  it('know their total without looking again', async () => {
    await store.put(bytes(1));
    await place.plant('foreign.txt', 'not ours');
    const other = await place.open();
    expect(other.usage()).toEqual({ files: 1, bytes: 1, counted: true });
    const names = await Promise.all(Array.from({ length: 10 }, () => other.put(bytes(1_000))));
    expect(other.usage()).toEqual({ files: 11, bytes: 10_001, counted: true });
    await other.delete(names);
    await other.recount(0);
    expect(other.usage()).toEqual({ files: 1, bytes: 1, counted: true });
  });

  it('leave nothing behind from checks, however many', async () => {
    await Promise.all(Array.from({ length: 20 }, () => store.check()));
    expect(await listed(store)).toEqual([]);
    expect((await place.open()).usage()).toEqual({ files: 0, bytes: 0, counted: true });
  });

  it('are listed and deleted by the thousand', async () => {
    const names = Array.from({ length: 2_500 }, newImageName);
    const left = [...names];
    const work = async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) await place.plant(name, 'image');
    };
    await Promise.all(Array.from({ length: 8 }, work));
    expect((await listed(store)).map((image) => image.name).sort()).toEqual(names.toSorted());
    await store.delete(names);
    expect(await listed(store)).toEqual([]);
  }, 240_000);
});
