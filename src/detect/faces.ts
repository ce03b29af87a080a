// Faces as everything after the detector sees them: fractions of the frame, so that a change of resolution means nothing.
// The words and the step from pixels to fractions; no tracking.

import type { Face, Point } from './mtcnn/face.ts';

/** Fractions of the frame, 0–1, (0, 0) at its upper left corner; never beyond the frame. */
export interface FractionBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface FaceInFrame {
  /** 0–1 */
  readonly confidence: number;
  readonly box: FractionBox;
  /** Left eye, right eye, nose, left and right corner of the mouth, as fractions of the frame. */
  readonly landmarks: readonly Point[];
  /** How much detail the face shows; comparable within one stream only, > 0. */
  readonly sharpness: number;
}

/** What the detector found in one frame; a frame without faces counts as well. */
export interface AnalysedFrame {
  /** Media time of the frame, µs. */
  readonly timestamp: number;
  /** When the frame arrived (not when its analysis was done): ms, monotonic. */
  readonly at: number;
  /** The same moment in ms since 1970, for people; may jump. */
  readonly wallTime: number;
  /** Pixels of the analysed frame. */
  readonly width: number;
  readonly height: number;
  readonly faces: readonly FaceInFrame[];
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** A face in pixels of a frame of `width`×`height`, as fractions; what reaches beyond the frame is cut off. */
export function faceInFrame(face: Face, width: number, height: number, sharpness: number): FaceInFrame {
  const left = clamp(face.box.x / width);
  const top = clamp(face.box.y / height);
  return {
    confidence: face.confidence,
    box: {
      x: left,
      y: top,
      width: clamp((face.box.x + face.box.width) / width) - left,
      height: clamp((face.box.y + face.box.height) / height) - top,
    },
    landmarks: face.landmarks.map((point) => ({ x: clamp(point.x / width), y: clamp(point.y / height) })),
    sharpness,
  };
}
