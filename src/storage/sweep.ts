// Removes what a crash left behind: images whose row was never written, and halves of interrupted writes.
// In small steps beside everything else; what else goes is decided in retention.ts.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { type Alone, always } from './alone.ts';
import type { ImageStore, StoredImage } from './image-store.ts';

const perStep = 200;

export interface SweepOptions {
  /** Only what was last written before this moment (ms since 1970) is touched: an image is there before its row. */
  readonly before: number;
  /** Of these names, those that a row has. */
  readonly known: (names: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Ends it after the step under way. */
  readonly signal?: AbortSignal;
}

/** @returns how many files were removed. Rejects when the store or `known` does; then nothing unknown was touched. */
export async function sweepOrphans(
  store: ImageStore,
  { before, known, signal }: SweepOptions,
): Promise<number> {
  let removed = 0;
  for await (const images of store.list()) {
    const old = images.filter((image) => image.modified < before);
    for (let from = 0; from < old.length; from += perStep) {
      if (signal?.aborted) return removed;
      const orphans = await orphansOf(old.slice(from, from + perStep), known);
      await store.delete(orphans);
      removed += orphans.length;
      await nextTurn();
    }
    if (signal?.aborted) break;
  }
  return removed;
}

async function orphansOf(images: readonly StoredImage[], known: SweepOptions['known']): Promise<string[]> {
  const names = images.filter((image) => !image.temporary).map((image) => image.name);
  const wanted = names.length === 0 ? new Set() : await known(names);
  return images.filter((image) => image.temporary || !wanted.has(image.name)).map((image) => image.name);
}

export interface SweeperOptions {
  readonly store: ImageStore;
  readonly known: SweepOptions['known'];
  readonly clock: Clock;
  /** Younger images may be waiting for their rows; also has to bear what the store's clock differs from ours, ms. */
  readonly orphanAgeMs: number;
  /** Of several instances, one at a time sweeps. */
  readonly alone?: Alone;
  /** Again after so long, ms: when others may crash as well. Without it once, at start. */
  readonly everyMs?: number | undefined;
  readonly onRemoved: (files: number) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Sweeps by itself from `start` to `stop`. */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #ending = new AbortController();
  #running: Promise<void> | null = null;
  #cancel: (() => void) | null = null;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** The first sweep begins at once. */
  start(): void {
    const { clock, everyMs, onTrouble } = this.#options;
    this.#running = this.#sweep()
      .catch(onTrouble)
      .finally(() => {
        this.#running = null;
        if (everyMs !== undefined && !this.#ending.signal.aborted)
          this.#cancel = clock.after(everyMs, () => this.start());
      });
  }

  /** Resolves when the step under way is done. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#cancel?.();
    await this.#running;
  }

  async #sweep(): Promise<void> {
    const { store, known, clock, orphanAgeMs, alone = always, onRemoved } = this.#options;
    await alone('sweep', async () => {
      const before = clock.wallTime() - orphanAgeMs;
      const removed = await sweepOrphans(store, { before, known, signal: this.#ending.signal });
      if (removed > 0) onRemoved(removed);
    });
  }
}
