// One video as the service sees it: what may be sent, what is under way, what came back.
// Where its worker runs and what happens when that dies is decided in pool.ts.

import { TokenBucket } from '../base/token-bucket.ts';
import type { AccessUnit, Picture, VideoCodec } from '../media/access-unit.ts';
import type { DetectorState, FaceImages, FrameFaces } from '../media/faces.ts';
import { maxUnitBytes, maxUnitsAtOnce, maxUnitsPerSecond } from './limits.ts';
import type { ChannelOptions, PictureMessage, ToWorker, Wants } from './messages.ts';
import { nothingUsed } from './usage.ts';
import {
  type ChannelMessage,
  WorkerChannel,
  type WorkerChannelHandlers,
  type WorkerChannelStats,
} from './worker-channel.ts';

export interface ChannelHandlers extends WorkerChannelHandlers {
  /** @param processingTime decode + scale + encode, ms. */
  onPicture(picture: Picture, processingTime: number): void;
  /** @param images null when there is no face. */
  onFaces?(found: FrameFaces, images: FaceImages | null): void;
  /** Of the face detector, while faces are wanted. @param reason a sentence when it does not work. */
  onDetector?(state: DetectorState, reason: string | null): void;
  /** The channel goes on at the next keyframe. */
  onTrouble(message: string): void;
  /**
   * The worker died or was replaced and the channel is empty. Feed the recent units again, from a keyframe, with
   * `show` false for all but the last.
   */
  onReset(): void;
}

export interface ChannelStats extends WorkerChannelStats {
  sent: number;
  /** Units refused by `send`. */
  dropped: number;
  pictures: number;
  decodeErrors: number;
  /** Moving average of decode + scale + encode, ms. */
  processingTime: number;
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

export class PoolChannel extends WorkerChannel implements CodecChannel {
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
  #limit = live;
  #awaitsKeyframe = true;
  #wants: Wants;
  readonly #rate = new TokenBucket(maxUnitsPerSecond, maxUnitsAtOnce);

  constructor(
    id: number,
    codec: VideoCodec,
    options: ChannelOptions,
    wants: Wants,
    handlers: ChannelHandlers,
    onClose: (channel: WorkerChannel) => void,
  ) {
    super(id, onClose);
    this.codec = codec;
    this.options = options;
    this.#wants = wants;
    this.handlers = handlers;
  }

  send(unit: AccessUnit, show = true): boolean {
    if (!this.#mayPass(unit, show)) {
      this.stats.dropped += 1;
      return false;
    }
    this.#awaitsKeyframe = false;
    this.stats.sent += 1;
    const { data, keyframe, timestamp, receivedAt } = unit;
    const message = { type: 'unit', channel: this.id, data, keyframe, timestamp, show, receivedAt } as const;
    this.post(message, data.length);
    return true;
  }

  want(wants: Wants): void {
    this.#wants = wants;
    this.worker?.post({ type: 'want', channel: this.id, wants });
  }

  override detach(): void {
    super.detach();
    this.#limit = live;
    this.#awaitsKeyframe = true;
  }

  protected opening(carefulFor: number): ToWorker {
    const { id, codec, options } = this;
    return { type: 'open', channel: id, codec, options, wants: this.#wants, carefulFor };
  }

  receive(message: ChannelMessage): void {
    if (this.closed) return;
    switch (message.type) {
      case 'begin':
        this.begun = true;
        return;
      case 'done':
        this.done(message.worked);
        this.#easeLimit();
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
    if (this.closed || !this.worker) return false;
    if (this.#awaitsKeyframe && !unit.keyframe) return false;
    if (!show) this.#limit = catchUp;
    const { units, bytes } = this.#limit;
    const room = this.inFlight < units && this.bytesInFlight + unit.data.length <= bytes;
    // What is replayed came within the rate when it came.
    if (room && unit.data.length <= maxUnitBytes && (!show || this.#rate.take(unit.receivedAt))) return true;
    this.#awaitsKeyframe = true;
    return false;
  }

  #easeLimit(): void {
    if (this.inFlight <= live.units / 2 && this.bytesInFlight <= live.bytes / 2) this.#limit = live;
  }

  #picture(message: PictureMessage): void {
    if (this.closed) return;
    const { data, width, height, timestamp, receivedAt, processingTime } = message;
    const { stats } = this;
    stats.processingTime += (processingTime - stats.processingTime) * (stats.pictures === 0 ? 1 : smoothing);
    stats.pictures += 1;
    this.handlers.onPicture({ data, width, height, timestamp, receivedAt }, processingTime);
  }
}
