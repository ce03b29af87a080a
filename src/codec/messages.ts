// Messages between the service and a codec worker (child process), declared once for both sides.
// Everything here is sent by structured clone; no behaviour.

import type { VideoCodec } from '../media/access-unit.ts';

/** What a channel makes of its access units. Pictures are fitted inside `width`×`height`, never enlarged or distorted. */
export interface PictureOptions {
  readonly width: number;
  readonly height: number;
  /** At most so many pictures a second of media time, evenly spaced. */
  readonly fps: number;
  /** JPEG quality 1–100. */
  readonly quality: number;
}

export type ToWorker =
  | {
      readonly type: 'open';
      readonly channel: number;
      readonly codec: VideoCodec;
      readonly options: PictureOptions;
    }
  | {
      readonly type: 'unit';
      readonly channel: number;
      readonly data: Uint8Array;
      readonly keyframe: boolean;
      readonly timestamp: number;
      /** False while catching up on recent units: decode, but make no picture. */
      readonly show: boolean;
      /** Parent's `receivedAt`, returned with the picture. */
      readonly receivedAt: number;
    }
  | { readonly type: 'close'; readonly channel: number };

export type FromWorker =
  | { readonly type: 'ready' }
  | {
      readonly type: 'picture';
      readonly channel: number;
      readonly data: Uint8Array;
      readonly width: number;
      readonly height: number;
      readonly timestamp: number;
      readonly receivedAt: number;
      /** Decode + scale + encode, ms. */
      readonly processingTime: number;
    }
  /** One per `unit`, in order, whether or not it gave a picture: the sender counts what is in flight. */
  | { readonly type: 'done'; readonly channel: number }
  /** The decoder refused something; the channel goes on at the next keyframe. Rate-limited by the worker. */
  | { readonly type: 'trouble'; readonly channel: number; readonly message: string };
