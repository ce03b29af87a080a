// The routes of saved streams: /api/streams…
// Reading requests and writing replies; the rules are in streams-service.ts, pictures in pictures.ts.

import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { withoutDetail } from '../errors.ts';
import { noteForAudit } from './audit-hook.ts';
import type { AuditAction } from './auth-ports.ts';
import { pageById } from './cursor.ts';
import { errorReply } from './errors.ts';
import { listQuery } from './list-schemas.ts';
import type { StreamAction, StreamService, StreamView } from './ports.ts';
import {
  createBody,
  createdReply,
  idParams,
  listReply,
  patchBody,
  statsReply,
  statusBody,
  statusReply,
  streamReply,
} from './schemas.ts';

export interface StreamRoutesOptions {
  readonly streams: StreamService;
  readonly wsBaseUrl: string | undefined;
}

const errors = { '4xx': errorReply, '5xx': errorReply };
const tags = ['streams'];

const actionsForAudit: Record<StreamAction, AuditAction> = {
  start: 'stream_started',
  stop: 'stream_stopped',
  pause: 'detection_paused',
  resume: 'detection_resumed',
};

const messages: Record<StreamAction, string> = {
  start: 'Stream started.',
  stop: 'Stream stopped.',
  pause: 'Face detection paused.',
  resume: 'Face detection resumed.',
};

type OutsideView = Omit<StreamView, 'key' | 'rtsp_url'> & { rtsp_url: string | null; ws_url: string };

/** Whoever may only watch learns neither where a camera is nor what it says of itself, which may repeat its address. */
function withoutAddress(view: OutsideView, base: string): OutsideView {
  return {
    ...view,
    rtsp_url: null,
    detection_url: null,
    last_error: view.last_error && withoutDetail(view.last_error),
    ws_url: `${base}/ws/stream/?stream_id=${encodeURIComponent(view.id)}`,
  };
}

export const streamRoutes: FastifyPluginAsyncZod<StreamRoutesOptions> = async (
  app,
  { streams, wsBaseUrl },
) => {
  function outside({ key, ...members }: StreamView, request: FastifyRequest) {
    const base = wsBaseUrl ?? `${request.protocol === 'https' ? 'wss' : 'ws'}://${request.host}`;
    const view = { ...members, ws_url: `${base}/ws/stream/?url=${encodeURIComponent(key)}` };
    return request.identity?.role === 'viewer' ? withoutAddress(view, base) : view;
  }

  // Both spellings of a route come from clients of an earlier service; the second is kept out of the documentation.
  for (const [url, hide] of [
    ['/api/streams', false],
    ['/api/streams/create', true],
  ] as const)
    app.post(
      url,
      {
        config: { access: 'operator', audit: 'stream_created' },
        schema: {
          tags,
          hide,
          summary: 'Save a camera and connect to it',
          body: createBody,
          response: { 201: createdReply, ...errors },
        },
      },
      async (request, reply) => {
        const view = await streams.create(request.body);
        noteForAudit(request, view.id, view.name);
        reply.code(201).header('location', `/api/streams/${view.id}/`);
        return { message: 'Stream created.', ...outside(view, request) };
      },
    );

  app.get(
    '/api/streams',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'All saved cameras, in order of creation',
        querystring: listQuery,
        response: { 200: listReply, ...errors },
      },
    },
    async (request) => {
      const { rows, next_cursor } = await pageById('streams', request.query, (page) => streams.list(page));
      return { streams: rows.map((view) => outside(view, request)), next_cursor };
    },
  );

  app.get(
    '/api/streams/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'One camera', params: idParams, response: { 200: streamReply, ...errors } },
    },
    async (request) => ({ stream: outside(await streams.get(request.params.id), request) }),
  );

  app.patch(
    '/api/streams/:id',
    {
      config: { access: 'operator', audit: 'stream_changed' },
      schema: {
        tags,
        summary: 'Change a camera; a running one picks the change up',
        params: idParams,
        body: patchBody,
        response: { 200: streamReply, ...errors },
      },
    },
    async (request) => {
      const view = await streams.update(request.params.id, request.body);
      noteForAudit(request, view.id, view.name);
      return { stream: outside(view, request) };
    },
  );

  app.patch(
    '/api/streams/:id/status',
    {
      config: {
        access: 'operator',
        audit: ({ body }) => actionsForAudit[(body as { action: StreamAction }).action],
      },
      schema: {
        tags,
        summary: 'Connect or disconnect the camera (start, stop), or switch face detection (pause, resume)',
        params: idParams,
        body: statusBody,
        response: { 200: statusReply, ...errors },
      },
    },
    async (request) => {
      const { action } = request.body;
      const view = await streams.setStatus(request.params.id, action);
      noteForAudit(request, view.id, view.name);
      return { message: messages[action], status: view.status, stream: outside(view, request) };
    },
  );

  for (const [url, hide] of [
    ['/api/streams/:id', false],
    ['/api/streams/:id/delete', true],
  ] as const)
    app.delete(
      url,
      {
        config: { access: 'operator', audit: 'stream_deleted' },
        schema: {
          tags,
          hide,
          summary: 'Forget a camera, with everything kept of it',
          params: idParams,
          response: { 204: z.undefined().describe('It is gone.'), ...errors },
        },
      },
      async (request, reply) => {
        const { id, name } = await streams.get(request.params.id);
        await streams.remove(id);
        noteForAudit(request, id, name);
        return reply.code(204).send();
      },
    );

  app.get(
    '/api/streams/:id/stats',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Performance figures of one camera',
        params: idParams,
        response: { 200: statsReply, ...errors },
      },
    },
    async (request) => streams.stats(request.params.id),
  );
};
