// The page's files at `/`, and the page itself at every address that it makes up for its own views.
// What the page is made of is built in web/; the API's addresses are never answered with a page.

import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** What programs ask for: a page in place of an error would only mislead them. */
const notPages = /^\/(api|ws|media|assets|healthz|readyz|metrics)(\/|$)/;

/** Names in this folder hold a hash of what is inside: another content is another name. */
const named = /[\\/]assets[\\/][^\\/]+$/;

/** @param root absolute path of the folder of the built page. */
export async function servePage(app: FastifyInstance, root: string): Promise<void> {
  await app.register(staticFiles, {
    root,
    cacheControl: false,
    dotfiles: 'ignore',
    setHeaders(reply, path) {
      reply.header('cache-control', named.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}

/** Whether a browser asks for a view of the page by an address that only the page knows, such as `/cameras/7`. */
export function asksForPage({ method, url, headers }: FastifyRequest): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    headers.accept?.includes('text/html') === true &&
    !notPages.test(url.replace(/[?#].*$/s, ''))
  );
}

export function sendPage(reply: FastifyReply): FastifyReply {
  return reply.sendFile('index.html');
}
