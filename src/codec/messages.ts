// Messages between the service and a codec worker (child process), declared once for both sides.
// Everything here is sent by structured clone; no behaviour.

import type { VideoCodec } from '../media/access-unit.ts';
import type { AudioParameters } from '../media/audio.ts';
import type { DetectorState, FaceImages, FrameFaces } from '../media/faces.ts';

/** What a channel makes of its access units. Pictures are fitted inside `width`×`height`, never enlarged or distorted. */
export interface PictureOptions {
  readonly width: number;
  readonly height: number;
  /** At most so many pictures a second of media time, evenly spaced. */
  readonly fps: number;
  /** JPEG quality 1–100. */
  readonly quality: number;
}

/** How frames are given to the face detector. */
export interface FaceOptions {
  /** Frames are fitted inside, never enlarged: the detection frame. */
  readonly width: number;
  readonly height: number;
  /** At most so many frames a second; fewer when the detector cannot keep up. */
  readonly fps: number;
  /** Side of the smallest face, pixels of the detection frame. */
  readonly minFaceSize: number;
  /** For measurements and tests: ms that the detector sleeps before its nth frame (0, 1, …); null: before each. */
  readonly pause?: { readonly ms: number; readonly frame: number | null };
  /** Where the detector's files are; those of the package by default. */
  readonly modelsFolder?: string;
}

export interface ChannelOptions {
  readonly picture: PictureOptions;
  readonly faces: FaceOptions;
}

/** What is made of a channel's frames at the moment; changed while it runs, without a gap. */
export interface Wants {
  readonly pictures: boolean;
  readonly faces: boolean;
}

/** A JPEG picture on its way to the service: `Picture` and what it cost. */
export interface PictureMessage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly timestamp: number;
  /** `receivedAt` of the unit that it was made from, as it came. */
  readonly receivedAt: number;
  /** Decode + scale + encode, ms. */
  readonly processingTime: number;
}

/** One access unit of AAC made from a camera's sound; parameters and duration are media/aac.ts's `aacOf`. */
export interface AudioPiece {
  readonly data: Uint8Array;
  /** Of its first sample, µs on the clock of the sound that it was made from. */
  readonly timestamp: number;
  /** Of the newest sound that is in it, as it came. */
  readonly receivedAt: number;
}

export type ToWorker =
  | {
      readonly type: 'open';
      readonly channel: number;
      readonly codec: VideoCodec;
      readonly options: ChannelOptions;
      readonly wants: Wants;
      /**
       * For so many ms, units of this channel are announced by `begin`, and the worker handles one unit of all such
       * channels at a time: should it die, the culprit is known. 0 when nothing is suspected.
       */
      readonly carefulFor: number;
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
  | { readonly type: 'want'; readonly channel: number; readonly wants: Wants }
  /** A camera's sound is to be made into AAC. `carefulFor` as for video. */
  | {
      readonly type: 'open-sound';
      readonly channel: number;
      readonly audio: AudioParameters;
      readonly carefulFor: number;
    }
  | {
      readonly type: 'sound';
      readonly channel: number;
      readonly data: Uint8Array;
      readonly timestamp: number;
      readonly receivedAt: number;
    }
  | { readonly type: 'close'; readonly channel: number };

export type FromWorker =
  | { readonly type: 'ready' }
  /** A unit of a channel under suspicion goes to the decoder now. */
  | { readonly type: 'begin'; readonly channel: number }
  /** One per `unit`, in order, with the pictures that came out (mostly none or one): the sender counts what is in flight. */
  | {
      readonly type: 'done';
      readonly channel: number;
      readonly pictures: readonly PictureMessage[];
      /** ms spent on the unit, waiting for the processor included. */
      readonly worked: number;
    }
  /** One per `sound`, in order, with what it completed. */
  | {
      readonly type: 'sound';
      readonly channel: number;
      readonly pieces: readonly AudioPiece[];
      readonly worked: number;
    }
  /** Of the whole process, every few seconds. */
  | {
      readonly type: 'usage';
      /** Cores used since the last such message: 1 is one core all the time. */
      readonly cpu: number;
      /** Resident memory, bytes. */
      readonly memory: number;
    }
  /** One per analysed frame; `images` only when there are faces. */
  | {
      readonly type: 'faces';
      readonly channel: number;
      readonly found: FrameFaces;
      readonly images: FaceImages | null;
    }
  /** To each channel that wants faces, at each change. `reason` is a sentence for every state but `starting` and `ready`. */
  | {
      readonly type: 'detector';
      readonly channel: number;
      readonly state: DetectorState;
      readonly reason: string | null;
    }
  /** The decoder refused something; the channel goes on at the next keyframe. At most once a second per channel. */
  | {
      readonly type: 'trouble';
      readonly channel: number;
      readonly message: string;
      /** Failures since the last such message. */
      readonly errors: number;
    };
