// Runs the plain networks the way they are usually run: one P-Net run per level, one batch for all crops.
// For tests and benchmarks only; the service runs src/detect/mtcnn/networks.ts.

import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Networks, Proposals } from '../../src/detect/mtcnn/cascade.ts';
import type { Level, Pyramid } from '../../src/detect/mtcnn/pyramid.ts';
import { plainONet, plainPNet, plainRNet } from './plain.ts';
import type { Weights } from './weights.ts';

const options: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
};

const normalised = (values: Float32Array) => values.map((value) => (value - 127.5) / 128);

async function run(session: InferenceSession, values: Float32Array, dims: readonly number[]) {
  const results = await session.run({ picture: new Tensor('float32', values, dims) });
  return (name: string) => {
    const tensor = results[name];
    if (!(tensor?.data instanceof Float32Array)) throw new Error(`The network gave no ${name}.`);
    return { data: tensor.data, dims: tensor.dims };
  };
}

/** ln(face / no face): the order of the probabilities, also where they have been rounded to 1. */
const logOdds = (no: number, yes: number) => Math.log(yes) - Math.log(no);

function levelPicture({ sheet, width, height }: Pyramid, level: Level): Float32Array {
  const picture = new Float32Array(3 * level.width * level.height);
  for (let plane = 0, to = 0; plane < 3; plane++)
    for (let y = 0; y < level.height; y++, to += level.width) {
      const from = (plane * height + level.y + y) * width + level.x;
      picture.set(sheet.subarray(from, from + level.width), to);
    }
  return picture;
}

export class PlainNetworks implements Networks {
  readonly #pnet: InferenceSession;
  readonly #rnet: InferenceSession;
  readonly #onet: InferenceSession;

  constructor(pnet: InferenceSession, rnet: InferenceSession, onet: InferenceSession) {
    this.#pnet = pnet;
    this.#rnet = rnet;
    this.#onet = onet;
  }

  static async create(weights: Weights): Promise<PlainNetworks> {
    const [pnet, rnet, onet] = await Promise.all([
      InferenceSession.create(plainPNet(weights), options),
      InferenceSession.create(plainRNet(weights), options),
      InferenceSession.create(plainONet(weights), options),
    ]);
    return new PlainNetworks(pnet, rnet, onet);
  }

  async propose(pyramid: Pyramid): Promise<Proposals[]> {
    const all: Proposals[] = [];
    for (const level of pyramid.levels) {
      const picture = normalised(levelPicture(pyramid, level));
      const result = await run(this.#pnet, picture, [1, 3, level.height, level.width]);
      const scores = result('scores');
      const [, , rows = 0, columns = 0] = scores.dims;
      const plane = rows * columns;
      const values = new Float32Array(5 * plane);
      for (let i = 0; i < plane; i++) values[i] = logOdds(scores.data[i]!, scores.data[plane + i]!);
      values.set(result('regions').data, plane);
      all.push({ columns, rows, offset: 0, pitch: columns, plane, values });
    }
    return all;
  }

  async refine(crops: Float32Array, count: number): Promise<Float32Array> {
    const result = await run(this.#rnet, normalised(crops), [count, 3, 24, 24]);
    return joined(count, result('scores').data, [result('regions').data]);
  }

  async output(crops: Float32Array, count: number): Promise<Float32Array> {
    const result = await run(this.#onet, normalised(crops), [count, 3, 48, 48]);
    return joined(count, result('scores').data, [result('regions').data, result('points').data]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pnet.release(), this.#rnet.release(), this.#onet.release()]);
  }
}

function joined(count: number, scores: Float32Array, others: readonly Float32Array[]): Float32Array {
  const size = 1 + others.reduce((sum, other) => sum + other.length / count, 0);
  const rows = new Float32Array(count * size);
  for (let index = 0; index < count; index++) {
    let at = index * size;
    rows[at++] = logOdds(scores[2 * index]!, scores[2 * index + 1]!);
    for (const other of others) {
      const length = other.length / count;
      rows.set(other.subarray(index * length, (index + 1) * length), at);
      at += length;
    }
  }
  return rows;
}
