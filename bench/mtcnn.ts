// Time per frame of the face detector by number of faces and smallest face, beside the plain port and face-api.js.
// Alone: `node bin/launch.mjs bench/mtcnn.ts [--rounds N] [--face-api]`. Compare ratios: they hold on a busy machine too.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { modelsFolder, weightsFile } from '../scripts/build-mtcnn.ts';
import { faceApiMtcnn } from '../scripts/mtcnn/face-api.ts';
import { PlainNetworks } from '../scripts/mtcnn/plain-networks.ts';
import { Weights } from '../scripts/mtcnn/weights.ts';
import { Cascade, type Networks } from '../src/detect/mtcnn/cascade.ts';
import {
  type DetectionOptions,
  defaultDetectionOptions,
  type Face,
  publishedDetectionOptions,
} from '../src/detect/mtcnn/face.ts';
import { type Frame, Mipmap } from '../src/detect/mtcnn/frame.ts';
import { OrtNetworks } from '../src/detect/mtcnn/networks.ts';
import { Pyramid } from '../src/detect/mtcnn/pyramid.ts';
import { picture } from '../test/mtcnn-pictures.ts';

const variants = ['plain', 'optimised', 'service'] as const;
type Variant = (typeof variants)[number];

export interface MtcnnFigure {
  /** Pixels of the frame. */
  readonly minFaceSize: number;
  readonly faces: number;
  /** Processor ms per frame: networks and options as published, the same results optimised, options of the service. */
  readonly ms: Readonly<Record<Variant, number>>;
  /** To `plain`. */
  readonly ratio: { readonly optimised: number; readonly service: number };
  /** Of face-api.js on its CPU backend, when asked for. */
  readonly faceApi?: number;
}

export interface MtcnnBenchOptions {
  readonly rounds?: number;
  /** Fetches face-api.js with `npm pack` and measures it too (about a second per frame). */
  readonly faceApi?: boolean;
}

/** Paints grey over the faces: the same picture with fewer of them. */
function withoutFaces(frame: Frame, faces: readonly Face[]): Frame {
  const rgb = Uint8Array.from(frame.rgb);
  for (const { box } of faces)
    for (let y = Math.max(0, Math.floor(box.y)); y < Math.min(frame.height, box.y + box.height); y++) {
      const from = Math.max(0, Math.floor(box.x));
      const to = Math.min(frame.width, Math.ceil(box.x + box.width));
      rgb.fill(128, (y * frame.width + from) * 3, (y * frame.width + to) * 3);
    }
  return { ...frame, rgb };
}

function detection(networks: Networks, frame: Frame, options: DetectionOptions) {
  const cascade = new Cascade(networks, options);
  const mipmap = new Mipmap(frame.width, frame.height);
  const pyramid = new Pyramid(frame.width, frame.height, options.minFaceSize);
  return () => {
    mipmap.load(frame);
    return cascade.detect(mipmap, pyramid);
  };
}

/** Processor time of this thread, which does all the work, ms: what neighbours do with the processor does not count. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

type Detections = Readonly<Record<Variant, () => Promise<Face[]>>>;

/** Means, not medians or minima: the kernel counts processor time in ticks as long as some of the work. */
async function measure(detections: Detections, rounds: number): Promise<Pick<MtcnnFigure, 'ms' | 'ratio'>> {
  for (const variant of variants) await detections[variant]();
  const ms: Record<Variant, number> = { plain: 0, optimised: 0, service: 0 };
  for (let round = 0; round < rounds; round++)
    for (const variant of variants) ms[variant] += (await timed(detections[variant])) / rounds;
  return { ms, ratio: { optimised: ms.optimised / ms.plain, service: ms.service / ms.plain } };
}

/** Frames of 640×480 or a little less with 0, 1, 4 and 5 faces: photographs, faces painted over where too many. */
async function frames(networks: Networks): Promise<ReadonlyArray<readonly [faces: number, frame: Frame]>> {
  const four = await picture(4);
  const five = await picture(5);
  const found = await detection(networks, four, defaultDetectionOptions)();
  return [
    [0, withoutFaces(four, found)],
    [1, withoutFaces(four, found.slice(1))],
    [4, four],
    [5, five],
  ];
}

/** @returns one figure for each number of faces at 20, 40 and 60 pixels. Takes about 20 s at 20 rounds. */
export async function benchMtcnn({
  rounds = 20,
  faceApi = false,
}: MtcnnBenchOptions = {}): Promise<MtcnnFigure[]> {
  const plain = await PlainNetworks.create(new Weights(await readFile(join(modelsFolder, weightsFile))));
  const optimised = await OrtNetworks.load();
  const other = faceApi ? await faceApiMtcnn() : undefined;
  const figures: MtcnnFigure[] = [];
  for (const minFaceSize of [20, 40, 60]) {
    const published = { ...publishedDetectionOptions, minFaceSize };
    const usual = { ...defaultDetectionOptions, minFaceSize };
    for (const [faces, frame] of await frames(optimised)) {
      const detections: Detections = {
        plain: detection(plain, frame, published),
        optimised: detection(optimised, frame, published),
        service: detection(optimised, frame, usual),
      };
      const figure = { minFaceSize, faces, ...(await measure(detections, rounds)) };
      if (!other) {
        figures.push(figure);
        continue;
      }
      const { rgb, width, height } = frame;
      const times: number[] = [];
      for (let i = 0; i < 3; i++) times.push(await timed(() => other(rgb, width, height, minFaceSize)));
      figures.push({ ...figure, faceApi: times.reduce((sum, ms) => sum + ms) / times.length });
    }
  }
  await Promise.all([plain.close(), optimised.close()]);
  return figures;
}

export function printMtcnn(figures: readonly MtcnnFigure[]): void {
  console.log(
    'Face detection, processor ms per frame of 640×480 on one thread, ratio to the plain port in brackets',
  );
  console.log('smallest  faces  plain    same results     service          face-api.js');
  for (const { minFaceSize, faces, ms, ratio, faceApi } of figures) {
    const fast = (variant: 'optimised' | 'service') =>
      `${ms[variant].toFixed(1).padStart(5)} (${ratio[variant].toFixed(2)})`.padEnd(17);
    const others = faceApi === undefined ? '' : `${faceApi.toFixed(0)} (${(faceApi / ms.plain).toFixed(0)})`;
    console.log(
      `${minFaceSize} px     ${faces}      ${ms.plain.toFixed(1).padStart(5)}    ${fast('optimised')}${fast('service')}${others}`,
    );
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const at = process.argv.indexOf('--rounds');
  const rounds = at < 0 ? 20 : Number(process.argv[at + 1]);
  printMtcnn(await benchMtcnn({ rounds, faceApi: process.argv.includes('--face-api') }));
}
