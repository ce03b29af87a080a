// From RGB8 pictures to the planar 4:2:0 that encoders take, with the colour matrix and range written down.
// Done here and not by a scaler, so that a colour test knows exactly what went in.

/** BT.601 for standard definition and JPEG, BT.709 from 720 lines up: what players assume when nothing is tagged. */
export type Matrix = 'bt601' | 'bt709';

export function matrixFor(height: number): Matrix {
  return height >= 720 ? 'bt709' : 'bt601';
}

/**
 * @param rgb rows × columns × 3, RGB8; width and height even.
 * @param fullRange 0–255 (JPEG) instead of 16–235.
 * @returns planes Y, U, V one behind the other, chroma at half size (mean of 2×2).
 */
export function rgbToYuv420(
  rgb: Uint8Array,
  width: number,
  height: number,
  matrix: Matrix,
  fullRange: boolean,
): Buffer {
  const kr = matrix === 'bt601' ? 0.299 : 0.2126;
  const kb = matrix === 'bt601' ? 0.114 : 0.0722;
  const kg = 1 - kr - kb;
  const scale = fullRange ? 1 : 219 / 255;
  const chromaScale = fullRange ? 1 : 224 / 255;
  const unit = 65536;
  const [yr, yg, yb] = [kr, kg, kb].map((k) => Math.round(k * scale * unit)) as [number, number, number];
  const yOffset = Math.round(((fullRange ? 0 : 16) + 0.5) * unit);
  // Chroma sums four pixels, hence the quarter.
  const u = (chromaScale * unit) / (2 * (1 - kb)) / 4;
  const v = (chromaScale * unit) / (2 * (1 - kr)) / 4;
  const [ur, ug, ub] = [-kr * u, -kg * u, (1 - kb) * u].map(Math.round) as [number, number, number];
  const [vr, vg, vb] = [(1 - kr) * v, -kg * v, -kb * v].map(Math.round) as [number, number, number];
  const chromaOffset = 128.5 * unit;

  const out = Buffer.allocUnsafe(width * height + 2 * (width >> 1) * (height >> 1));
  const stride = width * 3;
  let chroma = width * height;
  const vPlane = (width >> 1) * (height >> 1);
  for (let y = 0; y < height; y += 2) {
    let at = y * stride;
    let luma = y * width;
    for (let x = 0; x < width; x += 2, at += 6, luma += 2) {
      const below = at + stride;
      const r0 = rgb[at]!;
      const g0 = rgb[at + 1]!;
      const b0 = rgb[at + 2]!;
      const r1 = rgb[at + 3]!;
      const g1 = rgb[at + 4]!;
      const b1 = rgb[at + 5]!;
      const r2 = rgb[below]!;
      const g2 = rgb[below + 1]!;
      const b2 = rgb[below + 2]!;
      const r3 = rgb[below + 3]!;
      const g3 = rgb[below + 4]!;
      const b3 = rgb[below + 5]!;
      out[luma] = (yr * r0 + yg * g0 + yb * b0 + yOffset) >> 16;
      out[luma + 1] = (yr * r1 + yg * g1 + yb * b1 + yOffset) >> 16;
      out[luma + width] = (yr * r2 + yg * g2 + yb * b2 + yOffset) >> 16;
      out[luma + width + 1] = (yr * r3 + yg * g3 + yb * b3 + yOffset) >> 16;
      const r = r0 + r1 + r2 + r3;
      const g = g0 + g1 + g2 + g3;
      const b = b0 + b1 + b2 + b3;
      // Full-range chroma of a saturated colour rounds up to 256.
      out[chroma] = Math.min(255, (ur * r + ug * g + ub * b + chromaOffset) >> 16);
      out[chroma + vPlane] = Math.min(255, (vr * r + vg * g + vb * b + chromaOffset) >> 16);
      chroma++;
    }
  }
  return out;
}
