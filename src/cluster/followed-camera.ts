// A camera that another instance runs, as viewers here see it: its state as told, its media as they come over the bus.
// Which states hold, and who is asked for what, is relay-receiver.ts's.

import type { Clock } from '../base/clock.ts';
import { sameParameterSets, sameVideo, type VideoParameters } from '../media/access-unit.ts';
import type { AudioUnit } from '../media/audio.ts';
import type { CameraFigures, LiveCamera, PacketSource, SeenFace, UnsureFace } from '../stream/live-camera.ts';
import { fetchedPackets, Passthrough } from '../stream/passthrough.ts';
import type { StreamStatus } from '../stream/status.ts';
import { FollowedAudio, FollowedFaces, FollowedPictures, FollowedStream } from './followed-sources.ts';
import { UnitOrder } from './followed-units.ts';
import { Interest } from './interest.ts';
import type { MediaBus } from './media-bus.ts';
import { MediaTimes } from './media-times.ts';
import {
  type MediaKind,
  mediaKinds,
  membersOf,
  noFigures,
  numberOr,
  readAudio,
  readPicture,
  readVideo,
  type ToldState,
  topics,
  type Want,
} from './relay-messages.ts';
import { readUnits } from './unit-rows.ts';

export interface FollowParts {
  readonly bus: MediaBus;
  readonly clock: Clock;
  /** What is wanted of it is another than before. */
  readonly onWant: () => void;
  /** @returns whether what this owner tells counts: nobody is known to have taken over from it. */
  readonly holds: (fence: number) => boolean;
  readonly onClose: () => void;
  readonly onReaderError: (error: unknown) => void;
}

export class FollowedCamera implements LiveCamera {
  readonly id: string;
  readonly stream = new FollowedStream();
  readonly pictures: FollowedPictures;
  readonly audio: FollowedAudio;
  readonly faces: FollowedFaces;
  readonly packets: PacketSource;
  readonly #parts: FollowParts;
  readonly #interests: Readonly<Record<MediaKind, Interest>>;
  /** Those whose channel is subscribed to: only then nothing is missed. */
  readonly #receiving = new Set<MediaKind>();
  readonly #order = new UnitOrder();
  readonly #times = new MediaTimes();
  #begin = 0;
  #state: ToldState | null = null;
  #session = '';
  #viewers = 0;
  #closed = false;

