// Geometry of candidates: overlap, suppression of doubles, correction by a network, squaring.
// Pure; knows neither networks nor pixels.

/** A possible face: corners in pixels of the frame (x2, y2 outside) and how likely it is, in any rising measure. */
export interface Candidate {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly score: number;
}

export type Overlap = (a: Candidate, b: Candidate) => number;

function intersection(a: Candidate, b: Candidate): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  return width > 0 && height > 0 ? width * height : 0;
}

function area(c: Candidate): number {
  return Math.max(0, c.x2 - c.x1) * Math.max(0, c.y2 - c.y1);
}

/** Intersection over union, 0–1; 0 for empty boxes. */
export function overUnion(a: Candidate, b: Candidate): number {
  const common = intersection(a, b);
  return common === 0 ? 0 : common / (area(a) + area(b) - common);
}

/** Intersection over the smaller box, 0–1: 1 when one contains the other; 0 for empty boxes. */
export function overSmaller(a: Candidate, b: Candidate): number {
  const common = intersection(a, b);
  return common === 0 ? 0 : common / Math.min(area(a), area(b));
}

/**
 * Non-maximum suppression: keeps the likeliest candidate, drops what overlaps it by more than `limit`, and so on.
 * @returns the kept ones, likeliest first; of equals the earlier one comes first.
 */
export function suppress<C extends Candidate>(
  candidates: readonly C[],
  limit: number,
  overlap: Overlap = overUnion,
): C[] {
  const kept: C[] = [];
  for (const candidate of candidates.toSorted((a, b) => b.score - a.score))
    if (!kept.some((other) => overlap(other, candidate) > limit)) kept.push(candidate);
  return kept;
}

/** Moves the corners by a network's correction, given in units of the box's width and height. */
export function corrected(
  c: Candidate,
  dx1: number,
  dy1: number,
  dx2: number,
  dy2: number,
  score: number,
): Candidate {
  const width = c.x2 - c.x1;
  const height = c.y2 - c.y1;
  return {
    x1: c.x1 + dx1 * width,
    y1: c.y1 + dy1 * height,
    x2: c.x2 + dx2 * width,
    y2: c.y2 + dy2 * height,
    score,
  };
}

/** The square around the same centre with the longer side: what the next network is shown. */
export function squared(c: Candidate): Candidate {
  const half = Math.max(c.x2 - c.x1, c.y2 - c.y1) / 2;
  const x = (c.x1 + c.x2) / 2;
  const y = (c.y1 + c.y2) / 2;
  return { x1: x - half, y1: y - half, x2: x + half, y2: y + half, score: c.score };
}
