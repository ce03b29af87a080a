// One video inside a worker: its units strictly in order through the decoder, its frames to whoever wants them.
// Knows nothing of processes; what it has to say goes through `ChannelOutput`.

import type { Frame } from 'node-av/lib';
import type { VideoCodec } from '../../media/access-unit.ts';
import { FrameRateLimiter } from '../../media/frame-rate.ts';
import type { ChannelOptions, PictureMessage, Wants } from '../messages.ts';
import { Decoder } from './decoder.ts';
import type { ChannelFaces } from './faces.ts';
import { JpegMaker } from './jpeg.ts';

export interface Unit {
  readonly data: Uint8Array;
  readonly keyframe: boolean;
  readonly timestamp: number;
  readonly show: boolean;
  readonly receivedAt: number;
}

export interface ChannelOutput {
  /** Once per unit, in order. @param worked ms spent on it. */
  done(pictures: readonly PictureMessage[], worked: number): void;
  failed(message: string): void;
  /** Runs `work` at its turn: at once, or one at a time with other channels under suspicion. */
  turn(work: () => Promise<void>): Promise<void>;
}

/** With more units than this waiting, frames are decoded but not shown: the newest matters, not each. */
const showBacklog = 4;
/** Units whose frame is still inside the decoder; more than any decoder holds back. */
const maxPending = 64;

export class Channel {
  readonly #codec: VideoCodec;
  readonly #output: ChannelOutput;
  readonly #limiter: FrameRateLimiter;
  readonly #jpeg: JpegMaker;
  readonly #faces: ChannelFaces;
  readonly #queue: Unit[] = [];
  /** By timestamp in whole µs, which the decoder carries from unit to frame. */
  readonly #pending = new Map<bigint, Unit>();
  #decoder: Decoder | null = null;
  #awaitsKeyframe = true;
  #running = false;
  #closed = false;
  #wants: Wants;

  constructor(
    codec: VideoCodec,
    { picture }: ChannelOptions,
    wants: Wants,
    faces: ChannelFaces,
    output: ChannelOutput,
  ) {
    this.#codec = codec;
    this.#output = output;
    this.#wants = wants;
    this.#limiter = new FrameRateLimiter(picture.fps);
    this.#jpeg = new JpegMaker(picture);
    this.#faces = faces;
    faces.want(wants.faces);
  }

  want(wants: Wants): void {
    this.#wants = wants;
    this.#faces.want(wants.faces);
  }

  push(unit: Unit): void {
    this.#queue.push(unit);
    if (!this.#running) void this.#run();
  }

  /** Ends after the unit being worked on; the rest is forgotten. */
  close(): void {
    this.#closed = true;
    if (!this.#running) this.#free();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let unit = this.#queue.shift(); unit && !this.#closed; unit = this.#queue.shift()) {
      const pictures: PictureMessage[] = [];
      const began = performance.now();
      try {
        if (this.#isNeeded(unit)) await this.#process(unit, pictures);
      } catch (error) {
        this.#startOver();
        this.#output.failed((error as Error).message);
      }
      if (!this.#closed) this.#output.done(pictures, performance.now() - began);
    }
    this.#running = false;
    if (this.#closed) this.#free();
  }

  #isNeeded(unit: Unit): boolean {
    if (this.#awaitsKeyframe && !unit.keyframe) return false;
    // No JPEG image depends on another: what will not be shown need not be decoded.
    return this.#codec !== 'mjpeg' || (unit.show && this.#queue.length <= showBacklog);
  }

  async #process(unit: Unit, pictures: PictureMessage[]): Promise<void> {
    const startedAt = performance.now();
    const timestamp = BigInt(Math.round(unit.timestamp));
    this.#decoder ??= await Decoder.open(this.#codec);
    const decoder = this.#decoder;
    this.#remember(timestamp, unit);
    await this.#output.turn(() =>
      decoder.decode(unit.data, timestamp, (frame) => this.#offer(frame, startedAt, pictures)),
    );
    this.#awaitsKeyframe = false;
  }

  /** A decoded frame, to each consumer in turn. It is lent: whoever needs it after the await makes its own copy. */
  async #offer(frame: Frame, startedAt: number, pictures: PictureMessage[]): Promise<void> {
    const unit = this.#pending.get(frame.pts);
    this.#pending.delete(frame.pts);
    if (!unit?.show || this.#closed || this.#queue.length > showBacklog) return;
    const { timestamp, receivedAt } = unit;
    if (this.#wants.pictures && this.#limiter.take(timestamp)) {
      await this.#alone(async () => {
        const jpeg = await this.#jpeg.make(frame);
        pictures.push({ ...jpeg, timestamp, receivedAt, processingTime: performance.now() - startedAt });
      });
    }
    // After the picture, which somebody watches; the detector works beside it, in its own thread.
    if (this.#wants.faces && !this.#closed) await this.#alone(() => this.#faces.offer(frame, unit));
  }

  /** A consumer that fails costs the others nothing, and the decoder, whose frame is fine, goes on. */
  async #alone(consume: () => Promise<void>): Promise<void> {
    try {
      await consume();
    } catch (error) {
      this.#output.failed((error as Error).message);
    }
  }

  #remember(timestamp: bigint, unit: Unit): void {
    if (this.#pending.size >= maxPending) {
      for (const oldest of this.#pending.keys()) {
        this.#pending.delete(oldest);
        break;
      }
    }
    // Without the bytes: the decoder has its own copy of them.
    this.#pending.set(timestamp, { ...unit, data: noBytes });
  }

  #startOver(): void {
    this.#awaitsKeyframe = true;
    this.#pending.clear();
    this.#decoder?.reset();
  }

  #free(): void {
    this.#decoder?.free();
    this.#decoder = null;
    this.#jpeg.free();
    this.#faces.free();
  }
}

const noBytes = new Uint8Array(0);
