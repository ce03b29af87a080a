// One FFmpeg decoder: access units in, frames out, one at a time and in order.
// Only the three codecs of cameras can be opened. No scaling, no JPEG, no messages.

import {
  AV_CODEC_FLAG_LOW_DELAY,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_MJPEG,
  AVERROR_EAGAIN,
  AVERROR_EINVAL,
  AVERROR_EOF,
} from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet, Rational } from 'node-av/lib';
import type { VideoCodec } from '../../media/access-unit.ts';
import { announcedPixels, maxPixels, maxUnitBytes } from '../limits.ts';
import { clearReorderClaim, inspectH264 } from './reorder.ts';

const codecIds = { h264: AV_CODEC_ID_H264, h265: AV_CODEC_ID_HEVC, mjpeg: AV_CODEC_ID_MJPEG } as const;

/** The decoder refused a unit; what it has begun is void, and it goes on at a keyframe. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export class Decoder {
  readonly #codec: VideoCodec;
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  #bSliceSeen = false;

  private constructor(codec: VideoCodec) {
    this.#codec = codec;
    this.#packet.alloc();
    this.#frame.alloc();
  }

  /** @throws DecodeError when FFmpeg does not open it. */
  static async open(codec: VideoCodec): Promise<Decoder> {
    const decoder = new Decoder(codec);
    const context = decoder.#context;
    const implementation = Codec.findDecoder(codecIds[codec]);
    if (!implementation) throw new DecodeError(`There is no decoder for ${codec}`);
    context.allocContext3(implementation);
    // Cameras are spread over threads already; threads within one decoder would only hold frames back.
    context.threadCount = 1;
    context.setFlags(AV_CODEC_FLAG_LOW_DELAY);
    context.pktTimebase = new Rational(1, 1_000_000);
    context.setOption('max_pixels', String(maxPixels));
    const result = await context.open2(implementation, null);
    if (result < 0) {
      decoder.free();
      throw new DecodeError(`The ${codec} decoder does not open: ${FFmpegError.strerror(result)}`);
    }
    return decoder;
  }

  /**
   * Decodes one access unit. `onFrame` is awaited for each frame that comes out; the frame is the decoder's and is
   * used again afterwards. Its `pts` is the `timestamp` (whole µs) of the unit that it came from.
   * @throws DecodeError
   */
  async decode(data: Uint8Array, timestamp: bigint, onFrame: (frame: Frame) => Promise<void>): Promise<void> {
    if (data.length === 0 || data.length > maxUnitBytes) {
      throw new DecodeError(`An access unit of ${data.length} bytes`);
    }
    // Before the decoder sees it; what its own reading of the headers finds beyond that is refused by `max_pixels`.
    if (announcedPixels(this.#codec, data) > maxPixels) throw tooLarge();
    const bytes = this.#codec === 'h264' ? this.#withoutFalseReordering(data) : data;
    const packet = this.#packet;
    packet.data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    packet.pts = timestamp;
    packet.dts = timestamp;
    // The work is done here, off the event loop …
    const result = await this.#context.sendPacket(packet);
    packet.unref();
    if (result < 0) throw this.#refusal(result);
    // … so that fetching the finished frame takes microseconds and is worth no thread.
    for (;;) {
      const received = this.#context.receiveFrameSync(this.#frame);
      if (received === AVERROR_EAGAIN || received === AVERROR_EOF) return;
      if (received < 0) throw this.#refusal(received);
      try {
        await onFrame(this.#frame);
      } finally {
        this.#frame.unref();
      }
    }
  }

  /** Forgets everything decoded: the next unit must be a keyframe. */
  reset(): void {
    this.#context.flushBuffers();
  }

  /** Gives the native memory back. Not while `decode` runs. */
  free(): void {
    this.#frame.free();
    this.#packet.free();
    this.#context.freeContext();
  }

  /**
   * Many cameras say in their SPS that pictures may be reordered and never send a B-frame; the decoder then holds every
   * picture back by one. The claim is cleared until a B-frame is really seen; FFmpeg adapts by itself to the first
   * ones, and has the camera's word again from the next keyframe on.
   */
  #withoutFalseReordering(data: Uint8Array): Uint8Array {
    if (this.#bSliceSeen) return data;
    const { bSlice, sps } = inspectH264(data);
    this.#bSliceSeen = bSlice;
    return sps.length > 0 ? clearReorderClaim(data, sps) : data;
  }

  #refusal(code: number): DecodeError {
    if (code === AVERROR_EINVAL) return tooLarge();
    return new DecodeError(`The video cannot be decoded: ${FFmpegError.strerror(code)}`);
  }
}

function tooLarge(): DecodeError {
  return new DecodeError(`The picture size is not one that can be shown (at most ${maxPixels} pixels)`);
}
