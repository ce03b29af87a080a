// The shapes of requests and replies about detections and alerts: the source of their checks, types and OpenAPI text.
// What an image has to be is decided in outside-image.ts.

import { z } from 'zod';
import { moment, nextCursor, paging, range } from './list-schemas.ts';
import { maxImageText } from './outside-image.ts';

const fraction = (what: string) =>
  z
    .number(`must be a number from 0 to 1: ${what}`)
    .min(0, 'must be from 0 to 1')
    .max(1, 'must be from 0 to 1');
const confidence = fraction('how sure the detector is');

const streamId = z.string('must be a text: the id of a stream').min(1, 'must not be empty').max(100);

const filters = { stream_id: streamId.optional(), ...range, ...paging };

export const detectionQuery = z.strictObject({
  ...filters,
  alert_id: z
    .string('must be a text: the id of an alert')
    .min(1, 'must not be empty')
    .max(100)
    .optional()
    .describe('Only those that belong to this alert.'),
  min_confidence: z.coerce
    .number('must be a number from 0 to 1')
    .min(0, 'must be from 0 to 1')
    .max(1, 'must be from 0 to 1')
    .optional(),
});

export const alertQuery = z.strictObject({
  ...filters,
  viewed: z
    .stringbool({ truthy: ['true', '1'], falsy: ['false', '0'], error: 'must be true or false' })
    .optional(),
});

const box = z
  .object({
    x: fraction('left edge'),
    y: fraction('upper edge'),
    width: fraction('width'),
    height: fraction('height'),
  })
  // Detectors round: a box at the edge may reach a hair beyond it.
  .refine(({ x, width }) => width > 0 && x + width <= 1.001, {
    path: ['width'],
    message: 'must fit into the frame',
  })
  .refine(({ y, height }) => height > 0 && y + height <= 1.001, {
    path: ['height'],
    message: 'must fit into the frame',
  })
  .describe('Fractions of the frame.');

const latest = 24 * 60 * 60 * 1000;

export const newDetectionBody = z
  .object(
    {
      stream_id: streamId,
      confidence_score: confidence,
      timestamp: moment
        .refine((time) => time < Date.now() + latest, 'must not be in the future')
        .nullish()
        .describe('ISO 8601; now when absent.'),
      box: box.nullish(),
      image: z
        .string('must be a text: a JPEG image in base64')
        .max(maxImageText, 'must be an image of at most 5 MB')
        .nullish()
        .describe('The whole frame: a JPEG image of at most 5 MB, in base64.'),
    },
    { error: 'The request body must be a JSON object.' },
  )
  .meta({ id: 'NewDetection' });

const body = { error: 'The request body must be a JSON object.' };
const viewed = z.boolean('must be true or false');
export const alertBody = z.object({ viewed }, body).meta({ id: 'AlertChange' });
export const alertsBody = z
  .object({ viewed: z.literal(true, 'must be true'), stream_id: streamId.nullish() }, body)
  .meta({ id: 'AlertsChange' });

const time = z.string().describe('ISO 8601, UTC');
const imageUrl = z.string().nullable().describe('A path on this server, beginning with /media/.');
const fractions = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

const detectionMembers = {
  id: z.string().describe('Opaque.'),
  stream_id: z.string(),
  stream: z.string().describe('The name of the stream.'),
  timestamp: time,
  last_seen: time,
  alert_id: z
    .string()
    .nullable()
    .describe('The alert it belongs to, which may have been deleted since; null without one.'),
  confidence_score: z.number(),
  image_url: imageUrl,
  thumbnail_url: imageUrl,
  box: fractions.nullable().describe('Fractions of the frame.'),
  landmarks: z
    .array(z.object({ x: z.number(), y: z.number() }))
    .nullable()
    .describe('Left eye, right eye, nose, left and right corner of the mouth, as fractions of the frame.'),
  frame: z.object({ width: z.number(), height: z.number() }).nullable().describe('Pixels.'),
};
export const detection = z.object(detectionMembers).meta({ id: 'Detection' });
export const detectionReply = z.object({ detection });
export const detectionsReply = z.object({ detections: z.array(detection), next_cursor: nextCursor });

export const alert = z
  .object({
    id: z.string().describe('Opaque.'),
    detection_id: z.string().describe('The first detection.'),
    detections_count: z.number().describe('How many detections joined it within its cooldown.'),
    stream_id: z.string(),
    stream: z.string().describe('The name of the stream.'),
    confidence_score: z.number(),
    image_url: imageUrl,
    thumbnail_url: imageUrl,
    timestamp: time,
    viewed: z.boolean(),
  })
  .meta({ id: 'Alert' });
export const alertReply = z.object({ alert });
export const alertChangedReply = z.object({ message: z.string(), viewed: z.boolean(), alert });
export const alertsChangedReply = z.object({ updated: z.number() });
export const alertsReply = z.object({
  alerts: z.array(alert),
  unviewed: z.number().describe('Alerts nobody has viewed yet, of the stream asked for or of all.'),
  next_cursor: nextCursor,
});
