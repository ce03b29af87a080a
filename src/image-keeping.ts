// Where images are kept, and what removes them again: the folder or the bucket of the settings, retention, the sweep of orphans.
// Joins the parts of storage; what is stored, and when, is visit-store.ts's.

import { join } from 'node:path';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { type Config, ConfigError } from './config.ts';
import type { Database } from './db/database.ts';
import type { DetectionRepository } from './db/detections.ts';
import { FolderImageStore } from './storage/folder.ts';
import type { ImageStore } from './storage/image-store.ts';
import { Retention } from './storage/retention.ts';
import { Sweeper } from './storage/sweep.ts';

export interface ImageKeeping {
  readonly store: ImageStore;
  /** The disk is full: the oldest detections go. */
  makeRoom(): Promise<unknown>;
  /** Retention and sweep work by themselves from now on. */
  start(): void;
  close(): Promise<void>;
}

export interface ImageKeepingOptions {
  readonly config: Config;
  readonly database: Database;
  readonly detections: DetectionRepository;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Images that a crash left without a row are younger than this while they are still being written; in a bucket, whose
 * clock is another one, too.
 */
const orphanAgeMs = { folder: 10 * 60_000, bucket: 60 * 60_000 };
/** Other instances may crash while this one runs. */
const sweepEveryMs = 6 * 60 * 60_000;

/** @throws ConfigError when the bucket cannot be used. */
export async function openImageKeeping(options: ImageKeepingOptions): Promise<ImageKeeping> {
  const { config, database, detections, clock, log } = options;
  const { store, ready, close } = await openStore(config, clock, log);
  const alone = (name: string, task: () => Promise<void>) => database.alone(name, task);
  const retention = new Retention({
    limits: { days: config.detectionRetentionDays, bytes: config.storageLimitGb * 1e9 },
    rows: detections,
    store,
    clock,
    alone,
    onTrouble: (error) => log.warn({ err: error }, 'old detections cannot be removed at the moment'),
  });
  const sweeper = new Sweeper({
    store,
    known: (names) => detections.knownImages(names),
    clock,
    alone,
    ...(config.bucket
      ? { orphanAgeMs: orphanAgeMs.bucket, everyMs: sweepEveryMs }
      : { orphanAgeMs: orphanAgeMs.folder }),
    onRemoved: (removed) => log.info({ removed }, 'images of interrupted writes removed'),
    onTrouble: (error) => log.warn({ err: error }, 'the images could not be swept'),
  });
  let closed = false;
  return {
    store,
    makeRoom: () => retention.makeRoom(),
    start() {
      retention.start();
      // Beside everything else: the service does not wait for it.
      ready()
        .then(() => {
          if (!closed) sweeper.start();
        })
        .catch((error) => log.warn({ err: error }, 'the image folder could not be swept'));
    },
    async close() {
      closed = true;
      await Promise.all([retention.stop(), sweeper.stop()]);
      close();
    },
  };
}

async function openStore(
  config: Config,
  clock: Clock,
  log: Log,
): Promise<{ store: ImageStore; ready: () => Promise<void>; close: () => void }> {
  if (!config.bucket) {
    const store = new FolderImageStore(join(config.dataDir, 'media'));
    return { store, ready: () => store.open(), close: () => {} };
  }
  // Not loaded without need: the SDK costs tens of megabytes.
  const { BucketImageStore } = await import('./storage/bucket.ts');
  const store = new BucketImageStore(config.bucket, clock);
  try {
    await store.open();
  } catch (error) {
    if (error instanceof ConfigError) {
      store.close();
      throw error;
    }
    log.warn({ err: error }, 'the bucket for images cannot be reached at the moment');
  }
  return { store, ready: async () => {}, close: () => store.close() };
}
