// Decoding of one stream for all who need its pixels: one channel in a codec worker while anybody does, none otherwise.
// Feeds the channel and keeps its figures; what pictures and faces are for is the callers'.

import type { AccessUnit, Picture, VideoParameters } from '../media/access-unit.ts';
import type { DetectorState, FaceImages, FrameFaces } from '../media/faces.ts';
import type { Stream } from '../stream/stream.ts';
import type { ChannelOptions, Wants } from './messages.ts';
import type { CodecChannel, CodecPool } from './pool.ts';
import { nothingUsed, type Usage } from './usage.ts';

export interface DecodingOptions {
  readonly stream: Stream;
  readonly pool: CodecPool;
  readonly channel: ChannelOptions;
  readonly onTrouble?: (message: string) => void;
}

export interface DecodingFigures {
  /** Access units not decoded because the decoder was behind, or waited for a keyframe. */
  readonly dropped: number;
  readonly decodeErrors: number;
  /** Decoding, scaling and encoding of one picture, ms, moving average. */
  readonly processingTime: number;
  /** 1 while a decoder runs. */
  readonly decoders: number;
  /** Its part of what the codec worker costs; see usage.ts. */
  readonly usage: Usage;
}

export interface Detector {
  readonly state: DetectorState;
  /** A sentence when it does not work. */
  readonly reason: string | null;
}

const nothing: Wants = { pictures: false, faces: false };

export class Decoding {
  readonly #options: DecodingOptions;
  #wants = nothing;
  #channel: CodecChannel | null = null;
  #unsubscribe: (() => void) | null = null;
  /** Figures of channels that are gone. */
  #past = { dropped: 0, decodeErrors: 0 };
  #detector: Detector = { state: 'off', reason: null };
  onPicture: ((picture: Picture) => void) | null = null;
  onFaces: ((found: FrameFaces, images: FaceImages | null) => void) | null = null;
  onDetector: ((detector: Detector) => void) | null = null;

  constructor(options: DecodingOptions) {
    this.#options = options;
  }

  get detector(): Detector {
    return this.#detector;
  }

  get figures(): DecodingFigures {
    const stats = this.#channel?.stats;
    return {
      dropped: this.#past.dropped + (stats?.dropped ?? 0),
      decodeErrors: this.#past.decodeErrors + (stats?.decodeErrors ?? 0),
      processingTime: stats?.processingTime ?? 0,
      decoders: this.#channel === null ? 0 : 1,
      usage: stats?.usage ?? nothingUsed,
    };
  }

  wantPictures(pictures: boolean): void {
    this.#want({ ...this.#wants, pictures });
  }

  wantFaces(faces: boolean): void {
    this.#want({ ...this.#wants, faces });
  }

  close(): void {
    this.#want(nothing);
  }

  #want(wants: Wants): void {
    const before = this.#wants;
    this.#wants = wants;
    if (wants.faces !== before.faces) this.#tellDetector(wants.faces ? 'starting' : 'off', null);
    if (!wants.pictures && !wants.faces) {
      this.#unsubscribe?.();
      this.#unsubscribe = null;
      this.#end();
    } else if (this.#unsubscribe === null) {
      this.#begin();
    } else if (wants.pictures !== before.pictures || wants.faces !== before.faces) {
      this.#channel?.want(wants);
    }
  }

  #begin(): void {
    const { stream } = this.#options;
    this.#unsubscribe = stream.subscribe({
      onUnit: (unit) => this.#channel?.send(unit),
      onVideo: (video) => this.#open(video),
    });
    if (stream.video) this.#open(stream.video);
  }

  #open({ codec }: VideoParameters): void {
    this.#end();
    const { stream, pool, channel, onTrouble } = this.#options;
    this.#channel = pool.open(codec, channel, this.#wants, {
      onPicture: (picture) => this.onPicture?.(picture),
      onFaces: (found, images) => this.onFaces?.(found, images),
      onDetector: (state, reason) => this.#tellDetector(state, reason),
      onTrouble: (message) => onTrouble?.(message),
      // A new worker knows nothing: it gets what a newcomer gets.
      onReset: () => this.#catchUp(stream.recentUnits()),
    });
    this.#catchUp(stream.recentUnits());
  }

  /** Decodes quickly through what led to now and shows only the last. */
  #catchUp(recent: readonly AccessUnit[]): void {
    const last = recent.length - 1;
    recent.forEach((unit, i) => {
      this.#channel?.send(unit, i === last);
    });
  }

  #tellDetector(state: DetectorState, reason: string | null): void {
    if (state === this.#detector.state && reason === this.#detector.reason) return;
    if (state !== 'off' && !this.#wants.faces) return;
    this.#detector = { state, reason };
    this.onDetector?.(this.#detector);
  }

  #end(): void {
    if (!this.#channel) return;
    this.#past.dropped += this.#channel.stats.dropped;
    this.#past.decodeErrors += this.#channel.stats.decodeErrors;
    this.#channel.close();
    this.#channel = null;
  }
}
