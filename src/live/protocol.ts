// The messages of the WebSocket, declared once for server, page and tests.
// Shapes and their reading only; what they cause is in session.ts.

import { z } from 'zod';
import { withoutDetail } from '../errors.ts';
import { type AudioParameters, sameAudio } from '../media/audio.ts';
import type { DetectorState } from '../media/faces.ts';
import type { AudioSource } from '../stream/audio-source.ts';
import type { DetectionStats, LiveCamera, RaisedAlert, SeenFace, UnsureFace } from '../stream/live-camera.ts';
import type { StreamStatus } from '../stream/status.ts';

export interface PerformanceStats {
  /** Pictures or frames a second that were sent to this viewer over the last seconds. */
  readonly current_fps: number;
  /** ms */
  readonly avg_processing_time: number;
  /** ms */
  readonly avg_detection_time: number;
  /** Frames received from the camera. */
  readonly total_frames: number;
  readonly total_detections: number;
  /** Seconds the camera has been online. */
  readonly uptime: number;
}

export interface StatusMessage {
  readonly type: 'status';
  readonly status: StreamStatus;
  readonly message?: string;
  /** Whether faces are looked for, and why not. */
  readonly detection?: { readonly state: DetectorState; readonly message?: string };
}

export interface FaceAlertMessage {
  readonly type: 'face_alert';
  readonly alert_id: string;
  readonly detection_id: string;
  readonly stream_id: string;
  /** ISO 8601 */
  readonly timestamp: string;
  readonly confidence: number;
  /** Path of the image. */
  readonly snapshot: string | null;
}

/** The camera's sound as viewers of `annexb` and `mp4` get it who ask for it. */
export interface AudioInfo {
  /** RFC 6381. */
  readonly codec: string;
  /** Hz. */
  readonly sample_rate: number;
  readonly channels: number;
  /** AudioSpecificConfig (ISO 14496-3), base64: the `description` of WebCodecs. */
  readonly config: string;
  /** It is among the binary messages of this viewer. */
  readonly sent: boolean;
}

export interface AudioMembers {
  /** Null: the camera sends none that can be heard. */
  readonly audio: AudioInfo | null;
  /** Name of the camera's audio codec when it cannot be used. */
  readonly audio_unsupported?: string;
}

export type ServerMessage =
  | StatusMessage
  | FaceAlertMessage
  | {
      readonly type: 'detections';
      /** µs of the stream's media clock, the same as the video's. */
      readonly timestamp: number;
      readonly faces: readonly SeenFace[];
      /** Faces under the camera's confidence threshold, which do not count; absent when there are none. */
      readonly below?: readonly UnsureFace[];
    }
  | ({ readonly type: 'audio' } & AudioMembers)
  | ({
      readonly type: 'stream_info';
      /** Of the binary messages from here on. */
      readonly format: Format;
      /** What this viewer gets: RFC 6381, or `jpeg`. */
      readonly codec: string;
      readonly mime: string;
      readonly width: number;
      readonly height: number;
      readonly fps: number | null;
      /** What the camera sends. */
      readonly source: { readonly codec: string; readonly width: number; readonly height: number } | null;
    } & AudioMembers)
  | {
      readonly type: 'performance_stats';
      readonly stats: PerformanceStats;
      readonly detection: DetectionStats;
      readonly viewers: number;
      /** From the arrival of a frame's last packet to its picture, or the frame itself, handed to this viewer's socket, ms. */
      readonly latency_ms: number;
      /** Pictures or frames that this viewer did not get because it was too slow. */
      readonly dropped_frames: number;
    }
  | { readonly type: 'error'; readonly error: string; readonly code: string };

/** On `/ws/events/`: what concerns every stream. */
export type EventMessage =
  | (StatusMessage & { readonly stream_id: string })
  | FaceAlertMessage
  /** Every 12 s: without it nobody could tell a quiet day from a line that is dead. Browsers do not show pings. */
  | { readonly type: 'heartbeat' };

export function faceAlert(alert: RaisedAlert): FaceAlertMessage {
  return {
    type: 'face_alert',
    alert_id: alert.alertId,
    detection_id: alert.detectionId,
    stream_id: alert.streamId,
    timestamp: new Date(alert.time).toISOString(),
    confidence: alert.confidence,
    snapshot: alert.snapshot,
  };
}

/**
 * @param details false leaves out what the camera itself said: it may repeat its address.
 * @param note said instead of the stream's own message.
 */
export function statusMessage(camera: LiveCamera, details: boolean, note?: string): StatusMessage {
  const { stream, faces } = camera;
  const told = (text: string | null) => (text === null || details ? text : withoutDetail(text));
  const message = note ?? told(stream.message);
  const { state } = faces.detector;
  const why = told(faces.detector.message);
  return {
    type: 'status',
    status: stream.status,
    ...(message === null ? {} : { message }),
    ...(camera.id === null ? {} : { detection: { state, ...(why === null ? {} : { message: why }) } }),
  };
}

/** @param sent what this viewer is sent. */
export function audioMembers(
  { audio, unsupported }: AudioSource,
  sent: AudioParameters | null,
): AudioMembers {
  return {
    audio: audio && {
      codec: audio.codecString,
      sample_rate: audio.sampleRate,
      channels: audio.channels,
      config: Buffer.from(audio.config).toString('base64'),
      sent: sent !== null && sameAudio(audio, sent),
    },
    ...(unsupported !== null && { audio_unsupported: unsupported }),
  };
}

export const formats = ['jpeg', 'annexb', 'mp4'] as const;
export type Format = (typeof formats)[number];

export function isFormat(text: string): text is Format {
  return (formats as readonly string[]).includes(text);
}

/** Extra members are allowed: clients of the earlier service send `ws_url` along. */
export const clientMessage = z.discriminatedUnion('command', [
  z.object({ command: z.literal('start'), rtsp_url: z.string().max(4096).nullish() }),
  z.object({ command: z.literal('pause') }),
  z.object({ command: z.literal('resume') }),
  z.object({ command: z.literal('stop_stream') }),
  z.object({ command: z.literal('close') }),
  z.object({ command: z.literal('format'), format: z.string() }),
  z.object({ command: z.literal('audio'), on: z.boolean() }),
]);
export type ClientMessage = z.infer<typeof clientMessage>;

/** Close codes of the public contract. */
export const closeCodes = {
  done: 1000,
  serverLeaving: 1001,
  internalError: 1011,
  badRequest: 4400,
  signedOut: 4401,
  noSuchStream: 4404,
  viewerWentAway: 4408,
  tooMany: 4429,
} as const;

export type ParsedCommand =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly code: string; readonly error: string };

const commandNames = 'start, pause, resume, stop_stream, close, format, audio';

/** Reads a text message of a client; what is wrong comes back as a sentence. */
export function parseCommand(text: string): ParsedCommand {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {
      ok: false,
      code: 'invalid_json',
      error: 'A message must be a JSON object such as {"command":"start"}.',
    };
  }
  const parsed = clientMessage.safeParse(value);
  if (parsed.success) return { ok: true, message: parsed.data };
  const command =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>).command : undefined;
  if (typeof command !== 'string')
    return {
      ok: false,
      code: 'invalid_message',
      error: `The message has no "command"; it is one of ${commandNames}.`,
    };
  const known = commandNames.split(', ').includes(command);
  return known
    ? {
        ok: false,
        code: 'invalid_message',
        error: `The command "${command}" has a member of the wrong kind.`,
      }
    : {
        ok: false,
        code: 'unknown_command',
        error: `There is no command "${command.slice(0, 40)}"; known are ${commandNames}.`,
      };
}
