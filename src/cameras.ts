// Every camera of the running service: the saved ones by id, ad-hoc ones by address.
// Answers both edges, REST and WebSocket; what is saved belongs to the database.

import { Camera, type CameraParts } from './camera.ts';
import { AppError } from './errors.ts';
import type { LiveState, LiveStats, LiveStreams } from './http/ports.ts';
import type { CameraDirectory } from './live/ports.ts';
import type { Picture } from './media/access-unit.ts';
import { type CameraUrl, cameraKey, formatCameraUrl, isMasked } from './media/camera-url.ts';
import { FrameRateLimiter } from './media/frame-rate.ts';
import type { SavedStream } from './media/saved-stream.ts';
import type { LiveCamera } from './stream/live-camera.ts';

export interface CamerasOptions extends CameraParts {
  /** Saved and ad-hoc streams together. */
  readonly maxStreams: number;
  readonly onOnline: (id: string, wallTime: number) => void;
}

interface Saved {
  readonly camera: Camera;
  address: CameraUrl;
  running: boolean;
}

/** An ad-hoc stream ends this long after its last viewer. */
const adHocLingerMs = 10_000;
const maxAdHoc = 32;

export class Cameras implements CameraDirectory, LiveStreams {
  readonly #options: CamerasOptions;
  readonly #saved = new Map<string, Saved>();
  readonly #adHoc = new Map<string, Camera>();

  constructor(options: CamerasOptions) {
    this.#options = options;
  }

  // Saved streams, told by REST.

  add(saved: SavedStream): void {
    const camera = new Camera(this.#options, {
      id: saved.id,
      address: saved.address,
      onOnline: (wallTime) => this.#options.onOnline(saved.id, wallTime),
    });
    this.#saved.set(saved.id, { camera, address: saved.address, running: false });
    this.change(saved);
  }

  change(saved: SavedStream): void {
    const entry = this.#saved.get(saved.id);
    if (!entry) return;
    const { source, stream } = entry.camera;
    if (!sameAddress(entry.address, saved.address)) {
      entry.address = saved.address;
      source.setAddress(saved.address);
    }
    const running = saved.wanted === 'running';
    if (!running && entry.running) void source.stop();
    // An edit, or a "start" by hand, is the person that a camera in `error` waits for.
    else if (running && (!entry.running || stream.status === 'error')) source.start();
    entry.running = running;
  }

  async remove(id: string): Promise<void> {
    const entry = this.#saved.get(id);
    if (!entry) return;
    this.#saved.delete(id);
    entry.camera.stream.end();
    await entry.camera.close();
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
      stats: statsOf(camera, this.#options.clock.now()),
    };
  }

  async snapshot(id: string, timeoutMs: number): Promise<Picture> {
    const camera = this.#known(id);
    const { promise, resolve, reject } = Promise.withResolvers<Picture>();
    const leave = camera.join();
    const unsubscribe = camera.pictures.subscribe(resolve);
    const cancel = this.#options.clock.after(timeoutMs, () =>
      reject(new AppError(503, 'no_picture', camera.stream.message ?? whyNoPicture[camera.stream.status])),
    );
    try {
      return await promise;
    } finally {
      cancel();
      unsubscribe();
      leave();
    }
  }

  watch(id: string, fps: number | null, onPicture: (picture: Picture) => boolean): () => void {
    const camera = this.#known(id);
    const limiter = fps === null ? null : new FrameRateLimiter(fps);
    const leave = camera.join();
    const unsubscribe = camera.pictures.subscribe((picture) => {
      if (!limiter || limiter.take(picture.timestamp)) onPicture(picture);
    });
    return () => {
      unsubscribe();
      leave();
    };
  }

  // Viewers, on the WebSocket side.

  byId(id: string): LiveCamera | null {
    return this.#saved.get(id)?.camera ?? null;
  }

  byAddress(address: CameraUrl): LiveCamera {
    const key = cameraKey(address);
    for (const saved of this.#saved.values()) if (cameraKey(saved.address) === key) return saved.camera;
    if (isMasked(address))
      throw new AppError(400, 'invalid_rtsp_url', 'The password in the camera address is masked (****).');
    // With its password: who does not know it must not join the stream of somebody who does.
    const secret = formatCameraUrl(address, 'keep');
    return this.#adHoc.get(secret) ?? this.#openAdHoc(secret, address);
  }

  get counts(): { readonly saved: number; readonly adHoc: number } {
    return { saved: this.#saved.size, adHoc: this.#adHoc.size };
  }

  /** Disconnects every camera, told properly; bounded by the client's own limits. */
  async close(): Promise<void> {
    const cameras = [...[...this.#saved.values()].map(({ camera }) => camera), ...this.#adHoc.values()];
    this.#saved.clear();
    this.#adHoc.clear();
    await Promise.all(cameras.map((camera) => camera.close()));
  }

  #known(id: string): Camera {
    const entry = this.#saved.get(id);
    if (!entry) throw new AppError(404, 'stream_not_found', 'There is no stream with this id.');
    return entry.camera;
  }

  #openAdHoc(key: string, address: CameraUrl): Camera {
    const { maxStreams } = this.#options;
    if (this.#adHoc.size >= maxAdHoc || this.#saved.size + this.#adHoc.size >= maxStreams)
      throw new AppError(
        429,
        'too_many_streams',
        'Too many streams are open; close one, or save this camera.',
      );
    let cancel: (() => void) | null = null;
    const end = () => {
      if (camera.viewers > 0 || this.#adHoc.get(key) !== camera) return;
      this.#adHoc.delete(key);
      void camera.close();
    };
    const camera = new Camera(this.#options, {
      id: null,
      address,
      onUnwatched: () => {
        cancel?.();
        cancel = this.#options.clock.after(adHocLingerMs, end);
      },
    });
    this.#adHoc.set(key, camera);
    camera.source.start();
    return camera;
  }
}

const whyNoPicture = {
  offline: 'The stream is stopped; start it first.',
  connecting: 'The camera has not sent a picture yet.',
  online: 'The camera sends, but no picture could be made in time.',
  reconnecting: 'The camera is being reconnected.',
  error: 'The camera gives no picture.',
} as const;

function sameAddress(a: CameraUrl, b: CameraUrl): boolean {
  return formatCameraUrl(a, 'keep') === formatCameraUrl(b, 'keep');
}

function statsOf(camera: Camera, now: number): LiveStats {
  const { stream, pictures, source, figures } = camera;
  const { units } = stream.totals;
  return {
    current_fps: round(stream.unitsPerSecond(now)),
    avg_processing_time: round(pictures.figures.processingTime),
    avg_detection_time: round(figures.detectionTime),
    total_frames: units,
    total_detections: figures.faces,
    uptime: round(figures.uptime),
    latency_ms: round(pictures.figures.latency),
    dropped_frames: pictures.figures.dropped,
    bitrate_kbps: round((stream.bytesPerSecond(now) * 8) / 1000),
    packets: source.figures.packets,
    lost_packets: source.figures.lostPackets,
    reconnects: Math.max(0, source.figures.connects - 1),
    transport: source.figures.transport,
    decoders: pictures.figures.decoders,
    pictures: pictures.figures.pictures,
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
