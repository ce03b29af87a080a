// Test material: a test card and access units made from it by real encoders, and an independent way back to RGB.
// For tests and benchmarks only; the worker never imports it. The colour arithmetic is written out, so that no scaler judges itself.

import {
  AV_CODEC_FLAG_QSCALE,
  AV_CODEC_ID_MJPEG,
  AV_LOG_QUIET,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUVJ420P,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_UNSPECIFIED,
  FF_ENCODER_LIBX264,
  FF_ENCODER_LIBX265,
  FF_ENCODER_MJPEG,
} from 'node-av/constants';
import { Codec, CodecContext, Frame, Log, Packet, Rational } from 'node-av/lib';
import type { AccessUnit, VideoCodec } from '../../media/access-unit.ts';

Log.setLevel(AV_LOG_QUIET);

/** RGB8, rows × columns × 3. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface ClipOptions {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Default 15. */
  readonly fps?: number;
  /** Frames from one keyframe to the next; default 15. */
  readonly gop?: number;
  readonly bFrames?: number;
  /** How RGB is made YUV and what the stream is tagged with; 'untagged709' says nothing. Default 'bt601'. */
  readonly colours?: 'bt601' | 'bt709' | 'untagged709';
  /** Width : height of one pixel, × 1/height. Default 1:1. */
  readonly pixelAspect?: readonly [number, number];
  /** Further options of the encoder's own, such as x264-params. */
  readonly encoder?: Record<string, string>;
  /** First timestamp, µs. */
  readonly start?: number;
}

const bars: readonly (readonly [number, number, number])[] = [
  [235, 235, 235],
  [235, 235, 16],
  [16, 235, 235],
  [16, 235, 16],
  [235, 16, 235],
  [235, 16, 16],
  [16, 16, 235],
  [16, 16, 16],
];

/** Colour bars above, grey and colour gradients below, and a square that moves with `frame`. */
export function testCard(width: number, height: number, frame = 0): RgbImage {
  const data = new Uint8Array(width * height * 3);
  const barWidth = Math.ceil(width / bars.length / 16) * 16;
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 3) {
      const across = Math.round((x / (width - 1)) * 255);
      const down = Math.round((y / (height - 1)) * 255);
      const bar = bars[Math.min(bars.length - 1, Math.floor(x / barWidth))]!;
      const [r, g, b] =
        y < height / 2 ? bar : y < height * 0.75 ? [across, across, across] : [across, 255 - across, down];
      data[at] = r!;
      data[at + 1] = g!;
      data[at + 2] = b!;
    }
  }
  drawSquare(data, width, (frame * 4) % (width - 32), Math.floor(height / 2) & ~15);
  return { width, height, data };
}

function drawSquare(data: Uint8Array, width: number, left: number, top: number): void {
  for (let y = top; y < top + 32; y += 1) {
    const start = (y * width + left) * 3;
    data.fill(200, start, start + 32 * 3);
  }
}

/** ITU-R BT.601 and BT.709: the shares of red and blue in luma. */
const luma = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722] } as const;

/** RGB to planar YUV 4:2:0 in one buffer, chroma averaged over 2×2. */
function toYuv(image: RgbImage, matrix: 'bt601' | 'bt709', full: boolean): Buffer {
  const { width, height, data } = image;
  const [kr, kb] = luma[matrix];
  const [lumaScale, chromaScale, offset] = full ? [1, 1, 0] : [219 / 255, 224 / 255, 16];
  const out = Buffer.alloc((width * height * 3) / 2);
  const chroma = (width * height) / 4;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      let cb = 0;
      let cr = 0;
      for (const [px, py] of [
        [x, y],
        [x + 1, y],
        [x, y + 1],
        [x + 1, y + 1],
      ] as const) {
        const at = (py * width + px) * 3;
        const [r, g, b] = [data[at]!, data[at + 1]!, data[at + 2]!];
        const l = kr * r + (1 - kr - kb) * g + kb * b;
        out[py * width + px] = Math.round(offset + l * lumaScale);
        cb += (b - l) / (2 * (1 - kb)) / 4;
        cr += (r - l) / (2 * (1 - kr)) / 4;
      }
      const at = width * height + (y / 2) * (width / 2) + x / 2;
      out[at] = Math.min(255, Math.round(128 + cb * chromaScale));
      out[at + chroma] = Math.min(255, Math.round(128 + cr * chromaScale));
    }
  }
  return out;
}

