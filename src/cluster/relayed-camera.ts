// One camera that this instance runs, as it is told to the others: its state, and of its media what somebody wants.
// Who wants what, and when states are told, is relay-sender.ts's.

import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { AccessUnit, Picture } from '../media/access-unit.ts';
import type { AudioUnit } from '../media/audio.ts';
import type { LiveCamera, RaisedAlert, SeenFace, UnsureFace } from '../stream/live-camera.ts';
import type { MediaBus } from './media-bus.ts';
import type { Lease } from './ports.ts';
import {
  ageOf,
  audioJson,
  type MediaKind,
  mediaKinds,
  type Sender,
  topics,
  videoJson,
  type Want,
} from './relay-messages.ts';
import { unitRow } from './unit-rows.ts';
import { noBytes } from './wire.ts';

export interface RelayedCameraOptions {
  readonly streamId: string;
  readonly lease: Pick<Lease, 'fresh' | 'fence'>;
  /** Told with the state, as JSON. */
  readonly details: () => object;
  /** Called when `remoteViewers` changed. */
  readonly onViewers?: (remoteViewers: number) => void;
}

export interface RelayParts {
  readonly bus: MediaBus;
  readonly clock: Clock;
  readonly onChange: () => void;
  readonly onAlert: (alert: RaisedAlert) => void;
  readonly onClose: () => void;
}

export class RelayedCamera {
  readonly #camera: LiveCamera;
  readonly #options: RelayedCameraOptions;
  readonly #parts: RelayParts;
  /** Of each kind that is wanted: ends it. */
  readonly #sending = new Map<MediaKind, () => void>();
  readonly #sender: Sender;
  #wants: ReadonlyMap<string, Want> = new Map();
  /** By instance, the `begin` that was answered. */
  readonly #begun = new Map<string, number>();
  readonly #leave: (() => void)[];
  #leaveViewers: (() => void) | null = null;
  #remoteViewers = 0;
  /** Of the last unit. Those that are not sent count as well, so that they are missed. */
  #number = 0;
  #skipping = false;
  #latest: Picture | null = null;
  #waiting: Picture | null = null;
  #dropped = 0;
  #closed = false;

  constructor(camera: LiveCamera, options: RelayedCameraOptions, parts: RelayParts) {
    this.#camera = camera;
    this.#options = options;
    this.#parts = parts;
    this.#sender = { f: options.lease.fence.number, e: randomUUID().slice(0, 8) };
    const { onChange, onAlert, bus } = parts;
    this.#leave = [
      camera.stream.subscribe({ onStatus: onChange, onVideo: onChange, onAudio: onChange }),
      camera.faces.subscribe({ onDetector: onChange }),
      bus.onRoom(() => this.#sendWaiting()),
    ];
    // As long as the camera is there: what it stores last, when it is let go already, is told as well.
    camera.faces.subscribe({ onAlert });
  }

  get streamId(): string {
    return this.#options.streamId;
  }

  /** On all other instances together. */
  get remoteViewers(): number {
    return this.#remoteViewers;
  }

  /** Units and pictures that the connection was too slow for. */
  get dropped(): number {
    return this.#dropped;
  }

