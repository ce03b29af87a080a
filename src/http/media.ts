// /media/…: images of detections, by the opaque names that rows have.
// Nothing else is ever looked up: no listing, no path, no file of another kind.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { RecordRoutesOptions } from './detections.ts';
import { errorReply } from './errors.ts';

const imageName = /^[0-9a-f]{2}\/[0-9a-f]{30}\.jpg$/;

/** Another picture gets another name, so a browser never has to ask again; it keeps it for this user alone. */
const cacheControl = 'private, max-age=31536000, immutable';

export const mediaRoutes: FastifyPluginAsyncZod<RecordRoutesOptions> = async (app, { records }) => {
  app.get(
    '/media/:folder/:file',
    {
      config: { access: 'viewer' },
      exposeHeadRoute: false,
      schema: {
        tags: ['detections'],
        summary: 'An image of a detection',
        params: z.object({ folder: z.string(), file: z.string() }),
        response: {
          200: { description: 'A JPEG image.', content: { 'image/jpeg': { schema: z.any() } } },
          304: z.undefined().describe('As before.'),
          '4xx': errorReply,
          '5xx': errorReply,
        },
      },
    },
    async ({ params, headers }, reply) => {
      const name = `${params.folder}/${params.file}`;
      if (!imageName.test(name) || !(await records.hasImage(name)))
        throw new AppError(404, 'image_not_found', 'There is no such image.');
      const etag = `"${params.file.slice(0, -'.jpg'.length)}"`;
      reply.header('cache-control', cacheControl).header('etag', etag);
      if (namesTag(headers['if-none-match'], etag)) return reply.code(304).send();
      const data = await records.image(name).catch((error: unknown) => {
        reply.removeHeader('cache-control').removeHeader('etag');
        throw error;
      });
      return reply.type('image/jpeg').send(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    },
  );
};

/** RFC 9110, 13.1.2: compared weakly. */
function namesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
}
