// One video as the service sees it: what may be sent, what is under way, what came back.
// Where its worker runs and what happens when that dies is decided in pool.ts.

import { TokenBucket } from '../base/token-bucket.ts';
import type { AccessUnit, Picture, VideoCodec } from '../media/access-unit.ts';
import type { DetectorState, FaceImages, FrameFaces } from '../media/faces.ts';
import type { WorkerChild } from './child.ts';
import { maxUnitBytes, maxUnitsAtOnce, maxUnitsPerSecond } from './limits.ts';
import type { ChannelOptions, FromWorker, PictureMessage, Wants } from './messages.ts';
import { nothingUsed, type Usage } from './usage.ts';

export interface ChannelHandlers {
  /** @param processingTime decode + scale + encode, ms. */
  onPicture(picture: Picture, processingTime: number): void;
  /** @param images null when there is no face. */
  onFaces?(found: FrameFaces, images: FaceImages | null): void;
  /** Of the face detector, while faces are wanted. @param reason a sentence when it does not work. */
  onDetector?(state: DetectorState, reason: string | null): void;
  /** A sentence for people; at most about one a second. The channel goes on at the next keyframe. */
  onTrouble(message: string): void;
  /**
   * The worker died or was replaced and the channel is empty. Feed the recent units again, from a keyframe, with
   * `show` false for all but the last.
   */
  onReset(): void;
}

export interface ChannelStats {
  sent: number;
  /** Units refused by `send`. */
  dropped: number;
  pictures: number;
  decodeErrors: number;
  /** Times the channel had to begin anew because its worker died. */
  restarts: number;
  /** Moving average of decode + scale + encode, ms. */
  processingTime: number;
  /** Its part of what the worker costs, as of the worker's last report; see usage.ts. */
  usage: Usage;
}

export interface CodecChannel {
  /**
   * @param show false while catching up on recent units: decoded, but no picture is made. Default true.
   * @returns false when the unit was dropped because it is too large, too much came or is in flight, or nothing can
   *   decode at the moment; then everything up to the next keyframe is dropped as well.
   */
  send(unit: AccessUnit, show?: boolean): boolean;
  /** What is to be made of the frames from now on. */
  want(wants: Wants): void;
  close(): void;
  readonly stats: Readonly<ChannelStats>;
}

interface Limit {
  readonly units: number;
  readonly bytes: number;
}

const MiB = 1024 * 1024;
/**
 * Live video. A second or two: the worker skips pictures, not units, when it is late, so that a short stall costs
 * nothing. Dropping units costs everything up to the next keyframe and is the last resort.
 */
const live: Limit = { units: 32, bytes: maxUnitBytes };
/** A recent group replayed at once, and the live units that come while it is worked on. */
const catchUp: Limit = { units: 2048, bytes: 32 * MiB };
/** Weight of the newest value in the moving average. */
const smoothing = 0.1;

export class PoolChannel implements CodecChannel {
  readonly id: number;
  readonly codec: VideoCodec;
  readonly options: ChannelOptions;
  readonly handlers: ChannelHandlers;
  readonly stats: ChannelStats = {
    sent: 0,
    dropped: 0,
    pictures: 0,
    decodeErrors: 0,
    restarts: 0,
    processingTime: 0,
    usage: nothingUsed,
  };
  /** ms that the worker and its detector spent on this video since the worker's last report. */
  worked = 0;
  /** A unit was announced and is not done. */
  begun = false;
  /** Looks at the hang watch without anything done in between. */
  looksWithoutProgress = 0;
  /** When it killed a worker, clock ms; only what is recent. */
  strikes: number[] = [];
  /** Times in a row that it was kept out of the workers. */
  quarantines = 0;
  /** Ends what waits for this channel to come back. */
  cancelReturn: (() => void) | null = null;
  #worker: WorkerChild | null = null;
  /** Sizes of the units in flight, oldest first. */
  #sizes: number[] = [];
  #bytes = 0;
  #limit = live;
  #awaitsKeyframe = true;
  #closed = false;
  #wants: Wants;
  readonly #rate = new TokenBucket(maxUnitsPerSecond, maxUnitsAtOnce);
  readonly #onClose: (channel: PoolChannel) => void;

