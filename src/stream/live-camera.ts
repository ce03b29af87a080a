// What the edges (WebSocket, REST) see of a running camera, without knowing who makes its pictures or connects to it.
// Types only; app joins the parts.

import type { Picture } from '../media/access-unit.ts';
import type { Stream } from './stream.ts';

/** JPEG pictures of one camera, made once for all readers, and only while there are any. */
export interface PictureSource {
  /**
   * The newest picture, if it is live, is given at once (from within this call).
   * @returns ends the subscription.
   */
  subscribe(onPicture: (picture: Picture) => void): () => void;
  readonly figures: PictureFigures;
}

export interface PictureFigures {
  /** Pictures made since the service started. */
  readonly pictures: number;
  /** Pictures a second over the last seconds. */
  readonly picturesPerSecond: number;
  /** Decoding, scaling and encoding of one picture, ms, moving average; 0 when pictures are passed on as they are. */
  readonly processingTime: number;
  /** From the arrival of a frame's last packet to its picture, ms, moving average. */
  readonly latency: number;
  /** Access units not decoded because the decoder was behind. */
  readonly dropped: number;
  readonly decodeErrors: number;
  /** 1 while a decoder runs for this camera. */
  readonly decoders: number;
  readonly readers: number;
}

export interface CameraFigures {
  readonly faces: number;
  /** ms, moving average; 0 while nothing is analysed. */
  readonly detectionTime: number;
  /** Seconds since the camera came online; 0 when it is not. */
  readonly uptime: number;
}

export interface LiveCamera {
  /** Id of the saved stream; null for an ad-hoc one. */
  readonly id: string | null;
  readonly stream: Stream;
  readonly pictures: PictureSource;
  readonly figures: CameraFigures;
  /** Viewers over all transports. */
  readonly viewers: number;
  /** Somebody watches: the camera is retried eagerly, an ad-hoc one is kept. @returns ends it; idempotent. */
  join(): () => void;
}
