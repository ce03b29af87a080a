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

export interface DetectionOptions {
  /** Side of the smallest face that is looked for, in pixels of the frame, ≥ 12. Time grows with its inverse square. */
  readonly minFaceSize: number;
  /** Probability, 0–1, that a candidate needs after the first, second and third network. */
  readonly thresholds: readonly [proposal: number, refinement: number, output: number];
  /** Candidates for one face are joined when they overlap (intersection over union) by more than this. */
  readonly overlap: {
    readonly withinScale: number;
    readonly acrossScales: number;
    readonly afterRefinement: number;
    /** Intersection over the smaller box. */
    readonly final: number;
  };
  /** At most so many candidates, the likeliest ones, go to the second network: bounds the time of any frame. */
  readonly maxCandidates: number;
}

export const defaultDetectionOptions: DetectionOptions = {
  minFaceSize: 40,
  thresholds: [0.6, 0.7, 0.7],
  overlap: { withinScale: 0.5, acrossScales: 0.5, afterRefinement: 0.5, final: 0.7 },
  maxCandidates: 256,
};
