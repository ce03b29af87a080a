// The route that tries a camera before it is saved: /api/streams/check.
// Reading the request and writing the reply; trying is behind the port.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { everyone } from '../base/identity.ts';
import { AppError } from '../errors.ts';
import { cameraKey, parseCameraUrl } from '../media/camera-url.ts';
import type { AuditTrail } from './auth-ports.ts';
import type { CameraChecks } from './camera-check-ports.ts';
import { errorReply } from './errors.ts';
import { originOf } from './origin.ts';
import { createBody, idParams } from './schemas.ts';

export interface CameraCheckRoutesOptions {
  readonly checks: CameraChecks;
  readonly audit: Pick<AuditTrail, 'record'>;
}

export const checkBody = z
  .object(
    {
      rtsp_url: createBody.shape.rtsp_url,
      stream_id: idParams.shape.id
        .nullable()
        .default(null)
        .describe('The saved camera whose secrets are meant where the address shows ****.'),
    },
    { error: 'The request body must be a JSON object.' },
  )
  .meta({ id: 'CameraCheckRequest' });

const playable = z.enum(['yes', 'depends', 'no']);

export const checkReply = z
  .object({
    ok: z.boolean().describe('There is a picture.'),
    code: z.string().describe('`ok`, or why there is none.'),
    message: z.string().describe('A sentence for people.'),
    advice: z.array(z.string()).describe('What to do next, or what would work better; may be empty.'),
    video: z
      .object({
        codec: z.enum(['h264', 'h265', 'mjpeg']),
        profile: z.string().nullable(),
        width: z.number().describe('0 when not known.'),
        height: z.number().describe('0 when not known.'),
        fps: z.number().nullable(),
        keyframe_interval_s: z.number().nullable().describe('Null when fewer than two keyframes came.'),
      })
      .nullable(),
    audio: z.string().nullable().describe('Name of the codec; null when there is no sound.'),
    transport: z.enum(['tcp', 'udp']).nullable(),
    time_to_first_picture_ms: z.number().nullable(),
    browser: z
      .object({
        codec: z.string().describe('RFC 6381.'),
        mime: z.string().nullable().describe('For MediaSource.isTypeSupported.'),
        webcodecs: playable,
        mse: playable,
      })
      .nullable()
      .describe('Whether browsers can play the video as it is sent; `depends` on browser and machine.'),
    snapshot: z.string().nullable().describe('JPEG, base64.'),
    shared: z
      .boolean()
      .describe('The service is connected to this camera already; no further connection was made.'),
  })
  .meta({ id: 'CameraCheck' });

export const cameraCheckRoutes: FastifyPluginAsyncZod<CameraCheckRoutesOptions> = async (
  app,
  { checks, audit },
) => {
  app.post(
    '/api/streams/check',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['streams'],
        summary: 'Try a camera without saving it: connects once, at most about 10 s',
        description: 'A camera that gives no picture is answered with 200, `ok: false` and the reason.',
        body: checkBody,
        response: { 200: checkReply, '4xx': errorReply, '5xx': errorReply },
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      const onClose = () => gone.abort();
      reply.raw.once('close', onClose);
      const { rtsp_url: rtspUrl, stream_id: streamId } = request.body;
      const by = request.identity ?? everyone;
      // At its arrival: of whoever hangs up meanwhile the address cannot be told any more.
      const origin = originOf(request);
      // Whoever tries a camera sees what it shows, and makes the service knock there, whatever comes of it.
      const record = () => {
        const subject = cameraKey(parseCameraUrl(rtspUrl));
        audit.record({ action: 'watched_ad_hoc', actor: by, subject, origin });
      };
      try {
        const check = await checks.check({ rtspUrl, streamId }, by, gone.signal);
        record();
        return check;
      } catch (error) {
        // What is refused knocks nowhere.
        if (!(error instanceof AppError)) record();
        if (!gone.signal.aborted) throw error;
        // Nobody is there to be answered.
        reply.hijack();
        return reply;
      } finally {
        reply.raw.off('close', onClose);
      }
    },
  );
};
