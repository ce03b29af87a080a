// A camera of several instances as one of them shows it: run here while this instance holds it, else followed.
// One object for as long as the stream is there: viewers keep it, whoever runs the camera. Who does is cluster's.

import type { Clock } from './base/clock.ts';
import type { Camera, CameraOptions } from './camera.ts';
import { nothingDetected, sumOfDetections } from './camera-figures.ts';
import type { FollowedCamera } from './cluster/relay-receiver.ts';
import type { RelayedCamera } from './cluster/relay-sender.ts';
import type { CameraReading, DetectionChoice, DirectoryCamera } from './directory-camera.ts';
import type { LiveStats } from './http/ports.ts';
import type { DetectionFigures, OutsideDetection } from './http/record-ports.ts';
import type { CameraUrl } from './media/camera-url.ts';
import { ShownAudio, ShownFaces, ShownPictures, Timeline } from './shown-sources.ts';
import type { CameraFigures, LiveCamera, PacketSource } from './stream/live-camera.ts';
import { fetchedPackets, Passthrough } from './stream/passthrough.ts';
import { Stream } from './stream/stream.ts';
import { readTold, type Told } from './told-camera.ts';

/** What other instances have to do with one camera. */
export interface SharedCameraParts {
  readonly clock: Clock;
  /** It, as another instance shows it. */
  readonly followed: FollowedCamera;
  /** It is to run somewhere, or not any more. */
  readonly onWanted: (wanted: boolean) => void;
  readonly onClosed: () => void;
  /** A detection made outside goes to whoever runs the camera. @returns its id. */
  readonly reportElsewhere: (detection: OutsideDetection) => Promise<string>;
}

interface Held {
  readonly camera: Camera;
  readonly relayed: RelayedCamera;
  readonly leaveFaces: () => void;
}

export class SharedCamera implements DirectoryCamera {
  readonly id: string | null;
  readonly stream = new Stream();
  readonly pictures: ShownPictures;
  readonly audio: ShownAudio;
  readonly faces: ShownFaces;
  readonly packets: PacketSource;
  readonly #parts: SharedCameraParts;
  readonly #options: CameraOptions;
  readonly #timeline = new Timeline();
  #address: CameraUrl;
  #detection: DetectionChoice = { enabled: false, address: null, confidenceThreshold: 0 };
  #held: Held | null = null;
  #shown: LiveCamera;
  #leaveShown = () => {};
  readonly #leaveAlerts: () => void;
  /** Of viewers here, at the camera that is shown. */
  readonly #joined = new Set<{ leave: () => void }>();
  /** Those who want access units; while there are any, the camera that is shown gives them. */
  #wantingUnits = 0;
  #leaveUnits: (() => void) | null = null;
  #past = nothingDetected;
  #running = false;
  #closed = false;
  /** Until then a camera that was let go may still be connected. */
  #released: Promise<void> = Promise.resolve();

