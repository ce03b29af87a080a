// Who was in view of one stream: analysed frames in, stored detections and alerts out through the sink.
// Joins tracker, writer and clock; also takes what detectors outside report, so that one policy holds for both.

import type { Clock } from '../base/clock.ts';
import type { FaceInFrame } from '../media/faces.ts';
import { type LastAlert, restoredAlert } from './alert-policy.ts';
import type { AnalysedFrame } from './analysed-frame.ts';
import { type TrackEvent, type TrackedFace, Tracker } from './tracks.ts';
import { type ImageRequest, newVisit, type Visit } from './visit-jobs.ts';
import type { Sighting, VisitImages, VisitSink } from './visit-sink.ts';
import { unavailable, VisitWriter } from './visit-writer.ts';

/** While somebody stays, the last sight is stored this often, ms. */
const seenEveryMs = 5_000;
const tickMs = 1_000;

export interface VisitsOptions<Alert> {
  readonly streamId: string;
  readonly sink: VisitSink<Alert>;
  readonly clock: Clock;
  readonly cooldownMs: number;
  /** 0–1; faces below do not count. */
  readonly confidenceThreshold: number;
  /** Ids of detections and alerts. */
  readonly newId: () => string;
  readonly random?: () => number;
  /** An alert is stored: tell the viewers. */
  readonly onAlert: (alert: Alert) => void;
  /** The sink or a picture failed; may be called often. */
  readonly onTrouble: (error: unknown) => void;
}

/** Since the start; `waiting` and `failing` now. */
export interface VisitFigures {
  readonly frames: number;
  /** Faces that counted, over all frames. */
  readonly faces: number;
  /** Confirmed ones. */
  readonly tracks: number;
  /** Stored. */
  readonly detections: number;
  /** Stored. */
  readonly alerts: number;
  readonly failures: number;
  readonly lostImages: number;
  readonly lostVisits: number;
  readonly waiting: number;
  /** The sink refuses at the moment; what waits is tried again. */
  readonly failing: boolean;
}

/** What a crash left: read once from the database at start. */
export interface VisitsBefore {
  readonly lastAlert: LastAlert | null;
  /** Detections without an alert, oldest first; `time` in ms since 1970. */
  readonly withoutAlert: readonly {
    readonly id: string;
    readonly time: number;
    readonly confidence: number;
  }[];
}

interface OpenVisit {
  readonly visit: Visit;
  toldSeenAt: number;
}

export class Visits<Alert> {
  readonly #options: VisitsOptions<Alert>;
  readonly #tracker: Tracker;
  readonly #writer: VisitWriter<Alert>;
  readonly #open = new Map<number, OpenVisit>();
  readonly #counts = { frames: 0, faces: 0, tracks: 0 };
  #cancelTick: (() => void) | null = null;
  #closed = false;

  constructor(options: VisitsOptions<Alert>) {
    this.#options = options;
    this.#tracker = new Tracker(options.confidenceThreshold);
    this.#writer = new VisitWriter({ random: Math.random, ...options });
  }

  /** To be called before anything else, if at all. */
  restore({ lastAlert, withoutAlert }: VisitsBefore): void {
    const { clock, cooldownMs } = this.#options;
    const [now, wallTime] = [clock.now(), clock.wallTime()];
    this.#writer.restore(restoredAlert(lastAlert, { now, wallTime, cooldownMs }));
    for (const { id, time, confidence } of withoutAlert) {
      this.#writer.resumeAlert(newVisit(id, now, time), confidence);
    }
  }

  /**
   * @param images makes the JPEGs of this frame and face; called at once (the frame need not be kept) and only when
   * they are worth storing. Null or a rejection: none can be had; the next sighting is asked again.
   * @returns the faces that count, for those who watch.
   */
  analysed(frame: AnalysedFrame, images: (face: FaceInFrame) => ImageRequest): readonly TrackedFace[] {
    if (this.#closed) return [];
    const { faces, events } = this.#tracker.analyse(frame);
    this.#counts.frames += 1;
    this.#counts.faces += faces.length;
    for (const event of events) this.#on(event, images);
    this.#planTick();
    return faces;
  }

  /**
   * A detection made outside the service.
   * @returns its id, once it is stored. Rejects with AppError 503 `detections_unavailable` when it cannot be stored
   * now; it is not tried again then.
   */
  async report(sighting: Sighting, images: VisitImages | null, time: number | null = null): Promise<string> {
    if (this.#closed || this.#writer.failing) throw unavailable();
    const { clock, newId } = this.#options;
    const visit = newVisit(newId(), clock.now(), time ?? clock.wallTime());
    await new Promise<void>((resolve, reject) => {
      const request = images === null ? null : Promise.resolve(images);
      this.#writer.start(visit, sighting, request, { resolve, reject });
    });
    return visit.id;
  }

  setConfidenceThreshold(threshold: number): void {
    this.#tracker.setThreshold(threshold);
  }

  get figures(): VisitFigures {
    const { waiting, failing, counts } = this.#writer;
    return { ...this.#counts, ...counts, waiting, failing };
  }

  /**
   * Ends all visits and waits for the sink up to `withinMs`; with 0 what waits is given up (a deleted stream).
   * @returns whether all is stored.
   */
  close(withinMs: number): Promise<boolean> {
    if (!this.#closed) {
      this.#closed = true;
      this.#cancelTick?.();
      for (const event of this.#tracker.end()) this.#on(event, () => Promise.resolve(null));
    }
    return this.#writer.close(withinMs);
  }

  #on(event: TrackEvent, images: (face: FaceInFrame) => ImageRequest): void {
    if (event.type === 'confirmed') this.#begin(event.track, event.face, event.frame, images);
    const open = this.#open.get(event.track);
    if (open === undefined || event.type === 'confirmed') return;
    if (event.type === 'ended') {
      this.#open.delete(event.track);
      if (event.lastSeen > open.toldSeenAt) this.#writer.seen(open.visit, event.lastSeen);
      return;
    }
    const { face, frame } = event;
    if (event.type === 'better' || !open.visit.pictured) {
      this.#writer.improve(open.visit, sightingOf(face, frame), request(images, face), frame.at);
    } else if (frame.at - open.toldSeenAt >= seenEveryMs) this.#writer.seen(open.visit, frame.at);
    else return;
    open.toldSeenAt = frame.at;
  }

  #begin(
    track: number,
    face: FaceInFrame,
    frame: AnalysedFrame,
    images: (face: FaceInFrame) => ImageRequest,
  ): void {
    this.#counts.tracks += 1;
    const visit = newVisit(this.#options.newId(), frame.at, frame.wallTime);
    this.#open.set(track, { visit, toldSeenAt: frame.at });
    this.#writer.start(visit, sightingOf(face, frame), request(images, face));
  }

  /** Without frames (camera lost, detection switched off) time alone ends the visits. */
  #planTick(): void {
    if (this.#cancelTick !== null || !this.#tracker.active) return;
    const { clock } = this.#options;
    this.#cancelTick = clock.after(tickMs, () => {
      this.#cancelTick = null;
      for (const event of this.#tracker.tick(clock.now())) this.#on(event, () => Promise.resolve(null));
      this.#planTick();
    });
  }
}

function sightingOf({ confidence, box, landmarks }: FaceInFrame, { width, height }: AnalysedFrame): Sighting {
  return { confidence, box, landmarks, frame: { width, height } };
}

/** A picture may fail long before anybody waits for it. */
function request(images: (face: FaceInFrame) => ImageRequest, face: FaceInFrame): ImageRequest {
  const made = images(face);
  made.catch(() => null);
  return made;
}
