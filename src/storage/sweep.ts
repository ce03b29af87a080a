// Removes what a crash left behind: images whose row was never written, and halves of interrupted writes.
// Run at start, in small steps beside everything else.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ImageStore, StoredImage } from './image-store.ts';

const perStep = 200;

export interface SweepOptions {
  /** Only what was last written before this moment (ms since 1970) is touched: an image is there before its row. */
  readonly before: number;
  /** Of these names, those that a row has. */
  readonly known: (names: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** @returns how many files were removed. Rejects when the store or `known` does; then nothing unknown was touched. */
export async function sweepOrphans(store: ImageStore, { before, known }: SweepOptions): Promise<number> {
  let removed = 0;
  for await (const images of store.list()) {
    const old = images.filter((image) => image.modified < before);
    for (let from = 0; from < old.length; from += perStep) {
      const orphans = await orphansOf(old.slice(from, from + perStep), known);
      await store.delete(orphans);
      removed += orphans.length;
      await nextTurn();
    }
  }
  return removed;
}

async function orphansOf(images: readonly StoredImage[], known: SweepOptions['known']): Promise<string[]> {
  const names = images.filter((image) => !image.temporary).map((image) => image.name);
  const wanted = names.length === 0 ? new Set() : await known(names);
  return images.filter((image) => image.temporary || !wanted.has(image.name)).map((image) => image.name);
}
