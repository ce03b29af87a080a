// What a tracker is given: the faces of one frame and when it was.
// A type only; where frames come from is not known here.

import type { FaceInFrame } from '../media/faces.ts';

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
