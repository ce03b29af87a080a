// Loads the three networks from models/ and runs them: the only file of the service that imports onnxruntime-node.
// `run` blocks the thread that calls it for as long as the network takes: see thread.ts.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Networks, OUTPUT_SIDE, type Proposals, REFINEMENT_SIDE } from './cascade.ts';
import { CELL, type Pyramid, STRIDE } from './pyramid.ts';

export const modelsFolder = join(import.meta.dirname, '../../../models');

const FILES = { pnet: 'pnet.onnx', rnet: 'rnet.onnx', onet: 'onet.onnx' } as const;
const CHECKSUMS = 'SHA256SUMS';

/** Pixels of the sheet per run: sixteen float planes of them still fit the second cache (2 MB). */
const STRIP_PIXELS = 32_768;

/** Crops per run, so that a layer's values stay in that cache too; measured: larger and smaller batches are slower. */
const REFINEMENT_BATCH = 8;
const OUTPUT_BATCH = 4;

/** A network file is missing or is not what the build script made. The message names the file. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}

async function readModelFile(folder: string, file: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const reason = code === 'ENOENT' ? 'is missing' : `cannot be read (${code})`;
    throw new ModelError(`The face detector’s file models/${file} ${reason}.`, { cause: error });
  }
}

async function load(folder: string, sums: string, file: string): Promise<InferenceSession> {
  const bytes = await readModelFile(folder, file);
  const sum = createHash('sha256').update(bytes).digest('hex');
  if (!sums.split('\n').includes(`${sum}  ${file}`))
    throw new ModelError(
      `The face detector’s file models/${file} is damaged: its checksum is not the one in models/${CHECKSUMS}.`,
    );
  // One thread: cameras share the processor, and a second thread made times erratic.
  return InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
}

async function run(session: InferenceSession, values: Float32Array, dims: readonly number[], output: string) {
  const results = await session.run({ picture: new Tensor('float32', values, dims) });
  const tensor = results[output];
  if (!(tensor?.data instanceof Float32Array)) throw new ModelError(`A network gave no ${output}.`);
  return { data: tensor.data, dims: tensor.dims };
}

async function inBatches(
  session: InferenceSession,
  crops: Float32Array,
  count: number,
  side: number,
  most: number,
) {
  const size = 3 * side * side;
  let all = new Float32Array(0);
  for (let from = 0; from < count; from += most) {
    const until = Math.min(from + most, count);
    const batch = crops.subarray(from * size, until * size);
    const { data, dims } = await run(session, batch, [until - from, 3, side, side], 'faces');
    if (until === count && from === 0) return data;
    const row = dims[1] ?? 0;
    if (from === 0) all = new Float32Array(count * row);
    all.set(data, from * row);
  }
  return all;
}

/** Cells along a side of `pixels`, an even number: 3×3, pooled by two, 3×3, 3×3. */
const cells = (pixels: number) => (pixels - CELL) / STRIDE + 1;

/**
 * Cuts the sheet into strips that P-Net is shown one after another: the same cells as from the whole, since strips
 * overlap by all that a cell sees beyond its stride, from memory that the processor's cache holds.
 */
function* strips({ width, height }: Pyramid): Generator<{ from: number; height: number }> {
  const overlap = CELL - STRIDE;
  const own = height - overlap;
  const most = Math.max(STRIDE, Math.floor(STRIP_PIXELS / width) - overlap);
  const each = STRIDE * Math.ceil(own / Math.ceil(own / most) / STRIDE);
  for (let from = 0; from < own; from += each) yield { from, height: Math.min(each, own - from) + overlap };
}

export class OrtNetworks implements Networks {
  readonly #pnet: InferenceSession;
  readonly #rnet: InferenceSession;
  readonly #onet: InferenceSession;
  readonly #memory = { cells: new Float32Array(0), strip: new Float32Array(0) };

  constructor(pnet: InferenceSession, rnet: InferenceSession, onet: InferenceSession) {
    this.#pnet = pnet;
    this.#rnet = rnet;
    this.#onet = onet;
  }

  /** @throws ModelError naming the file that is missing or damaged. */
  static async load(folder: string = modelsFolder): Promise<OrtNetworks> {
    const sums = (await readModelFile(folder, CHECKSUMS)).toString('utf8');
    const [pnet, rnet, onet] = await Promise.all([
      load(folder, sums, FILES.pnet),
      load(folder, sums, FILES.rnet),
      load(folder, sums, FILES.onet),
    ]);
    return new OrtNetworks(pnet, rnet, onet);
  }

  async propose(pyramid: Pyramid): Promise<Proposals[]> {
    const columns = cells(pyramid.width);
    const rows = cells(pyramid.height);
    const plane = rows * columns;
    const values = this.#reuse('cells', 5 * plane);
    for (const { from, height } of strips(pyramid)) {
      const picture = this.#strip(pyramid, from, height);
      const { data } = await run(this.#pnet, picture, [1, 3, height, pyramid.width], 'cells');
      const part = cells(height) * columns;
      for (let i = 0; i < 5; i++)
        values.set(data.subarray(i * part, (i + 1) * part), i * plane + (from / STRIDE) * columns);
    }
    return pyramid.levels.map((level) => ({
      columns: cells(level.width),
      rows: cells(level.height),
      offset: (level.y / STRIDE) * columns + level.x / STRIDE,
      pitch: columns,
      plane,
      values,
    }));
  }

  /** Rows `from` to `from + height` of the sheet's three planes, together. */
  #strip({ sheet, width, height: whole }: Pyramid, from: number, height: number): Float32Array {
    if (height === whole) return sheet;
    const picture = this.#reuse('strip', 3 * height * width);
    for (let plane = 0; plane < 3; plane++) {
      const start = (plane * whole + from) * width;
      picture.set(sheet.subarray(start, start + height * width), plane * height * width);
    }
    return picture;
  }

  /** Memory of at least `size` values that the previous frame used for the same. */
  #reuse(name: 'cells' | 'strip', size: number): Float32Array {
    if (this.#memory[name].length < size) this.#memory[name] = new Float32Array(size);
    return this.#memory[name].subarray(0, size);
  }

  refine(crops: Float32Array, count: number): Promise<Float32Array> {
    return inBatches(this.#rnet, crops, count, REFINEMENT_SIDE, REFINEMENT_BATCH);
  }

  output(crops: Float32Array, count: number): Promise<Float32Array> {
    return inBatches(this.#onet, crops, count, OUTPUT_SIDE, OUTPUT_BATCH);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pnet.release(), this.#rnet.release(), this.#onet.release()]);
  }
}
