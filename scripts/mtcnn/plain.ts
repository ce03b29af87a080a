// MTCNN as it was published, layer by layer, one ONNX node each: the yardstick for the optimised networks.
// Nothing here is tuned; only tests and benchmarks build it.

import { GraphBuilder } from './onnx.ts';
import type { Dense, Weights } from './weights.ts';

class PlainBuilder {
  readonly graph = new GraphBuilder();
  readonly weights: Weights;

  constructor(weights: Weights) {
    this.weights = weights;
  }

  convolution(name: string, input: string): string {
    const c = this.weights.convolution(name);
    const shape = [c.outputs, c.inputs, c.kernel, c.kernel];
    return this.graph.op('Conv', [
      input,
      this.graph.constant(c.weights, shape),
      this.graph.constant(c.bias, [c.outputs]),
    ]);
  }

  prelu(name: string, input: string, picture: boolean): string {
    const alpha = this.weights.alpha(name);
    const shape = picture ? [alpha.length, 1, 1] : [alpha.length];
    return this.graph.op('PRelu', [input, this.graph.constant(alpha, shape)]);
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

  flatten(input: string): string {
    return this.graph.op('Flatten', [input]);
  }

  /** The `fc2_*` heads of R-Net and O-Net. */
  heads(
    network: string,
    input: string,
    heads: ReadonlyArray<readonly [layer: string, output: string]>,
  ): void {
    for (const [name, output] of heads) {
      const layer = this.weights.dense(`${network}/${name}`);
      const value = this.dense(layer, input);
      const result = output === 'scores' ? this.graph.op('Softmax', [value], { axis: 1 }) : value;
      this.graph.output(output, result, ['crops', layer.outputs]);
    }
  }
}

/** Input [1, 3, height, width], normalised; outputs `scores` [1, 2, h, w] (no face, face) and `regions` [1, 4, h, w]. */
export function plainPNet(weights: Weights): Uint8Array {
  const b = new PlainBuilder(weights);
  let x = b.graph.input('picture', [1, 3, 'height', 'width']);
  x = b.prelu('pnet/prelu1', b.convolution('pnet/conv1', x), true);
  x = b.pool(2, true, x);
  x = b.prelu('pnet/prelu2', b.convolution('pnet/conv2', x), true);
  x = b.prelu('pnet/prelu3', b.convolution('pnet/conv3', x), true);
  const scores = b.graph.op('Softmax', [b.convolution('pnet/conv4_1', x)], { axis: 1 });
  b.graph.output('scores', scores, [1, 2, 'rows', 'columns']);
  b.graph.output('regions', b.convolution('pnet/conv4_2', x), [1, 4, 'rows', 'columns']);
  return b.graph.model('plain P-Net', 'MTCNN proposal network, layer by layer');
}

/** Input [crops, 3, 24, 24], normalised; outputs `scores` [crops, 2] and `regions` [crops, 4]. */
export function plainRNet(weights: Weights): Uint8Array {
  const b = new PlainBuilder(weights);
  let x = b.graph.input('picture', ['crops', 3, 24, 24]);
  x = b.pool(3, true, b.prelu('rnet/prelu1', b.convolution('rnet/conv1', x), true));
  x = b.pool(3, false, b.prelu('rnet/prelu2', b.convolution('rnet/conv2', x), true));
  x = b.prelu('rnet/prelu3', b.convolution('rnet/conv3', x), true);
  x = b.prelu('rnet/prelu4', b.dense(weights.denseAfterPicture('rnet/fc1', 3), b.flatten(x)), false);
  b.heads('rnet', x, [
    ['fc2_1', 'scores'],
    ['fc2_2', 'regions'],
  ]);
  return b.graph.model('plain R-Net', 'MTCNN refinement network, layer by layer');
}

/** Input [crops, 3, 48, 48], normalised; outputs `scores` [crops, 2], `regions` [crops, 4], `points` [crops, 10]. */
export function plainONet(weights: Weights): Uint8Array {
  const b = new PlainBuilder(weights);
  let x = b.graph.input('picture', ['crops', 3, 48, 48]);
  x = b.pool(3, true, b.prelu('onet/prelu1', b.convolution('onet/conv1', x), true));
  x = b.pool(3, false, b.prelu('onet/prelu2', b.convolution('onet/conv2', x), true));
  x = b.pool(2, true, b.prelu('onet/prelu3', b.convolution('onet/conv3', x), true));
  x = b.prelu('onet/prelu4', b.convolution('onet/conv4', x), true);
  x = b.prelu('onet/prelu5', b.dense(weights.denseAfterPicture('onet/fc1', 3), b.flatten(x)), false);
  b.heads('onet', x, [
    ['fc2_1', 'scores'],
    ['fc2_2', 'regions'],
    ['fc2_3', 'points'],
  ]);
  return b.graph.model('plain O-Net', 'MTCNN output network, layer by layer');
}
