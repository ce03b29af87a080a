// JPEG pictures of one stream for any number of readers: one decoder and one encoder while somebody reads, none otherwise.
// Chooses between passing a camera's own JPEGs on and a codec worker; knows nothing of viewers or sockets.

import type { Clock } from '../base/clock.ts';
import type { AccessUnit, Picture, VideoParameters } from '../media/access-unit.ts';
import { FrameRateLimiter } from '../media/frame-rate.ts';
import { RateMeter } from '../media/rate-meter.ts';
import type { PictureFigures, PictureSource } from '../stream/live-camera.ts';
import type { Stream } from '../stream/stream.ts';
import type { PictureOptions } from './messages.ts';
import type { CodecChannel, CodecPool } from './pool.ts';

export interface PictureFeedOptions {
  readonly stream: Stream;
  readonly pool: CodecPool;
  readonly picture: PictureOptions;
  readonly clock: Clock;
  readonly onTrouble?: (message: string) => void;
}

/** The decoder outlives its last reader by this: a reload of the page must not start it anew. */
const lingerMs = 5_000;
/** An older picture is not "live" and is not shown to a newcomer; a slow camera's newest still is. */
const freshMs = 2_000;

export class PictureFeed implements PictureSource {
  readonly #options: PictureFeedOptions;
  readonly #readers = new Set<(picture: Picture) => void>();
  readonly #rate = new RateMeter();
  #latest: Picture | null = null;
  #maker: PictureMaker | null = null;
  #unsubscribe: (() => void) | null = null;
  #cancelLinger: (() => void) | null = null;
  #pictures = 0;
  #latency = 0;
  /** Figures of makers that are gone. */
  #past = { dropped: 0, decodeErrors: 0 };

  constructor(options: PictureFeedOptions) {
    this.#options = options;
  }

  subscribe(onPicture: (picture: Picture) => void): () => void {
    this.#readers.add(onPicture);
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    const latest = this.#latest;
    if (this.#unsubscribe === null) this.#open();
    else if (latest && this.#options.clock.now() - latest.receivedAt < freshMs) onPicture(latest);
    return () => {
      if (!this.#readers.delete(onPicture) || this.#readers.size > 0) return;
      this.#cancelLinger?.();
      this.#cancelLinger = this.#options.clock.after(lingerMs, () => this.#shut());
    };
  }

  get figures(): PictureFigures {
    const stats = this.#maker?.stats;
    return {
      pictures: this.#pictures,
      picturesPerSecond: this.#rate.perSecond(this.#options.clock.now()),
      processingTime: stats?.processingTime ?? 0,
      latency: this.#latency,
      dropped: this.#past.dropped + (stats?.dropped ?? 0),
      decodeErrors: this.#past.decodeErrors + (stats?.decodeErrors ?? 0),
      decoders: stats?.decoders ?? 0,
      readers: this.#readers.size,
    };
  }

  close(): void {
    this.#readers.clear();
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    this.#shut();
  }

  #open(): void {
    const { stream } = this.#options;
    this.#unsubscribe = stream.subscribe({
      onUnit: (unit) => this.#maker?.add(unit),
      onVideo: (video) => this.#make(video),
    });
    if (stream.video) this.#make(stream.video);
  }

  #make(video: VideoParameters): void {
    this.#endMaker();
    const { stream, pool, picture } = this.#options;
    const emit = (made: Picture) => this.#emit(made);
    this.#maker = fits(video, picture)
      ? new PassedOnPictures(video, picture, emit)
      : new DecodedPictures(stream, pool, video, picture, emit, (message) =>
          this.#options.onTrouble?.(message),
        );
    this.#maker.start(stream.recentUnits());
  }

  #emit(picture: Picture): void {
    this.#latest = picture;
    this.#pictures += 1;
    const now = this.#options.clock.now();
    this.#rate.count(now);
    const latency = now - picture.receivedAt;
    this.#latency = this.#latency === 0 ? latency : this.#latency + (latency - this.#latency) * 0.1;
    for (const reader of this.#readers) reader(picture);
  }

  #endMaker(): void {
    if (!this.#maker) return;
    this.#past.dropped += this.#maker.stats.dropped;
    this.#past.decodeErrors += this.#maker.stats.decodeErrors;
    this.#maker.close();
    this.#maker = null;
  }

  #shut(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#endMaker();
    this.#latest = null;
  }
}

function fits(video: VideoParameters, picture: PictureOptions): boolean {
  return (
    video.codec === 'mjpeg' &&
    video.width > 0 &&
    video.width <= picture.width &&
    video.height <= picture.height
  );
}

interface MakerStats {
  readonly dropped: number;
  readonly decodeErrors: number;
  readonly processingTime: number;
  readonly decoders: number;
}

interface PictureMaker {
  start(recent: readonly AccessUnit[]): void;
  add(unit: AccessUnit): void;
  close(): void;
  readonly stats: MakerStats;
}

/** An MJPEG camera whose pictures are small enough: passed on untouched, only thinned out to the rate. */
class PassedOnPictures implements PictureMaker {
  readonly #size: { readonly width: number; readonly height: number };
  readonly #limiter: FrameRateLimiter;
  readonly #emit: (picture: Picture) => void;
  readonly stats: MakerStats = { dropped: 0, decodeErrors: 0, processingTime: 0, decoders: 0 };

  constructor(video: VideoParameters, { fps }: PictureOptions, emit: (picture: Picture) => void) {
    this.#size = { width: video.width, height: video.height };
    this.#limiter = new FrameRateLimiter(fps);
    this.#emit = emit;
  }

  start(recent: readonly AccessUnit[]): void {
    const newest = recent.at(-1);
    if (newest) this.add(newest);
  }

  add(unit: AccessUnit): void {
    if (!this.#limiter.take(unit.timestamp)) return;
    const { data, timestamp, receivedAt } = unit;
    this.#emit({ data, timestamp, receivedAt, ...this.#size });
  }

  close(): void {}
}

/** Everything else goes through a codec worker. */
class DecodedPictures implements PictureMaker {
  readonly #stream: Stream;
  readonly #channel: CodecChannel;

  constructor(
    stream: Stream,
    pool: CodecPool,
    video: VideoParameters,
    picture: PictureOptions,
    emit: (picture: Picture) => void,
    onTrouble: (message: string) => void,
  ) {
    this.#stream = stream;
    this.#channel = pool.open(video.codec, picture, {
      onPicture: emit,
      onTrouble,
      // A new worker knows nothing: it gets what a newcomer gets.
      onReset: () => this.start(this.#stream.recentUnits()),
    });
  }

  /** Decodes quickly through what led to now and shows only the last. */
  start(recent: readonly AccessUnit[]): void {
    const last = recent.length - 1;
    recent.forEach((unit, i) => {
      this.#channel.send(unit, i === last);
    });
  }

  add(unit: AccessUnit): void {
    this.#channel.send(unit);
  }

  close(): void {
    this.#channel.close();
  }

  get stats(): MakerStats {
    const { dropped, decodeErrors, processingTime } = this.#channel.stats;
    return { dropped, decodeErrors, processingTime, decoders: 1 };
  }
}
