// The routes of the figures of the last hour: /api/performance, /api/streams/:id/performance.
// Reading requests and writing replies; sampling is behind the port.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorReply } from './errors.ts';
import { moment } from './list-schemas.ts';
import type { PerformanceHistories } from './performance-ports.ts';
import type { StreamService } from './ports.ts';
import { idParams } from './schemas.ts';

export interface PerformanceRoutesOptions {
  readonly streams: Pick<StreamService, 'get'>;
  readonly histories: PerformanceHistories;
}

const tags = ['performance'];
const errors = { '4xx': errorReply, '5xx': errorReply };

const querystring = z.strictObject({
  since: moment
    .optional()
    .describe('Only samples after this moment: `end` of the reply before. ISO 8601. Default: the last hour.'),
});

const column = (what: string) => z.array(z.number().nullable()).describe(what);

const frame = {
  interval_s: z.number().describe('Between two samples.'),
  start: z
    .string()
    .nullable()
    .describe('Of the first value of each array, ISO 8601; null when there is none.'),
  end: z.string().nullable().describe('Of the last value: `since` of the next request.'),
};

export const cameraReply = z
  .object({
    ...frame,
    series: z.object({
      fps: column('Frames a second from the camera.'),
      delay_ms: column('From the last packet of a frame to its JPEG picture; null while none are made.'),
      detection_ms: column('Looking for faces in one frame; null while nobody looks.'),
      bitrate_kbps: column('Received, kbit/s.'),
      lost_packets: column('RTP packets lost in the interval.'),
      viewers: column('At that moment.'),
      cpu_percent: column(
        'Of one core: its part of what its codec worker uses, by share of working time. Receiving is in that of the service.',
      ),
      memory_mb: column('10⁶ bytes: its part of its codec worker, in the same way.'),
    }),
  })
  .meta({
    id: 'CameraPerformance',
    description: 'Arrays of the same length, oldest first. Null: not measured, or the camera was stopped.',
  });

export const serviceReply = z
  .object({
    ...frame,
    series: z.object({
      cpu_percent: column('Of one core: the main process, which receives and sends everything.'),
      memory_mb: column('10⁶ bytes, resident, of the main process.'),
      workers_cpu_percent: column('Of one core: all codec workers together.'),
      workers_memory_mb: column('10⁶ bytes, resident, of all codec workers; what they share counts in each.'),
      viewers: column('Of all cameras, at that moment.'),
    }),
  })
  .meta({ id: 'ServicePerformance', description: 'Arrays of the same length, oldest first.' });

export const performanceRoutes: FastifyPluginAsyncZod<PerformanceRoutesOptions> = async (
  app,
  { streams, histories },
) => {
  app.get(
    '/api/streams/:id/performance',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Figures of one camera over the last hour',
        params: idParams,
        querystring,
        response: { 200: cameraReply, ...errors },
      },
    },
    async (request) => {
      const { id } = await streams.get(request.params.id);
      return histories.camera(id, request.query.since ?? null);
    },
  );

  app.get(
    '/api/performance',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Figures of the service over the last hour',
        querystring,
        response: { 200: serviceReply, ...errors },
      },
    },
    async (request) => histories.service(request.query.since ?? null),
  );
};
