// Readers of whichever camera is shown at the moment: they stay when another takes its place, and its times go on.
// Knows nothing of instances; which camera is shown is shared-camera.ts's.

import type { Picture } from './media/access-unit.ts';
import { type AudioParameters, sameAudio } from './media/audio.ts';
import type { AudioListener, AudioSource } from './stream/audio-source.ts';
import type { FaceReader, FaceSource, LiveCamera, PictureSource } from './stream/live-camera.ts';

/** Media times of one source after the other, on one clock that goes on. */
export class Timeline {
  /** µs; null until the first time of a new source is known. */
  #offset: number | null = 0;
  #last = 0;
  #lastAt: number | null = null;

  /** Times of another source come from now on. */
  change(): void {
    if (this.#lastAt !== null) this.#offset = null;
  }

  /** @param timestamp µs, of the source. @param at ms, monotonic, when it came. @returns µs. */
  time(timestamp: number, at: number): number {
    const elapsed = this.#lastAt === null ? 0 : Math.max(1, Math.round((at - this.#lastAt) * 1000));
    this.#offset ??= this.#last + elapsed - timestamp;
    const time = timestamp + this.#offset;
    if (this.#lastAt === null || time > this.#last) {
      this.#last = time;
      this.#lastAt = at;
    }
    return time;
  }

  /** The same bytes at their time here. */
  place<T extends { readonly timestamp: number; readonly receivedAt: number }>(piece: T): T {
    const timestamp = this.time(piece.timestamp, piece.receivedAt);
    return timestamp === piece.timestamp ? piece : { ...piece, timestamp };
  }
}

/** @returns ends it. */
type Attach<Reader> = (camera: LiveCamera, reader: Reader) => () => void;

/** Readers of one kind. */
export class Readers<Reader extends object> {
  readonly #attach: Attach<Reader>;
  readonly #attached = new Map<object, { readonly reader: Reader; leave: () => void }>();
  #camera: LiveCamera;

  constructor(camera: LiveCamera, attach: Attach<Reader>) {
    this.#camera = camera;
    this.#attach = attach;
  }

  get camera(): LiveCamera {
    return this.#camera;
  }

  /** @returns ends it; idempotent. */
  add(reader: Reader): () => void {
    const own = {};
    const entry = { reader, leave: () => {} };
    this.#attached.set(own, entry);
    entry.leave = this.#attach(this.#camera, reader);
    return () => {
      if (this.#attached.delete(own)) entry.leave();
    };
  }

  show(camera: LiveCamera): void {
    this.#camera = camera;
    for (const entry of [...this.#attached.values()]) {
      entry.leave();
      entry.leave = this.#attach(camera, entry.reader);
    }
  }
}

export class ShownPictures implements PictureSource {
  readonly readers: Readers<(picture: Picture) => void>;

  constructor(camera: LiveCamera, timeline: Timeline) {
    this.readers = new Readers(camera, ({ pictures }, onPicture) =>
      pictures.subscribe((picture) => onPicture(timeline.place(picture))),
    );
  }

  get figures() {
    return this.readers.camera.pictures.figures;
  }

  subscribe(onPicture: (picture: Picture) => void): () => void {
    return this.readers.add(onPicture);
  }
}

/** A listener that is told of no sound when the camera that had some is not shown any more. */
class Hearing implements AudioListener {
  readonly #listener: AudioListener;
  readonly #timeline: Timeline;
  #told: AudioParameters | null = null;

  constructor(listener: AudioListener, timeline: Timeline) {
    this.#listener = listener;
    this.#timeline = timeline;
  }

  onAudio(audio: AudioParameters | null): void {
    if (sameAudio(audio, this.#told)) return;
    this.#told = audio;
    this.#listener.onAudio(audio);
  }

  onAudioUnit(unit: Parameters<AudioListener['onAudioUnit']>[0]): void {
    this.#listener.onAudioUnit(this.#timeline.place(unit));
  }
}

export class ShownAudio implements AudioSource {
  readonly readers: Readers<Hearing>;
  readonly #timeline: Timeline;

  constructor(camera: LiveCamera, timeline: Timeline) {
    this.#timeline = timeline;
    this.readers = new Readers(camera, ({ audio }, hearing) => {
      const leave = audio.subscribe(hearing);
      if (audio.audio === null) hearing.onAudio(null);
      return leave;
    });
  }

  get #source(): AudioSource {
    return this.readers.camera.audio;
  }

  get audio() {
    return this.#source.audio;
  }

  get unsupported() {
    return this.#source.unsupported;
  }

  get figures() {
    return this.#source.figures;
  }

  subscribe(listener: AudioListener): () => void {
    return this.readers.add(new Hearing(listener, this.#timeline));
  }
}

/** So many alerts are remembered as told. */
const alertsRemembered = 64;

export class ShownFaces implements FaceSource {
  readonly readers: Readers<FaceReader>;
  readonly #all = new Set<FaceReader>();
  readonly #toldAlerts = new Set<string>();

  /** @param now ms, monotonic. */
  constructor(camera: LiveCamera, timeline: Timeline, now: () => number) {
    this.readers = new Readers(camera, ({ faces }, { onFaces, onDetector }) =>
      faces.subscribe({
        ...(onFaces && {
          onFaces: (timestamp, seen, below) => onFaces(timeline.time(timestamp, now()), seen, below),
        }),
        ...(onDetector && { onDetector }),
      }),
    );
  }

  get detector() {
    return this.readers.camera.faces.detector;
  }

  subscribe(reader: FaceReader): () => void {
    this.#all.add(reader);
    const leave = this.readers.add(reader);
    return () => {
      this.#all.delete(reader);
      leave();
    };
  }

  /**
   * An alert of this stream, raised here or elsewhere: it may come more than once and is told once, whichever camera is
   * shown when it comes.
   */
  readonly alert: NonNullable<FaceReader['onAlert']> = (alert) => {
    if (this.#toldAlerts.has(alert.alertId)) return;
    this.#toldAlerts.add(alert.alertId);
    if (this.#toldAlerts.size > alertsRemembered) this.#toldAlerts.delete([...this.#toldAlerts][0]!);
    for (const reader of [...this.#all]) this.readers.camera.stream.guard(() => reader.onAlert?.(alert));
  };
}
