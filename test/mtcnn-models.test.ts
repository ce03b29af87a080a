// The committed networks are what the script makes, and a detector refuses anything else.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildModels, modelsFolder, weightsFile } from '../scripts/build-mtcnn.ts';
import { MtcnnDetector } from '../src/detect/mtcnn/detector.ts';

const weights = await readFile(join(modelsFolder, weightsFile));

test('the committed files in models/ are exactly what the build script makes', async () => {
  const files = buildModels(weights);
  expect((await readdir(modelsFolder)).toSorted()).toEqual([...files.keys()].toSorted());
  for (const [name, bytes] of files)
    expect((await readFile(join(modelsFolder, name))).equals(bytes), name).toBe(true);
});

test('weights with a flipped bit are refused', () => {
  const damaged = Uint8Array.from(weights);
  damaged[1000]! ^= 1;
  expect(() => buildModels(damaged)).toThrow('not the expected ones');
});

describe('a detector', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mtcnn-models-'));
    await cp(modelsFolder, folder, { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test.each(['pnet.onnx', 'rnet.onnx', 'onet.onnx', 'SHA256SUMS'])(
    'names %s when it is missing',
    async (file) => {
      await rm(join(folder, file));
      await expect(MtcnnDetector.create({ modelsFolder: folder })).rejects.toThrow(
        `models/${file} is missing`,
      );
    },
  );

  test.each(['pnet.onnx', 'rnet.onnx', 'onet.onnx'])('names %s when one bit of it is wrong', async (file) => {
    const bytes = await readFile(join(folder, file));
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(join(folder, file), bytes);
    await expect(MtcnnDetector.create({ modelsFolder: folder })).rejects.toThrow(`models/${file} is damaged`);
  });
});
