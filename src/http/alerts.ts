// The routes of alerts: /api/alerts…
// Reading requests and writing replies; the rules are in records-service.ts.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { noteForAudit } from './audit-hook.ts';
import type { RecordRoutesOptions } from './detections.ts';
import { errorReply } from './errors.ts';
import {
  alertBody,
  alertChangedReply,
  alertQuery,
  alertReply,
  alertsBody,
  alertsChangedReply,
  alertsReply,
} from './record-schemas.ts';
import { idParams } from './schemas.ts';

const errors = { '4xx': errorReply, '5xx': errorReply };
const tags = ['alerts'];

/** The second spelling comes from clients of an earlier service and is kept out of the documentation. */
const spellings = (other: string) =>
  [
    ['/api/alerts/:id', false],
    [`/api/alerts/:id/${other}`, true],
  ] as const;

export const alertRoutes: FastifyPluginAsyncZod<RecordRoutesOptions> = async (app, { records }) => {
  app.get(
    '/api/alerts',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Alerts, newest first',
        querystring: alertQuery,
        response: { 200: alertsReply, ...errors },
      },
    },
    async ({ query }) => {
      const { stream_id: streamId, ...rest } = query;
      return records.alerts({ ...rest, streamId });
    },
  );

  app.patch(
    '/api/alerts',
    {
      config: { access: 'operator', audit: 'alerts_viewed' },
      schema: {
        tags,
        summary: 'Mark all alerts as viewed, of one stream or of all',
        body: alertsBody,
        response: { 200: alertsChangedReply, ...errors },
      },
    },
    async (request) => {
      const { stream_id } = request.body;
      const updated = await records.markAllViewed(stream_id ?? undefined);
      noteForAudit(request, stream_id ?? 'all', `${updated}`);
      return { updated };
    },
  );

  app.get(
    '/api/alerts/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'One alert', params: idParams, response: { 200: alertReply, ...errors } },
    },
    async ({ params }) => ({ alert: await records.alert(params.id) }),
  );

  for (const [url, hide] of spellings('update'))
    app.patch(
      url,
      {
        config: { access: 'operator', audit: 'alert_viewed' },
        schema: {
          tags,
          hide,
          summary: 'Mark an alert as viewed, or not',
          params: idParams,
          body: alertBody,
          response: { 200: alertChangedReply, ...errors },
        },
      },
      async (request) => {
        const { viewed } = request.body;
        const alert = await records.setViewed(request.params.id, viewed);
        noteForAudit(request, alert.id, `${viewed ? 'viewed' : 'not viewed'}, ${alert.stream}`);
        const message = viewed ? 'Alert marked as viewed.' : 'Alert marked as not viewed.';
        return { message, viewed, alert };
      },
    );

  for (const [url, hide] of spellings('delete'))
    app.delete(
      url,
      {
        config: { access: 'operator', audit: 'alert_deleted' },
        schema: {
          tags,
          hide,
          summary: 'Forget an alert; its detections stay',
          params: idParams,
          response: { 204: z.undefined().describe('It is gone.'), ...errors },
        },
      },
      async (request, reply) => {
        const { id, stream } = await records.alert(request.params.id);
        await records.removeAlert(id);
        noteForAudit(request, id, stream);
        return reply.code(204).send();
      },
    );
};
