// Faces of one channel: which frames go to the detector, and what its answer becomes: fractions and JPEG images.
// The detector itself is detector.ts's; who is who and what is worth storing is decided in the service.

import type { Frame } from 'node-av/lib';
import type { DetectionResult } from '../../detect/mtcnn/thread-client.ts';
import {
  type DetectorState,
  type FaceImages,
  type FaceInFrame,
  type FrameFaces,
  faceInFrame,
} from '../../media/faces.ts';
import { FrameRateLimiter } from '../../media/frame-rate.ts';
import type { ChannelOptions } from '../messages.ts';
import { joinDetector, offerFrame, sustainableInterval } from './detector.ts';
import { JpegMaker } from './jpeg.ts';
import { cutOut, frameOf, type Pixels, RgbMaker, sharpness } from './rgb.ts';

export interface FacesOutput {
  found(found: FrameFaces, images: FaceImages | null): void;
  detector(state: DetectorState, reason: string | null): void;
  failed(message: string): void;
}

/** What is kept of a frame while the detector looks at it. */
interface OfferedFrame {
  readonly timestamp: number;
  readonly receivedAt: number;
  readonly pixels: Pixels;
  /** The decoded frame itself (a reference, no copy): images are made from it, in the camera's own resolution. */
  readonly frame: Frame;
}

/** Images are stored this large at most: enough to recognise somebody, little enough for thousands of visits. */
const largestImage = { width: 1280, height: 720 };
const faceImageSize = { width: 256, height: 256 };
const imageQuality = 88;
/** Surroundings of the face on its image, as a part of the box on each side. */
const margin = 0.35;
/** At most one in the detector's work and one waiting. */
const mostOffered = 2;
/** With more answers waiting for their images, no frame is given to the detector: each keeps a decoded frame. */
const mostReporting = 3;

export class ChannelFaces {
  readonly #channel: number;
  readonly #options: ChannelOptions;
  readonly #output: FacesOutput;
  readonly #limiter: FrameRateLimiter;
  readonly #offered: OfferedFrame[] = [];
  #small: RgbMaker | null = null;
  #large: RgbMaker | null = null;
  #frameJpeg: JpegMaker | null = null;
  #faceJpeg: JpegMaker | null = null;
  #leave: (() => void) | null = null;
  #lastOffer = Number.NEGATIVE_INFINITY;
  #skipped = 0;
  /** Answers whose images are being made or wait for it. */
  #reporting = 0;
  /** Images are made one frame at a time, in order; the makers are freed after the last. */
  #working: Promise<void> = Promise.resolve();
  #freed = false;

  constructor(channel: number, options: ChannelOptions, output: FacesOutput) {
    this.#channel = channel;
    this.#options = options;
    this.#output = output;
    this.#limiter = new FrameRateLimiter(options.faces.fps);
  }

