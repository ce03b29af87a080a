// A picture in memory and the ways the networks are shown parts of it: bilinear samples as three float planes.
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

/** Where each of `size` samples falls along one axis: byte offsets of two neighbours and the weight of the second. */
export interface Taps {
  readonly near: Int32Array;
  readonly far: Int32Array;
  readonly weight: Float32Array;
}

/**
 * Taps for `size` samples spread evenly over [from, to) of an axis of `limit` pixels, `stride` bytes apart.
 * A sample whose centre lies outside the frame has `near` −1; others take the edge pixel for a missing neighbour.
 */
export function fillTaps(
  taps: Taps,
  size: number,
  from: number,
  to: number,
  limit: number,
  stride: number,
): void {
  const step = (to - from) / size;
  for (let i = 0; i < size; i++) {
    const centre = from + (i + 0.5) * step;
    if (centre < 0 || centre >= limit) {
      taps.near[i] = -1;
      continue;
    }
    const position = Math.min(Math.max(centre - 0.5, 0), limit - 1);
    const near = Math.floor(position);
    taps.near[i] = near * stride;
    taps.far[i] = Math.min(near + 1, limit - 1) * stride;
    taps.weight[i] = position - near;
  }
}

export function makeTaps(size: number): Taps {
  return { near: new Int32Array(size), far: new Int32Array(size), weight: new Float32Array(size) };
}

/** What lies outside the frame: the middle of the range, 0 after normalisation. */
const OUTSIDE = 127.5;

/**
 * Samples `columns` × `rows` taps into three planes (red, green, blue).
 * @param offset index of the first sample of the first plane in `out`.
 * @param pitch distance between rows in `out`, in values; `plane` between planes.
 */
export function sample(
  rgb: Uint8Array,
  columns: Taps,
  rows: Taps,
  width: number,
  height: number,
  out: Float32Array,
  offset: number,
  pitch: number,
  plane: number,
): void {
  for (let y = 0; y < height; y++) {
    const top = rows.near[y]!;
    const bottom = rows.far[y]!;
    const down = rows.weight[y]!;
    let to = offset + y * pitch;
    for (let x = 0; x < width; x++, to++) {
      const left = columns.near[x]!;
      if (top < 0 || left < 0) {
        out[to] = OUTSIDE;
        out[to + plane] = OUTSIDE;
        out[to + 2 * plane] = OUTSIDE;
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
      out[to] = rgb[a]! * wa + rgb[b]! * wb + rgb[c]! * wc + rgb[d]! * wd;
      out[to + plane] = rgb[a + 1]! * wa + rgb[b + 1]! * wb + rgb[c + 1]! * wc + rgb[d + 1]! * wd;
      out[to + 2 * plane] = rgb[a + 2]! * wa + rgb[b + 2]! * wb + rgb[c + 2]! * wc + rgb[d + 2]! * wd;
    }
  }
}
