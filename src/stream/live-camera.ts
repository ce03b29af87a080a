// What the edges (WebSocket, REST) see of a running camera, without knowing who makes its pictures or connects to it.
// Types only; app joins the parts.

import type { Picture } from '../media/access-unit.ts';
import type { AudioParameters } from '../media/audio.ts';
import type { DetectorState, FractionBox, Point } from '../media/faces.ts';
import type { Mp4Track } from '../media/fmp4.ts';
import type { AudioSource } from './audio-source.ts';
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

/** Formats that carry the camera's own access units. */
export type PassthroughFormat = 'annexb' | 'mp4';

/** What a viewer must know before a packet; the same object for all packets that it holds for. */
export interface PacketSetup {
  readonly format: PassthroughFormat;
  /** RFC 6381. */
  readonly codec: string;
  readonly mime: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number | null;
  /** To be sent before the first packet; null when there is nothing. */
  readonly init: Uint8Array | null;
  /** Of MP4: what `init` is made of, for one with sound. */
  readonly track: Mp4Track | null;
}

/** One access unit as it goes to every viewer of its format. Its bytes are shared and must never be written to. */
export interface Packet {
  readonly setup: PacketSetup;
  readonly data: Uint8Array;
  readonly keyframe: boolean;
  /** Presentation time, µs of the stream's media clock. */
  readonly timestamp: number;
  /** ms, of the access unit. */
  readonly receivedAt: number;
}

/** Sound as it goes to every viewer of a format who wants it. Its bytes are shared and must never be written to. */
export interface SoundPacket {
  readonly data: Uint8Array;
  /** ms, of its last unit of sound. */
  readonly receivedAt: number;
}

export interface SoundListener {
  /** What the packets from now on are; null when none will come for now. */
  onSound(sound: AudioParameters | null): void;
  onPacket(packet: SoundPacket): void;
}

/** Compressed video and sound of one camera, packed once for all viewers of a format, and only while there are any. */
export interface PacketSource {
  /**
   * @param onPacket gets each packet from now on; the first one after a change is a keyframe.
   * @returns the packets since the last keyframe, oldest first, and what ends the subscription.
   */
  subscribe(
    format: PassthroughFormat,
    onPacket: (packet: Packet) => void,
  ): { readonly recent: readonly Packet[]; readonly leave: () => void };
  /**
   * Sound is promised only while it really comes: a player that waits for a track of sound shows no picture.
   * @param listener is called from now on, not from within this call.
   * @returns what the packets are, and what ends the subscription.
   */
  subscribeSound(
    format: PassthroughFormat,
    listener: SoundListener,
  ): { readonly sound: AudioParameters | null; readonly leave: () => void };
}

/** A face that counts, of somebody who is followed over frames. */
export interface SeenFace {
  /** Small number, one for each visit within the stream. */
  readonly track: number;
  readonly confidence: number;
  readonly box: FractionBox;
  readonly landmarks: readonly Point[];
}

/** A face that the detector is too unsure of to count here. */
export interface UnsureFace {
  readonly confidence: number;
  readonly box: FractionBox;
}

/** An alert that is stored, with what a viewer is told at once. */
export interface RaisedAlert {
  readonly alertId: string;
  readonly detectionId: string;
  readonly streamId: string;
  /** When the person was noticed, ms since 1970. */
  readonly time: number;
  readonly confidence: number;
  /** Path of the image; null when none could be made. */
  readonly snapshot: string | null;
}

export interface FaceReader {
  /**
   * @param timestamp of the analysed frame, µs of the stream's media clock.
   * @param below the faces under the camera's confidence threshold.
   */
  onFaces?(timestamp: number, faces: readonly SeenFace[], below: readonly UnsureFace[]): void;
  onAlert?(alert: RaisedAlert): void;
  onDetector?(detector: DetectorView): void;
}

/** Whether faces are looked for, and why not. */
export interface DetectorView {
  readonly state: DetectorState;
  /** A sentence when it does not work; else null. */
  readonly message: string | null;
}

export interface FaceSource {
  subscribe(reader: FaceReader): () => void;
  readonly detector: DetectorView;
}

/** What the face detector did for a camera since the service started, `backlog` now; named as the outside sees it. */
export interface DetectionStats {
  readonly frames_analysed: number;
  /** Frames that were due while the detector was busy. */
  readonly frames_skipped: number;
  /** Frames that the detector has and has not answered. */
  readonly backlog: number;
  /** Faces that counted, over all frames. */
  readonly faces: number;
  /** People followed through the frames. */
  readonly tracks: number;
  readonly alerts: number;
}

export interface CameraFigures {
  readonly detection: DetectionStats;
  /** Detections (visits) stored since the service started. */
  readonly detections: number;
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
  readonly packets: PacketSource;
  readonly audio: AudioSource;
  readonly faces: FaceSource;
  readonly figures: CameraFigures;
  /** Viewers over all transports. */
  readonly viewers: number;
  /** Somebody watches: the camera is retried eagerly, an ad-hoc one is kept. @returns ends it; idempotent. */
  join(): () => void;
}
