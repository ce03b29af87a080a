// The routes of saved streams: /api/streams…
// Reading requests and writing replies; the rules are in streams-service.ts, pictures in pictures.ts.

import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorReply } from './errors.ts';
import type { StreamAction, StreamService, StreamView } from './ports.ts';
import {
  createBody,
  createdReply,
  idParams,
  listQuery,
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

const messages: Record<StreamAction, string> = {
  start: 'Stream started.',
  stop: 'Stream stopped.',
  pause: 'Face detection paused.',
  resume: 'Face detection resumed.',
};

export const streamRoutes: FastifyPluginAsyncZod<StreamRoutesOptions> = async (
  app,
  { streams, wsBaseUrl },
) => {
  function outside({ key, ...members }: StreamView, request: FastifyRequest) {
    const base = wsBaseUrl ?? `${request.protocol === 'https' ? 'wss' : 'ws'}://${request.host}`;
    return { ...members, ws_url: `${base}/ws/stream/?url=${encodeURIComponent(key)}` };
  }

  // Both spellings of a route come from clients of an earlier service; the second is kept out of the documentation.
  for (const [url, hide] of [
    ['/api/streams', false],
    ['/api/streams/create', true],
  ] as const)
    app.post(
      url,
      {
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
        reply.code(201).header('location', `/api/streams/${view.id}/`);
        return { message: 'Stream created.', ...outside(view, request) };
      },
    );

  app.get(
    '/api/streams',
    {
      schema: {
        tags,
        summary: 'All saved cameras, in order of creation',
        querystring: listQuery,
        response: { 200: listReply, ...errors },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      // One more than asked for tells whether there is a next page.
      const found = await streams.list({ limit: limit + 1, after: cursor });
      const page = found.slice(0, limit);
      const next_cursor = found.length > page.length ? (page.at(-1)?.id ?? null) : null;
      return { streams: page.map((view) => outside(view, request)), next_cursor };
    },
  );

  app.get(
    '/api/streams/:id',
    {
      schema: { tags, summary: 'One camera', params: idParams, response: { 200: streamReply, ...errors } },
    },
    async (request) => ({ stream: outside(await streams.get(request.params.id), request) }),
  );

  app.patch(
    '/api/streams/:id',
    {
      schema: {
        tags,
        summary: 'Change a camera; a running one picks the change up',
        params: idParams,
        body: patchBody,
        response: { 200: streamReply, ...errors },
      },
    },
    async (request) => ({
      stream: outside(await streams.update(request.params.id, request.body), request),
    }),
  );

  app.patch(
    '/api/streams/:id/status',
    {
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
        schema: {
          tags,
          hide,
          summary: 'Forget a camera, with everything kept of it',
          params: idParams,
          response: { 204: z.undefined().describe('It is gone.'), ...errors },
        },
      },
      async (request, reply) => {
        await streams.remove(request.params.id);
        return reply.code(204).send();
      },
    );

  app.get(
    '/api/streams/:id/stats',
    {
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
