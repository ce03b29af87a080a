// The face detector by itself: an RGB frame in, faces out. Checks what it is given and keeps what a frame size needs.
// Detection blocks the calling thread for milliseconds: a service calls it from thread.ts.

import { Cascade, type CascadeCounts } from './cascade.ts';
import { type DetectionOptions, defaultDetectionOptions, type Face } from './face.ts';
import { checkFrame, type Frame, Mipmap } from './frame.ts';
import { modelsFolder, OrtNetworks } from './networks.ts';
import { CELL, Pyramid } from './pyramid.ts';

export type DetectorOptions = Partial<DetectionOptions> & {
  /** Where pnet.onnx, rnet.onnx, onet.onnx and SHA256SUMS are; those of this package by default. */
  readonly modelsFolder?: string;
};

/** Frame sizes whose pyramid is kept: a worker's cameras rarely have more. About 1 MB each at 640×480 and 40 pixels. */
const KEPT_SIZES = 8;

interface Workspace {
  readonly mipmap: Mipmap;
  readonly pyramid: Pyramid;
}

function checkOptions({ minFaceSize, thresholds, maxCandidates }: DetectionOptions): void {
  if (!Number.isFinite(minFaceSize) || minFaceSize < CELL)
    throw new RangeError(`The smallest face must have at least ${CELL} pixels, not ${minFaceSize}.`);
  if (thresholds.length !== 3 || thresholds.some((t) => !(t > 0 && t < 1)))
    throw new RangeError('The detector’s three thresholds must lie between 0 and 1.');
  if (!Number.isInteger(maxCandidates) || maxCandidates < 1)
    throw new RangeError(`The detector must be allowed at least one candidate, not ${maxCandidates}.`);
}

export class MtcnnDetector {
  readonly #networks: OrtNetworks;
  readonly #cascade: Cascade;
  readonly #minFaceSize: number;
  /** Least recently used first. */
  readonly #workspaces = new Map<string, Workspace>();
  /** Ends when the latest call has: workspaces serve one frame at a time. */
  #latest: Promise<unknown> = Promise.resolve();

  private constructor(networks: OrtNetworks, options: DetectionOptions) {
    this.#networks = networks;
    this.#cascade = new Cascade(networks, options);
    this.#minFaceSize = options.minFaceSize;
  }

  /**
   * Loads the networks (about 30 ms).
   * @throws ModelError naming the file that is missing or damaged. @throws RangeError for options out of range.
   */
  static async create(options: DetectorOptions = {}): Promise<MtcnnDetector> {
    const all = { ...defaultDetectionOptions, ...options };
    checkOptions(all);
    return new MtcnnDetector(await OrtNetworks.load(options.modelsFolder ?? modelsFolder), all);
  }

  /** How much work the latest frame was. */
  get counts(): CascadeCounts {
    return this.#cascade.counts;
  }

  /**
   * @param rgb RGB8, rows × columns × 3; must stay unchanged until the promise is settled.
   * @param width pixels. @param height pixels.
   * @returns faces in pixels of this frame, most confident first; none for a frame smaller than the smallest face.
   * @throws RangeError when the bytes do not fit the size.
   */
  detect(rgb: Uint8Array, width: number, height: number): Promise<Face[]> {
    const result = this.#latest.then(() => this.#detect({ rgb, width, height }));
    this.#latest = result.catch(() => undefined);
    return result;
  }

  async #detect(frame: Frame): Promise<Face[]> {
    checkFrame(frame);
    const { mipmap, pyramid } = this.#workspace(frame.width, frame.height);
    if (pyramid.levels.length === 0) return [];
    mipmap.load(frame);
    return this.#cascade.detect(mipmap, pyramid);
  }

  #workspace(width: number, height: number): Workspace {
    const key = `${width}×${height}`;
    const workspace = this.#workspaces.get(key) ?? {
      mipmap: new Mipmap(width, height),
      pyramid: new Pyramid(width, height, this.#minFaceSize),
    };
    this.#workspaces.delete(key);
    this.#workspaces.set(key, workspace);
    for (const oldest of this.#workspaces.keys()) {
      if (this.#workspaces.size <= KEPT_SIZES) break;
      this.#workspaces.delete(oldest);
    }
    return workspace;
  }

  /** Frees the networks once the frames already given are done. */
  async close(): Promise<void> {
    await this.#latest;
    await this.#networks.close();
  }
}

/** Finds the faces in one picture. Loads the networks for it: for many frames, keep an MtcnnDetector. */
export async function detectFaces(
  rgb: Uint8Array,
  width: number,
  height: number,
  options: DetectorOptions = {},
): Promise<Face[]> {
  const detector = await MtcnnDetector.create(options);
  try {
    return await detector.detect(rgb, width, height);
  } finally {
    await detector.close();
  }
}
