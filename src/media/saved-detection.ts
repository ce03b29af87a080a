// Detections and alerts as they are kept: one detection for each visit of a person, one alert for those that come close together.
// The words only; the database keeps them, the REST routes show them, the alert policy makes them.

import type { FractionBox, Point } from './faces.ts';

/** The best look at a face. What an outside detector did not say is null. */
export interface SavedSighting {
  /** 0–1 */
  readonly confidence: number;
  readonly box: FractionBox | null;
  /** Fractions of the frame, in the order of `FaceInFrame.landmarks`. */
  readonly landmarks: readonly Point[] | null;
  /** Pixels of the frame. */
  readonly frame: { readonly width: number; readonly height: number } | null;
}

/** Names in the image store. */
export interface ImageNames {
  /** The whole frame. */
  readonly frame: string;
  /** The face alone; null when nobody cut it out. */
  readonly face: string | null;
}

export interface SavedDetection extends SavedSighting {
  /** Opaque. */
  readonly id: string;
  readonly streamId: string;
  readonly streamName: string;
  /** When the person was noticed and when last seen, ms since 1970. */
  readonly time: number;
  readonly lastSeen: number;
  /** The alert it raised or joined; null as long as there is none. The alert itself may have been deleted since. */
  readonly alertId: string | null;
  readonly images: ImageNames | null;
}

export interface SavedAlert {
  /** Opaque. */
  readonly id: string;
  readonly streamId: string;
  readonly streamName: string;
  /** The first of its detections that is still kept. */
  readonly detectionId: string;
  readonly detectionsCount: number;
  /** 0–1, of the face that raised it. */
  readonly confidence: number;
  /** When the person was noticed, ms since 1970. */
  readonly time: number;
  readonly viewed: boolean;
  /** As they were when it was raised. */
  readonly images: ImageNames | null;
}
