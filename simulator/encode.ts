// Encodes pictures into a clip with FFmpeg's encoders, fast and once.
// Knows nothing of scenes or caching (clips.ts) nor of RTP.

import {
  AV_CODEC_FLAG_CLOSED_GOP,
  AV_CODEC_FLAG_QSCALE,
  AV_LOG_ERROR,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUVJ420P,
  AVCOL_PRI_BT709,
  AVCOL_PRI_SMPTE170M,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_SMPTE170M,
  AVCOL_TRC_BT709,
  AVCOL_TRC_SMPTE170M,
  AVERROR_EAGAIN,
  AVERROR_EOF,
} from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Log, Packet, Rational } from 'node-av/lib';
import type { VideoCodec } from '../src/media/access-unit.ts';
import { type Clip, type ClipUnit, parameterSetsOf, tidyUnit } from './clip.ts';
import { matrixFor, rgbToYuv420 } from './yuv.ts';

export interface EncodeOptions {
  readonly codec: VideoCodec;
  /** Even; for MJPEG multiples of 8 up to 2040 (RFC 2435 §3.1). */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Seconds from keyframe to keyframe, default 2. */
  readonly gopSeconds?: number;
  /** Consecutive B-frames, default 0. */
  readonly bFrames?: number;
  /** Constant rate factor for H.264 and H.265 (default 23), quantiser 2–31 for MJPEG (default 4); lower is better. */
  readonly quality?: number;
}

type Frames = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Encodes pictures to a clip; the index of each unit is the number of its picture.
 * @param frames rows × columns × 3, RGB8, all of the size in `options`.
 */
export async function encodeFrames(frames: Frames, options: EncodeOptions): Promise<Clip> {
  const { codec, width, height, fps } = options;
  // x264 writes a page of statistics to the terminal otherwise.
  Log.setLevel(AV_LOG_ERROR);
  using context = createEncoder(options);
  FFmpegError.throwIfError(await context.open2(null, null), `open ${codec} encoder`);
  using packet = new Packet();
  packet.alloc();
  const units: ClipUnit[] = [];
  let index = 0;
  for await (const rgb of frames) {
    const yuv = rgbToYuv420(
      rgb,
      width,
      height,
      codec === 'mjpeg' ? 'bt601' : matrixFor(height),
      codec === 'mjpeg',
    );
    using frame = Frame.fromVideoBuffer(yuv, {
      width,
      height,
      format: context.pixelFormat,
      timeBase: { num: 1, den: fps },
      pts: BigInt(index++),
    });
    frame.colorRange = context.colorRange;
    frame.colorSpace = context.colorSpace;
    FFmpegError.throwIfError(await context.sendFrame(frame), 'encode');
    await drain(context, packet, codec, units);
  }
  FFmpegError.throwIfError(await context.sendFrame(null), 'encode');
  await drain(context, packet, codec, units);
  const parameterSets = codec === 'mjpeg' ? [] : parameterSetsOf(codec, units);
  return { codec, width, height, fps, accessUnits: units, parameterSets };
}

async function drain(
  context: CodecContext,
  packet: Packet,
  codec: VideoCodec,
  units: ClipUnit[],
): Promise<void> {
  for (;;) {
    const result = await context.receivePacket(packet);
    if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return;
    FFmpegError.throwIfError(result, 'encode');
    const data = new Uint8Array(packet.data!);
    const index = Number(packet.pts);
    units.push(codec === 'mjpeg' ? { data, keyframe: true, index } : tidyUnit(codec, data, index));
    packet.unref();
  }
}

/** A configured encoder, not yet opened. */
function createEncoder(options: EncodeOptions): CodecContext {
  const { codec, width, height, fps } = options;
  const name = { h264: 'libx264', h265: 'libx265', mjpeg: 'mjpeg' } as const;
  const encoder = Codec.findEncoderByName(name[codec] as Parameters<typeof Codec.findEncoderByName>[0]);
  if (!encoder) throw new Error(`This FFmpeg has no encoder ${name[codec]}.`);
  const context = new CodecContext();
  context.allocContext3(encoder);
  context.width = width;
  context.height = height;
  context.timeBase = new Rational(1, fps);
  context.framerate = new Rational(fps, 1);
  // One thread keeps a frame in one slice, as cameras send it.
  context.threadCount = 1;
  if (codec === 'mjpeg') configureMjpeg(context, options);
  else configureH26x(context, options);
  return context;
}

function configureMjpeg(context: CodecContext, { quality = 4 }: EncodeOptions): void {
  const lambda = 118; // FF_QP2LAMBDA
  context.pixelFormat = AV_PIX_FMT_YUVJ420P;
  context.colorRange = AVCOL_RANGE_JPEG;
  context.colorSpace = AVCOL_SPC_BT470BG;
  context.setFlags(AV_CODEC_FLAG_QSCALE);
  context.globalQuality = quality * lambda;
  context.qMin = quality;
  context.qMax = quality;
  // RFC 2435 does not carry Huffman tables: only the standard ones can be rebuilt by the receiver.
  FFmpegError.throwIfError(context.setOption('huffman', 'default'), 'set huffman');
}

function configureH26x(context: CodecContext, options: EncodeOptions): void {
  const { codec, fps, height, gopSeconds = 2, bFrames = 0, quality = 23 } = options;
  const hd = matrixFor(height) === 'bt709';
  context.pixelFormat = AV_PIX_FMT_YUV420P;
  context.colorRange = AVCOL_RANGE_MPEG;
  context.colorSpace = hd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  context.colorPrimaries = hd ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
  context.colorTrc = hd ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
  const gop = Math.max(1, Math.round(gopSeconds * fps));
  context.gopSize = gop;
  context.maxBFrames = bFrames;
  // The loop jumps from the last unit to the first: nothing may refer across a keyframe.
  context.setFlags(AV_CODEC_FLAG_CLOSED_GOP);
  const common = `keyint=${gop}:min-keyint=${gop}:scenecut=0:open-gop=0:bframes=${bFrames}:repeat-headers=1`;
  const settings: Record<string, string> =
    codec === 'h264'
      ? {
          preset: 'superfast',
          profile: bFrames > 0 ? 'main' : 'baseline',
          'x264-params': `${common}:rc-lookahead=0:sliced-threads=0:force-cfr=1`,
        }
      : {
          preset: 'ultrafast',
          'x265-params': `${common}:rc-lookahead=${Math.max(bFrames + 1, 5)}:log-level=error:info=0:pools=none:frame-threads=1`,
        };
  settings.crf = String(quality);
  for (const [key, value] of Object.entries(settings))
    FFmpegError.throwIfError(context.setOption(key, value), `set ${key}`);
}
