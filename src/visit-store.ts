// Where visits go: images into the store, then rows into the database, then old images away.
// The order is the promise: no row without its image, and an alert is told only when both are safe.

import type { Fence } from './base/fence.ts';
import type { Log } from './base/log.ts';
import type { AlertRepository } from './db/alerts.ts';
import type { DetectionRepository } from './db/detections.ts';
import { UnknownOutcome } from './db/errors.ts';
import {
  type NewAlert,
  type NewDetection,
  type Sighting,
  type VisitImages,
  VisitRefused,
  type VisitSink,
} from './detect/visit-sink.ts';
import type { VisitsBefore } from './detect/visits.ts';
import { AppError, FencedOff } from './errors.ts';
import type { ImageNames, SavedAlert } from './media/saved-detection.ts';
import type { ImageStore } from './storage/image-store.ts';
import type { RaisedAlert } from './stream/live-camera.ts';

export interface VisitStoreOptions {
  readonly detections: DetectionRepository;
  readonly alerts: AlertRepository;
  readonly images: ImageStore;
  /** The disk is full: the oldest detections go, so that the newest has room. */
  readonly makeRoom: () => Promise<unknown>;
  readonly log: Log;
  /** With several instances: the right to write for the stream. */
  readonly lease?: WriteLease;
}

export interface WriteLease {
  readonly fence: Fence;
  /** Rejects with `FencedOff` when another instance has taken the stream over. */
  confirm(): Promise<void>;
}

/** What people see of an image name. */
export function imagePath(name: string): string {
  return `/media/${name}`;
}

function raisedAlert(saved: SavedAlert): RaisedAlert {
  return {
    alertId: saved.id,
    detectionId: saved.detectionId,
    streamId: saved.streamId,
    time: saved.time,
    confidence: saved.confidence,
    snapshot: saved.images && imagePath(saved.images.frame),
  };
}

export class VisitStore implements VisitSink<RaisedAlert> {
  readonly #options: VisitStoreOptions;

  constructor(options: VisitStoreOptions) {
    this.#options = options;
  }

  /** For the stream of this lease alone; what its holder still wants to write when it is lost is refused. */
  under(lease: WriteLease): VisitStore {
    return new VisitStore({ ...this.#options, lease });
  }

  /** What was stored of a stream before the service started. */
  async before(streamId: string): Promise<VisitsBefore> {
    const { alerts, detections } = this.#options;
    const [lastAlert, withoutAlert] = await Promise.all([
      alerts.last(streamId),
      detections.withoutAlert(streamId),
    ]);
    return { lastAlert, withoutAlert };
  }

  detectionStarted(detection: NewDetection): Promise<void> {
    return this.#write(async (fence) => {
      const images = detection.images && (await this.#put(detection.images));
      const outcome = await this.#orDelete(images, () =>
        this.#options.detections.insert({ ...detection, images }, fence),
      );
      if (outcome !== 'stored') await this.#delete(images);
      if (outcome === 'stream_gone') throw new VisitRefused('The stream was deleted.');
    });
  }

  detectionImproved(change: {
    readonly id: string;
    readonly sighting: Sighting;
    readonly images: VisitImages;
    readonly lastSeen: number;
  }): Promise<void> {
    return this.#write(async (fence) => {
      const images = await this.#put(change.images);
      const unused = await this.#orDelete(images, () =>
        this.#options.detections.improve({ ...change, images }, fence),
      );
      await this.#discard(unused);
    });
  }

  detectionSeen(change: { readonly id: string; readonly lastSeen: number }): Promise<void> {
    return this.#write((fence) => this.#options.detections.seen(change, fence));
  }

  alertRaised(alert: NewAlert): Promise<RaisedAlert> {
    return this.#write(async (fence) => {
      const saved = await this.#options.alerts.raise(alert, fence);
      if (saved === null) throw new VisitRefused('The detection was deleted before its alert was raised.');
      return raisedAlert(saved);
    });
  }

  alertExtended(more: { readonly alertId: string; readonly detectionId: string }): Promise<void> {
    return this.#write((fence) => this.#options.alerts.extend(more, fence));
  }

  /** The last alert of a stream, if it was raised less than `withinMs` ago by the wall clock: to be told once more. */
  async lastAlert(streamId: string, withinMs: number, wallTime: number): Promise<RaisedAlert | null> {
    const { alerts } = this.#options;
    const last = await alerts.last(streamId);
    if (last === null || wallTime - last.raisedAt > withinMs) return null;
    const saved = await alerts.get(last.id);
    return saved ? raisedAlert(saved) : null;
  }

  /** Before anything is written, images included; the row itself is then written only if the fence still stands. */
  async #write<T>(write: (fence: Fence | undefined) => Promise<T>): Promise<T> {
    const { lease } = this.#options;
    try {
      await lease?.confirm();
      return await write(lease?.fence);
    } catch (error) {
      if (error instanceof FencedOff) throw new VisitRefused(error.message);
      throw error;
    }
  }

  async #put({ frame, face }: VisitImages): Promise<ImageNames> {
    const { images, makeRoom } = this.#options;
    try {
      const name = await images.put(frame);
      return {
        frame: name,
        face: face && (await this.#orDelete({ frame: name, face: null }, () => images.put(face))),
      };
    } catch (error) {
      if (error instanceof AppError && error.code === 'storage_full') await makeRoom();
      // The visit is tried again, then with room.
      throw error;
    }
  }

  /**
   * When the row cannot be written, its images would be nobody's. When nobody knows whether it was, they stay: it may
   * name them, and what is nobody's after all is removed with the orphans.
   */
  async #orDelete<T>(images: ImageNames | null, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) await this.#delete(images);
      throw error;
    }
  }

  /** The row is written: images that cannot be deleted now are removed with the orphans of the next start. */
  async #discard(names: readonly string[]): Promise<void> {
    const { images, log } = this.#options;
    await images.delete(names).catch((error) => log.warn({ err: error }, 'images could not be deleted'));
  }

  async #delete(images: ImageNames | null): Promise<void> {
    if (images) await this.#discard([images.frame, ...(images.face === null ? [] : [images.face])]);
  }
}
