// Frames as RGB8 pixels for the detector, and pixels back into a frame for the JPEG encoder.
// Scaling and colour only; what is done with pixels is in faces.ts.

import { AV_PIX_FMT_RGB24, AVCOL_RANGE_JPEG, AVCOL_SPC_RGB } from 'node-av/constants';
import { FFmpegError, Frame, SoftwareScaleContext } from 'node-av/lib';
import { fitInside, type Size } from './fit.ts';
import { assumeColours } from './jpeg.ts';

/** RGB8, rows × columns × 3. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

function check(result: number, step: string): void {
  if (result < 0) throw new Error(`${step}: ${FFmpegError.strerror(result)}`);
}

/** Scales frames into a box; one per size that is wanted. */
export class RgbMaker {
  readonly #box: Size;
  readonly #scaler = new SoftwareScaleContext();
  readonly #scaled = new Frame();

  constructor(box: Size) {
    this.#box = box;
    this.#scaler.allocContext();
    this.#scaler.setOption('sws_flags', 'area');
    this.#scaled.alloc();
  }

  /** @returns pixels of their own, not lent. @throws Error when FFmpeg refuses. */
  async make(frame: Frame): Promise<Pixels> {
    const aspect = frame.sampleAspectRatio;
    const { width, height } = fitInside(frame, aspect.den > 0 ? aspect.num / aspect.den : 1, this.#box);
    const scaled = this.#scaled;
    if (scaled.width !== width || scaled.height !== height) prepareRgb(scaled, width, height);
    assumeColours(frame);
    check(await this.#scaler.scaleFrame(scaled, frame), 'The picture cannot be scaled for the detector');
    return { width, height, data: packed(scaled) };
  }

  free(): void {
    this.#scaler.freeContext();
    this.#scaled.free();
  }
}

function prepareRgb(frame: Frame, width: number, height: number): void {
  frame.unref();
  frame.width = width;
  frame.height = height;
  frame.format = AV_PIX_FMT_RGB24;
  frame.colorSpace = AVCOL_SPC_RGB;
  frame.colorRange = AVCOL_RANGE_JPEG;
  check(frame.getBuffer(0), 'No memory for the picture');
}

/** Without the bytes that FFmpeg leaves between rows. */
function packed(frame: Frame): Uint8Array {
  const { width, height, linesize } = frame;
  const plane = frame.data![0]!;
  const row = width * 3;
  const stride = linesize[0]!;
  if (stride === row) return new Uint8Array(plane.subarray(0, row * height));
  const data = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) data.set(plane.subarray(y * stride, y * stride + row), y * row);
  return data;
}

/** A frame holding `pixels`; the caller frees it. */
export function frameOf({ width, height, data }: Pixels): Frame {
  const frame = new Frame();
  frame.alloc();
  prepareRgb(frame, width, height);
  const plane = frame.data![0]!;
  const row = width * 3;
  const stride = frame.linesize[0]!;
  for (let y = 0; y < height; y++) plane.set(data.subarray(y * row, (y + 1) * row), y * stride);
  return frame;
}

/** Part of a picture: `x`, `y`, `width`, `height` in whole pixels, inside it. */
export function cutOut(pixels: Pixels, x: number, y: number, width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * pixels.width + x) * 3;
    data.set(pixels.data.subarray(from, from + width * 3), row * width * 3);
  }
  return { width, height, data };
}

/**
 * Variance of the Laplacian of the brightness in a part of a picture: high where edges are sharp, low in blur
 * (Pech-Pacheco et al., ICPR 2000). The part is sampled on at most about 64×64 points, so that size does not decide.
 */
export function sharpness(pixels: Pixels, x: number, y: number, width: number, height: number): number {
  const step = Math.max(1, Math.floor(Math.max(width, height) / 64));
  const { data } = pixels;
  const luma = (px: number, py: number) => {
    const at = (py * pixels.width + px) * 3;
    return 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
  };
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let py = Math.max(1, y); py < Math.min(pixels.height - 1, y + height); py += step) {
    for (let px = Math.max(1, x); px < Math.min(pixels.width - 1, x + width); px += step) {
      const edge =
        luma(px - 1, py) + luma(px + 1, py) + luma(px, py - 1) + luma(px, py + 1) - 4 * luma(px, py);
      sum += edge;
      squares += edge * edge;
      count++;
    }
  }
  if (count === 0) return 1;
  const mean = sum / count;
  // Never 0: it is a factor of the score by which pictures are compared.
  return Math.max(1, squares / count - mean * mean);
}