  constructor(streamId: string, parts: FollowParts) {
    this.id = streamId;
    this.#parts = parts;
    const { clock } = parts;
    const { stream } = this;
    stream.onReaderError = parts.onReaderError;
    const interest = (kind: MediaKind) => new Interest(clock, () => this.#fetch(kind));
    this.#interests = {
      units: interest('units'),
      pictures: interest('pictures'),
      sound: interest('sound'),
      faces: interest('faces'),
    };
    this.pictures = new FollowedPictures({ stream, clock, interest: this.#interests.pictures });
    this.audio = new FollowedAudio({ stream, clock, interest: this.#interests.sound });
    this.faces = new FollowedFaces({ stream, interest: this.#interests.faces });
    this.packets = fetchedPackets(new Passthrough(stream, this.audio), () => this.wantUnits());
  }

  get figures(): CameraFigures {
    return this.#state?.figures ?? noFigures.camera;
  }

  get viewers(): number {
    return Math.max(this.#state?.viewers ?? 0, this.#viewers);
  }

  /** What the owner's app told of it; null when nobody is known to run it. */
  get told(): unknown {
    return this.#state?.details ?? null;
  }

  /** Units that came in vain, since one before them was lost. */
  get missed(): number {
    return this.#order.missed;
  }

  join(): () => void {
    this.#viewers += 1;
    this.#watch();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#viewers -= 1;
      this.#watch();
    };
  }

  /** Access units come to `stream` until this is ended, and some seconds longer. @returns ends it; idempotent. */
  wantUnits(): () => void {
    return this.#interests.units.take();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const kind of mediaKinds) this.#interests[kind].close();
    this.#parts.onClose();
  }

  /** What is wanted of it by now; null: nothing. */
  get want(): Want | null {
    if (this.#closed || (this.#viewers === 0 && this.#receiving.size === 0)) return null;
    return { kinds: this.#receiving, viewers: this.#viewers, begin: this.#begin };
  }

  /** @param state null: nobody runs it, as far as is known. */
  take(state: ToldState | null): void {
    this.#state = state;
    if (!state) return;
    this.#enter(state.session);
    const { stream } = this;
    stream.rates = { units: state.unitsPerSecond, bytes: state.bytesPerSecond };
    this.pictures.told = state.pictures;
    if (state.video) this.#setVideo(state.video);
    stream.setAudio(state.audio);
    this.audio.setAudio(state.aac, state.audio.kind === 'unsupported' ? state.audio.codec : null);
    this.faces.setDetector(state.detector);
  }

  /** @param status as it is to be shown, whatever was told. */
  show(status: StreamStatus, message: string | null): void {
    if (status !== 'online') this.pictures.forget();
    this.stream.setStatus(status, message);
  }

  /** Called now and then. */
  check(): void {
    this.audio.check();
  }

  /** What came for this instance alone: a beginning. */
  takeBeginning(message: unknown, bytes: Uint8Array): void {
    const { u } = membersOf(message);
    if (u !== undefined) this.#takeUnits(message, bytes);
    else this.#takePicture(message, bytes);
  }

  #watch(): void {
    this.faces.setWatched(this.#viewers > 0);
    this.#parts.onWant();
  }

  #fetch(kind: MediaKind): () => void {
    const takes = {
      units: this.#takeUnits,
      pictures: this.#takePicture,
      sound: this.#takeSound,
      faces: this.#takeFaces,
    };
    const take = takes[kind].bind(this);
    const leave = this.#parts.bus.subscribe(topics.media(kind, this.id), take, () => {
      this.#receiving.add(kind);
      if (kind === 'units') this.#begin += 1;
      this.#parts.onWant();
    });
    return () => {
      leave();
      this.#receiving.delete(kind);
      if (kind === 'units') {
        this.#order.reset();
        this.stream.interrupt();
      }
      if (kind === 'pictures') this.pictures.forget();
      this.#parts.onWant();
    };
  }

  /** @returns whether what comes with these members is of the owner. */
  #isOfOwner(message: unknown): boolean {
    const { f, e } = membersOf(message);
    if (typeof f !== 'number' || typeof e !== 'string' || !this.#parts.holds(f)) return false;
    this.#enter(e);
    return true;
  }

  /** Another owner, or the same one anew: numbers and times begin again. */
  #enter(session: string): void {
    if (session === this.#session) return;
    this.#session = session;
    this.#order.reset();
    this.#times.begin();
    // It may not know yet what is wanted here.
    this.#parts.onWant();
  }

  #takeUnits(message: unknown, bytes: Uint8Array): void {
    if (!this.#isOfOwner(message) || !this.#interests.units.active) return;
    const { u, c, v } = membersOf(message);
    const units = readUnits(u, c, bytes, this.#parts.clock.now());
    if (!units) return;
    const video = readVideo(v);
    for (const numbered of units) {
      const { unit } = numbered;
      const turn = this.#order.take(numbered);
      if (turn === 'no') continue;
      if (unit.keyframe && video) this.#setVideo(video);
      const timestamp = this.#times.map(unit.timestamp, unit.receivedAt);
      this.stream.publish({ ...unit, timestamp, lossBefore: unit.lossBefore || turn === 'after-loss' });
    }
  }

  /** The same object while it is the same video, since what describes it is made once for each. */
  #setVideo(video: VideoParameters): void {
    const known = this.stream.video;
    if (known && sameVideo(known, video) && sameParameterSets(known, video)) return;
    this.stream.setVideo(video);
  }

  #takePicture(message: unknown, bytes: Uint8Array): void {
    if (!this.#isOfOwner(message) || !this.#interests.pictures.active) return;
    const picture = readPicture(membersOf(message), bytes, this.#parts.clock.now());
    if (!picture) return;
    const timestamp = this.#times.map(picture.timestamp, picture.receivedAt);
    this.pictures.give({ ...picture, timestamp });
  }

  #takeSound(message: unknown, data: Uint8Array): void {
    if (!this.#isOfOwner(message)) return;
    const { t, d, a, p } = membersOf(message);
    const audio = readAudio(p);
    const time = numberOr(t, null);
    if (!audio || time === null) return;
    const receivedAt = this.#parts.clock.now() - numberOr(a, 0);
    const timestamp = this.#times.map(time, receivedAt);
    const unit: AudioUnit = { audio, data, timestamp, duration: numberOr(d, 0), receivedAt };
    this.audio.give(unit);
  }

  #takeFaces(message: unknown): void {
    if (!this.#isOfOwner(message)) return;
    const { t, faces, below } = membersOf(message);
    const time = numberOr(t, null);
    if (time === null || !Array.isArray(faces)) return;
    const timestamp = this.#times.map(time, this.#parts.clock.now());
    this.faces.give(
      timestamp,
      faces as readonly SeenFace[],
      Array.isArray(below) ? (below as readonly UnsureFace[]) : [],
    );
  }
}
