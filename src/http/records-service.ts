// What may be done with detections, alerts and their images: between the REST routes, the tables and the image store.
// No HTTP, no SQL, no files; when an alert is due is decided behind the port for detectors outside.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Log } from '../base/log.ts';
import { AppError } from '../errors.ts';
import type { ImageNames, SavedAlert, SavedDetection } from '../media/saved-detection.ts';
import { pageByTime } from './cursor.ts';
import type {
  AlertFilter,
  AlertStore,
  AlertView,
  DetectionFilter,
  DetectionStore,
  DetectionView,
  ImageFiles,
  OutsideDetection,
  OutsideDetections,
  Page,
  Paged,
  RecordService,
} from './record-ports.ts';

export interface RecordServiceOptions {
  readonly detections: DetectionStore;
  readonly alerts: AlertStore;
  readonly images: ImageFiles;
  readonly outside: OutsideDetections;
  readonly log: Log;
}

/** Rows removed in one go: some milliseconds, during which nothing else happens. */
const rowsPerStep = 100;

export class SavedRecordService implements RecordService {
  readonly #options: RecordServiceOptions;

  constructor(options: RecordServiceOptions) {
    this.#options = options;
  }

  async detections(filter: Paged<DetectionFilter>): Promise<Page<'detections', DetectionView>> {
    const { cursor: _cursor, ...rest } = filter;
    const { rows, next_cursor } = await pageByTime('detections', filter, (page) =>
      this.#options.detections.list({ ...rest, ...page }),
    );
    return { detections: rows.map(viewOfDetection), next_cursor };
  }

  async detection(id: string): Promise<DetectionView> {
    const saved = await this.#options.detections.get(id);
    if (!saved) throw noDetection();
    return viewOfDetection(saved);
  }

  async report(detection: OutsideDetection): Promise<DetectionView> {
    return this.detection(await this.#options.outside.report(detection));
  }

  async removeDetection(id: string): Promise<void> {
    const images = await this.#options.detections.delete(id);
    if (!images) throw noDetection();
    this.discard(images);
  }

  async alerts(filter: Paged<AlertFilter>): Promise<Page<'alerts', AlertView> & { unviewed: number }> {
    const { alerts } = this.#options;
    const { cursor: _cursor, ...rest } = filter;
    const { rows, next_cursor } = await pageByTime('alerts', filter, (page) =>
      alerts.list({ ...rest, ...page }),
    );
    const unviewed = await alerts.unviewed(filter.streamId);
    return { alerts: rows.map(viewOfAlert), unviewed, next_cursor };
  }

  async alert(id: string): Promise<AlertView> {
    return viewOfAlert(found(await this.#options.alerts.get(id)));
  }

  async setViewed(id: string, viewed: boolean): Promise<AlertView> {
    return viewOfAlert(found(await this.#options.alerts.setViewed(id, viewed)));
  }

  markAllViewed(streamId?: string): Promise<number> {
    return this.#options.alerts.markAllViewed(streamId);
  }

  async removeAlert(id: string): Promise<void> {
    const images = await this.#options.alerts.delete(id);
    if (!images) throw noAlert();
    this.discard(images);
  }

  async hasImage(name: string): Promise<boolean> {
    return (await this.#options.detections.knownImages([name])).has(name);
  }

  image(name: string): Promise<Uint8Array> {
    return this.#options.images.get(name);
  }

  async clear(streamId: string): Promise<void> {
    for (;;) {
      const { removed, images } = await this.#options.detections.removeOfStream(streamId, rowsPerStep);
      this.discard(images);
      if (removed < rowsPerStep) return;
      await nextTurn();
    }
  }

  discard(images: readonly string[]): void {
    if (images.length === 0) return;
    // Nobody can reach them any more; what stays is found by the sweep at the next start.
    this.#options.images.delete(images).catch((error: unknown) => {
      this.#options.log.warn({ err: error, images: images.length }, 'images not deleted');
    });
  }
}

function noDetection(): AppError {
  return new AppError(404, 'detection_not_found', 'There is no detection with this id.');
}

function noAlert(): AppError {
  return new AppError(404, 'alert_not_found', 'There is no alert with this id.');
}

function found(alert: SavedAlert | undefined): SavedAlert {
  if (!alert) throw noAlert();
  return alert;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

/** The small picture is the face; where nobody cut it out, the whole frame. */
function urlsOf(images: ImageNames | null): { image_url: string | null; thumbnail_url: string | null } {
  if (!images) return { image_url: null, thumbnail_url: null };
  return { image_url: `/media/${images.frame}`, thumbnail_url: `/media/${images.face ?? images.frame}` };
}

function viewOfDetection(saved: SavedDetection): DetectionView {
  return {
    id: saved.id,
    stream_id: saved.streamId,
    stream: saved.streamName,
    timestamp: iso(saved.time),
    last_seen: iso(saved.lastSeen),
    alert_id: saved.alertId,
    confidence_score: saved.confidence,
    ...urlsOf(saved.images),
    box: saved.box,
    landmarks: saved.landmarks && [...saved.landmarks],
    frame: saved.frame,
  };
}

function viewOfAlert(saved: SavedAlert): AlertView {
  return {
    id: saved.id,
    detection_id: saved.detectionId,
    detections_count: saved.detectionsCount,
    stream_id: saved.streamId,
    stream: saved.streamName,
    confidence_score: saved.confidence,
    ...urlsOf(saved.images),
    timestamp: iso(saved.time),
    viewed: saved.viewed,
  };
}
