// The shapes of requests and replies about streams: the one source of their checks, their types and the OpenAPI text.
// What an address may be is decided by media/camera-url.ts, not here.

import { z } from 'zod';
import { nextCursor } from './list-schemas.ts';

/** @param what it is, for whoever left it out. */
export function text(what: string) {
  return z.string({
    error: (issue) => (issue.input === undefined ? `is required: ${what}` : `must be a text: ${what}`),
  });
}

const oneLine = /^\P{Cc}*$/u;
const noNul = /^[^\0]*$/;

/** One line that people read. */
export function name(what: string) {
  return text(what)
    .trim()
    .min(1, 'must not be empty')
    .max(100, 'must not be longer than 100 characters')
    .regex(oneLine, 'must not hold line breaks or control characters');
}

const cameraName = name('what people call the camera');
const rtspUrl = text('the camera address, such as rtsp://user:password@192.168.1.20:554/stream').describe(
  'rtsp:// or rtsps://. A masked password (****) means the stored one while scheme, host, port and user stay the same.',
);
const description = text('any note')
  .max(2000, 'must not be longer than 2000 characters')
  .regex(noNul, 'must not hold NUL characters');
const detectionUrl = text('the address of the camera’s small sub-stream')
  .nullable()
  .transform((address) => (address?.trim() === '' ? null : address))
  .describe('The camera’s small sub-stream, used to look for faces; null or empty for the main one.');
const detectionEnabled = z.boolean('must be true or false');
const confidenceThreshold = z
  .number('must be a number from 0 to 1')
  .min(0, 'must be a number from 0 to 1')
  .max(1, 'must be a number from 0 to 1');

const body = { error: 'The request body must be a JSON object.' };

export const createBody = z
  .object(
    {
      name: cameraName,
      rtsp_url: rtspUrl,
      description: description.default(''),
      detection_enabled: detectionEnabled.default(true),
      confidence_threshold: confidenceThreshold.default(0.8),
      detection_url: detectionUrl.default(null),
    },
    body,
  )
  .meta({ id: 'NewStream' });

export const patchBody = z
  .object(
    {
      name: cameraName.optional(),
      rtsp_url: rtspUrl.optional(),
      description: description.optional(),
      detection_enabled: detectionEnabled.optional(),
      confidence_threshold: confidenceThreshold.optional(),
      detection_url: detectionUrl.optional(),
    },
    body,
  )
  .meta({ id: 'StreamChange' });

export const statusBody = z
  .object(
    { action: z.enum(['start', 'stop', 'pause', 'resume'], 'must be start, stop, pause or resume') },
    body,
  )
  .meta({ id: 'StreamAction' });

const status = z
  .enum(['offline', 'connecting', 'online', 'reconnecting', 'error'])
  .describe('`error` needs a person; `reconnecting` is tried again by itself.');
const time = z.string().describe('ISO 8601, UTC');

const video = z
  .object({
    codec: z.enum(['h264', 'h265', 'mjpeg']),
    width: z.number(),
    height: z.number(),
    fps: z.number().nullable(),
  })
  .nullable();

const streamMembers = {
  id: z.string().describe('Opaque.'),
  name: z.string(),
  description: z.string(),
  rtsp_url: z.string().nullable().describe('Its password is shown as ****. Null for viewers.'),
  detection_url: z.string().nullable().describe('Null for viewers, and when there is none.'),
  detection_enabled: z.boolean(),
  confidence_threshold: z.number(),
  status,
  last_connected: time.nullable(),
  last_error: z.string().nullable().describe('Why it is not online, as a sentence.'),
  ws_url: z
    .string()
    .describe('The live view; clients may append &stream_id=. For viewers it holds the id alone.'),
  video,
  viewers: z.number(),
  created_at: time,
};

export const stream = z.object(streamMembers).meta({ id: 'Stream' });
export const streamReply = z.object({ stream });
export const createdReply = z.object({ message: z.string(), ...streamMembers }).meta({ id: 'CreatedStream' });
export const statusReply = z.object({ message: z.string(), status, stream });

export const listReply = z.object({ streams: z.array(stream), next_cursor: nextCursor });

export const statsReply = z
  .object({
    stream_id: z.string(),
    status,
    viewers: z.number(),
    current_fps: z.number(),
    avg_processing_time: z.number().describe('ms'),
    avg_detection_time: z.number().describe('ms'),
    total_frames: z.number(),
    total_detections: z.number(),
    detection: z
      .object({
        frames_analysed: z.number(),
        frames_skipped: z.number().describe('Due while the detector was busy.'),
        backlog: z.number().describe('Frames that the detector has and has not answered.'),
        faces: z.number(),
        tracks: z.number(),
        alerts: z.number(),
      })
      .describe('Of the face detector, since the service started.'),
    uptime: z.number().describe('Seconds the camera has been online.'),
    latency_ms: z.number(),
    dropped_frames: z.number(),
    bitrate_kbps: z.number(),
    packets: z.number(),
    lost_packets: z.number(),
    reconnects: z.number(),
    transport: z.enum(['tcp', 'udp']).nullable(),
    decoders: z.number().describe('1 while a decoder runs for this camera.'),
    pictures: z.number().describe('Pictures made since the service started, each once for all viewers.'),
    audio: z
      .object({
        listeners: z
          .number()
          .describe('Formats in which the sound is listened to, each once for all viewers.'),
        transcoders: z.number().describe("1 while AAC is made of this camera's sound."),
        units: z.number().describe('Units of AAC passed on since the service started.'),
        dropped: z.number().describe('Units not transcoded because the worker was behind or gone.'),
      })
      .describe('Of the sound, which is worked on only while somebody listens.'),
  })
  .meta({ id: 'StreamStats' });

export const idParams = z.object({ id: z.string().max(100) });
