// The networks the service runs: exact rearrangements of MTCNN that ONNX Runtime's blocked kernels are fast on.
// What is rearranged and what it saves: docs/design/face-detection.md. plain.ts is the yardstick.

import { GraphBuilder } from './onnx.ts';
import type { Convolution, Dense, Weights } from './weights.ts';

/** Channels per block of the blocked layout; with other counts ONNX Runtime falls back to slower kernels. */
const BLOCK = 16;
const padded = (channels: number) => Math.ceil(channels / BLOCK) * BLOCK;

/** Weights [outputs][inputs][kernel][kernel] that can be written to one by one. */
class Filters {
  readonly kernel: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;

  constructor(kernel: number, inputs: number, outputs: number) {
    this.kernel = kernel;
    this.inputs = inputs;
    this.outputs = outputs;
    this.weights = new Float32Array(outputs * inputs * kernel * kernel);
    this.bias = new Float32Array(outputs);
  }

  /** `c` with channels of no weight added: `inputs` in all, and outputs to fill the last block. */
  static paddedFrom(c: Convolution, inputs: number): Filters {
    const filters = new Filters(c.kernel, inputs, padded(c.outputs));
    for (let output = 0; output < c.outputs; output++) filters.copy(c, output, output, 1);
    return filters;
  }

  /** Filter `from` of `c`, times `factor`, becomes filter `to`. */
  copy(c: Convolution, from: number, to: number, factor: number): void {
    const area = this.kernel * this.kernel;
    const filter = c.weights.subarray(from * c.inputs * area, (from + 1) * c.inputs * area);
    this.weights.set(
      filter.map((weight) => weight * factor),
      to * this.inputs * area,
    );
    this.bias[to] = c.bias[from]! * factor;
  }
}

/** (v − 127.5) / 128 moved into the convolution that would see its result: the network takes 0–255. */
function withNormalisation(c: Convolution): Convolution {
  const size = c.inputs * c.kernel * c.kernel;
  const bias = c.bias.map((b, output) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += c.weights[output * size + i]!;
    return b - (127.5 / 128) * sum;
  });
  return { ...c, weights: c.weights.map((w) => w / 128), bias };
}

/** Heads side by side; the two scores become one, the log-odds of a face: all a threshold needs. */
function mergedHeads(scores: Dense, others: readonly Dense[]): Dense {
  const { inputs } = scores;
  const outputs = 1 + others.reduce((sum, head) => sum + head.outputs, 0);
  const weights = new Float32Array(inputs * outputs);
  for (let input = 0; input < inputs; input++) {
    const row = others.flatMap((h) => [...h.weights.subarray(input * h.outputs, (input + 1) * h.outputs)]);
    weights.set([scores.weights[2 * input + 1]! - scores.weights[2 * input]!, ...row], input * outputs);
  }
  const bias = [scores.bias[1]! - scores.bias[0]!, ...others.flatMap((head) => [...head.bias])];
  return { inputs, outputs, weights, bias: Float32Array.from(bias) };
}

class OptimisedBuilder {
  readonly graph = new GraphBuilder();

  convolution(filters: Filters, input: string): string {
    const { kernel, inputs, outputs } = filters;
    const weights = this.graph.constant(filters.weights, [outputs, inputs, kernel, kernel]);
    return this.graph.op('Conv', [input, weights, this.graph.constant(filters.bias, [outputs])]);
  }

  /** Each channel times its factor: a 1×1 convolution per channel, which stays in the blocked layout. */
  scale(factors: Float32Array, input: string): string {
    const weights = this.graph.constant(factors, [factors.length, 1, 1, 1]);
    return this.graph.op('Conv', [input, weights], { group: factors.length });
  }

  /**
   * PRelu without the slow operator. For slopes α ≤ 1 it is max(y, αy) = y + Relu((α − 1)·y); for α > 1 it is
   * min(y, αy) = y − Relu(−(α − 1)·y), the sign given by one more scaling.
   */
  prelu(alpha: Float32Array, input: string): string {
    const factors = new Float32Array(padded(alpha.length));
    factors.set(alpha.map((slope) => -Math.abs(slope - 1)));
    const correction = this.graph.op('Relu', [this.scale(factors, input)]);
    if (alpha.every((slope) => slope <= 1)) return this.graph.op('Add', [correction, input]);
    const signs = new Float32Array(factors.length);
    signs.set(alpha.map((slope) => (slope > 1 ? -1 : 1)));
    return this.graph.op('Add', [this.scale(signs, correction), input]);
  }

  pool(kernel: number, ceil: boolean, input: string): string {
    return this.graph.op('MaxPool', [input], {
      kernel_shape: [kernel, kernel],
      strides: [2, 2],
      ceil_mode: ceil ? 1 : 0,
    });
  }

  dense(layer: Dense, input: string): string {
    const weights = this.graph.constant(layer.weights, [layer.inputs, layer.outputs]);
    return this.graph.op('Gemm', [input, weights, this.graph.constant(layer.bias, [layer.outputs])]);
  }

  densePrelu(alpha: Float32Array, input: string): string {
    const factors = this.graph.constant(
      alpha.map((a) => a - 1),
      [alpha.length],
    );
    const correction = this.graph.op('Relu', [this.graph.op('Mul', [input, factors])]);
    return this.graph.op('Add', [correction, input]);
  }
}

/**
 * P-Net's first layer with the pooling before the activation, on a quarter of the values. A slope in [0, 1] or above
 * keeps the order of values, so that pooling first changes nothing. For a slope below 0 the larger of
 * pool(y) and pool(αy) is taken: αy is a second filter, and 10 + 6 filters fill one block.
 */