  constructor(
    id: number,
    codec: VideoCodec,
    options: ChannelOptions,
    wants: Wants,
    handlers: ChannelHandlers,
    onClose: (channel: PoolChannel) => void,
  ) {
    this.id = id;
    this.codec = codec;
    this.options = options;
    this.#wants = wants;
    this.handlers = handlers;
    this.#onClose = onClose;
  }

  get worker(): WorkerChild | null {
    return this.#worker;
  }

  get inFlight(): number {
    return this.#sizes.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(unit: AccessUnit, show = true): boolean {
    if (!this.#mayPass(unit, show)) {
      this.stats.dropped += 1;
      return false;
    }
    this.#awaitsKeyframe = false;
    this.#sizes.push(unit.data.length);
    this.#bytes += unit.data.length;
    this.stats.sent += 1;
    const { data, keyframe, timestamp, receivedAt } = unit;
    this.#worker!.post({ type: 'unit', channel: this.id, data, keyframe, timestamp, show, receivedAt });
    return true;
  }

  want(wants: Wants): void {
    this.#wants = wants;
    this.#worker?.post({ type: 'want', channel: this.id, wants });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.cancelReturn?.();
    this.#worker?.post({ type: 'close', channel: this.id });
    this.#onClose(this);
    this.detach();
  }

  /** Begins, empty, in `worker`. */
  attach(worker: WorkerChild, carefulFor: number): void {
    this.#worker = worker;
    const { id, codec, options } = this;
    worker.post({ type: 'open', channel: id, codec, options, wants: this.#wants, carefulFor });
  }

  /** Has no worker any more; what was in flight is lost. */
  detach(): void {
    this.#worker = null;
    this.#sizes = [];
    this.#bytes = 0;
    this.#limit = live;
    this.#awaitsKeyframe = true;
    this.begun = false;
    this.looksWithoutProgress = 0;
    this.worked = 0;
    this.stats.usage = nothingUsed;
  }

  receive(message: Extract<FromWorker, { channel: number }>): void {
    if (this.#closed) return;
    switch (message.type) {
      case 'begin':
        this.begun = true;
        return;
      case 'done':
        this.worked += message.worked;
        this.#done();
        for (const picture of message.pictures) this.#picture(picture);
        return;
      case 'faces':
        this.worked += message.found.detectionTime;
        this.handlers.onFaces?.(message.found, message.images);
        return;
      case 'detector':
        this.handlers.onDetector?.(message.state, message.reason);
        return;
      case 'trouble':
        this.stats.decodeErrors += message.errors;
        this.handlers.onTrouble(message.message);
        return;
    }
  }

  #mayPass(unit: AccessUnit, show: boolean): boolean {
    if (this.#closed || !this.#worker) return false;
    if (this.#awaitsKeyframe && !unit.keyframe) return false;
    if (!show) this.#limit = catchUp;
    const { units, bytes } = this.#limit;
    const room = this.#sizes.length < units && this.#bytes + unit.data.length <= bytes;
    // What is replayed came within the rate when it came.
    if (room && unit.data.length <= maxUnitBytes && (!show || this.#rate.take(unit.receivedAt))) return true;
    this.#awaitsKeyframe = true;
    return false;
  }

  #done(): void {
    this.begun = false;
    this.looksWithoutProgress = 0;
    this.#bytes -= this.#sizes.shift() ?? 0;
    if (this.#sizes.length <= live.units / 2 && this.#bytes <= live.bytes / 2) this.#limit = live;
  }

  #picture(message: PictureMessage): void {
    if (this.#closed) return;
    const { data, width, height, timestamp, receivedAt, processingTime } = message;
    const { stats } = this;
    stats.processingTime += (processingTime - stats.processingTime) * (stats.pictures === 0 ? 1 : smoothing);
    stats.pictures += 1;
    this.handlers.onPicture({ data, width, height, timestamp, receivedAt }, processingTime);
  }
}
