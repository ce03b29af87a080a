// MTCNN's three stages: proposals from the pyramid, refinement, output; each stage asks a network and keeps the best.
// The networks are given, so that the plain and the optimised ones go through the very same steps.

import { type Candidate, corrected, overSmaller, squared, suppress } from './boxes.ts';
import type { DetectionOptions, Face, Landmarks, Point } from './face.ts';
import { type Frame, fillTaps, makeTaps, sample } from './frame.ts';
import { CELL, type Pyramid, STRIDE } from './pyramid.ts';

/** Sides of the crops that the second and third network are shown. */
export const REFINEMENT_SIDE = 24;
export const OUTPUT_SIDE = 48;

/** What P-Net says about a level: rows × columns cells, each a plane index apart. */
export interface Proposals {
  /** Probability of the cell `index`. */
  readonly columns: number;
  readonly rows: number;
  /** Index of the level's first cell, distance between rows, distance between the five planes. */
  readonly offset: number;
  readonly pitch: number;
  readonly plane: number;
  /** Log-odds of a face, then x1, y1, x2, y2. */
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

export const logit = (probability: number) => Math.log(probability / (1 - probability));
const probability = (logOdds: number) => 1 / (1 + Math.exp(-logOdds));

/** The score is the log-odds inside the cascade: it orders candidates where the probability has long been rounded to 1. */
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
  readonly #columns;
  readonly #rows;
  #crops = new Float32Array(0);

  constructor(side: number) {
    this.#side = side;
    this.#columns = makeTaps(side);
    this.#rows = makeTaps(side);
  }

  /** @returns count × 3 × side × side values, valid until the next call. */
  cut({ rgb, width, height }: Frame, squares: readonly Candidate[]): Float32Array {
    const side = this.#side;
    const plane = side * side;
    if (this.#crops.length < squares.length * 3 * plane)
      this.#crops = new Float32Array(squares.length * 3 * plane);
    for (const [index, { x1, y1, x2, y2 }] of squares.entries()) {
      fillTaps(this.#columns, side, x1, x2, width, 3);
      fillTaps(this.#rows, side, y1, y2, height, 3 * width);
      sample(rgb, this.#columns, this.#rows, side, side, this.#crops, index * 3 * plane, side, plane);
    }
    return this.#crops.subarray(0, squares.length * 3 * plane);
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
  return { box: { x: x1, y: y1, width: x2 - x1, height: y2 - y1 }, confidence: probability(score), landmarks };
}

/** Figures of one frame, for benchmarks. */
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
  /** Candidates of the latest frame that the second and third network were asked about. */
  counts: CascadeCounts = { proposed: 0, refined: 0 };

  constructor(networks: Networks, options: DetectionOptions) {
    this.#networks = networks;
    this.#options = options;
    const [proposal, refinement, output] = options.thresholds;
    this.#thresholds = [logit(proposal), logit(refinement), logit(output)];
  }

  /** @returns faces, most confident first. */
  async detect(frame: Frame, pyramid: Pyramid): Promise<Face[]> {
    this.counts = { proposed: 0, refined: 0 };
    const proposed = await this.#propose(frame, pyramid);
    if (proposed.length === 0) return [];
    const refined = await this.#refine(frame, proposed);
    this.counts = { proposed: proposed.length, refined: refined.length };
    if (refined.length === 0) return [];
    const faces = await this.#output(frame, refined);
    return suppress(faces, this.#options.overlap.final, overSmaller).map(toFace);
  }

  async #propose(frame: Frame, pyramid: Pyramid): Promise<Candidate[]> {
    const { overlap, maxCandidates } = this.#options;
    pyramid.draw(frame);
    const levels = await this.#networks.propose(pyramid);
    const best = levels.flatMap((level, index) =>
      suppress(proposalsOfLevel(pyramid, index, level, this.#thresholds[0]), overlap.withinScale),
    );
    return suppress(best, overlap.acrossScales)
      .slice(0, maxCandidates)
      .map((p) => squared(corrected(p, p.dx1, p.dy1, p.dx2, p.dy2, p.score)));
  }

  async #refine(frame: Frame, squares: readonly Candidate[]): Promise<Candidate[]> {
    const values = await this.#networks.refine(this.#refinementCutter.cut(frame, squares), squares.length);
    const found: (Candidate & { index: number })[] = [];
    for (const [index, square] of squares.entries()) {
      const score = values[index * REFINED]!;
      if (score >= this.#thresholds[1]) found.push({ ...square, score, index });
    }
    return suppress(found, this.#options.overlap.afterRefinement).map((c) => {
      const [dx1 = 0, dy1 = 0, dx2 = 0, dy2 = 0] = values.subarray(c.index * REFINED + 1);
      return squared(corrected(c, dx1, dy1, dx2, dy2, c.score));
    });
  }

  async #output(frame: Frame, squares: readonly Candidate[]): Promise<Output[]> {
    const values = await this.#networks.output(this.#outputCutter.cut(frame, squares), squares.length);
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