  /** As it is told; null while nothing may be told in the stream's name. */
  state(): object | null {
    if (!this.#mayTell) return null;
    const { stream, audio, faces, figures, pictures } = this.#camera;
    const now = this.#parts.clock.now();
    return {
      ...this.#name,
      status: stream.status,
      message: stream.message,
      video: videoJson(stream.video),
      audio: audioJson(stream.audio),
      unsupportedAudio: stream.unsupportedAudio,
      aac: audioJson(audio.audio),
      // What this relay itself counts as one at the camera is all of those.
      viewers: this.#camera.viewers - (this.#leaveViewers ? 1 : 0) + this.#remoteViewers,
      detector: faces.detector,
      figures,
      pictures: pictures.figures,
      unitsPerSecond: stream.unitsPerSecond(now),
      bytesPerSecond: stream.bytesPerSecond(now),
      details: this.#options.details(),
    };
  }

  /** @param wants of every other instance, by its name. */
  setWants(wants: ReadonlyMap<string, Want>): void {
    if (this.#closed) return;
    const before = this.#wants;
    this.#wants = wants;
    let viewers = 0;
    for (const want of wants.values()) viewers += want.viewers;
    this.#setViewers(viewers);
    for (const kind of mediaKinds) this.#send(kind, someWants(wants, kind));
    for (const [instance, want] of wants) this.#begin(instance, want, before.get(instance));
    for (const instance of this.#begun.keys()) if (!wants.has(instance)) this.#begun.delete(instance);
  }

  /** The others learn at once that it is not told of any more. */
  close(): void {
    if (this.#closed) return;
    if (this.#mayTell)
      this.#parts.bus.publish(topics.states, { states: [{ ...this.#name, gone: true, status: 'offline' }] });
    this.#closed = true;
    for (const leave of this.#leave) leave();
    for (const kind of mediaKinds) this.#send(kind, false);
    this.#leaveViewers?.();
    this.#leaveViewers = null;
    this.#parts.onClose();
  }

  get #mayTell(): boolean {
    return !this.#closed && this.#options.lease.fresh;
  }

  get #name() {
    return { id: this.streamId, fence: this.#sender.f, session: this.#sender.e };
  }

  #setViewers(viewers: number): void {
    if (viewers === this.#remoteViewers) return;
    this.#remoteViewers = viewers;
    if (viewers > 0) this.#leaveViewers ??= this.#camera.join();
    else {
      this.#leaveViewers?.();
      this.#leaveViewers = null;
    }
    this.#parts.onChange();
    this.#options.onViewers?.(viewers);
  }

  #send(kind: MediaKind, wanted: boolean): void {
    const end = this.#sending.get(kind);
    if (wanted === (end !== undefined)) return;
    if (wanted) this.#sending.set(kind, this.#start(kind));
    else {
      this.#sending.delete(kind);
      end!();
    }
  }

  #start(kind: MediaKind): () => void {
    const { stream, pictures, audio, faces } = this.#camera;
    switch (kind) {
      case 'units':
        this.#skipping = false;
        // None of the numbers of those that are kept was told before.
        this.#number += stream.recentUnits().length + 1;
        return stream.subscribe({ onUnit: (unit) => this.#sendUnit(unit) });
      case 'pictures': {
        const leave = pictures.subscribe((picture) => this.#sendPicture(picture));
        return () => {
          leave();
          this.#latest = null;
          this.#waiting = null;
        };
      }
      case 'sound':
        return audio.subscribe({
          onAudio: () => this.#parts.onChange(),
          onAudioUnit: (unit) => this.#sendSound(unit),
        });
      case 'faces':
        return faces.subscribe({
          onFaces: (timestamp, seen, below) => this.#sendFaces(timestamp, seen, below),
        });
    }
  }

  /** @returns whether it is on its way. */
  #offer(topic: string, message: object, bytes: Uint8Array): boolean {
    return this.#mayTell && this.#parts.bus.offer(topic, { ...this.#sender, ...message }, bytes);
  }

  #sendUnit(unit: AccessUnit): void {
    this.#number += 1;
    if (unit.keyframe) this.#skipping = false;
    if (!this.#skipping) {
      const message = {
        c: unit.codec,
        u: [unitRow(this.#number, unit, this.#parts.clock.now())],
        // Here, so that it is known before what it describes.
        ...(unit.keyframe && { v: videoJson(this.#camera.stream.video) }),
      };
      if (this.#offer(topics.media('units', this.streamId), message, unit.data)) return;
      this.#skipping = true;
    }
    this.#dropped += 1;
  }

  #sendPicture(picture: Picture): void {
    this.#latest = picture;
    if (this.#offer(topics.media('pictures', this.streamId), this.#pictureMessage(picture), picture.data)) {
      this.#waiting = null;
      return;
    }
    this.#waiting = picture;
    this.#dropped += 1;
  }

  /** The newest only. */
  #sendWaiting(): void {
    if (this.#waiting) this.#sendPicture(this.#waiting);
  }

  #pictureMessage({ timestamp, receivedAt, width, height }: Picture): object {
    return { t: timestamp, a: ageOf(receivedAt, this.#parts.clock.now()), w: width, h: height };
  }

  #sendSound({ audio, data, timestamp, duration, receivedAt }: AudioUnit): void {
    const age = ageOf(receivedAt, this.#parts.clock.now());
    const message = { t: timestamp, d: duration, a: age, p: audioJson(audio) };
    this.#offer(topics.media('sound', this.streamId), message, data);
  }

  #sendFaces(timestamp: number, faces: readonly SeenFace[], below: readonly UnsureFace[]): void {
    this.#offer(topics.media('faces', this.streamId), { t: timestamp, faces, below }, noBytes);
  }

  /** To an instance that begins: the last keyframe and all since, the newest picture. Before whatever comes next. */
  #begin(instance: string, want: Want, before: Want | undefined): void {
    if (want.kinds.has('units') && this.#begun.get(instance) !== want.begin && this.#sendRecent(instance))
      this.#begun.set(instance, want.begin);
    if (!want.kinds.has('pictures') || before?.kinds.has('pictures') || !this.#latest) return;
    const message = { id: this.streamId, ...this.#pictureMessage(this.#latest) };
    this.#offer(topics.beginnings(instance), message, this.#latest.data);
  }

  #sendRecent(instance: string): boolean {
    const { stream } = this.#camera;
    const units = stream.recentUnits();
    const first = units[0];
    if (!first) return true;
    const now = this.#parts.clock.now();
    const message = {
      id: this.streamId,
      c: first.codec,
      u: units.map((unit, i) => unitRow(this.#number - units.length + 1 + i, unit, now)),
      v: videoJson(stream.video),
    };
    return this.#offer(topics.beginnings(instance), message, Buffer.concat(units.map(({ data }) => data)));
  }
}

function someWants(wants: ReadonlyMap<string, Want>, kind: MediaKind): boolean {
  for (const { kinds } of wants.values()) if (kinds.has(kind)) return true;
  return false;
}
