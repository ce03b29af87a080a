// The port through which visits become stored detections and alerts, and the words that pass it.
// Types only; the database and the image store stand behind it.

import type { FractionBox, Point } from '../media/faces.ts';

/** JPEG images; never written to. */
export interface VisitImages {
  /** The whole frame. */
  readonly frame: Uint8Array;
  /** The face alone; null when nobody cut it out. */
  readonly face: Uint8Array | null;
}

/** One look at a face. What an outside detector did not say is null. */
export interface Sighting {
  /** 0–1 */
  readonly confidence: number;
  readonly box: FractionBox | null;
  /** Fractions of the frame, in the order of `FaceInFrame.landmarks`. */
  readonly landmarks: readonly Point[] | null;
  /** Pixels of the frame. */
  readonly frame: { readonly width: number; readonly height: number } | null;
}

export interface NewDetection {
  readonly id: string;
  readonly streamId: string;
  readonly sighting: Sighting;
  /** When the person was noticed, ms since 1970. */
  readonly time: number;
  /** ms since 1970, ≥ `time` also when the wall clock jumped. */
  readonly lastSeen: number;
  readonly images: VisitImages | null;
}

export interface NewAlert {
  readonly id: string;
  readonly streamId: string;
  /** The first detection of the alert; stored already. */
  readonly detectionId: string;
  readonly confidence: number;
  /** When the person was noticed, ms since 1970. */
  readonly time: number;
  /** When the alert is stored, ms since 1970: what `LastAlert.raisedAt` wants after a restart. */
  readonly raisedAt: number;
}

/**
 * Called by one stream strictly one after another. A call that rejects is repeated with the same ids until it
 * resolves, so each must be idempotent by id: repeating one that was stored after all changes nothing. What concerns
 * a row that was deleted meanwhile resolves. Images are stored before the row that names them. A call that can never
 * succeed (the stream is deleted) rejects with `VisitRefused`. Calls must settle: each has its own time limit.
 */
export interface VisitSink<Alert> {
  detectionStarted(detection: NewDetection): Promise<void>;
  /** A better picture, or the first one: the detection's sighting and images are replaced. */
  detectionImproved(change: {
    readonly id: string;
    readonly sighting: Sighting;
    readonly images: VisitImages;
    readonly lastSeen: number;
  }): Promise<void>;
  detectionSeen(change: { readonly id: string; readonly lastSeen: number }): Promise<void>;
  /** Resolves when the alert and its detection are safe on disk. */
  alertRaised(alert: NewAlert): Promise<Alert>;
  /** One more detection for an alert; the same one twice counts once. */
  alertExtended(more: { readonly alertId: string; readonly detectionId: string }): Promise<void>;
}

/** Trying again cannot help. */
export class VisitRefused extends Error {
  override readonly name = 'VisitRefused';
}
