// How much is in the folder: counted once, shard by shard in the background, then kept by what is written and deleted.
// A count only; what to do about it is decided in retention.ts.

import type { StorageUsage, StoredImage } from './image-store.ts';

export interface UsageChange<Result> {
  readonly result: Result;
  readonly files: number;
  readonly bytes: number;
}

type ReadShard = (shard: string) => Promise<readonly StoredImage[]>;

/**
 * A shard is either read or changed, never both, so that each file is counted exactly once: changes of the shard that
 * is being read wait for the reading (a few ms), and the reading for the changes under way.
 */
export class FolderUsage {
  #files = 0;
  #bytes = 0;
  /** Shards counted already; null once all are. Changes of the others do not matter: they will be read. */
  #counted: Set<string> | null = new Set();
  #counting: Promise<void> = Promise.resolve();
  #reading: { readonly shard: string; readonly done: Promise<void> } | null = null;
  readonly #changes = new Set<{ readonly shard: string; readonly done: Promise<void> }>();

  get figures(): StorageUsage {
    return { files: this.#files, bytes: this.#bytes, counted: this.#counted === null };
  }

  /** Runs a task that writes or deletes the file of this name. */
  async change<Result>(name: string, task: () => Promise<UsageChange<Result>>): Promise<Result> {
    const shard = name.slice(0, 2);
    while (this.#reading?.shard === shard) await this.#reading.done;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const change = { shard, done };
    this.#changes.add(change);
    try {
      const { result, files, bytes } = await task();
      if (this.#counted === null || this.#counted.has(shard)) this.#add(files, bytes);
      return result;
    } finally {
      this.#changes.delete(change);
      resolve();
    }
  }

  /** Begins anew; a count under way is given up. Rejects when `read` does. */
  async count(shards: readonly string[], read: ReadShard): Promise<void> {
    const counted = new Set<string>();
    this.#counted = counted;
    this.#files = 0;
    this.#bytes = 0;
    const before = this.#counting;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#counting = promise;
    await before;
    try {
      for (const shard of shards) {
        if (this.#counted !== counted) return;
        await this.#countShard(shard, read, counted);
      }
      if (this.#counted === counted) this.#counted = null;
    } finally {
      resolve();
    }
  }

  async #countShard(shard: string, read: ReadShard, counted: Set<string>): Promise<void> {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#reading = { shard, done };
    try {
      const underWay = [...this.#changes].filter((change) => change.shard === shard);
      await Promise.all(underWay.map((change) => change.done));
      const images = (await read(shard)).filter((image) => !image.temporary);
      if (this.#counted !== counted) return;
      counted.add(shard);
      this.#add(
        images.length,
        images.reduce((sum, { size }) => sum + size, 0),
      );
    } finally {
      this.#reading = null;
      resolve();
    }
  }

  /** The folder may be changed by others: never below nothing. */
  #add(files: number, bytes: number): void {
    this.#files = Math.max(0, this.#files + files);
    this.#bytes = Math.max(0, this.#bytes + bytes);
  }
}