  want(faces: boolean): void {
    if (faces === (this.#leave !== null) || this.#freed) return;
    if (faces) {
      const { faces: options } = this.#options;
      this.#leave = joinDetector(
        this.#channel,
        {
          result: (result) => this.#answered(result),
          state: (state, reason) => this.#output.detector(state, reason),
        },
        options,
      );
      return;
    }
    this.#leave?.();
    this.#leave = null;
    this.#forget(0);
    this.#output.detector('off', null);
  }

  /** Gives a decoded frame to the detector, if one is due. The frame is lent. @throws Error when it cannot be scaled. */
  async offer(
    frame: Frame,
    unit: { readonly timestamp: number; readonly receivedAt: number },
  ): Promise<void> {
    if (!this.#leave || !this.#limiter.take(unit.timestamp)) return;
    const now = performance.now();
    // Under load fewer frames are asked for, before any wait: what is found must be news.
    const behind = this.#reporting >= mostReporting;
    if (behind || now - this.#lastOffer < sustainableInterval() * 0.95) {
      this.#skipped += 1;
      return;
    }
    this.#lastOffer = now;
    this.#small ??= new RgbMaker(this.#options.faces);
    const pixels = await this.#small.make(frame);
    const kept = frame.clone();
    if (!kept || !this.#leave) {
      kept?.free();
      return;
    }
    if (this.#offered.length >= mostOffered) this.#drop(this.#offered.length - 1);
    const { timestamp, receivedAt } = unit;
    this.#offered.push({ timestamp, receivedAt, pixels, frame: kept });
    const { width, height, data } = pixels;
    offerFrame({ channel: this.#channel, rgb: data, width, height, timestamp });
  }

  /** Not while `offer` runs. Native memory goes when the last images are made. */
  free(): void {
    this.#freed = true;
    this.#leave?.();
    this.#leave = null;
    this.#forget(0);
    void this.#working.then(() => {
      this.#small?.free();
      this.#large?.free();
      this.#frameJpeg?.free();
      this.#faceJpeg?.free();
    });
  }

  #answered(result: DetectionResult): void {
    const index = this.#offered.findIndex(({ timestamp }) => timestamp === result.timestamp);
    if (index === -1) return;
    // Older ones were passed over: there is no answer to come for them.
    for (let older = index; older > 0; older--) this.#drop(0);
    const offered = this.#offered.shift()!;
    this.#reporting += 1;
    this.#working = this.#working
      .then(() => this.#report(offered, result))
      .catch((error: unknown) => this.#output.failed(`The images of a face: ${(error as Error).message}`))
      .finally(() => {
        this.#reporting -= 1;
        offered.frame.free();
      });
  }

  async #report(offered: OfferedFrame, result: DetectionResult): Promise<void> {
    if (this.#freed) return;
    const { width, height, detectionTime } = result;
    const faces = result.faces.map((face) => describe(face, offered.pixels));
    const images = faces.length === 0 ? null : await this.#images(offered, faces);
    const { timestamp, receivedAt } = offered;
    const found = {
      timestamp,
      receivedAt,
      width,
      height,
      faces,
      detectionTime,
      skipped: this.#skipped,
      waiting: this.#offered.length,
    };
    if (!this.#freed) this.#output.found(found, images);
  }

  async #images({ frame, pixels }: OfferedFrame, faces: readonly FaceInFrame[]): Promise<FaceImages> {
    this.#frameJpeg ??= new JpegMaker({ ...largestImage, quality: imageQuality });
    this.#faceJpeg ??= new JpegMaker({ ...faceImageSize, quality: imageQuality });
    const whole = await this.#frameJpeg.make(frame);
    const source = await this.#detailed(frame, pixels);
    const made: Uint8Array[] = [];
    for (const { box } of faces) {
      const part = frameOf(withSurroundings(source, box));
      try {
        made.push((await this.#faceJpeg.make(part)).data);
      } finally {
        part.free();
      }
    }
    return { frame: whole.data, faces: made };
  }

  /** The pixels that faces are cut from: those of the detector, or larger ones where the camera gives more. */
  async #detailed(frame: Frame, pixels: Pixels): Promise<Pixels> {
    if (frame.width <= pixels.width) return pixels;
    this.#large ??= new RgbMaker(largestImage);
    return this.#large.make(frame);
  }

  #drop(index: number): void {
    const [dropped] = this.#offered.splice(index, 1);
    dropped?.frame.free();
    this.#skipped += 1;
  }

  #forget(left: number): void {
    while (this.#offered.length > left) this.#drop(0);
  }
}

/** With how sharp it is, judged on the detector's own pixels. */
function describe(face: DetectionResult['faces'][number], pixels: Pixels): FaceInFrame {
  const { x, y, width, height } = face.box;
  const left = Math.max(0, Math.floor(x));
  const top = Math.max(0, Math.floor(y));
  const detail = sharpness(pixels, left, top, Math.ceil(x + width) - left, Math.ceil(y + height) - top);
  return faceInFrame(face, pixels.width, pixels.height, detail);
}

/** A square around the face, as far as the picture reaches, with even sides. */
function withSurroundings(pixels: Pixels, box: FaceInFrame['box']): Pixels {
  const side = Math.max(box.width * pixels.width, box.height * pixels.height) * (1 + 2 * margin);
  const middleX = (box.x + box.width / 2) * pixels.width;
  const middleY = (box.y + box.height / 2) * pixels.height;
  const x = Math.max(0, Math.round(middleX - side / 2));
  const y = Math.max(0, Math.round(middleY - side / 2));
  const even = (length: number) => Math.max(2, Math.floor(length / 2) * 2);
  const width = even(Math.min(side, pixels.width - x));
  const height = even(Math.min(side, pixels.height - y));
  return cutOut(
    pixels,
    Math.min(x, pixels.width - width),
    Math.min(y, pixels.height - height),
    width,
    height,
  );
}
