// MTCNN's three stages: proposals from the pyramid, refinement, output; each stage asks a network and keeps the best.
// The networks are given, so that the plain and the optimised ones go through the very same steps.

import { type Candidate, corrected, overSmaller, squared, suppress } from './boxes.ts';
import type { DetectionOptions, Face, Landmarks, Point } from './face.ts';
import { type Mipmap, type Planes, sample, Taps } from './frame.ts';
import { CELL, type Pyramid, STRIDE } from './pyramid.ts';

/** Sides of the crops that the second and third network are shown. */
export const REFINEMENT_SIDE = 24;
export const OUTPUT_SIDE = 48;

/** What P-Net says about a level of the pyramid, cell by cell. */
export interface Proposals {
  readonly columns: number;
  readonly rows: number;
  /** Index of the level's first value; values from row to row, and from plane to plane. */
  readonly offset: number;
  readonly pitch: number;
  readonly plane: number;
  /** Five planes: log-odds of a face, then x1, y1, x2, y2. */
  readonly values: Float32Array;
}

export interface Networks {
  /** One entry for each level of the drawn pyramid. */
  propose(pyramid: Pyramid): Promise<readonly Proposals[]>;
  /**
   * @param crops count × 3 planes of 24 × 24, 0–255.
   * @returns for each crop 5 values: log-odds of a face, x1, y1, x2, y2.
   */
  refine(crops: Float32Array, count: number): Promise<Float32Array>;
  /**
   * @param crops count × 3 planes of 48 × 48, 0–255.
   * @returns for each crop 15 values: log-odds of a face, x1, y1, x2, y2, five x, five y.
   */
  output(crops: Float32Array, count: number): Promise<Float32Array>;
}

const REFINED = 5;
const FINAL = 15;

const logit = (probability: number) => Math.log(probability / (1 - probability));
const probability = (logOdds: number) => 1 / (1 + Math.exp(-logOdds));

/**
 * A cell and its correction. Inside the cascade scores are log-odds: they still tell candidates apart where
 * probabilities have been rounded to 1.
 */
interface Proposal extends Candidate {
  readonly dx1: number;
  readonly dy1: number;
  readonly dx2: number;
  readonly dy2: number;
}

function proposalsOfLevel(pyramid: Pyramid, index: number, p: Proposals, threshold: number): Proposal[] {
  const { scaleX, scaleY } = pyramid.levels[index]!;
  const found: Proposal[] = [];
  for (let row = 0; row < p.rows; row++)
    for (let column = 0; column < p.columns; column++) {
      const at = p.offset + row * p.pitch + column;
      const score = p.values[at]!;
      if (score < threshold) continue;
      found.push({
        x1: STRIDE * column * scaleX,
        y1: STRIDE * row * scaleY,
        x2: (STRIDE * column + CELL) * scaleX,
        y2: (STRIDE * row + CELL) * scaleY,
        score,
        dx1: p.values[at + p.plane]!,
        dy1: p.values[at + 2 * p.plane]!,
        dx2: p.values[at + 3 * p.plane]!,
        dy2: p.values[at + 4 * p.plane]!,
      });
    }
  return found;
}

/** Cuts squares out of frames into the planes the networks take; keeps its memory between frames. */
class Cutter {
  readonly #side: number;
  readonly #columns: Taps;
  readonly #rows: Taps;
  #crops = new Float32Array(0);

  constructor(side: number) {
    this.#side = side;
    this.#columns = new Taps(side);
    this.#rows = new Taps(side);
  }

  /** @returns count × 3 × side × side values, valid until the next call. */
  cut(mipmap: Mipmap, squares: readonly Candidate[]): Float32Array {
    const plane = this.#side * this.#side;
    if (this.#crops.length < squares.length * 3 * plane)
      this.#crops = new Float32Array(squares.length * 3 * plane);
    for (const [index, square] of squares.entries())
      this.#cutOne(mipmap, square, {
        values: this.#crops,
        offset: index * 3 * plane,
        pitch: this.#side,
        plane,
      });
    return this.#crops.subarray(0, squares.length * 3 * plane);
  }

  #cutOne(mipmap: Mipmap, { x1, y1, x2, y2 }: Candidate, to: Planes): void {
    const halvings = mipmap.levelFor((x2 - x1) / this.#side);
    const { rgb, width, height } = mipmap.level(halvings);
    const shrink = 2 ** -halvings;
    this.#columns.spread(x1 * shrink, x2 * shrink, mipmap.width * shrink, width, 3);
    this.#rows.spread(y1 * shrink, y2 * shrink, mipmap.height * shrink, height, 3 * width);
    sample(rgb, this.#columns, this.#rows, to);
  }
}

