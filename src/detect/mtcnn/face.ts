// What the detector gives and what it can be told: the words the rest of the service shares with it.
// No logic.

/** Pixels of the frame, (0, 0) at its upper left corner; may reach beyond the frame at its edges. */
export interface FaceBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** As seen in the picture: `leftEye` is the eye at the left. */
export type Landmarks = readonly [
  leftEye: Point,
  rightEye: Point,
  nose: Point,
  leftMouthCorner: Point,
  rightMouthCorner: Point,
];

export interface Face {
  readonly box: FaceBox;
  /** Probability given by the last network, 0–1. */
  readonly confidence: number;
  readonly landmarks: Landmarks;
}

/**
 * Of two candidates that overlap (intersection over union, 0–1) by more than the limit, the less likely one is dropped.
 * 1 switches a step off.
 */
export interface OverlapLimits {
  /** P-Net's cells, within a level of the pyramid and then across levels. */
  readonly withinLevel: number;
  readonly acrossLevels: number;
  /** P-Net's boxes, after its correction. */
  readonly proposals: number;
  /** Boxes that R-Net accepts, before its correction and after it. */
  readonly accepted: number;
  readonly refined: number;
  /** Faces: intersection over the smaller box. */
  readonly faces: number;
}

export interface DetectionOptions {
  /** Side of the smallest face that is looked for, in pixels of the frame, ≥ 12. Time grows with its inverse square. */
  readonly minFaceSize: number;
  /** Probability, 0–1, that a candidate needs after the first, second and third network. */
  readonly thresholds: readonly [proposal: number, refinement: number, output: number];
  readonly overlap: OverlapLimits;
  /** At most so many candidates, the likeliest ones, go to the second network: bounds the time of any frame. */
  readonly maxCandidates: number;
}

/** As in the authors' program. */
export const publishedDetectionOptions: DetectionOptions = {
  minFaceSize: 40,
  thresholds: [0.6, 0.7, 0.7],
  overlap: { withinLevel: 0.5, acrossLevels: 0.7, proposals: 1, accepted: 0.7, refined: 1, faces: 0.7 },
  maxCandidates: 256,
};

/** Finds the same faces with half of the candidates: docs/design/face-detection.md. */
export const defaultDetectionOptions: DetectionOptions = {
  ...publishedDetectionOptions,
  thresholds: [0.7, 0.7, 0.7],
  overlap: { ...publishedDetectionOptions.overlap, acrossLevels: 0.5, proposals: 0.6, refined: 0.6 },
};
