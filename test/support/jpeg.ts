// What a JPEG picture shows: its brightness and the frame counter of a simulated camera.
// For tests and benchmarks; the service decodes in src/codec/worker.

import { AV_CODEC_ID_MJPEG } from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import { readStrip } from '../../simulator/strip.ts';

export interface Luma {
  readonly width: number;
  readonly height: number;
  /** Rows × columns, 8 bits. */
  readonly data: Uint8Array;
}

export class JpegReader implements Disposable {
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();

  constructor() {
    const codec = Codec.findDecoder(AV_CODEC_ID_MJPEG);
    if (!codec) throw new Error('this build of node-av cannot decode JPEG');
    this.#context.allocContext3(codec);
    this.#context.threadCount = 1;
    if (this.#context.open2Sync(codec, null) < 0) throw new Error('the JPEG decoder does not open');
    this.#packet.alloc();
    this.#frame.alloc();
  }

  /** @throws Error for what is no whole JPEG. */
  luma(jpeg: Buffer): Luma {
    this.#packet.data = jpeg;
    if (this.#context.sendPacketSync(this.#packet) < 0) throw new Error('not a JPEG');
    if (this.#context.receiveFrameSync(this.#frame) < 0) throw new Error('no picture in the JPEG');
    const { width, height, linesize } = this.#frame;
    const plane = this.#frame.data?.[0];
    const stride = linesize[0];
    if (!plane || !stride) throw new Error('the decoded JPEG has no brightness');
    const data = new Uint8Array(width * height);
    for (let row = 0; row < height; row++)
      data.set(plane.subarray(row * stride, row * stride + width), row * width);
    return { width, height, data };
  }

  /** The counter drawn by the simulated camera, modulo 2²⁰; null when there is none to be read. */
  counter(jpeg: Buffer): number | null {
    const { data, width, height } = this.luma(jpeg);
    return readStrip(data, width, height);
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#packet.free();
    this.#context.freeContext();
  }
}
