import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderImageStore } from './folder.ts';
import { isImageName, storageError } from './image-store.ts';
import { sweepOrphans } from './sweep.ts';
import { bytes, listed } from './testing.ts';

let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'images-')), 'media');
});
afterEach(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

async function files(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('images in a folder', () => {
  it('know their total while what was there is counted', async () => {
    const before = new FolderImageStore(folder);
    for (let size = 1; size <= 20; size++) await before.put(bytes(size * 10));
    await writeFile(join(folder, 'foreign.txt'), 'not ours');
    const store = new FolderImageStore(folder);
    expect(store.usage().counted).toBe(false);
    const counting = store.open();
    const added = await Promise.all(Array.from({ length: 40 }, () => store.put(bytes(1_000))));
    await store.delete(added.slice(0, 10));
    await counting;
    expect(store.usage()).toEqual({ files: 50, bytes: 2_100 + 30_000, counted: true });
    await store.delete(added);
    await store.delete(added);
    expect(store.usage()).toEqual({ files: 20, bytes: 2_100, counted: true });
  });

  it('can be put again after somebody removed the folder', async () => {
    const store = new FolderImageStore(folder);
    await store.open();
    const lost = await store.put(bytes(10));
    await rm(folder, { recursive: true });
    await expect(store.get(lost)).rejects.toMatchObject({ code: 'image_not_found' });
    await store.check();
    const name = await store.put(bytes(20));
    expect(await store.get(name)).toHaveLength(20);
    await expect.poll(() => store.usage()).toEqual({ files: 1, bytes: 20, counted: true });
  });

  it('cannot be put where there is no folder, say why, and heal by themselves', async () => {
    const store = new FolderImageStore(folder);
    const name = await store.put(bytes(10));
    const aside = `${folder}-aside`;
    await rename(folder, aside);
    await writeFile(folder, 'a file in the way');
    const trouble = {
      status: 503,
      code: 'storage_unavailable',
      message: expect.stringContaining('not a folder'),
    };
    await expect(store.put(bytes(10))).rejects.toMatchObject(trouble);
    await expect(store.check()).rejects.toMatchObject(trouble);
    await rm(folder);
    await rename(aside, folder);
    await store.check();
    expect(await store.get(name)).toHaveLength(10);
    await store.put(bytes(10));
  });

  it('say that the disk is full, and tell no path', async () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write '/secret/place'"), {
      code: 'ENOSPC',
    });
    expect(storageError(full)).toMatchObject({ status: 507, code: 'storage_full' });
    expect(storageError(full).message).not.toContain('/secret');
    // Nobody can make a folder there, not even root.
    const store = new FolderImageStore('/dev/null/images');
    await expect(store.put(bytes(10))).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(store.open()).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('leave no file behind from a check', async () => {
    const store = new FolderImageStore(folder);
    await store.check();
    expect(await files()).toEqual([]);
  });

  it('are whole or absent after kill -9 at any moment', async () => {
    const size = 200_000;
    for (let round = 0; round < 6; round++) {
      const acknowledged = await putUntilKilled(size, 3 + round * 4);
      const store = new FolderImageStore(folder);
      const images = (await listed(store)).filter((image) => !image.temporary);
      expect(images.length).toBeGreaterThanOrEqual(acknowledged.length);
      expect(images.every((image) => image.size === size)).toBe(true);
      for (const name of acknowledged) {
        const content = await store.get(name);
        expect(content.every((byte) => byte === content[0])).toBe(true);
      }
    }
    const store = new FolderImageStore(folder);
    await sweepOrphans(store, { before: Date.now() + 60_000, known: async (names) => new Set(names) });
    expect((await files()).every((file) => file.endsWith('.jpg'))).toBe(true);
  }, 60_000);
});

/** A process that puts images as fast as it can, killed after `puts` of them. @returns the names it was given. */
async function putUntilKilled(size: number, puts: number): Promise<string[]> {
  const script = `
    import { FolderImageStore } from ${JSON.stringify(new URL('./folder.ts', import.meta.url).href)};
    const store = new FolderImageStore(process.argv[1]);
    const work = async (value) => {
      for (;;) console.log(await store.put(new Uint8Array(${size}).fill(value)));
    };
    await Promise.all([1, 2, 3].map(work));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const names: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    if (isImageName(line)) names.push(line);
    if (names.length === puts) child.kill('SIGKILL');
  }
  await exited;
  return names;
}

describe('the sweep', () => {
  it('removes old halves, too, but no foreign files', async () => {
    const store = new FolderImageStore(folder);
    const [named, orphan, young] = [
      await store.put(bytes(1)),
      await store.put(bytes(2)),
      await store.put(bytes(3)),
    ];
    const shard = join(folder, named!.slice(0, 2));
    const half = join(shard, `.${'0'.repeat(32)}.tmp`);
    const foreign = join(shard, 'notes.txt');
    await writeFile(half, 'half');
    await writeFile(foreign, 'foreign');
    const old = new Date(Date.now() - 3_600_000);
    for (const path of [join(folder, named!), join(folder, orphan!), half, foreign])
      await utimes(path, old, old);
    const before = Date.now() - 600_000;
    const known = async (names: readonly string[]) => new Set(names.filter((name) => name === named));
    expect(await sweepOrphans(store, { before, known })).toBe(2);
    expect((await files()).sort()).toEqual([join(folder, named!), join(folder, young!), foreign].sort());
    expect(await sweepOrphans(store, { before, known })).toBe(0);
  });

  it('does not follow links', async () => {
    const outside = join(folder, '..', 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'precious.jpg'), 'precious');
    await mkdir(join(folder, 'cd'), { recursive: true });
    await symlink(join(outside, 'precious.jpg'), join(folder, 'cd', `${'1'.repeat(30)}.jpg`));
    const store = new FolderImageStore(folder);
    await sweepOrphans(store, { before: Date.now() + 60_000, known: async () => new Set() });
    expect((await stat(join(outside, 'precious.jpg'))).size).toBe(8);
  });
});
