// What passes between the page and the engine that plays all of its cameras, in a worker or beside the page.
// Types only; the messages of the service itself are src/live/protocol.ts's.

import type { Format, ServerMessage } from '../../../src/live/protocol.ts';

export type { Format, ServerMessage };
export type StreamInfo = Extract<ServerMessage, { type: 'stream_info' }>;
export type CameraStatus = Extract<ServerMessage, { type: 'status' }>;
export type DetectionsMessage = Extract<ServerMessage, { type: 'detections' }>;
export type SoundMessage = Extract<ServerMessage, { type: 'audio' }>;
export type ServiceStats = Extract<ServerMessage, { type: 'performance_stats' }>;

/** A way to get the picture onto the screen, best first: `webcodecs`, `mse`, `jpeg`. */
export type Step = 'webcodecs' | 'mse' | 'jpeg';

export const formatOf: Readonly<Record<Step, Format>> = { webcodecs: 'annexb', mse: 'mp4', jpeg: 'jpeg' };

/**
 * Why a step was left: this browser cannot play the codec; it broke; it could not keep up; the camera's video is not
 * passed on in its format.
 */
export type FallReason = 'unsupported' | 'failed' | 'slow' | 'not_offered';

/** Whether the tile is played, shown as a still now and then, or left alone. */
export type Want = 'live' | 'thumbnail' | 'nothing';

/** Where a camera's pictures come from; addresses are absolute. */
export interface Source {
  /** Of the WebSocket, without its format. */
  readonly socketUrl: string;
  /** Null for a camera that is not saved. */
  readonly snapshotUrl: string | null;
  /** Answers why a socket was refused, which a browser does not tell. */
  readonly probeUrl: string;
  /** For the snapshot and the probe; null when cookies sign in. */
  readonly token: string | null;
}

export type LinkView =
  | { readonly state: 'resting' | 'opening' | 'open' }
  | {
      readonly state: 'waiting';
      readonly why: 'lost' | 'leaving' | 'full' | 'unreachable' | 'blocked';
      /** The service's own sentence. */
      readonly words: string | null;
      /** ms since 1970. */
      readonly retryAt: number;
    }
  /** Trying again by itself would not help. */
  | {
      readonly state: 'ended';
      readonly why: 'signed_out' | 'forbidden' | 'deleted' | 'refused';
      readonly words: string | null;
    };

/** All that the engine knows of a tile; sent whenever it changes. */
export interface Report {
  readonly link: LinkView;
  /** As told on this connection. */
  readonly camera: CameraStatus | null;
  /** What is being tried or shown. */
  readonly step: Step;
  /** Why no better step is used; null on the best one. */
  readonly fall: { readonly step: Step; readonly reason: FallReason } | null;
  /** The camera's codec (RFC 6381). */
  readonly codec: string | null;
  /** Whose picture is on the screen; null before the first one. */
  readonly showing: Step | 'still' | null;
  /** The camera's sound as it is sent to viewers; null while there is none to be had in the way in use. */
  readonly sound: { readonly sampleRate: number } | null;
  /** Of the picture on the screen, in pixels. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** The picture on the screen is of now. */
  readonly fresh: boolean;
  /** Seconds without a new picture, while there should be some; else 0. */
  readonly silentSeconds: number;
  /** Pictures come, and not one of them can be read. */
  readonly unreadable: boolean;
}

/** Once a second while a tile is live. */
export interface EngineStats {
  /** Pictures shown a second. */
  readonly fps: number;
  /** From the camera's last packet of a picture to the screen, without the network to this browser, ms. */
  readonly delayMs: number | null;
  /** Pictures that were not shown, since the tile was made. */
  readonly dropped: number;
  readonly width: number;
  readonly height: number;
  readonly viewers: number | null;
}

/** What the element that plays MP4 tells: it lives in the page. */
export type SinkNews =
  | { readonly kind: 'first'; readonly width: number; readonly height: number }
  | {
      readonly kind: 'figures';
      readonly fps: number;
      /** What it is behind the newest fragment, ms. */
      readonly behindMs: number;
      readonly dropped: number;
      /** Browsers tell of no pictures on a page that is hidden. */
      readonly hidden: boolean;
    }
  | { readonly kind: 'failed'; readonly reason: FallReason };

/** The place for the picture on the screen, in device pixels: more of them than that need not be drawn. */
export interface Room {
  readonly width: number;
  readonly height: number;
  /** The picture fills it and is cut, rather than being seen whole. */
  readonly cover: boolean;
}

export type ToEngine =
  | {
      readonly type: 'add';
      readonly tile: number;
      readonly canvas: OffscreenCanvas;
      readonly source: Source;
      /** Those that may be tried. */
      readonly steps: readonly Step[];
    }
  | { readonly type: 'want'; readonly tile: number; readonly want: Want }
  | { readonly type: 'room'; readonly tile: number; readonly room: Room }
  /** Whether somebody wants to hear it. */
  | { readonly type: 'sound'; readonly tile: number; readonly on: boolean }
  /** Tries at once what waits or has ended. */
  | { readonly type: 'hurry'; readonly tile: number }
  | { readonly type: 'sink'; readonly tile: number; readonly news: SinkNews }
  /** What the video element showed last, to stay on the canvas while the element starts anew. */
  | { readonly type: 'still'; readonly tile: number; readonly bitmap: ImageBitmap }
  | { readonly type: 'remove'; readonly tile: number }
  /** The network is back. */
  | { readonly type: 'online' };

export type FromEngine =
  | { readonly type: 'ready' }
  | { readonly type: 'report'; readonly tile: number; readonly report: Report }
  | { readonly type: 'stats'; readonly tile: number; readonly stats: EngineStats }
  | { readonly type: 'message'; readonly tile: number; readonly message: ServerMessage }
  /** While there are faces: a picture was drawn. Its media time in µs; null in JPEG, which carries none. */
  | { readonly type: 'drawn'; readonly tile: number; readonly timestamp: number | null }
  /** A new video begins: fragments of this type follow. */
  | { readonly type: 'mp4'; readonly tile: number; readonly mime: string }
  | { readonly type: 'fragment'; readonly tile: number; readonly data: ArrayBuffer }
  /** Decoded sound, a piece for each channel, to be heard after what came before. */
  | {
      readonly type: 'sound';
      readonly tile: number;
      readonly sampleRate: number;
      readonly channels: readonly Float32Array<ArrayBuffer>[];
    }
  /** No fragment will follow. */
  | { readonly type: 'mp4End'; readonly tile: number };

/** A worker's scope or a port: what the engine speaks through. */
export interface EnginePort {
  postMessage(message: FromEngine, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToEngine>) => void) | null;
}
