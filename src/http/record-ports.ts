// What the REST side needs for detections, alerts and their images, and the views it gives out; app joins the ports to real parts.
// Types only.

import type { FractionBox, Point } from '../media/faces.ts';
import type { SavedAlert, SavedDetection } from '../media/saved-detection.ts';

/** What was recorded of streams, for those who delete them. */
export interface StreamRecords {
  /** Removes a stream's detections, alerts and images a few at a time, so that nothing else has to wait. */
  clear(streamId: string): Promise<void>;
  /** Images whose rows are gone; deleted in the background. */
  discard(images: readonly string[]): void;
}

/** Which detections or alerts, newest first: at most `limit` of those after the row `after`. Times in ms since 1970. */
export interface RecordFilter {
  readonly streamId?: string | undefined;
  readonly since?: number | undefined;
  /** Before this moment. */
  readonly until?: number | undefined;
  readonly limit: number;
  readonly after?: { readonly time: number; readonly id: string } | undefined;
}

export interface DetectionFilter extends RecordFilter {
  readonly alertId?: string | undefined;
  readonly minConfidence?: number | undefined;
}

export interface AlertFilter extends RecordFilter {
  readonly viewed?: boolean | undefined;
}

/** The table of detections. */
export interface DetectionStore {
  list(filter: DetectionFilter): Promise<SavedDetection[]>;
  get(id: string): Promise<SavedDetection | undefined>;
  /** The names of images that nothing else has; undefined when there is no such detection. */
  delete(id: string): Promise<readonly string[] | undefined>;
  removeOfStream(
    streamId: string,
    limit: number,
  ): Promise<{ readonly removed: number; readonly images: readonly string[] }>;
  /** Of these names, those that a detection or an alert has. */
  knownImages(names: readonly string[]): Promise<ReadonlySet<string>>;
}

/** The table of alerts. */
export interface AlertStore {
  list(filter: AlertFilter): Promise<SavedAlert[]>;
  /** Not viewed yet, of one stream or of all. */
  unviewed(streamId?: string): Promise<number>;
  get(id: string): Promise<SavedAlert | undefined>;
  setViewed(id: string, viewed: boolean): Promise<SavedAlert | undefined>;
  /** How many were not viewed before. */
  markAllViewed(streamId?: string): Promise<number>;
  /** The names of images that nothing else has; undefined when there is no such alert. */
  delete(id: string): Promise<readonly string[] | undefined>;
}

/** Images by their opaque names. Rejects with AppError: 404 `image_not_found`, 503 `storage_unavailable`. */
export interface ImageFiles {
  get(name: string): Promise<Uint8Array>;
  /** Those that are not there are skipped. */
  delete(names: readonly string[]): Promise<void>;
}

/** What a detector outside the service has seen; checked, but for its stream. */
export interface OutsideDetection {
  readonly streamId: string;
  /** 0–1 */
  readonly confidence: number;
  /** ms since 1970; null for now. */
  readonly time: number | null;
  readonly box: FractionBox | null;
  /** The whole frame as JPEG, with its size in pixels. */
  readonly image: { readonly data: Uint8Array; readonly width: number; readonly height: number } | null;
}

export interface OutsideDetections {
  /**
   * Goes through the same alert policy as the service's own detections.
   * @returns the detection's id, once it is stored. Rejects with AppError: 404 `stream_not_found`, 503 or 507 when it
   * cannot be stored now.
   */
  report(detection: OutsideDetection): Promise<string>;
}

/** A detection as the outside sees it. */
export interface DetectionView {
  readonly id: string;
  readonly stream_id: string;
  /** The stream's name. */
  readonly stream: string;
  /** ISO 8601, as is `last_seen`. */
  readonly timestamp: string;
  readonly last_seen: string;
  readonly alert_id: string | null;
  readonly confidence_score: number;
  /** Paths on this server. */
  readonly image_url: string | null;
  readonly thumbnail_url: string | null;
  readonly box: FractionBox | null;
  readonly landmarks: Point[] | null;
  readonly frame: { readonly width: number; readonly height: number } | null;
}

/** An alert as the outside sees it. */
export interface AlertView {
  readonly id: string;
  /** The first. */
  readonly detection_id: string;
  readonly detections_count: number;
  readonly stream_id: string;
  readonly stream: string;
  readonly confidence_score: number;
  readonly image_url: string | null;
  readonly thumbnail_url: string | null;
  readonly timestamp: string;
  readonly viewed: boolean;
}

export type Page<Name extends string, View> = { readonly [Member in Name]: View[] } & {
  readonly next_cursor: string | null;
};

/** A filter whose place is still the text of a request: AppError 400 `invalid_cursor` when it is none. */
export type Paged<Filter extends RecordFilter> = Omit<Filter, 'after'> & {
  readonly cursor?: string | undefined;
};

/** Every method with an id rejects with AppError 404 `detection_not_found` or `alert_not_found` for an unknown id. */
export interface RecordService extends StreamRecords {
  detections(filter: Paged<DetectionFilter>): Promise<Page<'detections', DetectionView>>;
  detection(id: string): Promise<DetectionView>;
  report(detection: OutsideDetection): Promise<DetectionView>;
  removeDetection(id: string): Promise<void>;
  alerts(filter: Paged<AlertFilter>): Promise<Page<'alerts', AlertView> & { readonly unviewed: number }>;
  alert(id: string): Promise<AlertView>;
  setViewed(id: string, viewed: boolean): Promise<AlertView>;
  markAllViewed(streamId?: string): Promise<number>;
  removeAlert(id: string): Promise<void>;
  /** Whether a detection or an alert has this image. */
  hasImage(name: string): Promise<boolean>;
  image(name: string): Promise<Uint8Array>;
}

/** Since the service started, over all cameras; they only grow, but for `waiting`. */
export interface DetectionFigures {
  readonly framesAnalysed: number;
  /** Frames that were due while the detector was busy with another. */
  readonly framesSkipped: number;
  /** Spent on analysing frames, ms. */
  readonly analysisMs: number;
  readonly faces: number;
  readonly tracks: number;
  /** Stored. */
  readonly detections: number;
  /** Stored. */
  readonly alerts: number;
  readonly lostImages: number;
  readonly lostVisits: number;
  /** Not stored yet. */
  readonly waiting: number;
}
