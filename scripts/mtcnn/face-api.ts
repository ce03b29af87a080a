// The MTCNN of face-api.js (npm package face-api.js 0.22.2) on its own CPU backend, as a yardstick for the benchmark.
// The package is unpacked to a temporary folder for the run; it is no dependency. It wants a canvas: here is the little it uses.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelsFolder, weightsFile } from '../build-mtcnn.ts';

export const FACE_API_PACKAGE = 'face-api.js@0.22.2';

class ImageData {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;

  constructor(data: Uint8ClampedArray, width: number, height: number) {
    this.data = data;
    this.width = width;
    this.height = height;
  }
}

class Canvas {
  width = 0;
  height = 0;
  pixels = new Uint8ClampedArray(0);

  static of(width: number, height: number): Canvas {
    const canvas = new Canvas();
    canvas.width = width;
    canvas.height = height;
    canvas.pixels = new Uint8ClampedArray(width * height * 4);
    return canvas;
  }

  getContext(): Context {
    if (this.pixels.length !== this.width * this.height * 4)
      this.pixels = new Uint8ClampedArray(this.width * this.height * 4);
    return new Context(this);
  }
}

class Context {
  readonly #canvas: Canvas;

  constructor(canvas: Canvas) {
    this.#canvas = canvas;
  }

  getImageData(left: number, top: number, width: number, height: number): ImageData {
    const data = new Uint8ClampedArray(width * height * 4);
    const { pixels, width: pitch, height: rows } = this.#canvas;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [fromX, fromY] = [x + left, y + top];
        if (fromX < 0 || fromY < 0 || fromX >= pitch || fromY >= rows) continue;
        const from = (fromY * pitch + fromX) * 4;
        data.set(pixels.subarray(from, from + 4), (y * width + x) * 4);
      }
    return new ImageData(data, width, height);
  }

  putImageData({ data, width, height }: ImageData): void {
    Object.assign(this.#canvas, { width, height, pixels: data });
  }

  /** Nearest pixel: quicker than what a browser does, in favour of the other side. */
  drawImage(source: Canvas, _x: number, _y: number, width: number, height: number): void {
    const { pixels, width: pitch } = this.#canvas;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const fromX = Math.floor(((x + 0.5) * source.width) / width);
        const fromY = Math.floor(((y + 0.5) * source.height) / height);
        const from = (fromY * source.width + fromX) * 4;
        pixels.set(source.pixels.subarray(from, from + 4), (y * pitch + x) * 4);
      }
  }
}

interface Mtcnn {
  load(weights: Float32Array): Promise<void>;
  forward(canvas: Canvas, options: { minFaceSize: number }): Promise<readonly unknown[]>;
}

interface FaceApi {
  readonly env: { setEnv(env: unknown): void };
  readonly Mtcnn: new () => Mtcnn;
}

function unpack(): FaceApi {
  const folder = mkdtempSync(join(tmpdir(), 'face-api-'));
  try {
    const out = execFileSync('npm', ['pack', FACE_API_PACKAGE, '--json', '--silent'], { cwd: folder });
    const [packed] = JSON.parse(out.toString()) as [{ filename: string }];
    execFileSync('tar', ['xzf', packed.filename], { cwd: folder });
    return createRequire(import.meta.url)(join(folder, 'package/dist/face-api.js')) as FaceApi;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns a function that detects faces in an RGB8 frame with face-api.js and tells how many. */
export async function faceApiMtcnn() {
  const api = unpack();
  class Unused {}
  api.env.setEnv({
    Canvas,
    CanvasRenderingContext2D: Context,
    Image: Unused,
    ImageData,
    Video: Unused,
    createCanvasElement: () => new Canvas(),
    createImageElement: () => new Unused(),
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    readFile: () => Promise.reject(new Error('nothing is read')),
  });
  const network = new api.Mtcnn();
  const bytes = readFileSync(join(modelsFolder, weightsFile));
  await network.load(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));

  return async (rgb: Uint8Array, width: number, height: number, minFaceSize: number): Promise<number> => {
    const canvas = Canvas.of(width, height);
    for (let i = 0, at = 0; i < rgb.length; i += 3, at += 4) {
      canvas.pixels.set(rgb.subarray(i, i + 3), at);
      canvas.pixels[at + 3] = 255;
    }
    return (await network.forward(canvas, { minFaceSize })).length;
  };
}
