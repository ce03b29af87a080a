// Pictures over plain HTTP: the newest one as a JPEG, and a running sequence for an <img> (multipart MJPEG).
// Pictures are made elsewhere; here they are only handed to sockets, newest first and never queued.

import type { ServerResponse } from 'node:http';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { Picture } from '../media/access-unit.ts';
import type { Authenticator } from './auth-ports.ts';
import { errorReply } from './errors.ts';
import type { StreamService } from './ports.ts';
import { idParams } from './schemas.ts';
import { known } from './sign-in.ts';

export interface PictureRoutesOptions {
  readonly streams: StreamService;
  /** Tells when somebody who watches is signed out. */
  readonly authenticator: Pick<Authenticator, 'follow'>;
  /** How long the first picture of a sequence is waited for before the request is refused, ms. */
  readonly firstPictureMs?: number;
  /** A reader that takes nothing for so long is gone, ms. */
  readonly stuckMs?: number;
}

const boundary = 'picture';
const tags = ['pictures'];
const noStore = 'no-store, no-transform';
const image = (type: string, description: string) => ({
  200: { description, content: { [type]: { schema: z.any() } } },
  '4xx': errorReply,
  '5xx': errorReply,
});

const liveQuery = z.object({
  fps: z.coerce
    .number('must be a number from 0.1 to 60')
    .min(0.1, 'must be a number from 0.1 to 60')
    .max(60, 'must be a number from 0.1 to 60')
    .optional()
    .describe('At most so many pictures a second.'),
});

/** One viewer's multipart reply: writes a picture whenever the socket has taken the one before. */
class MultipartWriter {
  readonly #response: ServerResponse;
  readonly #headers: NodeJS.Dict<number | string | string[]>;
  /** When the socket stopped taking; undefined while it takes. Only pictures look at it, so no timer is needed. */
  #busySince: number | undefined;
  readonly #stuckMs: number;

  constructor(response: ServerResponse, headers: NodeJS.Dict<number | string | string[]>, stuckMs: number) {
    this.#response = response;
    this.#headers = headers;
    this.#stuckMs = stuckMs;
  }

  /** @returns false when the socket is still busy with the picture before; this one is then not sent. */
  write({ data }: Picture): boolean {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return false;
    if (response.writableNeedDrain) {
      const now = performance.now();
      this.#busySince ??= now;
      if (now - this.#busySince > this.#stuckMs) response.destroy();
      return false;
    }
    this.#busySince = undefined;
    response.cork();
    if (!response.headersSent) {
      response.writeHead(200, this.#headers);
      response.write(`--${boundary}\r\n`);
    }
    response.write(`Content-Type: image/jpeg\r\nContent-Length: ${data.length}\r\n\r\n`);
    response.write(data);
    // Browsers show a picture when they see the boundary after it: sent with it, not with the next one.
    response.write(`\r\n--${boundary}\r\n`);
    response.uncork();
    return true;
  }
}

const keepAliveMs = 15_000;

export const pictureRoutes: FastifyPluginAsyncZod<PictureRoutesOptions> = async (app, options) => {
  const { streams, authenticator, firstPictureMs = 10_000, stuckMs = 30_000 } = options;
  const open = new Set<ServerResponse>();

  app.addHook('preClose', async () => {
    for (const response of open) response.destroy();
  });

  app.get(
    '/api/streams/:id/snapshot.jpg',
    {
      config: { access: 'viewer' },
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: 'The newest picture',
        params: idParams,
        response: image('image/jpeg', 'A JPEG image.'),
      },
    },
    async (request, reply) => {
      const { data } = await streams.snapshot(request.params.id);
      // Sent as it is: the schema is there for the documentation.
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      return reply.type('image/jpeg').header('cache-control', noStore).send(bytes);
    },
  );

  app.get(
    '/api/streams/:id/live.mjpeg',
    {
      config: { access: 'viewer' },
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: 'A running sequence of pictures for an <img>',
        params: idParams,
        querystring: liveQuery,
        response: image(
          'multipart/x-mixed-replace',
          'JPEG images, one part each, until either side ends it.',
        ),
      },
    },
    async (request, reply) => {
      const { raw } = reply;
      // Gone while it was found out who asks: nothing would tell of its end any more.
      if (raw.destroyed) return reply.hijack();
      const headers = {
        ...reply.getHeaders(),
        'content-type': `multipart/x-mixed-replace; boundary=${boundary}`,
        'cache-control': noStore,
        connection: 'close',
      };
      const writer = new MultipartWriter(raw, headers, stuckMs);
      const first = Promise.withResolvers<void>();
      const onPicture = (picture: Picture): boolean => {
        first.resolve();
        return writer.write(picture);
      };
      // Only what may fail before the first picture is answered as an error; from then on the socket is the writer's.
      raw.once('close', first.resolve);
      // Also a reader that vanished without a word while the camera gives nothing is noticed.
      raw.socket?.setKeepAlive(true, keepAliveMs);
      const onEnd = () => {
        first.reject(new AppError(404, 'stream_not_found', 'The stream was deleted.'));
        if (raw.headersSent) raw.end();
      };
      const unfollow = authenticator.follow(known(request), () => {
        first.reject(new AppError(401, 'not_signed_in', 'You were signed out.'));
        // Not ended: a reader that takes nothing would keep what is on its way to it.
        if (raw.headersSent) raw.destroy();
      });
      let timer: NodeJS.Timeout | undefined;
      let end: () => void = () => undefined;
      open.add(raw);
      raw.once('close', () => {
        open.delete(raw);
        unfollow();
        end();
      });
      try {
        end = await streams.pictures(request.params.id, onPicture, { fps: request.query.fps ?? null, onEnd });
        if (raw.destroyed) end();
        timer = setTimeout(
          () => first.reject(new AppError(503, 'no_picture', 'The camera gives no picture at the moment.')),
          firstPictureMs,
        );
        await first.promise;
        reply.hijack();
      } catch (error) {
        end();
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  );
};
