// Every camera of the running service: the saved ones by id, ad-hoc ones by address.
// Answers both edges, REST and WebSocket; what is saved belongs to the database.

import { AdHocCameras } from './ad-hoc-cameras.ts';
import type { Clock } from './base/clock.ts';
import { HeldTime } from './base/held-time.ts';
import type { Places } from './base/places.ts';
import type { CameraOptions } from './camera.ts';
import { nothingDetected, sumOfDetections } from './camera-figures.ts';
import type { DirectoryCamera } from './directory-camera.ts';
import { AppError, streamNotFound } from './errors.ts';
import type { LiveState, LiveStreams } from './http/ports.ts';
import type { DetectionFigures, OutsideDetection, OutsideDetections } from './http/record-ports.ts';
import type { CameraDirectory } from './live/ports.ts';
import type { Picture } from './media/access-unit.ts';
import { type CameraUrl, cameraKey, isMasked, sameCameraUrl } from './media/camera-url.ts';
import { FrameRateLimiter } from './media/frame-rate.ts';
import type { SavedStream } from './media/saved-stream.ts';
import type { LiveCamera } from './stream/live-camera.ts';

export interface CamerasOptions {
  readonly clock: Clock;
  /** What a camera is made of; it is not started. */
  readonly make: (options: CameraOptions) => DirectoryCamera;
  /** Saved and ad-hoc streams together. */
  readonly maxStreams: number;
  /** For viewers of every kind together. */
  readonly places: Places;
  readonly onOnline: (id: string, wallTime: number) => void;
}

interface Saved {
  readonly camera: DirectoryCamera;
  running: boolean;
}

export class Cameras implements CameraDirectory, LiveStreams, OutsideDetections {
  readonly #options: CamerasOptions;
  readonly #saved = new Map<string, Saved>();
  readonly #adHoc: AdHocCameras;
  readonly #running: HeldTime;
  /** Figures of cameras that are gone. */
  #past = nothingDetected;
  readonly #followers = new Set<(camera: LiveCamera) => void>();
  #closing = false;

  constructor(options: CamerasOptions) {
    this.#options = options;
    const { clock, make, maxStreams } = options;
    this.#running = new HeldTime(clock);
    this.#adHoc = new AdHocCameras({ clock, make, room: (open) => this.#saved.size + open < maxStreams });
  }

  // Saved streams, told by REST.

