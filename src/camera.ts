// One camera of the running service: its Source, Stream, pictures and faces joined, for the WebSocket and REST sides.
// Which cameras there are is cameras.ts's; each part's own work is in its folder.

import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { CameraFaces, type Looked, type VisitStorePort } from './camera-faces.ts';
import { detectionFiguresOf, readingOf, statsOf } from './camera-figures.ts';
import { AudioFeed } from './codec/audio-feed.ts';
import { Decoding } from './codec/decoding.ts';
import type { ChannelOptions } from './codec/messages.ts';
import { PictureFeed } from './codec/picture-feed.ts';
import type { CodecPool } from './codec/pool.ts';
import { sumOfUsage, type Usage } from './codec/usage.ts';
import type { CameraReading, DetectionChoice, DirectoryCamera } from './directory-camera.ts';
import { streamNotFound } from './errors.ts';
import type { LiveStats } from './http/ports.ts';
import type { DetectionFigures, OutsideDetection } from './http/record-ports.ts';
import { Source, type SourceOptions } from './ingest/source.ts';
import { type CameraUrl, formatCameraUrl, sameCameraUrl } from './media/camera-url.ts';
import type { ResolveAddress } from './rtsp/client.ts';
import type { CameraFigures, FaceSource } from './stream/live-camera.ts';
import { Passthrough } from './stream/passthrough.ts';
import { Stream } from './stream/stream.ts';

/** What every camera of the service shares. */
export interface CameraParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly pool: CodecPool;
  readonly channel: ChannelOptions;
  readonly resolve: ResolveAddress;
  readonly visits: VisitStorePort;
  readonly cooldownMs: number;
}

export interface CameraOptions {
  /** Null for an ad-hoc stream: nobody looks for faces in it, since nothing of it is stored. */
  readonly id: string | null;
  readonly address: CameraUrl;
  /** Whom an ad-hoc stream counts for; null and undefined: nobody in particular. */
  readonly openedBy?: string | null;
  readonly onOnline?: (wallTime: number) => void;
  /** The last viewer left. */
  readonly onUnwatched?: () => void;
}

interface SubStream extends Looked {
  readonly source: Source;
  readonly address: CameraUrl;
}

/** What waits to be stored when a camera is closed has this long. */
const storeWithinMs = 2_000;

const noFaces: FaceSource = {
  subscribe: () => () => {},
  detector: { state: 'off', message: null },
};

export class Camera implements DirectoryCamera {
  readonly id: string | null;
  readonly stream = new Stream();
  readonly pictures: PictureFeed;
  readonly audio: AudioFeed;
  readonly packets: Passthrough;
  readonly #source: Source;
  readonly #faces: CameraFaces | null;
  readonly #main: Looked;
  readonly #parts: CameraParts;
  readonly #onUnwatched: (() => void) | undefined;
  #address: CameraUrl;
  #detection: DetectionChoice = { enabled: false, address: null, confidenceThreshold: 0 };
  #sub: SubStream | null = null;
  /** Resolves when no connection for detection alone is left at the camera. */
  #subGone: Promise<unknown> = Promise.resolve();
  #running = false;
  #viewers = 0;
  /** Wall time of the last time it came online. */
  lastConnected: number | null = null;

