// Faces of one camera: from the decoder's findings to visits, and to those who watch.
// Who is who is detect's, what is stored goes through the sink; here they are joined.

import { backoffMs } from './base/backoff.ts';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { Reporter } from './base/reporter.ts';
import type { Decoding } from './codec/decoding.ts';
import { newId } from './db/id.ts';
import type { Sighting, VisitImages, VisitSink } from './detect/visit-sink.ts';
import { type VisitFigures, Visits, type VisitsBefore } from './detect/visits.ts';
import { AppError } from './errors.ts';
import type { FaceImages, FaceInFrame, FrameFaces } from './media/faces.ts';
import type { DetectorView, FaceReader, FaceSource, RaisedAlert, SeenFace } from './stream/live-camera.ts';
import type { Stream } from './stream/stream.ts';

export interface VisitStorePort extends VisitSink<RaisedAlert> {
  /** What was stored of a stream before the service started. */
  before(streamId: string): Promise<VisitsBefore>;
}

export interface CameraFacesOptions {
  readonly streamId: string;
  readonly visits: VisitStorePort;
  readonly clock: Clock;
  readonly log: Log;
  readonly cooldownMs: number;
  readonly confidenceThreshold: number;
  /** The stream that people watch, whose media clock `detections` are told in. */
  readonly shown: Stream;
}

/** Where faces are looked for: the stream that people watch, or the camera's small sub-stream. */
export interface Looked {
  readonly stream: Stream;
  readonly decoding: Decoding;
}

export interface FaceFigures extends VisitFigures {
  /** ms, moving average; 0 while nothing is analysed. */
  readonly detectionTime: number;
  /** Spent in the detector, ms, in all. */
  readonly analysisMs: number;
  /** Frames that did not get to the detector because it was busy. */
  readonly skipped: number;
  /** Frames that the detector has and has not answered. */
  readonly backlog: number;
}

/** A report from outside waits so long for the database. */
const reportWaitMs = 5_000;
const tellTroubleEveryMs = 10_000;

/** To as many digits as mean something. */
function rounded(confidence: number): number {
  return Math.round(confidence * 1000) / 1000;
}

export class CameraFaces implements FaceSource {
  readonly #options: CameraFacesOptions;
  readonly #visits: Visits<RaisedAlert>;
  readonly #readers = new Set<FaceReader>();
  #looked: Looked | null = null;
  #leaveStream: (() => void) | null = null;
  #detectionTime = 0;
  #analysisMs = 0;
  #backlog = 0;
  #skipped = 0;
  /** `skipped` of the decoder's channel starts anew with each channel. */
  #skippedOfChannel = 0;
  #threshold: number;
  #ready = false;
  #closed = false;
  readonly #restored: Promise<void>;

