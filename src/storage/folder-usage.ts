// How much is in the folder: counted once, folder by folder in the background, then kept by what is written and deleted.
// A count only; what to do about it is decided in retention.ts.

import type { StorageUsage, StoredImage } from './image-store.ts';

/** A shard that is written to all the time is at last believed as it was read. */
const maxRecounts = 5;

function shardOf(name: string): string {
  return name.slice(0, 2);
}

export class FolderUsage {
  #files = 0;
  #bytes = 0;
  /** Shards counted already; null once all are. Before its turn, a shard's changes do not matter: they will be seen. */
  #done: Set<string> | null = new Set();
  #changed = false;
  #current = '';

  get figures(): StorageUsage {
    return { files: this.#files, bytes: this.#bytes, counted: this.#done === null };
  }

  written(name: string, size: number): void {
    this.#change(name, 1, size);
  }

  deleted(name: string, size: number): void {
    this.#change(name, -1, -size);
  }

  /** @param read what a shard holds now. Rejects when it does. */
  async count(
    shards: readonly string[],
    read: (shard: string) => Promise<readonly StoredImage[]>,
  ): Promise<void> {
    this.#files = 0;
    this.#bytes = 0;
    const done = (this.#done = new Set());
    for (const shard of shards) {
      const images = await this.#readQuietly(shard, read);
      if (this.#done !== done) return;
      this.#files += images.length;
      for (const { size } of images) this.#bytes += size;
      done.add(shard);
    }
    this.#done = null;
  }

  /** What is written or deleted while a shard is read may be in the count or not: it is read again. */
  async #readQuietly(
    shard: string,
    read: (shard: string) => Promise<readonly StoredImage[]>,
  ): Promise<readonly StoredImage[]> {
    this.#current = shard;
    let images: readonly StoredImage[] = [];
    for (let attempt = 0; attempt < maxRecounts; attempt++) {
      this.#changed = false;
      images = await read(shard);
      if (!this.#changed) break;
    }
    return images.filter((image) => !image.temporary);
  }

  #change(name: string, files: number, bytes: number): void {
    const shard = shardOf(name);
    if (this.#done !== null && !this.#done.has(shard)) {
      if (shard === this.#current) this.#changed = true;
      return;
    }
    this.#files = Math.max(0, this.#files + files);
    this.#bytes = Math.max(0, this.#bytes + bytes);
  }
}