  add(saved: SavedStream): void {
    const camera = this.#options.make({
      id: saved.id,
      address: saved.address,
      onOnline: (wallTime) => this.#options.onOnline(saved.id, wallTime),
    });
    this.#saved.set(saved.id, { camera, running: false });
    this.change(saved);
    for (const onCamera of this.#followers) onCamera(camera);
  }

  change(saved: SavedStream): void {
    const entry = this.#saved.get(saved.id);
    if (!entry) return;
    const { camera } = entry;
    camera.setAddress(saved.address);
    camera.setDetection({
      enabled: saved.detectionEnabled,
      address: saved.detectionAddress,
      confidenceThreshold: saved.confidenceThreshold,
    });
    const running = saved.wanted === 'running' && !this.#closing;
    if (!running && entry.running) void camera.stop();
    // An edit, or a "start" by hand, is the person that a camera in `error` waits for.
    else if (running && (!entry.running || camera.inError)) camera.start();
    entry.running = running;
    this.#countRunning();
  }

  async remove(id: string): Promise<void> {
    const entry = this.#saved.get(id);
    if (!entry) return;
    this.#saved.delete(id);
    this.#countRunning();
    // At once: counters never go back, not even for a moment.
    this.#past = sumOfDetections([this.#past, entry.camera.detected]);
    entry.camera.stream.end();
    await entry.camera.close(false);
  }

  state(id: string): LiveState {
    const camera = this.#known(id);
    const { stream, lastConnected } = camera;
    const { video, status, message } = stream;
    return {
      status,
      lastConnected: lastConnected === null ? null : new Date(lastConnected).toISOString(),
      lastError: status === 'error' || status === 'reconnecting' ? message : null,
      video: video && {
        codec: video.codec,
        width: video.width,
        height: video.height,
        fps: video.fps ?? (Math.round(stream.unitsPerSecond(this.#options.clock.now())) || null),
      },
      viewers: camera.viewers,
      stats: camera.stats,
    };
  }

  async snapshot(id: string, timeoutMs: number): Promise<Picture> {
    const camera = this.#known(id);
    const { promise, resolve, reject } = Promise.withResolvers<Picture>();
    const leave = camera.join();
    const unsubscribe = camera.pictures.subscribe(resolve);
    const leaveStream = camera.stream.subscribe({ onEnd: () => reject(streamNotFound()) });
    const cancel = this.#options.clock.after(timeoutMs, () =>
      reject(new AppError(503, 'no_picture', camera.stream.message ?? whyNoPicture[camera.stream.status])),
    );
    try {
      return await promise;
    } finally {
      cancel();
      unsubscribe();
      leaveStream();
      leave();
    }
  }

  watch(
    id: string,
    fps: number | null,
    onPicture: (picture: Picture) => boolean,
    onEnd: () => void,
  ): () => void {
    const camera = this.#known(id);
    const limiter = fps === null ? null : new FrameRateLimiter(fps);
    const { places } = this.#options;
    const leavePlace = places.take();
    if (!leavePlace)
      throw new AppError(429, 'too_many_viewers', `At most ${places.most} viewers; come back later.`);
    const leave = camera.join();
    const leaveStream = camera.stream.subscribe({ onEnd });
    const unsubscribe = camera.pictures.subscribe((picture) => {
      if (!limiter || limiter.take(picture.timestamp)) onPicture(picture);
    });
    return () => {
      unsubscribe();
      leaveStream();
      leave();
      leavePlace();
    };
  }

  // Viewers, on the WebSocket side.

  byId(id: string): LiveCamera | null {
    return this.#saved.get(id)?.camera ?? null;
  }

  byAddress(address: CameraUrl, openedBy: string | null): LiveCamera {
    const saved = this.#savedAt(address);
    if (saved) return saved;
    if (isMasked(address))
      throw new AppError(400, 'invalid_rtsp_url', 'The password in the camera address is masked (****).');
    return this.#adHoc.at(address, openedBy);
  }

  /** The saved cameras, in the order in which they were added. */
  *allSaved(): Generator<DirectoryCamera> {
    for (const { camera } of this.#saved.values()) yield camera;
  }

  /** A camera of this very address, secrets included, that gives pictures now. */
  onlineAt(address: CameraUrl): DirectoryCamera | null {
    const all = [...this.allSaved(), ...this.#adHoc.all()];
    return (
      all.find(({ stream, address: own }) => stream.status === 'online' && sameCameraUrl(own, address)) ??
      null
    );
  }

  saved(address: CameraUrl): boolean {
    return this.#savedAt(address) !== null;
  }

  onSaved(onCamera: (camera: LiveCamera) => void): () => void {
    this.#followers.add(onCamera);
    for (const { camera } of this.#saved.values()) onCamera(camera);
    return () => {
      this.#followers.delete(onCamera);
    };
  }

  async report(detection: OutsideDetection): Promise<string> {
    return this.#known(detection.streamId).report(detection);
  }

  /** Over all cameras, deleted ones included. */
  detectionFigures(): DetectionFigures {
    return sumOfDetections([this.#past, ...[...this.allSaved()].map(({ detected }) => detected)]);
  }

  /** @throws Error with the reason when faces are wanted somewhere and the detector does not work. */
  async checkDetector(): Promise<void> {
    for (const { camera } of this.#saved.values()) {
      const { state, message } = camera.faces.detector;
      if (state === 'failed' || state === 'restarting') throw new Error(message ?? state);
    }
  }

  /** The saved ones that are started. */
  get running(): Pick<HeldTime, 'held' | 'total'> {
    return this.#running;
  }

  get counts(): { readonly saved: number; readonly adHoc: number } {
    return { saved: this.#saved.size, adHoc: this.#adHoc.size };
  }

  /** Disconnects every camera, told properly; bounded by the client's own limits. */
  async close(): Promise<void> {
    // Viewers may still ask for one: it would be connected to for good.
    this.#closing = true;
    const cameras = [...this.allSaved()];
    this.#saved.clear();
    await Promise.all([this.#adHoc.close(), ...cameras.map((camera) => camera.close(true))]);
  }

  #countRunning(): void {
    let running = 0;
    for (const saved of this.#saved.values()) if (saved.running) running++;
    this.#running.held = running;
  }

  #known(id: string): DirectoryCamera {
    const entry = this.#saved.get(id);
    if (!entry) throw streamNotFound();
    return entry.camera;
  }

  #savedAt(address: CameraUrl): DirectoryCamera | null {
    const key = cameraKey(address);
    let found: DirectoryCamera | null = null;
    for (const { camera } of this.#saved.values()) {
      // Streams that differ by a token only: the very one, when the address tells which.
      if (sameCameraUrl(camera.address, address)) return camera;
      if (found === null && cameraKey(camera.address) === key) found = camera;
    }
    return found;
  }
}

const whyNoPicture = {
  offline: 'The stream is stopped; start it first.',
  connecting: 'The camera has not sent a picture yet.',
  online: 'The camera sends, but no picture could be made in time.',
  reconnecting: 'The camera is being reconnected.',
  error: 'The camera gives no picture.',
} as const;