/** Encodes the moving test card; every H.264/H.265 keyframe carries its parameter sets. */
export function encodeClip(options: ClipOptions): AccessUnit[] {
  const { codec, width, height, frames, fps = 15, colours = 'bt601', start = 0 } = options;
  const encoder = openEncoder(options);
  const packet = new Packet();
  packet.alloc();
  const units: AccessUnit[] = [];
  const drain = () => {
    while (encoder.receivePacketSync(packet) >= 0) {
      units.push({
        codec,
        data: new Uint8Array(packet.data!),
        keyframe: packet.isKeyframe,
        timestamp: start + Math.round((Number(packet.pts) * 1_000_000) / fps),
        receivedAt: performance.now(),
        lossBefore: false,
      });
      packet.unref();
    }
  };
  const [num, den] = options.pixelAspect ?? [1, 1];
  for (let index = 0; index < frames; index += 1) {
    const yuv = toYuv(
      testCard(width, height, index),
      colours === 'bt601' ? 'bt601' : 'bt709',
      codec === 'mjpeg',
    );
    using frame = Frame.fromVideoBuffer(yuv, {
      width,
      height,
      format: codec === 'mjpeg' ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P,
      timeBase: { num: 1, den: fps },
      sampleAspectRatio: { num, den },
      pts: BigInt(index),
    });
    frame.quality = 2 * 118;
    encoder.sendFrameSync(frame);
    drain();
  }
  encoder.sendFrameSync(null);
  drain();
  packet.free();
  encoder.freeContext();
  return units;
}

function openEncoder(options: ClipOptions): CodecContext {
  const { codec, width, height, fps = 15, gop = 15, bFrames = 0, colours = 'bt601' } = options;
  const name = { h264: FF_ENCODER_LIBX264, h265: FF_ENCODER_LIBX265, mjpeg: FF_ENCODER_MJPEG }[codec];
  const encoder = Codec.findEncoderByName(name);
  if (!encoder) throw new Error(`No encoder ${name} in this build`);
  const context = new CodecContext();
  context.allocContext3(encoder);
  context.width = width;
  context.height = height;
  context.timeBase = new Rational(1, fps);
  context.framerate = new Rational(fps, 1);
  context.sampleAspectRatio = new Rational(...(options.pixelAspect ?? [1, 1]));
  context.threadCount = 1;
  context.colorSpace =
    colours === 'bt601' ? AVCOL_SPC_BT470BG : colours === 'bt709' ? AVCOL_SPC_BT709 : AVCOL_SPC_UNSPECIFIED;
  if (codec === 'mjpeg') {
    context.pixelFormat = AV_PIX_FMT_YUVJ420P;
    context.colorRange = AVCOL_RANGE_JPEG;
    context.setFlags(AV_CODEC_FLAG_QSCALE);
    context.globalQuality = 2 * 118;
  } else {
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.colorRange = AVCOL_RANGE_MPEG;
    context.gopSize = gop;
    context.maxBFrames = bFrames;
    context.setOption('preset', 'veryfast');
    context.setOption('crf', '12');
    if (codec === 'h265') {
      context.setOption(
        'x265-params',
        `log-level=none:pools=none:frame-threads=1:keyint=${gop}:bframes=${bFrames}:repeat-headers=1`,
      );
    }
  }
  for (const [key, value] of Object.entries(options.encoder ?? {})) context.setOption(key, value);
  const result = context.open2Sync(encoder, null);
  if (result < 0) throw new Error(`The encoder ${name} does not open: ${result}`);
  return context;
}

/** Decodes one JPEG and gives it as a JFIF viewer shows it: BT.601, full range, chroma repeated. */
export function decodeJpeg(jpeg: Uint8Array): RgbImage {
  const context = new CodecContext();
  const decoder = Codec.findDecoder(AV_CODEC_ID_MJPEG)!;
  context.allocContext3(decoder);
  context.threadCount = 1;
  context.open2Sync(decoder, null);
  const packet = new Packet();
  packet.alloc();
  packet.data = Buffer.from(jpeg);
  using frame = new Frame();
  frame.alloc();
  context.sendPacketSync(packet);
  context.sendPacketSync(null);
  const result = context.receiveFrameSync(frame);
  packet.free();
  if (result < 0) throw new Error(`Not a JPEG: ${result}`);
  const { width, height } = frame;
  const yuv = frame.toBuffer();
  context.freeContext();
  const chromaWidth = Math.ceil(width / 2);
  const cbAt = width * height;
  const crAt = cbAt + chromaWidth * Math.ceil(height / 2);
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 3) {
      const chroma = (y >> 1) * chromaWidth + (x >> 1);
      const l = yuv[y * width + x]!;
      const cb = yuv[cbAt + chroma]! - 128;
      const cr = yuv[crAt + chroma]! - 128;
      data[at] = l + 1.402 * cr;
      data[at + 1] = l - 0.344136 * cb - 0.714136 * cr;
      data[at + 2] = l + 1.772 * cb;
    }
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}

/** Peak signal-to-noise ratio over all three colours, dB. The images must have one size. */
export function psnr(a: RgbImage, b: RgbImage): number {
  if (a.width !== b.width || a.height !== b.height) throw new Error('psnr: sizes differ');
  let sum = 0;
  for (let i = 0; i < a.data.length; i += 1) sum += (a.data[i]! - b.data[i]!) ** 2;
  return 10 * Math.log10((255 * 255) / (sum / a.data.length));
}
