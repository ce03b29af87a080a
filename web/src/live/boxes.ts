// Where faces are at the time of a picture, from the frames that were analysed: between two of them, or just after the last.
// Pure; drawing is box-layer.ts's.

import type { DetectionsMessage } from './messages.ts';

export type Face = DetectionsMessage['faces'][number];
/** Fractions of the picture. */
export type Box = Face['box'];

export interface PlacedFace {
  readonly track: number;
  readonly confidence: number;
  readonly box: Box;
}

/** Analysed frames that are remembered: more than any player is behind. */
const remembered = 32;
/** Without news for so long a box would stand where nobody is any more, µs. */
const keptForUs = 500_000;
/** One around a face that kept still may stay for so long: detectors of busy machines look seldom, µs. */
const stillKeptForUs = 1_500_000;
/** Frames of one track further apart say nothing about how fast the face moves, µs. */
const longestGapUs = 600_000;
/** How far beyond the last analysed frame a face is taken to move on: farther, and boxes run past people who stop. */
const farthestUs = 200_000;
/** A smaller step, in widths of the box, is taken for the detector's own unrest. */
const unrest = 0.04;

export class FaceMemory {
  #frames: DetectionsMessage[] = [];

  add(frame: DetectionsMessage): void {
    const last = this.#frames.at(-1);
    // The camera's clock began anew.
    if (last && frame.timestamp <= last.timestamp) this.#frames = [];
    this.#frames.push(frame);
    if (this.#frames.length > remembered) this.#frames.shift();
  }

  clear(): void {
    this.#frames = [];
  }

  /** Of the newest analysed frame, µs; null when there is none. */
  get newest(): number | null {
    return this.#frames.at(-1)?.timestamp ?? null;
  }

  /** @param timestamp of the picture, µs. */
  at(timestamp: number): PlacedFace[] {
    let i = this.#frames.length - 1;
    while (i >= 0 && this.#frames[i]!.timestamp > timestamp) i--;
    const before = this.#frames[i];
    if (!before || timestamp - before.timestamp > stillKeptForUs) return [];
    const after = this.#frames[i + 1];
    const old = timestamp - before.timestamp > keptForUs;
    const faces = old ? before.faces.filter((face) => this.#keptStill(face, i)) : before.faces;
    return faces.map((face) => {
      const { track, confidence } = face;
      const box = after
        ? between(face, before.timestamp, after, timestamp)
        : this.#beyond(face, i, timestamp - before.timestamp);
      return { track, confidence, box };
    });
  }

  /** It was in the same place in the frame before this one, not long ago. */
  #keptStill({ track, box }: Face, i: number): boolean {
    const earlier = this.#frames[i - 1];
    if (!earlier || this.#frames[i]!.timestamp - earlier.timestamp > stillKeptForUs) return false;
    const from = earlier.faces.find((face) => face.track === track)?.box;
    return from !== undefined && moved(from, box).still;
  }

  /** As the face last moved. */
  #beyond({ track, box }: Face, i: number, aheadUs: number): Box {
    const earlier = this.#frames[i - 1];
    const from = earlier?.faces.find((face) => face.track === track)?.box;
    const gap = earlier ? this.#frames[i]!.timestamp - earlier.timestamp : Number.POSITIVE_INFINITY;
    if (!from || gap > longestGapUs) return box;
    const { x, y, still } = moved(from, box);
    if (still) return box;
    const share = Math.min(aheadUs, farthestUs) / gap;
    return {
      ...box,
      x: inside(box.x + x * share, box.width),
      y: inside(box.y + y * share, box.height),
    };
  }
}

function between(face: Face, from: number, after: DetectionsMessage, timestamp: number): Box {
  const to = after.faces.find(({ track }) => track === face.track)?.box;
  const gap = after.timestamp - from;
  if (!to || gap > longestGapUs) return face.box;
  const share = (timestamp - from) / gap;
  const { box } = face;
  const mix = (a: number, b: number) => a + (b - a) * share;
  return {
    x: mix(box.x, to.x),
    y: mix(box.y, to.y),
    width: mix(box.width, to.width),
    height: mix(box.height, to.height),
  };
}

/** How far its middle went, in fractions of the picture. */
function moved(from: Box, to: Box): { readonly x: number; readonly y: number; readonly still: boolean } {
  const x = middle(to.x, to.width) - middle(from.x, from.width);
  const y = middle(to.y, to.height) - middle(from.y, from.height);
  return { x, y, still: Math.hypot(x / to.width, y / to.height) < unrest };
}

function middle(from: number, length: number): number {
  return from + length / 2;
}

/** A box does not leave the picture. */
function inside(from: number, length: number): number {
  return Math.max(0, Math.min(from, 1 - length));
}