  constructor(parts: SharedCameraParts, options: CameraOptions) {
    const { followed, clock } = parts;
    this.#parts = parts;
    this.#options = options;
    this.id = options.id;
    this.#address = options.address;
    this.#shown = followed;
    this.pictures = new ShownPictures(followed, this.#timeline);
    this.audio = new ShownAudio(followed, this.#timeline);
    this.faces = new ShownFaces(followed, this.#timeline, () => clock.now());
    this.packets = fetchedPackets(new Passthrough(this.stream, this.audio), () => this.wantUnits());
    this.#leaveAlerts = followed.faces.subscribe({ onAlert: this.faces.alert });
    this.#show(followed);
  }

  get address(): CameraUrl {
    return this.#address;
  }

  get isHeld(): boolean {
    return this.#held !== null;
  }

  get viewers(): number {
    if (this.#held) return this.#joined.size + this.#held.relayed.remoteViewers;
    return Math.max(this.#joined.size, this.#shown.viewers);
  }

  get isWatched(): boolean {
    return this.#joined.size > 0 || (this.#held?.relayed.remoteViewers ?? 0) > 0;
  }

  get figures(): CameraFigures {
    return this.#shown.figures;
  }

  get stats(): LiveStats {
    return this.#held ? this.#held.camera.stats : this.#told.stats;
  }

  get reading(): CameraReading {
    const { viewers } = this;
    if (this.#held) return { ...this.#held.camera.reading, viewers };
    return { ...this.#told.reading, viewers, wanted: this.#running };
  }

  get detected(): DetectionFigures {
    return this.#held ? sumOfDetections([this.#past, this.#held.camera.detected]) : this.#past;
  }

  get lastConnected(): number | null {
    return this.#held?.camera.lastConnected ?? this.#told.lastConnected;
  }

  get inError(): boolean {
    return this.#held ? this.#held.camera.inError : this.stream.status === 'error';
  }

  start(): void {
    this.#running = true;
    if (this.#held) this.#held.camera.start();
    else this.#tellStatus();
    this.#parts.onWanted(true);
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#tellStatus();
    this.#parts.onWanted(false);
    // The instance that holds it lets it go; when that is this one, it does not wait for being told so.
    await this.#held?.camera.stop();
  }

  setAddress(address: CameraUrl): void {
    this.#address = address;
    this.#held?.camera.setAddress(address);
  }

  setDetection(detection: DetectionChoice): void {
    this.#detection = detection;
    this.#held?.camera.setDetection(detection);
  }

  async report(detection: OutsideDetection): Promise<string> {
    return this.#held ? this.#held.camera.report(detection) : this.#parts.reportElsewhere(detection);
  }

  join(): () => void {
    const own = { leave: this.#shown.join() };
    this.#joined.add(own);
    return () => {
      if (!this.#joined.delete(own)) return;
      own.leave();
      // Of a camera that is held, those elsewhere count too: it tells by itself.
      if (this.#joined.size === 0 && !this.#held) this.#options.onUnwatched?.();
    };
  }

  wantUnits(): () => void {
    this.#wantingUnits += 1;
    this.#leaveUnits ??= unitsOf(this.#shown);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#wantingUnits -= 1;
      if (this.#wantingUnits > 0) return;
      this.#leaveUnits?.();
      this.#leaveUnits = null;
    };
  }

  /**
   * From now on this instance runs it.
   * @param make the camera to be run, not started. @param relay shows it to the other instances.
   */
  hold(make: (options: CameraOptions) => Camera, relay: (camera: Camera) => RelayedCamera): void {
    if (this.#closed || this.#held) return;
    const camera = make({ ...this.#options, address: this.#address });
    camera.setDetection(this.#detection);
    const leaveFaces = camera.faces.subscribe({ onAlert: this.faces.alert });
    this.#held = { camera, relayed: relay(camera), leaveFaces };
    this.#show(camera);
    // Never two connections, not even for the moment in which the one before is taken down.
    void this.#released.then(() => {
      if (this.#running && this.#held?.camera === camera) camera.start();
    });
  }

  /** From now on another one does, or nobody. Resolves when it is disconnected. @param keep as in `close`. */
  release(keep: boolean): Promise<void> {
    const held = this.#held;
    if (!held) return this.#released;
    this.#held = null;
    this.#past = sumOfDetections([this.#past, held.camera.detected]);
    this.#show(this.#parts.followed);
    held.relayed.close();
    // What is stored last is told as well.
    const closed = held.camera.close(keep).finally(held.leaveFaces);
    // One that could not be closed in order does not keep the next from beginning.
    const both = Promise.allSettled([this.#released, closed]);
    this.#released = both.then(() => {});
    return both.then(() => closed);
  }

  async close(keep: boolean): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#running = false;
    try {
      await this.release(keep);
    } finally {
      this.#parts.onWanted(false);
      this.#leaveShown();
      this.#leaveAlerts();
      this.#parts.followed.close();
      this.#parts.onClosed();
    }
  }

  get #told(): Told {
    return readTold(this.#parts.followed.told);
  }

  #show(camera: LiveCamera): void {
    this.#leaveShown();
    this.#leaveUnits?.();
    for (const own of this.#joined) own.leave();
    this.#shown = camera;
    // What is kept of the one before is no live picture any more.
    this.stream.interrupt();
    this.#timeline.change();
    this.#leaveShown = this.#pass(camera.stream);
    for (const own of this.#joined) own.leave = camera.join();
    this.#leaveUnits = this.#wantingUnits > 0 ? unitsOf(camera) : null;
    for (const { readers } of [this.pictures, this.audio, this.faces]) readers.show(camera);
  }

  /** What the shown stream tells goes into the one that viewers have. */
  #pass(from: Stream): () => void {
    const { stream } = this;
    const tellVideo = () => {
      if (from.video && from.video !== stream.video) stream.setVideo(from.video);
    };
    const tellAudio = () => {
      if (from.audio) stream.setAudio({ kind: 'audio', audio: from.audio });
      else if (from.unsupportedAudio !== null)
        stream.setAudio({ kind: 'unsupported', codec: from.unsupportedAudio });
      else stream.setAudio({ kind: 'none' });
    };
    const leave = from.subscribe({
      onUnit: (unit) => {
        if (unit.keyframe) tellVideo();
        stream.publish(this.#timeline.place(unit));
      },
      onVideo: tellVideo,
      onAudio: tellAudio,
      onAudioUnit: (unit) => stream.publishAudio(this.#timeline.place(unit)),
      onStatus: () => this.#tellStatus(),
      // What is kept would be shown to the next viewer as if it were live.
      onInterrupted: () => stream.interrupt(),
    });
    this.#tellStatus();
    tellVideo();
    tellAudio();
    for (const unit of from.recentUnits()) stream.publish(this.#timeline.place(unit));
    return leave;
  }

  #tellStatus(): void {
    const { status, message } = this.#shown.stream;
    if (!this.#running) this.stream.setStatus('offline', null);
    else if (status !== 'offline') this.stream.setStatus(status, message);
    // It is to run, and nobody runs it yet, or not any more.
    else if (this.stream.video) this.stream.setStatus('reconnecting', takenOver);
    else this.stream.setStatus('connecting', null);
  }
}

const takenOver = 'Another server takes this camera over.';

function unitsOf(camera: LiveCamera): () => void {
  return 'wantUnits' in camera ? (camera as FollowedCamera).wantUnits() : () => {};
}
