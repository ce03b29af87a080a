// What the REST side needs from the rest of the service for streams, and the views it gives out; app joins the ports to real parts.
// Types only; those of detections and alerts are in record-ports.ts.

import type { Picture, VideoCodec } from '../media/access-unit.ts';
import type { SavedStream, StreamChoice } from '../media/saved-stream.ts';
import type { DetectionStats } from '../stream/live-camera.ts';
import type { StreamStatus } from '../stream/status.ts';

/** The table of saved streams. */
export interface StreamStore {
  /** @param most streams that there may be. @throws AppError 409 `too_many_streams`. */
  create(choice: StreamChoice, most: number): Promise<SavedStream>;
  /** In order of creation; a page holds at most `limit` of those after the stream with id `after`. */
  list(page?: { limit?: number | undefined; after?: string | undefined }): Promise<SavedStream[]>;
  get(id: string): Promise<SavedStream | undefined>;
  count(): Promise<number>;
  /** Changes the given members; undefined when there is no such stream. */
  update(id: string, change: Partial<StreamChoice>): Promise<SavedStream | undefined>;
  /** With its detections and alerts; the names of their images, undefined when there is no such stream. */
  delete(id: string): Promise<readonly string[] | undefined>;
}

/** Counters and rates of one camera; names and units are those of the public contract. */
export interface LiveStats {
  readonly current_fps: number;
  /** ms */
  readonly avg_processing_time: number;
  /** ms */
  readonly avg_detection_time: number;
  /** Frames received from the camera. */
  readonly total_frames: number;
  readonly total_detections: number;
  readonly detection: DetectionStats;
  /** Seconds the camera has been online. */
  readonly uptime: number;
  /** From the arrival of a frame's last packet to its picture, ms. */
  readonly latency_ms: number;
  readonly dropped_frames: number;
  readonly bitrate_kbps: number;
  readonly packets: number;
  readonly lost_packets: number;
  readonly reconnects: number;
  readonly transport: 'tcp' | 'udp' | null;
  /** 1 while a decoder runs for this camera. */
  readonly decoders: number;
  /** Pictures made since the service started, each once for all viewers. */
  readonly pictures: number;
  readonly audio: {
    /** Formats in which it is listened to: viewers of one share one. */
    readonly listeners: number;
    /** 1 while a worker makes AAC of this camera's sound. */
    readonly transcoders: number;
    /** Units of AAC given to listeners since the service started. */
    readonly units: number;
    /** Units of the camera's sound not transcoded because the worker was behind or gone. */
    readonly dropped: number;
  };
}

/** What a camera is doing now. */
export interface LiveState {
  readonly status: StreamStatus;
  /** ISO 8601; null when it has given no picture since the service started. */
  readonly lastConnected: string | null;
  /** A sentence without a password. */
  readonly lastError: string | null;
  readonly video: {
    readonly codec: VideoCodec;
    readonly width: number;
    readonly height: number;
    readonly fps: number | null;
  } | null;
  readonly viewers: number;
  readonly stats: LiveStats;
}

/** The cameras of the running service. Every saved stream is added, also stopped ones. */
export interface LiveStreams {
  add(saved: SavedStream): void;
  /** An address that is the same as before must not interrupt a running camera. */
  change(saved: SavedStream): void;
  /** Resolves when the camera is disconnected and its viewers are told. */
  remove(id: string): Promise<void>;
  /** Of a stream that was added. */
  state(id: string): LiveState;
  /**
   * The newest picture, or the first one that comes within `timeoutMs`.
   * Rejects with a CameraError or AppError (503) whose message says why there is none.
   */
  snapshot(id: string, timeoutMs: number): Promise<Picture>;
  /**
   * Calls `onPicture` with each new picture, at most `fps` a second (null: as they come). It answers false when its
   * reader is still busy with the one before; that picture is then dropped for it. `onEnd` is called when the stream is
   * deleted: no picture comes any more.
   * @returns ends it; idempotent.
   * @throws AppError 429 when there are too many viewers.
   */
  watch(
    id: string,
    fps: number | null,
    onPicture: (picture: Picture) => boolean,
    onEnd: () => void,
  ): () => void;
}

/** A stream as the outside sees it, but for `ws_url`, which depends on the request. */
export interface StreamView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Password shown as `****`. */
  readonly rtsp_url: string;
  readonly detection_url: string | null;
  readonly detection_enabled: boolean;
  readonly confidence_threshold: number;
  readonly status: StreamStatus;
  /** ISO 8601, as is `created_at`. */
  readonly last_connected: string | null;
  readonly last_error: string | null;
  readonly video: LiveState['video'];
  readonly viewers: number;
  readonly created_at: string;
  /** The address without its password: what `ws_url` names the stream by. */
  readonly key: string;
}

export interface StreamStats extends LiveStats {
  readonly stream_id: string;
  readonly status: StreamStatus;
  readonly viewers: number;
}

export interface NamedStats extends StreamStats {
  readonly name: string;
}

export interface StreamInput {
  readonly name: string;
  readonly rtsp_url: string;
  readonly description: string;
  readonly detection_enabled: boolean;
  readonly confidence_threshold: number;
  readonly detection_url: string | null;
}

/** Absent and undefined members stay as they are. */
export type StreamPatch = { readonly [Member in keyof StreamInput]?: StreamInput[Member] | undefined };

export type StreamAction = 'start' | 'stop' | 'pause' | 'resume';

/** Every method with an id rejects with AppError 404 `stream_not_found` for an unknown id. */
export interface StreamService {
  /** @throws AppError 400 for an address that cannot be used, 409 `too_many_streams` over the limit. */
  create(input: StreamInput): Promise<StreamView>;
  list(page?: { limit?: number | undefined; after?: string | undefined }): Promise<StreamView[]>;
  get(id: string): Promise<StreamView>;
  update(id: string, patch: StreamPatch): Promise<StreamView>;
  setStatus(id: string, action: StreamAction): Promise<StreamView>;
  remove(id: string): Promise<void>;
  stats(id: string): Promise<StreamStats>;
  /** The figures of all streams, read at once. */
  allStats(): Promise<readonly NamedStats[]>;
  /** Waits a few seconds for the first picture; rejects with 503 and the reason when there is none. */
  snapshot(id: string): Promise<Picture>;
  /** As `LiveStreams.watch`, for a stream that exists; rejects with 503 and the reason when it is not running. */
  pictures(
    id: string,
    onPicture: (picture: Picture) => boolean,
    options: { readonly fps: number | null; readonly onEnd: () => void },
  ): Promise<() => void>;
}

/** A part that must answer for the service to be ready; rejects, or does not answer in time, when it is not well. */
export type ReadyCheck = () => Promise<void>;