function landmarks(square: Candidate, values: Float32Array, at: number): Landmarks {
  const width = square.x2 - square.x1;
  const height = square.y2 - square.y1;
  const point = (index: number): Point => ({
    x: square.x1 + values[at + index]! * width,
    y: square.y1 + values[at + 5 + index]! * height,
  });
  return [point(0), point(1), point(2), point(3), point(4)];
}

interface Output extends Candidate {
  readonly landmarks: Landmarks;
}

function toFace({ x1, y1, x2, y2, score, landmarks }: Output): Face {
  return {
    box: { x: x1, y: y1, width: x2 - x1, height: y2 - y1 },
    confidence: probability(score),
    landmarks,
  };
}

/**
 * The smallest cells are corrected to boxes somewhat smaller than themselves. What these hold is least certain (a head
 * seen from behind passes for a face there), and it is smaller than was asked for.
 */
const isAtLeast =
  (size: number) =>
  ({ box }: Face): boolean =>
    Math.max(box.width, box.height) >= size;

/** How many candidates of a frame the second and the third network were asked about. */
export interface CascadeCounts {
  readonly proposed: number;
  readonly refined: number;
}

export class Cascade {
  readonly #networks: Networks;
  readonly #options: DetectionOptions;
  readonly #thresholds: readonly [number, number, number];
  readonly #refinementCutter = new Cutter(REFINEMENT_SIDE);
  readonly #outputCutter = new Cutter(OUTPUT_SIDE);
  /** Of the latest frame. */
  counts: CascadeCounts = { proposed: 0, refined: 0 };

  constructor(networks: Networks, options: DetectionOptions) {
    this.#networks = networks;
    this.#options = options;
    const [proposal, refinement, output] = options.thresholds;
    this.#thresholds = [logit(proposal), logit(refinement), logit(output)];
  }

  /** @param mipmap loaded with the frame that the pyramid is for. @returns faces, most confident first. */
  async detect(mipmap: Mipmap, pyramid: Pyramid): Promise<Face[]> {
    this.counts = { proposed: 0, refined: 0 };
    const proposed = await this.#propose(mipmap, pyramid);
    if (proposed.length === 0) return [];
    const refined = await this.#refine(mipmap, proposed);
    this.counts = { proposed: proposed.length, refined: refined.length };
    if (refined.length === 0) return [];
    const faces = await this.#output(mipmap, refined);
    const { overlap, minFaceSize } = this.#options;
    return suppress(faces, overlap.faces, overSmaller).map(toFace).filter(isAtLeast(minFaceSize));
  }

  async #propose(mipmap: Mipmap, pyramid: Pyramid): Promise<Candidate[]> {
    const { overlap, maxCandidates } = this.#options;
    pyramid.draw(mipmap);
    const levels = await this.#networks.propose(pyramid);
    const best = levels.flatMap((level, index) =>
      suppress(proposalsOfLevel(pyramid, index, level, this.#thresholds[0]), overlap.withinLevel),
    );
    const boxes = suppress(best, overlap.acrossLevels)
      .slice(0, maxCandidates)
      .map((p) => corrected(p, p.dx1, p.dy1, p.dx2, p.dy2, p.score));
    return suppress(boxes, overlap.proposals).map(squared);
  }

  async #refine(mipmap: Mipmap, squares: readonly Candidate[]): Promise<Candidate[]> {
    const values = await this.#networks.refine(this.#refinementCutter.cut(mipmap, squares), squares.length);
    const found: (Candidate & { index: number })[] = [];
    for (const [index, square] of squares.entries()) {
      const score = values[index * REFINED]!;
      if (score >= this.#thresholds[1]) found.push({ ...square, score, index });
    }
    const { accepted, refined } = this.#options.overlap;
    const boxes = suppress(found, accepted).map((c) => {
      const [dx1 = 0, dy1 = 0, dx2 = 0, dy2 = 0] = values.subarray(c.index * REFINED + 1);
      return corrected(c, dx1, dy1, dx2, dy2, c.score);
    });
    return suppress(boxes, refined).map(squared);
  }

  async #output(mipmap: Mipmap, squares: readonly Candidate[]): Promise<Output[]> {
    const values = await this.#networks.output(this.#outputCutter.cut(mipmap, squares), squares.length);
    const found: Output[] = [];
    for (const [index, square] of squares.entries()) {
      const at = index * FINAL;
      const score = values[at]!;
      if (score < this.#thresholds[2]) continue;
      const [dx1 = 0, dy1 = 0, dx2 = 0, dy2 = 0] = values.subarray(at + 1, at + 5);
      const box = corrected(square, dx1, dy1, dx2, dy2, score);
      found.push({ ...box, landmarks: landmarks(square, values, at + 5) });
    }
    return found;
  }
}
