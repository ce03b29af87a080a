// The routes of detections: /api/detections…
// Reading requests and writing replies; the rules are in records-service.ts.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { noteForAudit } from './audit-hook.ts';
import { errorReply } from './errors.ts';
import { maxImageText, readOutsideImage } from './outside-image.ts';
import type { RecordService } from './record-ports.ts';
import {
  detection,
  detectionQuery,
  detectionReply,
  detectionsReply,
  newDetectionBody,
} from './record-schemas.ts';
import { idParams } from './schemas.ts';

export interface RecordRoutesOptions {
  readonly records: RecordService;
}

const errors = { '4xx': errorReply, '5xx': errorReply };
const tags = ['detections'];
const otherMembersBytes = 64 * 1024;

export const detectionRoutes: FastifyPluginAsyncZod<RecordRoutesOptions> = async (app, { records }) => {
  app.get(
    '/api/detections',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Detections, newest first',
        querystring: detectionQuery,
        response: { 200: detectionsReply, ...errors },
      },
    },
    async ({ query }) => {
      const { stream_id: streamId, alert_id: alertId, min_confidence: minConfidence, ...rest } = query;
      return records.detections({ ...rest, streamId, alertId, minConfidence });
    },
  );

  // Both spellings of a route come from clients of an earlier service; the second is kept out of the documentation.
  for (const [url, hide] of [
    ['/api/detections', false],
    ['/api/detections/create', true],
  ] as const)
    app.post(
      url,
      {
        bodyLimit: maxImageText + otherMembersBytes,
        config: { access: 'operator', audit: 'detection_created' },
        schema: {
          tags,
          hide,
          summary: 'Report a face that a detector outside has seen; the same alert policy applies',
          body: newDetectionBody,
          response: { 201: detection, ...errors },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const view = await records.report({
          streamId: body.stream_id,
          confidence: body.confidence_score,
          time: body.timestamp ?? null,
          box: body.box ?? null,
          image: body.image ? readOutsideImage(body.image) : null,
        });
        noteForAudit(request, view.id, view.stream);
        reply.code(201).header('location', `/api/detections/${view.id}/`);
        return view;
      },
    );

  app.get(
    '/api/detections/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One detection',
        params: idParams,
        response: { 200: detectionReply, ...errors },
      },
    },
    async ({ params }) => ({ detection: await records.detection(params.id) }),
  );

  app.delete(
    '/api/detections/:id',
    {
      config: { access: 'operator', audit: 'detection_deleted' },
      schema: {
        tags,
        summary: 'Forget a detection and its images; an alert without any other goes with it',
        params: idParams,
        response: { 204: z.undefined().describe('It is gone.'), ...errors },
      },
    },
    async (request, reply) => {
      const { id, stream } = await records.detection(request.params.id);
      await records.removeDetection(id);
      noteForAudit(request, id, stream);
      return reply.code(204).send();
    },
  );
};
