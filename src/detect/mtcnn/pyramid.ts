// The frame at falling sizes, all laid on one sheet, so that one run of P-Net sees every face size.
// Decides sizes and places; runs nothing.

import { type Mipmap, sample, Taps } from './frame.ts';

/** P-Net looks at squares of so many pixels, ... */
export const CELL = 12;
/** ... so many pixels apart. */
export const STRIDE = 2;
/** Each level has so much of the previous one's side: 1/√2, half the area. */
const FACTOR = 0.709;

export interface Level {
  /** Place on the sheet; even, so that P-Net's 2×2 pooling falls as if the level stood alone. */
  readonly x: number;
  readonly y: number;
  /** Size; even, so that no pooling window reaches over the edge. */
  readonly width: number;
  readonly height: number;
  /** Frame pixels per level pixel. */
  readonly scaleX: number;
  readonly scaleY: number;
}

interface SizedLevel {
  readonly width: number;
  readonly height: number;
}

const even = (value: number) => 2 * Math.round(value / 2);

/** Sizes for faces from `minFaceSize` to the whole frame, largest picture first; none for a frame too small. */
function levelSizes(width: number, height: number, minFaceSize: number): SizedLevel[] {
  const sizes: SizedLevel[] = [];
  for (let scale = CELL / minFaceSize; ; scale *= FACTOR) {
    const size = { width: even(width * scale), height: even(height * scale) };
    if (Math.min(size.width, size.height) < CELL) return sizes;
    sizes.push(size);
  }
}

interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly places: ReadonlyArray<{ readonly x: number; readonly y: number }>;
}

/** Lays the sizes out left to right on shelves no wider than `width`, each level on the lowest shelf that has room. */
function layOut(sizes: readonly SizedLevel[], width: number): Sheet {
  // The skyline: for each column pair, the first free row.
  const skyline = new Int32Array(width / 2);
  const places: { x: number; y: number }[] = [];
  for (const size of sizes) {
    let best = { x: 0, y: Number.POSITIVE_INFINITY };
    for (let x = 0; x + size.width <= width; x += 2) {
      let y = 0;
      for (let i = x / 2; i < (x + size.width) / 2; i++) y = Math.max(y, skyline[i]!);
      if (y < best.y) best = { x, y };
    }
    skyline.fill(best.y + size.height, best.x / 2, (best.x + size.width) / 2);
    places.push(best);
  }
  return { width, height: Math.max(0, ...skyline), places };
}

/** The smallest of the sheets whose width is that of the first level, or of the first and another one together. */
function smallestSheet(sizes: readonly SizedLevel[]): Sheet {
  const [first, ...others] = sizes;
  const widths = [0, ...others.map((size) => size.width)].map((extra) => first!.width + extra);
  const sheets = widths.map((width) => layOut(sizes, width));
  return sheets.reduce((a, b) => (b.width * b.height < a.width * a.height ? b : a));
}

/** One frame size's pyramid: made once, drawn for every frame. Holds its sheet's memory: one user at a time. */
export class Pyramid {
  readonly levels: readonly Level[];
  /** Size of the sheet in pixels. */
  readonly width: number;
  readonly height: number;
  /** The sheet: three planes of `height` × `width`, 0–255. What no level covers stays 0. */
  readonly sheet: Float32Array;
  readonly #taps: ReadonlyArray<{ readonly columns: Taps; readonly rows: Taps }>;

  constructor(width: number, height: number, minFaceSize: number) {
    const sizes = levelSizes(width, height, minFaceSize);
    const sheet = sizes.length > 0 ? smallestSheet(sizes) : { width: 0, height: 0, places: [] };
    this.width = sheet.width;
    this.height = sheet.height;
    this.sheet = new Float32Array(3 * sheet.width * sheet.height);
    this.levels = sizes.map((size, index) => ({
      ...size,
      ...sheet.places[index]!,
      scaleX: width / size.width,
      scaleY: height / size.height,
    }));
    this.#taps = sizes.map((size) => ({ columns: new Taps(size.width), rows: new Taps(size.height) }));
  }

  draw(mipmap: Mipmap): void {
    for (const [index, level] of this.levels.entries()) {
      const halvings = mipmap.levelFor(Math.min(level.scaleX, level.scaleY));
      const { rgb, width, height } = mipmap.level(halvings);
      const { columns, rows } = this.#taps[index]!;
      const extentX = mipmap.width / 2 ** halvings;
      const extentY = mipmap.height / 2 ** halvings;
      columns.spread(0, extentX, extentX, width, 3);
      rows.spread(0, extentY, extentY, height, 3 * width);
      sample(rgb, columns, rows, {
        values: this.sheet,
        offset: level.y * this.width + level.x,
        pitch: this.width,
        plane: this.width * this.height,
      });
    }
  }
}
