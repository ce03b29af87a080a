// Stream, pictures, sound and faces of a camera that another instance runs, for readers here: fetched once, and only while there are any.
// What comes is given by followed-camera.ts; nothing here knows the bus.

import type { Clock } from '../base/clock.ts';
import type { Picture } from '../media/access-unit.ts';
import { type AudioParameters, type AudioUnit, sameAudio } from '../media/audio.ts';
import type { AudioFigures, AudioListener, AudioSource } from '../stream/audio-source.ts';
import type {
  DetectorView,
  FaceReader,
  FaceSource,
  PictureFigures,
  PictureSource,
  RaisedAlert,
  SeenFace,
  UnsureFace,
} from '../stream/live-camera.ts';
import { Stream } from '../stream/stream.ts';
import type { Interest } from './interest.ts';
import { noFigures } from './relay-messages.ts';

export class FollowedStream extends Stream {
  rates = { units: 0, bytes: 0 };

  /** At the owner: here they may not come at all. */
  override unitsPerSecond(): number {
    return this.rates.units;
  }

  override bytesPerSecond(): number {
    return this.rates.bytes;
  }
}

export interface SourceParts {
  readonly stream: Stream;
  readonly interest: Interest;
  readonly clock: Clock;
}

/** An older picture is not shown to a newcomer, unless the camera has sent nothing since. */
const freshMs = 2_000;

export class FollowedPictures implements PictureSource {
  readonly #parts: SourceParts;
  readonly #readers = new Set<(picture: Picture) => void>();
  #latest: Picture | null = null;
  #told: PictureFigures = noFigures.pictures;

  constructor(parts: SourceParts) {
    this.#parts = parts;
  }

  get figures(): PictureFigures {
    return { ...this.#told, readers: this.#readers.size };
  }

  set told(figures: PictureFigures) {
    this.#told = figures;
  }

  subscribe(onPicture: (picture: Picture) => void): () => void {
    const { interest, stream, clock } = this.#parts;
    const own = (picture: Picture) => onPicture(picture);
    const fetched = interest.active;
    const leave = interest.take();
    this.#readers.add(own);
    const latest = this.#latest;
    if (fetched && latest && stream.status === 'online' && clock.now() - latest.receivedAt < freshMs)
      own(latest);
    return () => {
      this.#readers.delete(own);
      leave();
    };
  }

  give(picture: Picture): void {
    // The newest one may come once more, for an instance that begins.
    if (picture.timestamp === this.#latest?.timestamp) return;
    this.#latest = picture;
    for (const reader of this.#readers) this.#parts.stream.guard(() => reader(picture));
  }

  forget(): void {
    this.#latest = null;
  }
}

/** The video goes on for so long without any sound: it is not promised any more, ms. */
const stalledMs = 1_500;

export class FollowedAudio implements AudioSource {
  readonly #parts: SourceParts;
  readonly #listeners = new Set<AudioListener>();
  /** What the owner's listeners get, and what listeners here were told. */
  #audio: AudioParameters | null = null;
  #given: AudioParameters | null = null;
  #unsupported: string | null = null;
  #units = 0;
  #heardAt = 0;

  constructor(parts: SourceParts) {
    this.#parts = parts;
  }

  get audio(): AudioParameters | null {
    return this.#audio;
  }

  get unsupported(): string | null {
    return this.#unsupported;
  }

  get figures(): AudioFigures {
    return { listeners: this.#listeners.size, units: this.#units, dropped: 0, errors: 0, transcoding: false };
  }

  subscribe(listener: AudioListener): () => void {
    // One of its own, so that the same listener may come twice.
    const own: AudioListener = {
      onAudio: (audio) => listener.onAudio(audio),
      onAudioUnit: (unit) => listener.onAudioUnit(unit),
    };
    const leave = this.#parts.interest.take();
    if (this.#listeners.size === 0) {
      this.#heardAt = this.#parts.clock.now();
      this.#given = this.#audio;
    }
    this.#listeners.add(own);
    if (this.#given) own.onAudio(this.#given);
    return () => {
      this.#listeners.delete(own);
      leave();
    };
  }

  setAudio(audio: AudioParameters | null, unsupported: string | null): void {
    this.#unsupported = unsupported;
    if (sameAudio(audio, this.#audio)) return;
    this.#audio = audio;
    this.#heardAt = this.#parts.clock.now();
    this.#tell(audio);
  }

  give(unit: AudioUnit): void {
    this.setAudio(unit.audio, null);
    this.#units += 1;
    this.#heardAt = this.#parts.clock.now();
    this.#tell(this.#audio);
    this.#each((listener) => listener.onAudioUnit({ ...unit, audio: this.#audio! }));
  }

  /** Called now and then: a player that is promised sound which does not come shows no picture. */
  check(): void {
    if (this.#listeners.size > 0 && this.#parts.clock.now() - this.#heardAt > stalledMs) this.#tell(null);
  }

  #tell(audio: AudioParameters | null): void {
    if (audio === this.#given) return;
    this.#given = audio;
    this.#each((listener) => listener.onAudio(audio));
  }

  #each(call: (listener: AudioListener) => void): void {
    for (const listener of this.#listeners) this.#parts.stream.guard(() => call(listener));
  }
}

/** Alerts may come twice. */
const rememberedAlerts = 300;

export class FollowedFaces implements FaceSource {
  readonly #stream: Stream;
  readonly #interest: Interest;
  readonly #readers = new Set<FaceReader>();
  readonly #toldAlerts = new Set<string>();
  #detector: DetectorView = { state: 'off', message: null };
  #watched = false;
  #leave: (() => void) | null = null;

  constructor({ stream, interest }: Omit<SourceParts, 'clock'>) {
    this.#stream = stream;
    this.#interest = interest;
  }

  get detector(): DetectorView {
    return this.#detector;
  }

  subscribe(reader: FaceReader): () => void {
    this.#readers.add(reader);
    this.#choose();
    return () => {
      this.#readers.delete(reader);
      this.#choose();
    };
  }

  /** Boxes without viewers are of no use. */
  setWatched(watched: boolean): void {
    this.#watched = watched;
    this.#choose();
  }

  setDetector(detector: DetectorView): void {
    const { state, message } = this.#detector;
    if (detector.state === state && detector.message === message) return;
    this.#detector = detector;
    this.#each((reader) => reader.onDetector?.(detector));
  }

  give(timestamp: number, faces: readonly SeenFace[], below: readonly UnsureFace[]): void {
    this.#each((reader) => reader.onFaces?.(timestamp, faces, below));
  }

  alert(alert: RaisedAlert): void {
    if (this.#toldAlerts.has(alert.alertId)) return;
    this.#toldAlerts.add(alert.alertId);
    if (this.#toldAlerts.size > rememberedAlerts)
      for (const oldest of this.#toldAlerts) {
        this.#toldAlerts.delete(oldest);
        break;
      }
    this.#each((reader) => reader.onAlert?.(alert));
  }

  #choose(): void {
    let wanted = false;
    if (this.#watched) for (const reader of this.#readers) wanted ||= reader.onFaces !== undefined;
    if (wanted) this.#leave ??= this.#interest.take();
    else {
      this.#leave?.();
      this.#leave = null;
    }
  }

  #each(call: (reader: FaceReader) => void): void {
    for (const reader of this.#readers) this.#stream.guard(() => call(reader));
  }
}
