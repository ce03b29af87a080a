// A picture in memory and its halved copies, from which the networks are shown parts: bilinear samples in float planes.
// Values stay 0–255: the first convolution of each network has the normalisation folded in.

/** RGB8, rows × columns × 3, no padding between rows. */
export interface Frame {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** @throws RangeError when the bytes are not width × height × 3. */
export function checkFrame({ rgb, width, height }: Frame): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1)
    throw new RangeError(`A frame of ${width}×${height} pixels cannot be searched for faces.`);
  if (rgb.length !== width * height * 3)
    throw new RangeError(`A frame of ${width}×${height} has ${width * height * 3} bytes, not ${rgb.length}.`);
}

/** Each pixel of `to` is the mean of 2×2 of `from`; an odd last row or column is left out. */
function halve(from: Frame, to: Frame): void {
  const source = from.rgb;
  const target = to.rgb;
  const pitch = from.width * 3;
  for (let y = 0, at = 0; y < to.height; y++) {
    let a = 2 * y * pitch;
    let b = a + pitch;
    for (let x = 0; x < to.width; x++, a += 6, b += 6, at += 3) {
      target[at] = (source[a]! + source[a + 3]! + source[b]! + source[b + 3]! + 2) >> 2;
      target[at + 1] = (source[a + 1]! + source[a + 4]! + source[b + 1]! + source[b + 4]! + 2) >> 2;
      target[at + 2] = (source[a + 2]! + source[a + 5]! + source[b + 2]! + source[b + 5]! + 2) >> 2;
    }
  }
}

/**
 * A frame and its copies at 1/2, 1/4, … of its sides, made when first asked for. Sampling a copy that is at most
 * twice too large sees every pixel; sampling the frame itself would skip most and give noise for detail.
 * Keeps its memory between frames of one size: one user at a time.
 */
export class Mipmap {
  readonly width: number;
  readonly height: number;
  readonly #levels: Frame[] = [];
  #made = 0;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  /** Forgets the previous frame. `frame` must have this mipmap's size and stay unchanged while it is sampled. */
  load(frame: Frame): void {
    this.#levels[0] = frame;
    this.#made = 1;
  }

  /** The largest halving that leaves at least one pixel for each of the samples, `scale` frame pixels apart. */
  levelFor(scale: number): number {
    const smallest = Math.floor(Math.log2(Math.min(this.width, this.height)));
    return Math.max(0, Math.min(Math.floor(Math.log2(scale)), smallest));
  }

  /** The frame at 2^−level of its sides. */
  level(level: number): Frame {
    while (this.#made <= level) {
      const from = this.#levels[this.#made - 1]!;
      const width = from.width >> 1;
      const height = from.height >> 1;
      const to = this.#levels[this.#made] ?? { rgb: new Uint8Array(width * height * 3), width, height };
      this.#levels[this.#made] = to;
      halve(from, to);
      this.#made++;
    }
    return this.#levels[level]!;
  }
}

/** Where samples fall along one axis: byte offsets of two neighbours and the weight of the second. */
export class Taps {
  readonly near: Int32Array;
  readonly far: Int32Array;
  readonly weight: Float32Array;

  constructor(size: number) {
    this.near = new Int32Array(size);
    this.far = new Int32Array(size);
    this.weight = new Float32Array(size);
  }

  /**
   * Spreads the samples evenly over [from, to) of an axis that reaches from 0 to `extent` and has `pixels` pixels,
   * `stride` bytes apart. Samples outside are marked by `near` −1; inside, the edge pixel stands for a missing one.
   */
  spread(from: number, to: number, extent: number, pixels: number, stride: number): void {
    const size = this.near.length;
    const step = (to - from) / size;
    for (let i = 0; i < size; i++) {
      const centre = from + (i + 0.5) * step;
      if (centre < 0 || centre >= extent) {
        this.near[i] = -1;
        continue;
      }
      const position = Math.min(Math.max(centre - 0.5, 0), pixels - 1);
      const near = Math.floor(position);
      this.near[i] = near * stride;
      this.far[i] = Math.min(near + 1, pixels - 1) * stride;
      this.weight[i] = position - near;
    }
  }
}

/** Three float planes of which a part is written: `offset` is the part's first value in the first plane. */
export interface Planes {
  readonly values: Float32Array;
  readonly offset: number;
  /** Values from row to row, and from plane to plane. */
  readonly pitch: number;
  readonly plane: number;
}

/** What lies outside the frame: the middle of the range, 0 after normalisation. */
const OUTSIDE = 127.5;

/** Writes every crossing of `columns` and `rows` as red, green and blue, 0–255. */
export function sample(rgb: Uint8Array, columns: Taps, rows: Taps, planes: Planes): void {
  const { values, offset, pitch, plane } = planes;
  const width = columns.near.length;
  const height = rows.near.length;
  for (let y = 0; y < height; y++) {
    const top = rows.near[y]!;
    const bottom = rows.far[y]!;
    const down = rows.weight[y]!;
    let at = offset + y * pitch;
    for (let x = 0; x < width; x++, at++) {
      const left = columns.near[x]!;
      if (top < 0 || left < 0) {
        values[at] = OUTSIDE;
        values[at + plane] = OUTSIDE;
        values[at + 2 * plane] = OUTSIDE;
        continue;
      }
      const right = columns.far[x]!;
      const across = columns.weight[x]!;
      const a = top + left;
      const b = top + right;
      const c = bottom + left;
      const d = bottom + right;
      const wd = across * down;
      const wb = across - wd;
      const wc = down - wd;
      const wa = 1 - across - wc;
      values[at] = rgb[a]! * wa + rgb[b]! * wb + rgb[c]! * wc + rgb[d]! * wd;
      values[at + plane] = rgb[a + 1]! * wa + rgb[b + 1]! * wb + rgb[c + 1]! * wc + rgb[d + 1]! * wd;
      values[at + 2 * plane] = rgb[a + 2]! * wa + rgb[b + 2]! * wb + rgb[c + 2]! * wc + rgb[d + 2]! * wd;
    }
  }
}
