// Joins the faces of one stream's analysed frames to tracks: one person in view is one track.
// Pure: driven by frames and by told time; what becomes of a track (detection, alert) is decided elsewhere.

import type { FaceInFrame } from '../media/faces.ts';
import type { AnalysedFrame } from './analysed-frame.ts';
import { type MovingFace, matchFaces, moveTo, withoutDoubles } from './motion.ts';

/** A person is gone when unseen for so long, ms. */
export const unseenLimitMs = 2_000;
/** A slow detector looks seldom: a person must be able to be missed by one look. */
const unseenIntervals = 2.5;
/** Whoever lets the detector look once in ten seconds must be able to see somebody twice. */
const maxUnseenLimitMs = 30_000;
/** A tick waits so much longer: frames that arrived in time may still be at the detector. */
const lateResultMs = 1_000;
/** A new best picture must be so much better than the one before. */
const improvement = 1.1;
const maxFacesPerFrame = 64;
const maxTracks = 128;

export interface TrackedFace {
  /** Small integer, unique within the life of the tracker. */
  readonly track: number;
  readonly face: FaceInFrame;
  readonly confirmed: boolean;
}

/** Only confirmed tracks are told of. `better` is a sighting, too: a frame gives one event for a track. */
export type TrackEvent =
  | {
      readonly type: 'confirmed' | 'better' | 'seen';
      readonly track: number;
      readonly face: FaceInFrame;
      readonly frame: AnalysedFrame;
    }
  | {
      readonly type: 'ended';
      readonly track: number;
      /** ms, monotonic: arrival of the last frame that showed it. */
      readonly lastSeen: number;
    };

interface Track extends MovingFace {
  readonly id: number;
  confirmed: boolean;
  /** Sightings in the last three analysed frames, the newest in bit 0. */
  history: number;
  bestScore: number;
}

function isUsable({ confidence, box }: FaceInFrame, threshold: number): boolean {
  return (
    confidence >= threshold &&
    Number.isFinite(box.x + box.y + box.width + box.height) &&
    box.width > 0 &&
    box.height > 0
  );
}

/** Worth of a picture: confidence × size (side in pixels) × sharpness. */
export function pictureScore(face: FaceInFrame, frame: AnalysedFrame): number {
  const size = Math.sqrt(face.box.width * frame.width * face.box.height * frame.height);
  const sharpness = face.sharpness > 0 ? face.sharpness : Number.MIN_VALUE;
  return face.confidence * size * sharpness;
}

function seenTwiceInThree(history: number): boolean {
  const recent = history & 0b111;
  return (recent & 1) + ((recent >> 1) & 1) + ((recent >> 2) & 1) >= 2;
}

export class Tracker {
  #threshold: number;
  #tracks: Track[] = [];
  #nextId = 1;
  #latestAt = Number.NEGATIVE_INFINITY;
  /** ms between the latest frames, oldest first. */
  #intervals: number[] = [];

  /** @param threshold confidence (0–1) below which a face does not count. */
  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** Effective with the next frame; tracks whose faces do not count any more end like people who left. */
  setThreshold(threshold: number): void {
    this.#threshold = threshold;
  }

  /** Whether anybody is, or was until lately, in view. */
  get active(): boolean {
    return this.#tracks.length > 0;
  }

  /**
   * Frames come in order of `at`; one that is older than its predecessor is ignored. A change of resolution or a new
   * connection needs no word: boxes are fractions, and only time without a sighting ends a track.
   */
  analyse(frame: AnalysedFrame): { readonly faces: readonly TrackedFace[]; readonly events: TrackEvent[] } {
    if (!(frame.at >= this.#latestAt)) return { faces: [], events: [] };
    this.#noteInterval(frame.at);
    const events = this.#expire(frame.at - this.#unseenLimit());
    const usable = frame.faces.filter((face) => isUsable(face, this.#threshold));
    const faces = withoutDoubles(usable).slice(0, maxFacesPerFrame);
    const trackOf = matchFaces(this.#tracks, faces, frame.at);
    const tracked: TrackedFace[] = [];
    for (const track of this.#tracks) track.history <<= 1;
    faces.forEach((face, index) => {
      const track = this.#sight(trackOf[index] as Track | undefined, face, frame);
      if (track === undefined) return;
      const event = this.#judge(track, face, frame);
      if (event !== null) events.push(event);
      tracked.push({ track: track.id, face, confirmed: track.confirmed });
    });
    // Missed twice in a row, an unconfirmed one cannot reach two of three any more.
    this.#tracks = this.#tracks.filter((track) => track.confirmed || (track.history & 0b11) !== 0);
    return { faces: tracked, events };
  }

  /** Ends what was unseen for too long when no frames come. @param now ms, monotonic. */
  tick(now: number): TrackEvent[] {
    return this.#expire(now - this.#unseenLimit() - lateResultMs);
  }

  /** Ends everything at once: the stream is going away. */
  end(): TrackEvent[] {
    return this.#expire(Number.POSITIVE_INFINITY);
  }

  /** The track with this face, moved or made; undefined when there are too many already. */
  #sight(known: Track | undefined, face: FaceInFrame, frame: AnalysedFrame): Track | undefined {
    if (known !== undefined) {
      moveTo(known, face.box, frame.at);
      known.history |= 1;
      return known;
    }
    if (this.#tracks.length >= maxTracks) return undefined;
    const track: Track = {
      id: this.#nextId++,
      box: face.box,
      lastSeen: frame.at,
      velocity: null,
      confirmed: false,
      history: 1,
      bestScore: 0,
    };
    this.#tracks.push(track);
    return track;
  }

  #judge(track: Track, face: FaceInFrame, frame: AnalysedFrame): TrackEvent | null {
    const { id } = track;
    const score = pictureScore(face, frame);
    if (!track.confirmed) {
      if (!seenTwiceInThree(track.history)) return null;
      track.confirmed = true;
      track.bestScore = score;
      return { type: 'confirmed', track: id, face, frame };
    }
    if (score < track.bestScore * improvement) return { type: 'seen', track: id, face, frame };
    track.bestScore = score;
    return { type: 'better', track: id, face, frame };
  }

  #noteInterval(at: number): void {
    if (this.#latestAt !== Number.NEGATIVE_INFINITY) {
      this.#intervals.push(at - this.#latestAt);
      if (this.#intervals.length > 5) this.#intervals.shift();
    }
    this.#latestAt = at;
  }

  /** 2 s, or longer when the detector usually looks less often than every 0.8 s; a single gap does not count. */
  #unseenLimit(): number {
    if (this.#intervals.length === 0) return unseenLimitMs;
    const sorted = this.#intervals.toSorted((a, b) => a - b);
    // Of few, the shortest: a gap among them must not pass for the rule.
    const usual = sorted.length < 5 ? sorted[0]! : sorted[2]!;
    return Math.min(maxUnseenLimitMs, Math.max(unseenLimitMs, unseenIntervals * usual));
  }

  #expire(lastSeenUntil: number): TrackEvent[] {
    const over = this.#tracks.filter((track) => track.lastSeen <= lastSeenUntil);
    if (over.length === 0) return [];
    this.#tracks = this.#tracks.filter((track) => track.lastSeen > lastSeenUntil);
    return over
      .filter((track) => track.confirmed)
      .map((track) => ({ type: 'ended', track: track.id, lastSeen: track.lastSeen }));
  }
}
