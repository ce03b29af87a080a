// Images in a folder: written so that a crash leaves either the whole image under its name or none.
// Which images are wanted is for others to know; nothing here but this file touches the folder.

import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FolderUsage, type UsageChange } from './folder-usage.ts';
import { Gate } from './gate.ts';
import {
  type ImageStore,
  imageNotFound,
  isImageName,
  newImageName,
  type StorageUsage,
  type StoredImage,
  storageError,
} from './image-store.ts';

const temporaryName = /^[0-9a-f]{2}\/\.[0-9a-f]{32}\.tmp$/;
const shards: readonly string[] = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));
/** Node has 4 threads for files and names together. */
const filesAtOnce = 2;

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
}

export class FolderImageStore implements ImageStore {
  readonly #folder: string;
  readonly #usage = new FolderUsage();
  readonly #gate = new Gate(filesAtOnce);
  #counts = 0;

  /** @param folder made when missing, now or later. */
  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  /** Counts what is there; the store can be used meanwhile. Should it reject, the next image begins it again. */
  async open(): Promise<void> {
    await this.#count();
  }

  async put(bytes: Uint8Array): Promise<string> {
    const name = newImageName();
    try {
      await this.#usage.change(name, async () => {
        await this.#gate.through(() => this.#write(name, bytes));
        return { result: undefined, files: 1, bytes: bytes.byteLength };
      });
    } catch (error) {
      throw storageError(error);
    }
    if (this.#counts === 0 && !this.usage().counted) this.#recount();
    return name;
  }

  async get(name: string): Promise<Uint8Array> {
    if (!isImageName(name)) throw imageNotFound();
    try {
      return await readFile(join(this.#folder, name));
    } catch (error) {
      throw isMissing(error) ? imageNotFound() : storageError(error);
    }
  }

  async delete(names: readonly string[]): Promise<void> {
    let failure: unknown = null;
    for (const name of names) {
      if (!isImageName(name) && !temporaryName.test(name)) continue;
      try {
        await this.#usage.change(name, () => this.#gate.through(() => this.#remove(name)));
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== null) throw storageError(failure);
  }

  async *list(): AsyncGenerator<readonly StoredImage[]> {
    for (const shard of shards) {
      const images = await this.#read(shard).catch((error: unknown) => {
        throw storageError(error);
      });
      if (images.length > 0) yield images;
    }
  }

  usage(): StorageUsage {
    return this.#usage.figures;
  }

  /** A folder has one writer: what `open` counts stays right. */
  async recount(): Promise<void> {}

  async check(): Promise<void> {
    const path = join(this.#folder, `.check-${randomBytes(8).toString('hex')}`);
    try {
      await this.#gate.through(async () => {
        const file = await this.#create(path);
        try {
          // A full disk still makes empty files.
          await file.writeFile(new Uint8Array(4096));
        } finally {
          await file.close();
          await unlink(path);
        }
      });
    } catch (error) {
      throw storageError(error);
    }
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, name);
    const temporary = join(dirname(path), `.${randomBytes(16).toString('hex')}.tmp`);
    try {
      const file = await this.#create(temporary);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      // Also after ENOSPC: half an image would only keep the disk full.
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    try {
      await syncFolder(dirname(path));
    } catch (error) {
      // It may not survive a power cut, so it is not handed out; nor may it stay as nobody's.
      await unlink(path).catch(() => undefined);
      throw error;
    }
  }

  /** Makes the folders it needs: on the first image, and after somebody removed them. */
  async #create(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'wx', 0o640);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    if (made !== undefined) {
      await syncFolder(dirname(made));
      await syncFolder(this.#folder);
      // With the root, everything in it went away: what was counted is wrong.
      if (dirname(made) !== this.#folder) this.#recount();
    }
    return open(path, 'wx', 0o640);
  }

  async #remove(name: string): Promise<UsageChange<void>> {
    const path = join(this.#folder, name);
    try {
      const { size } = await lstat(path);
      await unlink(path);
      if (isImageName(name)) return { result: undefined, files: -1, bytes: -size };
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    return { result: undefined, files: 0, bytes: 0 };
  }

  /** Foreign files are none of ours: neither counted nor touched. */
  async #read(shard: string): Promise<StoredImage[]> {
    const files = await readdir(join(this.#folder, shard)).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const images: StoredImage[] = [];
    for (const file of files) {
      const name = `${shard}/${file}`;
      const temporary = temporaryName.test(name);
      if (!temporary && !isImageName(name)) continue;
      const stat = await this.#gate.through(() => lstat(join(this.#folder, name))).catch(() => null);
      if (stat?.isFile()) images.push({ name, size: stat.size, modified: stat.mtimeMs, temporary });
    }
    return images;
  }

  #recount(): void {
    // What fails here fails for writers too, and they tell; the next image counts again.
    this.#count().catch(() => undefined);
  }

  async #count(): Promise<void> {
    this.#counts += 1;
    try {
      await this.#usage.count(shards, (shard) => this.#read(shard));
    } catch (error) {
      throw storageError(error);
    } finally {
      this.#counts -= 1;
    }
  }
}

/** Without this a file may have lost its name after a power failure. Folders cannot be opened on Windows, nor need be. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
