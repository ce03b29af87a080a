// Where a face will be, and which face of a frame is whose: geometry of boxes that move.
// No life cycle: when a track begins and ends is decided in tracks.ts.

import type { FaceInFrame, FractionBox } from '../media/faces.ts';
import { assign } from './assignment.ts';

export interface MovingFace {
  box: FractionBox;
  /** Arrival of the last frame that showed it, ms, monotonic. */
  lastSeen: number;
  /** Of the centre, fractions of the frame a ms; null before the second sighting. */
  velocity: { readonly x: number; readonly y: number } | null;
}

/** People turn and stop: nobody is believed to walk on for longer than this, ms. */
const maxPredictionMs = 800;
/** Two boxes that overlap by more than this in one frame are one face found twice. */
const doubleOverlap = 0.5;
/** Between two sightings the side of a face changes at most by this factor. */
const maxSizeRatio = 1.9;

/** Intersection over union, 0–1. */
export function overlap(a: FractionBox, b: FractionBox): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  return common / (a.width * a.height + b.width * b.height - common);
}

/** The likeliest first; of boxes around the same face only the likeliest. */
export function withoutDoubles(faces: readonly FaceInFrame[]): FaceInFrame[] {
  const kept: FaceInFrame[] = [];
  for (const face of faces.toSorted((a, b) => b.confidence - a.confidence)) {
    if (!kept.some((other) => overlap(other.box, face.box) > doubleOverlap)) kept.push(face);
  }
  return kept;
}

/** Distance of the centres in face sizes, so that far and near faces are judged alike. */
function distance(a: FractionBox, b: FractionBox): number {
  const x = a.x + a.width / 2 - b.x - b.width / 2;
  const y = a.y + a.height / 2 - b.y - b.height / 2;
  return Math.hypot((2 * x) / (a.width + b.width), (2 * y) / (a.height + b.height));
}

function sizeRatio(a: FractionBox, b: FractionBox): number {
  const ratio = Math.sqrt((a.width * a.height) / (b.width * b.height));
  return Math.max(ratio, 1 / ratio);
}

/** How far, in face sizes, a face may be from where it is expected; somebody walking makes 1.5 in 200 ms. */
function reach(unseenMs: number): number {
  return Math.min(3, 1 + unseenMs / 250);
}

function predicted({ box, velocity, lastSeen }: MovingFace, at: number): FractionBox {
  if (velocity === null) return box;
  const ahead = Math.min(maxPredictionMs, at - lastSeen);
  return { ...box, x: box.x + velocity.x * ahead, y: box.y + velocity.y * ahead };
}

/** 0 for the same place and size, ≥ 1 when it cannot be the same person. */
function unlikeness(known: MovingFace, expected: FractionBox, box: FractionBox, at: number): number {
  if (sizeRatio(known.box, box) > maxSizeRatio) return 1;
  // A walker who stopped is where they were last seen; still, going on is the likelier.
  const away = Math.min(distance(expected, box), 1.3 * distance(known.box, box));
  const limit = reach(at - known.lastSeen);
  if (away >= limit) return 1;
  return 0.8 * (away / limit) ** 2 + 0.2 * (1 - overlap(expected, box));
}

/** @returns for each face the one it continues, or undefined for a new one. */
export function matchFaces<Known extends MovingFace>(
  known: readonly Known[],
  faces: readonly FaceInFrame[],
  at: number,
): (Known | undefined)[] {
  const expected = known.map((one) => predicted(one, at));
  const faceOf = assign(
    known.length,
    faces.length,
    (row, column) => unlikeness(known[row]!, expected[row]!, faces[column]!.box, at),
    1,
  );
  const result = new Array<Known | undefined>(faces.length).fill(undefined);
  faceOf.forEach((face, index) => {
    if (face >= 0) result[face] = known[index];
  });
  return result;
}

/** Notes a sighting and learns the velocity from it, smoothed against the jitter of boxes. */
export function moveTo(known: MovingFace, box: FractionBox, at: number): void {
  const elapsed = at - known.lastSeen;
  if (elapsed > 0) {
    const x = (box.x + box.width / 2 - known.box.x - known.box.width / 2) / elapsed;
    const y = (box.y + box.height / 2 - known.box.y - known.box.height / 2) / elapsed;
    const before = known.velocity;
    known.velocity = before === null ? { x, y } : { x: (before.x + x) / 2, y: (before.y + y) / 2 };
  }
  known.box = box;
  known.lastSeen = at;
}
