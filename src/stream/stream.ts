// One camera's live video inside the service: its state, its parameters, the units since the last keyframe, its readers.
// No I/O: units are published by ingest, read by codecs and sessions.

import type { AppError } from '../errors.ts';
import { type AccessUnit, sameVideo, type VideoParameters } from '../media/access-unit.ts';
import { type AudioOffer, type AudioParameters, type AudioUnit, sameAudio } from '../media/audio.ts';
import { ReorderDepth } from '../media/decode-times.ts';
import { RateMeter } from '../media/rate-meter.ts';
import type { StreamStatus } from './status.ts';

export interface StreamReader {
  onUnit?(unit: AccessUnit): void;
  onVideo?(video: VideoParameters): void;
  /** As the camera sends it; see `AudioSource` for sound that every browser plays. */
  onAudioUnit?(unit: AudioUnit): void;
  /** Sound began, changed or, with null, came to an end while the video goes on. */
  onAudio?(audio: AudioParameters | null): void;
  onStatus?(status: StreamStatus, message: string | null): void;
  /** What comes next does not follow on what came: it begins with a keyframe. */
  onInterrupted?(): void;
  /** Nothing will ever come again: the stream was deleted, or may not go on for this reason. */
  onEnd?(reason: AppError | null): void;
}

export interface StreamOptions {
  /** Recent units are kept up to here, so that a late joiner has a picture at once; beyond, it waits for a keyframe. */
  readonly maxRecentBytes?: number;
  readonly maxRecentUnits?: number;
}

/**
 * Readers are called at once and in the order of their coming; they must not block and must bound what they keep.
 * A reader that throws is a defect and takes nobody else with it: the error is passed to `onReaderError`.
 */
export class Stream {
  readonly #readers = new Set<StreamReader>();
  readonly #maxRecentBytes: number;
  readonly #maxRecentUnits: number;
  readonly #rate = new RateMeter();
  readonly #byteRate = new RateMeter();
  #reorder = new ReorderDepth();
  #recent: AccessUnit[] = [];
  #recentBytes = 0;
  #video: VideoParameters | null = null;
  #audio: AudioParameters | null = null;
  #unsupportedAudio: string | null = null;
  #status: StreamStatus = 'offline';
  #message: string | null = null;
  #units = 0;
  #bytes = 0;
  #latest: AccessUnit | null = null;
  onReaderError: ((error: unknown) => void) | null = null;

  constructor({ maxRecentBytes = 16 * 1024 * 1024, maxRecentUnits = 1_000 }: StreamOptions = {}) {
    this.#maxRecentBytes = maxRecentBytes;
    this.#maxRecentUnits = maxRecentUnits;
  }

  get video(): VideoParameters | null {
    return this.#video;
  }
  /** Not null only while sound really comes. */
  get audio(): AudioParameters | null {
    return this.#audio;
  }
  /** The name of the camera's audio codec when it cannot be used. */
  get unsupportedAudio(): string | null {
    return this.#unsupportedAudio;
  }
  get status(): StreamStatus {
    return this.#status;
  }
  get message(): string | null {
    return this.#message;
  }
  get latestUnit(): AccessUnit | null {
    return this.#latest;
  }
  /** Units and bytes published in the life of this stream. */
  get totals(): { readonly units: number; readonly bytes: number } {
    return { units: this.#units, bytes: this.#bytes };
  }
  get readerCount(): number {
    return this.#readers.size;
  }

  /** Access units a second over the last seconds; 0 when nothing came lately. `now` in ms, monotonic. */
  unitsPerSecond(now: number): number {
    return this.#rate.perSecond(now);
  }

  bytesPerSecond(now: number): number {
    return this.#byteRate.perSecond(now);
  }

  /** How many pictures come before one that is shown first, as seen so far: 0 without B-frames. */
  get reorderDepth(): number {
    return this.#reorder.depth;
  }

  /** The last keyframe and all that depends on it, oldest first; empty when there is none or it grew over the limit. */
  recentUnits(): readonly AccessUnit[] {
    return this.#recent;
  }

  setStatus(status: StreamStatus, message: string | null): void {
    if (status === this.#status && message === this.#message) return;
    this.#status = status;
    this.#message = message;
    // What was seen before an interruption is no live picture any more.
    if (status !== 'online') this.#forgetRecent();
    this.#each((reader) => reader.onStatus?.(status, message));
  }

  setVideo(video: VideoParameters): void {
    const same = sameVideo(this.#video, video);
    this.#video = video;
    if (same) return;
    this.#forgetRecent();
    this.#reorder = new ReorderDepth();
    this.#each((reader) => reader.onVideo?.(video));
  }

  setAudio(offer: AudioOffer): void {
    const audio = offer.kind === 'audio' ? offer.audio : null;
    const same = sameAudio(this.#audio, audio);
    this.#audio = audio;
    this.#unsupportedAudio = offer.kind === 'unsupported' ? offer.codec : null;
    if (!same) this.#each((reader) => reader.onAudio?.(audio));
  }

  /** None is kept: a newcomer hears from now on. */
  publishAudio(unit: AudioUnit): void {
    this.#each((reader) => reader.onAudioUnit?.(unit));
  }

  publish(unit: AccessUnit): void {
    this.#units += 1;
    this.#bytes += unit.data.byteLength;
    this.#latest = unit;
    this.#rate.count(unit.receivedAt);
    this.#byteRate.count(unit.receivedAt, unit.data.byteLength);
    this.#reorder.notice(unit.timestamp);
    this.#remember(unit);
    this.#each((reader) => reader.onUnit?.(unit));
  }

  /** Units do not come for a while, though the camera may go on: those that are kept are no live picture any more. */
  interrupt(): void {
    this.#forgetRecent();
    this.#each((reader) => reader.onInterrupted?.());
  }

  /** @returns ends the subscription; may be called from within a callback, and more than once. */
  subscribe(reader: StreamReader): () => void {
    this.#readers.add(reader);
    return () => {
      this.#readers.delete(reader);
    };
  }

  /** Tells every reader that this stream is gone for good. @param reason null: it was deleted. */
  end(reason: AppError | null = null): void {
    this.#each((reader) => reader.onEnd?.(reason));
    this.#readers.clear();
    this.#forgetRecent();
  }

  #remember(unit: AccessUnit): void {
    if (unit.keyframe) {
      this.#recent = [unit];
      this.#recentBytes = unit.data.byteLength;
      return;
    }
    if (this.#recent.length === 0) return;
    this.#recentBytes += unit.data.byteLength;
    if (this.#recentBytes > this.#maxRecentBytes || this.#recent.length >= this.#maxRecentUnits) {
      // A gap inside would only give damaged pictures: nothing is kept until the next keyframe.
      this.#forgetRecent();
      return;
    }
    this.#recent.push(unit);
  }

  #forgetRecent(): void {
    this.#recent = [];
    this.#recentBytes = 0;
  }

  #each(call: (reader: StreamReader) => void): void {
    for (const reader of this.#readers) this.guard(() => call(reader));
  }

  /** Calls a reader of this stream, of whatever kind: what it throws is told to `onReaderError` and to nobody else. */
  guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.onReaderError?.(error);
    }
  }
}
