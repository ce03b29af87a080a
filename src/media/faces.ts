// Faces as everything after the detector sees them: fractions of the frame, so that a change of resolution means nothing.
// The words and the step from pixels to fractions; finding, tracking and storing are elsewhere.

export interface Point {
  readonly x: number;
  readonly y: number;
}

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

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** In pixels of a frame; may reach beyond it at its edges. */
export interface PixelFace {
  readonly confidence: number;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly landmarks: readonly Point[];
}

/** A face in pixels of a frame of `width`×`height`, as fractions; what reaches beyond the frame is cut off. */
export function faceInFrame(face: PixelFace, width: number, height: number, sharpness: number): FaceInFrame {
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

/** One analysed frame as it comes out of the codec worker; a frame without faces counts as well. */
export interface FrameFaces<F extends FaceInFrame = FaceInFrame> {
  /** Of the access unit it was decoded from: media time in µs, and arrival in ms (monotonic, of the service). */
  readonly timestamp: number;
  readonly receivedAt: number;
  /** Pixels of the analysed frame. */
  readonly width: number;
  readonly height: number;
  readonly faces: readonly F[];
  /** ms in the detector. */
  readonly detectionTime: number;
  /** Frames of this stream that were meant for the detector and did not get to it, since the channel was opened. */
  readonly skipped: number;
  /** Frames of this stream that the detector has and has not answered. */
  readonly waiting: number;
}

/** JPEG images of a frame with faces: the whole frame, and each face with some surroundings. */
export interface FaceImages {
  readonly frame: Uint8Array;
  readonly faces: readonly Uint8Array[];
}

/** `failed`: the detector cannot be loaded; `restarting`: it crashed or hung. Both are tried again by themselves. */
export type DetectorState = 'off' | 'starting' | 'ready' | 'failed' | 'restarting';