  constructor(parts: CameraParts, { id, address, onOnline, onUnwatched }: CameraOptions) {
    this.id = id;
    this.#parts = parts;
    this.#address = address;
    this.#onUnwatched = onUnwatched;
    const { stream } = this;
    const decoding = this.#decode(stream);
    this.#main = { stream, decoding };
    this.pictures = new PictureFeed({ stream, decoding, picture: parts.channel.picture, clock: parts.clock });
    this.audio = new AudioFeed({
      stream,
      pool: parts.pool,
      onTrouble: (message) => parts.log.warn(this.#name(), message),
    });
    this.packets = new Passthrough(stream, this.audio);
    this.#source = this.#connect(stream, address, {
      onOnline: (wallTime) => {
        this.lastConnected = wallTime;
        onOnline?.(wallTime);
      },
    });
    this.#faces =
      id === null ? null : new CameraFaces({ ...parts, streamId: id, confidenceThreshold: 0, shown: stream });
  }

  get faces(): FaceSource {
    return this.#faces ?? noFaces;
  }

  /** For REST and for detectors outside; null for an ad-hoc stream. */
  get detections(): CameraFaces | null {
    return this.#faces;
  }

  get source(): Pick<Source, 'figures'> {
    return this.#source;
  }

  get address(): CameraUrl {
    return this.#address;
  }

  get viewers(): number {
    return this.#viewers;
  }

  get isWatched(): boolean {
    return this.#viewers > 0;
  }

  get figures(): CameraFigures {
    const { onlineSince } = this.#source.figures;
    const faces = this.#faces?.figures;
    return {
      detection: {
        frames_analysed: faces?.frames ?? 0,
        frames_skipped: faces?.skipped ?? 0,
        backlog: faces?.backlog ?? 0,
        faces: faces?.faces ?? 0,
        tracks: faces?.tracks ?? 0,
        alerts: faces?.alerts ?? 0,
      },
      detections: faces?.detections ?? 0,
      detectionTime: faces?.detectionTime ?? 0,
      uptime: onlineSince === null ? 0 : (this.#parts.clock.now() - onlineSince) / 1000,
    };
  }

  /** What its decoders and the transcoder of its sound cost in the codec workers, that of a sub-stream included. */
  get usage(): Usage {
    const looked = [this.#main, ...(this.#sub ? [this.#sub] : [])];
    return sumOfUsage([...looked.map(({ decoding }) => decoding.figures), this.audio]);
  }

  get stats(): LiveStats {
    return statsOf(this, this.#parts.clock.now());
  }

  get reading(): CameraReading {
    return readingOf(this);
  }

  get detected(): DetectionFigures {
    return detectionFiguresOf(this);
  }

  get inError(): boolean {
    return this.stream.status === 'error' || this.#sub?.stream.status === 'error';
  }

  start(): void {
    this.#running = true;
    this.#source.start();
    this.#lookForFaces();
    this.#sub?.source.start();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#lookForFaces();
    await this.#source.stop();
  }

  setAddress(address: CameraUrl): void {
    if (sameCameraUrl(address, this.#address)) return;
    this.#address = address;
    this.#source.setAddress(address);
  }

  setDetection(detection: DetectionChoice): void {
    this.#detection = detection;
    this.#faces?.setConfidenceThreshold(detection.confidenceThreshold);
    this.#lookForFaces();
  }

  join(): () => void {
    this.#viewers += 1;
    this.#source.setWatched(true);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#viewers -= 1;
      if (this.#viewers > 0) return;
      this.#source.setWatched(false);
      this.#onUnwatched?.();
    };
  }

  async report({ confidence, time, box, image }: OutsideDetection): Promise<string> {
    if (!this.#faces) throw streamNotFound();
    const frame = image && { width: image.width, height: image.height };
    const images = image && { frame: image.data, face: null };
    return this.#faces.report({ confidence, box, landmarks: null, frame }, images, time);
  }

  /** They come anyway. */
  wantUnits(): () => void {
    return () => {};
  }

  async close(keep: boolean): Promise<void> {
    await Promise.all([this.stop(), this.#faces?.close(keep ? storeWithinMs : 0)]);
    await this.#subGone;
    this.pictures.close();
    this.audio.close();
    this.#main.decoding.close();
  }

  #lookForFaces(): void {
    if (!this.#faces) return;
    const { enabled, address } = this.#detection;
    const looks = this.#running && enabled;
    const wanted = looks ? address : null;
    if (this.#sub && !(wanted && sameCameraUrl(wanted, this.#sub.address))) this.#endSub();
    if (wanted) this.#sub ??= this.#beginSub(wanted);
    this.#faces.lookIn(looks ? (this.#sub ?? this.#main) : null);
  }

  #beginSub(address: CameraUrl): SubStream {
    const stream = new Stream();
    const source = this.#connect(stream, address, { audio: false });
    // Nobody sees these pictures, but alerts hang on them: it is tried as eagerly as a watched camera.
    source.setWatched(true);
    source.start();
    return { stream, address, source, decoding: this.#decode(stream) };
  }

  #endSub(): void {
    const sub = this.#sub;
    this.#sub = null;
    if (!sub) return;
    this.#faces?.lookIn(null);
    sub.decoding.close();
    const gone = sub.source
      .stop()
      .catch((error) => this.#parts.log.error({ err: error }, 'a sub-stream did not close'));
    this.#subGone = Promise.all([this.#subGone, gone]);
  }

  #decode(stream: Stream): Decoding {
    const { pool, channel, log } = this.#parts;
    stream.onReaderError = (error) =>
      log.error({ err: error, ...this.#name() }, 'a reader of this stream failed');
    return new Decoding({ stream, pool, channel, onTrouble: (message) => log.warn(this.#name(), message) });
  }

  #connect(stream: Stream, address: CameraUrl, more: Pick<SourceOptions, 'onOnline' | 'audio'>): Source {
    const { clock, log, resolve } = this.#parts;
    return new Source({ stream, address, resolve, clock, log, ...more });
  }

  #name() {
    return { camera: formatCameraUrl(this.#address, 'mask') };
  }
}
