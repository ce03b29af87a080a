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

/** Crops per run: small enough for a layer's values to stay in the processor's second cache. */
const BATCH = 16;

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

async function inBatches(session: InferenceSession, crops: Float32Array, count: number, side: number) {
  const size = 3 * side * side;
  let all = new Float32Array(0);
  for (let from = 0; from < count; from += BATCH) {
    const until = Math.min(from + BATCH, count);
    const batch = crops.subarray(from * size, until * size);
    const { data, dims } = await run(session, batch, [until - from, 3, side, side], 'faces');
    if (until === count && from === 0) return data;
    const row = dims[1] ?? 0;
    if (from === 0) all = new Float32Array(count * row);
    all.set(data, from * row);
  }
  return all;
}

/** P-Net's output for a side of `pixels`: 3×3, pooled by two, 3×3, 3×3. */
const cells = (pixels: number) => (pixels - CELL) / STRIDE + 1;

export class OrtNetworks implements Networks {
  readonly #pnet: InferenceSession;
  readonly #rnet: InferenceSession;
  readonly #onet: InferenceSession;

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
    const { width, height, sheet } = pyramid;
    const { data, dims } = await run(this.#pnet, sheet, [1, 3, height, width], 'cells');
    const [, , rows = 0, columns = 0] = dims;
    return pyramid.levels.map((level) => ({
      columns: cells(level.width),
      rows: cells(level.height),
      offset: (level.y / STRIDE) * columns + level.x / STRIDE,
      pitch: columns,
      plane: rows * columns,
      values: data,
    }));
  }

  refine(crops: Float32Array, count: number): Promise<Float32Array> {
    return inBatches(this.#rnet, crops, count, REFINEMENT_SIDE);
  }

  output(crops: Float32Array, count: number): Promise<Float32Array> {
    return inBatches(this.#onet, crops, count, OUTPUT_SIDE);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pnet.release(), this.#rnet.release(), this.#onet.release()]);
  }
}