  constructor(options: CameraFacesOptions) {
    this.#options = options;
    const { streamId, visits, clock, log, cooldownMs, confidenceThreshold } = options;
    this.#threshold = confidenceThreshold;
    const trouble = new Reporter(clock, tellTroubleEveryMs, (count, error) =>
      log.warn({ err: error, count, stream: streamId }, 'detections cannot be stored at the moment'),
    );
    this.#visits = new Visits({
      streamId,
      sink: visits,
      clock,
      cooldownMs,
      confidenceThreshold,
      newId: () => newId(clock.wallTime()),
      onAlert: (alert) => {
        this.#tell((reader) => reader.onAlert?.(alert));
      },
      onTrouble: (error) => trouble.add(error),
    });
    this.#restored = this.#restore(0);
  }

  get detector(): DetectorView {
    const looked = this.#looked;
    if (!looked) return { state: 'off', message: null };
    const { stream, decoding } = looked;
    if (stream !== this.#options.shown && stream.status !== 'online')
      return {
        state: stream.status === 'connecting' ? 'starting' : 'failed',
        message: `The address for detection gives no picture: ${stream.message ?? stream.status}`,
      };
    const { state, reason } = decoding.detector;
    if (state === 'ready' && this.#visits.figures.failing)
      return { state, message: 'Faces are noticed, but cannot be stored at the moment.' };
    return { state, message: reason };
  }

  get figures(): FaceFigures {
    return {
      ...this.#visits.figures,
      detectionTime: this.#detectionTime,
      analysisMs: this.#analysisMs,
      skipped: this.#skipped,
      backlog: this.#looked ? this.#backlog : 0,
    };
  }

  subscribe(reader: FaceReader): () => void {
    this.#readers.add(reader);
    return () => {
      this.#readers.delete(reader);
    };
  }

  /** Looks for faces there from now on; null: nowhere. */
  lookIn(looked: Looked | null): void {
    if (looked === this.#looked) return;
    this.#leave();
    this.#looked = looked;
    this.#skippedOfChannel = 0;
    if (looked) {
      const { decoding, stream } = looked;
      decoding.onFaces = (found, images) => this.#analysed(found, images);
      decoding.wantFaces(true);
      decoding.onDetector = () => this.#tellDetector();
      this.#leaveStream = stream.subscribe({
        onStatus: (status) => {
          if (status !== 'online') this.#tellNobody();
          if (stream !== this.#options.shown) this.#tellDetector();
        },
      });
    } else {
      this.#detectionTime = 0;
      this.#tellNobody();
    }
    this.#tellDetector();
  }

  setConfidenceThreshold(threshold: number): void {
    this.#threshold = threshold;
    this.#visits.setConfidenceThreshold(threshold);
  }

  /** A detection made outside; the same alert policy holds for it. @returns its id, once it is stored. */
  async report(sighting: Sighting, images: VisitImages | null, time: number | null): Promise<string> {
    const { clock } = this.#options;
    await Promise.race([this.#restored, new Promise<void>((resolve) => clock.after(reportWaitMs, resolve))]);
    if (!this.#ready)
      throw new AppError(503, 'detections_unavailable', 'Detections cannot be stored at the moment.');
    return this.#visits.report(sighting, images, time);
  }

  /** @param withinMs how long to wait for what is not yet stored; 0 gives it up. */
  async close(withinMs: number): Promise<boolean> {
    this.#closed = true;
    this.lookIn(null);
    return this.#visits.close(withinMs);
  }

  /** A restart within the cooldown must not alert twice, so nothing is noticed before the last alert is known. */
  async #restore(attempt: number): Promise<void> {
    const { visits, streamId, clock, log } = this.#options;
    while (!this.#closed) {
      try {
        this.#visits.restore(await visits.before(streamId));
        this.#ready = true;
        return;
      } catch (error) {
        log.warn({ err: error, stream: streamId }, 'the last alert cannot be read; trying again');
        const wait = backoffMs(attempt++, { firstMs: 500, maxMs: 10_000 }, Math.random);
        await new Promise<void>((resolve) => clock.after(wait, resolve));
      }
    }
  }

  #analysed(found: FrameFaces, images: FaceImages | null): void {
    if (!this.#ready) return;
    const { clock } = this.#options;
    this.#count(found);
    const wallTime = clock.wallTime() - (clock.now() - found.receivedAt);
    const frame = { ...found, at: found.receivedAt, wallTime };
    const tracked = this.#visits.analysed(frame, async (face) => imagesOf(found, images, face));
    const seen: SeenFace[] = tracked.map(({ track, face }) => ({
      track,
      confidence: rounded(face.confidence),
      box: face.box,
      landmarks: face.landmarks,
    }));
    const below = found.faces
      .filter(({ confidence }) => confidence < this.#threshold)
      .map(({ confidence, box }) => ({ confidence: rounded(confidence), box }));
    const timestamp = this.#shownTime(found);
    this.#tell((reader) => reader.onFaces?.(timestamp, seen, below));
  }

  #leave(): void {
    this.#leaveStream?.();
    this.#leaveStream = null;
    if (!this.#looked) return;
    const { decoding } = this.#looked;
    decoding.onFaces = null;
    decoding.onDetector = null;
    decoding.wantFaces(false);
  }

  /** A sub-stream has a clock of its own; both have the time of arrival in common. */
  #shownTime({ timestamp, receivedAt }: FrameFaces): number {
    const { shown } = this.#options;
    const latest = shown.latestUnit;
    if (this.#looked?.stream === shown || !latest) return timestamp;
    return Math.max(0, Math.round(latest.timestamp + (receivedAt - latest.receivedAt) * 1000));
  }

  #count({ detectionTime, skipped, waiting }: FrameFaces): void {
    this.#backlog = waiting;
    this.#detectionTime =
      this.#detectionTime === 0
        ? detectionTime
        : this.#detectionTime + (detectionTime - this.#detectionTime) * 0.1;
    this.#analysisMs += detectionTime;
    this.#skipped += skipped < this.#skippedOfChannel ? skipped : skipped - this.#skippedOfChannel;
    this.#skippedOfChannel = skipped;
  }

  /** Whoever was in view is not seen any more: there are no pictures to see anybody in. */
  #tellNobody(): void {
    const timestamp = this.#options.shown.latestUnit?.timestamp ?? 0;
    this.#tell((reader) => reader.onFaces?.(timestamp, [], []));
  }

  #tellDetector(): void {
    this.#tell((reader) => reader.onDetector?.(this.detector));
  }

  #tell(call: (reader: FaceReader) => void): void {
    for (const reader of this.#readers) this.#options.shown.guard(() => call(reader));
  }
}

async function imagesOf(
  { faces }: FrameFaces,
  images: FaceImages | null,
  face: FaceInFrame,
): Promise<VisitImages | null> {
  if (images === null) return null;
  return { frame: images.frame, face: images.faces[faces.indexOf(face)] ?? null };
}
