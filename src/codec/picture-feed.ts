// JPEG pictures of one stream for any number of readers: made once for all, and only while somebody reads.
// Chooses between passing a camera's own JPEGs on and decoding; knows nothing of viewers or sockets.

import type { Clock } from '../base/clock.ts';
import type { AccessUnit, Picture, VideoParameters } from '../media/access-unit.ts';
import { FrameRateLimiter } from '../media/frame-rate.ts';
import { RateMeter } from '../media/rate-meter.ts';
import type { PictureFigures, PictureSource } from '../stream/live-camera.ts';
import type { Stream } from '../stream/stream.ts';
import type { Decoding } from './decoding.ts';
import type { PictureOptions } from './messages.ts';

export interface PictureFeedOptions {
  readonly stream: Stream;
  /** Used by this feed for pictures only; others may use it for faces. */
  readonly decoding: Decoding;
  readonly picture: PictureOptions;
  readonly clock: Clock;
}

/** Pictures are made for this long after the last reader: a reload of the page must not start a decoder anew. */
const lingerMs = 5_000;
/** An older picture is not "live" and is not shown to a newcomer, unless the camera has sent nothing since. */
const freshMs = 2_000;

export class PictureFeed implements PictureSource {
  readonly #options: PictureFeedOptions;
  readonly #readers = new Set<(picture: Picture) => void>();
  readonly #rate = new RateMeter();
  #limiter: FrameRateLimiter;
  #latest: Picture | null = null;
  #unsubscribe: (() => void) | null = null;
  #cancelLinger: (() => void) | null = null;
  #pictures = 0;
  /** Moving average, ms. */
  #latency = 0;

  constructor(options: PictureFeedOptions) {
    this.#options = options;
    this.#limiter = new FrameRateLimiter(options.picture.fps);
    options.decoding.onPicture = (picture) => this.#emit(picture);
  }

  subscribe(onPicture: (picture: Picture) => void): () => void {
    this.#readers.add(onPicture);
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    const latest = this.#latest;
    if (this.#unsubscribe === null) this.#begin();
    else if (latest && this.#isLive(latest)) onPicture(latest);
    return () => {
      if (!this.#readers.delete(onPicture) || this.#readers.size > 0) return;
      this.#cancelLinger?.();
      this.#cancelLinger = this.#options.clock.after(lingerMs, () => this.#end());
    };
  }

  get figures(): PictureFigures {
    const { dropped, decodeErrors, processingTime, decoders } = this.#options.decoding.figures;
    return {
      pictures: this.#pictures,
      picturesPerSecond: this.#rate.perSecond(this.#options.clock.now()),
      processingTime,
      latency: this.#latency,
      dropped,
      decodeErrors,
      decoders,
      readers: this.#readers.size,
    };
  }

  close(): void {
    this.#readers.clear();
    this.#cancelLinger?.();
    this.#end();
  }

  #begin(): void {
    const { stream } = this.#options;
    this.#unsubscribe = stream.subscribe({
      onUnit: (unit) => this.#passOn(unit),
      onVideo: (video) => this.#choose(video),
    });
    this.#choose(stream.video);
    const newest = stream.recentUnits().at(-1);
    if (newest) this.#passOn(newest);
  }

  #isLive({ timestamp, receivedAt }: Picture): boolean {
    const { stream, clock } = this.#options;
    if (stream.status !== 'online') return false;
    return clock.now() - receivedAt < freshMs || timestamp === stream.latestUnit?.timestamp;
  }

  #end(): void {
    // A timer that has fired still holds the last reader, and with it a whole connection.
    this.#cancelLinger = null;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#options.decoding.wantPictures(false);
    this.#latest = null;
  }

  #choose(video: VideoParameters | null): void {
    this.#limiter = new FrameRateLimiter(this.#options.picture.fps);
    this.#options.decoding.wantPictures(!this.#fits(video));
  }

  /** An MJPEG camera whose pictures are small enough: passed on untouched, only thinned out to the rate. */
  #passOn(unit: AccessUnit): void {
    const { video } = this.#options.stream;
    if (!video || !this.#fits(video) || !this.#limiter.take(unit.timestamp)) return;
    const { data, timestamp, receivedAt } = unit;
    this.#emit({ data, timestamp, receivedAt, width: video.width, height: video.height });
  }

  #fits(video: VideoParameters | null): boolean {
    const { width, height } = this.#options.picture;
    return video?.codec === 'mjpeg' && video.width > 0 && video.width <= width && video.height <= height;
  }

  #emit(picture: Picture): void {
    this.#latest = picture;
    this.#pictures += 1;
    const now = this.#options.clock.now();
    this.#rate.count(now);
    const latency = now - picture.receivedAt;
    this.#latency = this.#latency === 0 ? latency : this.#latency + (latency - this.#latency) * 0.1;
    for (const reader of this.#readers) this.#options.stream.guard(() => reader(picture));
  }
}
