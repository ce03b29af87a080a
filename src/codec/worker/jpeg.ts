// Frames to JPEG: scaled, in the colours that JFIF means (BT.601, full range).
// One maker per channel; contexts are kept while sizes stay.

import {
  AV_CODEC_FLAG_QSCALE,
  AV_CODEC_ID_MJPEG,
  AV_PIX_FMT_YUVJ420P,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_UNSPECIFIED,
} from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet, Rational, SoftwareScaleContext } from 'node-av/lib';
import type { PictureOptions } from '../messages.ts';
import { fitInside } from './fit.ts';

/** FFmpeg's lambda for one step of its quantiser scale (FF_QP2LAMBDA). */
const lambdaPerStep = 118;

/** The box that pictures are fitted into, and libjpeg's quality 1–100. */
export type JpegOptions = Omit<PictureOptions, 'fps'>;

export interface Jpeg {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * FFmpeg's quantiser 1–31 that comes nearest to libjpeg's quality 1–100: libjpeg multiplies its table by 50/q below
 * 50 and by 2 − q/50 above; FFmpeg's table × 15.6/8 has the same mean as libjpeg's.
 */
export function quantiser(quality: number): number {
  const factor = quality < 50 ? 50 / quality : 2 - quality / 50;
  return Math.max(1, Math.min(31, Math.round(15.6 * factor)));
}

/** Untagged video: HD is made in BT.709, smaller sizes in BT.601, as every player assumes. */
export function assumeColours(frame: Frame): void {
  if (frame.colorSpace === AVCOL_SPC_UNSPECIFIED)
    frame.colorSpace = frame.height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_BT470BG;
}

function check(result: number, step: string): void {
  if (result < 0) throw new Error(`${step}: ${FFmpegError.strerror(result)}`);
}

export class JpegMaker {
  readonly #options: JpegOptions;
  readonly #quality: number;
  /** Set up by FFmpeg from the two frames at each call, and again when the source's size, format or colours change. */
  readonly #scaler = new SoftwareScaleContext();
  readonly #scaled = new Frame();
  readonly #packet = new Packet();
  #encoder: CodecContext | null = null;

  constructor(options: JpegOptions) {
    this.#options = options;
    this.#quality = quantiser(options.quality) * lambdaPerStep;
    this.#scaler.allocContext();
    // Averages whole source areas when shrinking: no aliasing, and exact where the ratio is whole.
    this.#scaler.setOption('sws_flags', 'area');
    this.#scaled.alloc();
    this.#packet.alloc();
  }

  /** @throws Error when FFmpeg refuses a step. */
  async make(frame: Frame): Promise<Jpeg> {
    const aspect = frame.sampleAspectRatio;
    const { width, height } = fitInside(frame, aspect.den > 0 ? aspect.num / aspect.den : 1, this.#options);
    const scaled = this.#scaled;
    if (this.#encoder === null || scaled.width !== width || scaled.height !== height) {
      await this.#prepare(width, height);
    }
    assumeColours(frame);
    // The chroma samples stay where they are: moving them by half a pixel to JPEG's place would only blur them.
    scaled.chromaLocation = frame.chromaLocation;
    scaled.colorPrimaries = frame.colorPrimaries;
    scaled.colorTrc = frame.colorTrc;
    check(await this.#scaler.scaleFrame(scaled, frame), 'The picture cannot be scaled');
    const encoder = this.#encoder!;
    check(await encoder.sendFrame(scaled), 'The picture cannot be made a JPEG');
    check(encoder.receivePacketSync(this.#packet), 'The picture cannot be made a JPEG');
    // A copy of its own: the packet's memory goes back to FFmpeg.
    const data = new Uint8Array(this.#packet.data!);
    this.#packet.unref();
    return { data, width, height };
  }

  /** Gives the native memory back. Not while `make` runs. */
  free(): void {
    this.#encoder?.freeContext();
    this.#scaler.freeContext();
    this.#scaled.free();
    this.#packet.free();
  }

  async #prepare(width: number, height: number): Promise<void> {
    const scaled = this.#scaled;
    scaled.unref();
    scaled.width = width;
    scaled.height = height;
    scaled.format = AV_PIX_FMT_YUVJ420P;
    scaled.colorSpace = AVCOL_SPC_BT470BG;
    scaled.colorRange = AVCOL_RANGE_JPEG;
    scaled.quality = this.#quality;
    check(scaled.getBuffer(0), 'No memory for the picture');

    this.#encoder?.freeContext();
    this.#encoder = null;
    const codec = Codec.findEncoder(AV_CODEC_ID_MJPEG);
    if (!codec) throw new Error('There is no JPEG encoder');
    const encoder = new CodecContext();
    encoder.allocContext3(codec);
    encoder.width = width;
    encoder.height = height;
    encoder.pixelFormat = AV_PIX_FMT_YUVJ420P;
    encoder.colorRange = AVCOL_RANGE_JPEG;
    encoder.timeBase = new Rational(1, 1_000_000);
    encoder.threadCount = 1;
    encoder.qMin = 1;
    encoder.setFlags(AV_CODEC_FLAG_QSCALE);
    encoder.globalQuality = this.#quality;
    const result = await encoder.open2(codec, null);
    if (result < 0) encoder.freeContext();
    check(result, 'The JPEG encoder does not open');
    this.#encoder = encoder;
  }
}
