// Keeps detections and their images within an age and a size: the oldest go first, a few at a time.
// The plan is pure; rows are removed through a port, images after them, so that a crash leaves no row without its image.

import type { Clock } from '../base/clock.ts';
import { type Alone, always } from './alone.ts';
import type { ImageStore, StorageUsage } from './image-store.ts';

const maxRowsPerStep = 100;
/** When the disk is full: some MB of images. */
const rowsForRoom = 20;
const makeRoomEveryMs = 10_000;
const dayMs = 24 * 60 * 60 * 1000;
/** Work begins and ends a little below the limit, so that what is written meanwhile does not exceed it. */
const beginAt = 0.98;
const endAt = 0.96;
/** Rest after each step, ms: live video goes first. */
const restMs = 10;
/** What others put and delete is not known until it is counted: now and then, and before anything goes for its size. */
const countEveryMs = 15 * 60_000;
const countBeforeMs = 60_000;

export interface RetentionLimits {
  readonly days: number;
  readonly bytes: number;
}

export interface RetentionPort {
  /**
   * Deletes the oldest detections and, of their alerts, those that have no other detection; alerts that keep some
   * lose only these. One short transaction.
   * @param before only detections made before this moment, ms since 1970; null: any.
   * @returns how many went, and the names of their images.
   */
  removeOldest(
    limit: number,
    before: number | null,
  ): Promise<{ readonly removed: number; readonly images: readonly string[] }>;
}

export type RetentionStep =
  | { readonly reason: 'age'; readonly before: number; readonly rows: number }
  | { readonly reason: 'size'; readonly before: null; readonly rows: number };

/** How far the age pass has come: nothing is that old any more. */
export interface RetentionProgress {
  readonly agesDone: boolean;
  /** The size pass has begun and goes on to its end. */
  readonly shrinking: boolean;
}

/** @returns what to remove next, or null when all is within its limits. `wallTime` in ms since 1970. */
export function planRetention(
  limits: RetentionLimits,
  usage: StorageUsage,
  wallTime: number,
  { agesDone, shrinking }: RetentionProgress,
): RetentionStep | null {
  if (!agesDone) return { reason: 'age', before: wallTime - limits.days * dayMs, rows: maxRowsPerStep };
  if (!usage.counted || usage.files === 0) return null;
  if (usage.bytes <= limits.bytes * (shrinking ? endAt : beginAt)) return null;
  // A detection has two images: no more rows than needed, at least one.
  const bytesPerRow = (2 * usage.bytes) / usage.files;
  const rows = Math.ceil((usage.bytes - limits.bytes * endAt) / bytesPerRow);
  return { reason: 'size', before: null, rows: Math.min(maxRowsPerStep, Math.max(1, rows)) };
}

export interface RetentionOptions {
  readonly limits: RetentionLimits;
  readonly rows: RetentionPort;
  readonly store: ImageStore;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
  /** Of several instances, one at a time works. */
  readonly alone?: Alone;
  /** Size is looked at so often, age each 60th time, ms. */
  readonly everyMs?: number;
}

export class Retention {
  readonly #options: RetentionOptions;
  readonly #everyMs: number;
  #running: Promise<number> | null = null;
  #cancel: (() => void) | null = null;
  #wake: (() => void) | null = null;
  readonly #ending = new AbortController();
  #turns = 0;
  #removed = 0;
  #madeRoomAt = Number.NEGATIVE_INFINITY;
  /** Images whose rows are gone. While they cannot be deleted, no more rows go: that would free nothing. */
  #undeleted: readonly string[] = [];

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? 5_000;
  }

  /** Detections removed since the start. */
  get removed(): number {
    return this.#removed;
  }

  /** Works by itself until `stop`. */
  start(): void {
    this.#cancel = this.#options.clock.after(this.#everyMs, () => {
      const ages = this.#turns++ % 60 === 0;
      const { onTrouble } = this.#options;
      void this.run({ ages })
        .catch(onTrouble)
        .finally(() => {
          if (!this.#ending.signal.aborted) this.start();
        });
    });
  }

  /** Resolves when the step under way is done. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#cancel?.();
    this.#wake?.();
    // Its failure is told to those who began it.
    await this.#running?.catch(() => undefined);
  }

  /**
   * Removes until all is within its limits, unless another instance is at it. A run under way is joined.
   * @returns how many detections went.
   */
  run({ ages = true }: { readonly ages?: boolean } = {}): Promise<number> {
    return this.#once('retention', () => this.#untilWithinLimits(ages));
  }

  /**
   * The disk is full whatever the limits say: a few of the oldest go, so that new ones can be stored. At most once in
   * a while, however often it is asked for: a disk that something else fills must not cost the whole history.
   */
  async makeRoom(): Promise<number> {
    const now = this.#options.clock.now();
    if (now - this.#madeRoomAt < makeRoomEveryMs) return 0;
    this.#madeRoomAt = now;
    return this.#once('room for images', () => this.#remove(rowsForRoom, null));
  }

  #once(name: string, task: () => Promise<number>): Promise<number> {
    const { alone = always } = this.#options;
    const run = async () => {
      let removed = 0;
      await alone(name, async () => {
        removed = await task();
      });
      return removed;
    };
    this.#running ??= run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #untilWithinLimits(ages: boolean): Promise<number> {
    const { limits, store, clock } = this.#options;
    let agesDone = !ages;
    let shrinking = false;
    let total = 0;
    while (!this.#ending.signal.aborted) {
      if (agesDone && !shrinking) await this.#recount();
      const step = planRetention(limits, store.usage(), clock.wallTime(), { agesDone, shrinking });
      if (step === null) break;
      const removed = await this.#remove(step.rows, step.before);
      total += removed;
      if (step.reason === 'age') agesDone = removed < step.rows;
      else if (removed === 0) break;
      else shrinking = true;
      await this.#rest();
    }
    return total;
  }

  async #recount(): Promise<void> {
    const { limits, store, clock } = this.#options;
    const { signal } = this.#ending;
    await store.recount(countEveryMs, signal);
    const progress = { agesDone: true, shrinking: false };
    if (planRetention(limits, store.usage(), clock.wallTime(), progress) !== null)
      await store.recount(countBeforeMs, signal);
  }

  async #remove(limit: number, before: number | null): Promise<number> {
    const { rows, store } = this.#options;
    await store.delete(this.#undeleted);
    this.#undeleted = [];
    const { removed, images } = await rows.removeOldest(limit, before);
    this.#removed += removed;
    this.#undeleted = images;
    await store.delete(images);
    this.#undeleted = [];
    return removed;
  }

  #rest(): Promise<void> {
    if (this.#ending.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(restMs, () => this.#wake?.());
      this.#wake = () => {
        cancel();
        this.#wake = null;
        resolve();
      };
    });
  }
}