function pooledFirstLayer(b: OptimisedBuilder, weights: Weights, input: string): string {
  const c = withNormalisation(weights.convolution('pnet/conv1'));
  const alpha = weights.alpha('pnet/prelu1');
  const filters = Filters.paddedFrom(c, c.inputs);
  const mix = new Filters(1, BLOCK, BLOCK);
  const signs = new Float32Array(BLOCK).fill(1);
  let second = c.outputs;
  for (const [channel, slope] of alpha.entries()) {
    if (slope < 0) {
      filters.copy(c, channel, second, slope);
      mix.weights[channel * BLOCK + channel] = -1;
      mix.weights[channel * BLOCK + second] = 1;
      second++;
    } else {
      mix.weights[channel * BLOCK + channel] = -Math.abs(slope - 1);
      if (slope > 1) signs[channel] = -1;
    }
  }
  const pooled = b.pool(2, true, b.convolution(filters, input));
  const correction = b.graph.op('Relu', [b.convolution(mix, pooled)]);
  return b.graph.op('Add', [b.scale(signs, correction), pooled]);
}

/** Input `picture` [1, 3, height, width], RGB 0–255; output `cells` [1, 5, h, w]: log-odds of a face, x1, y1, x2, y2. */
export function optimisedPNet(weights: Weights): Uint8Array {
  const b = new OptimisedBuilder();
  let x = pooledFirstLayer(b, weights, b.graph.input('picture', [1, 3, 'height', 'width']));
  x = b.convolution(Filters.paddedFrom(weights.convolution('pnet/conv2'), BLOCK), x);
  // The second filters of the first layer end here: conv2 gives them no weight.
  x = b.prelu(weights.alpha('pnet/prelu2'), x);
  x = b.convolution(Filters.paddedFrom(weights.convolution('pnet/conv3'), BLOCK), x);
  x = b.prelu(weights.alpha('pnet/prelu3'), x);
  const heads = mergedHeads(asDense(weights.convolution('pnet/conv4_1')), [
    asDense(weights.convolution('pnet/conv4_2')),
  ]);
  b.graph.output('cells', b.convolution(asConvolution(heads), x), [1, heads.outputs, 'rows', 'columns']);
  return b.graph.model('P-Net', 'MTCNN proposal network, rearranged without changing its results');
}

/** A 1×1 convolution is a dense layer for every pixel; only the order of the weights differs. */
function asDense(c: Convolution): Dense {
  const weights = new Float32Array(c.inputs * c.outputs);
  for (let input = 0; input < c.inputs; input++)
    for (let output = 0; output < c.outputs; output++)
      weights[input * c.outputs + output] = c.weights[output * c.inputs + input]!;
  return { ...c, weights };
}

function asConvolution(d: Dense): Filters {
  const filters = new Filters(1, d.inputs, d.outputs);
  for (let input = 0; input < d.inputs; input++)
    for (let output = 0; output < d.outputs; output++)
      filters.weights[output * d.inputs + input] = d.weights[input * d.outputs + output]!;
  filters.bias.set(d.bias);
  return filters;
}

/** Convolution + PRelu, output padded to whole blocks. */
function layer(
  b: OptimisedBuilder,
  weights: Weights,
  network: string,
  number: number,
  input: string,
): string {
  const c = weights.convolution(`${network}/conv${number}`);
  const filters =
    number === 1
      ? Filters.paddedFrom(withNormalisation(c), c.inputs)
      : Filters.paddedFrom(c, padded(c.inputs));
  return b.prelu(weights.alpha(`${network}/prelu${number}`), b.convolution(filters, input));
}

/** Input `picture` [crops, 3, 24, 24], RGB 0–255; output `faces` [crops, 5]: log-odds of a face, x1, y1, x2, y2. */
export function optimisedRNet(weights: Weights): Uint8Array {
  const b = new OptimisedBuilder();
  let x = b.graph.input('picture', ['crops', 3, 24, 24]);
  x = b.pool(3, true, layer(b, weights, 'rnet', 1, x));
  x = b.pool(3, false, layer(b, weights, 'rnet', 2, x));
  x = b.graph.op('Flatten', [layer(b, weights, 'rnet', 3, x)]);
  x = b.densePrelu(weights.alpha('rnet/prelu4'), b.dense(weights.denseAfterPicture('rnet/fc1', 3), x));
  const heads = mergedHeads(weights.dense('rnet/fc2_1'), [weights.dense('rnet/fc2_2')]);
  b.graph.output('faces', b.dense(heads, x), ['crops', heads.outputs]);
  return b.graph.model('R-Net', 'MTCNN refinement network, rearranged without changing its results');
}

/**
 * Input `picture` [crops, 3, 48, 48], RGB 0–255; output `faces` [crops, 15]: log-odds of a face, x1, y1, x2, y2,
 * the x of the five landmarks, their y.
 */
export function optimisedONet(weights: Weights): Uint8Array {
  const b = new OptimisedBuilder();
  let x = b.graph.input('picture', ['crops', 3, 48, 48]);
  x = b.pool(3, true, layer(b, weights, 'onet', 1, x));
  x = b.pool(3, false, layer(b, weights, 'onet', 2, x));
  x = b.pool(2, true, layer(b, weights, 'onet', 3, x));
  x = b.graph.op('Flatten', [layer(b, weights, 'onet', 4, x)]);
  x = b.densePrelu(weights.alpha('onet/prelu5'), b.dense(weights.denseAfterPicture('onet/fc1', 3), x));
  const heads = mergedHeads(weights.dense('onet/fc2_1'), [
    weights.dense('onet/fc2_2'),
    weights.dense('onet/fc2_3'),
  ]);
  b.graph.output('faces', b.dense(heads, x), ['crops', heads.outputs]);
  return b.graph.model('O-Net', 'MTCNN output network, rearranged without changing its results');
}
