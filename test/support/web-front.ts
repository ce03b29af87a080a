// The built page of web/ in front of a running service, at an origin of its own, with the service's content policy.
// What is looked at belongs to the tests.

import { fileURLToPath } from 'node:url';
import { preview } from 'vite';
import { buildWeb } from '../../scripts/build-web.ts';

export interface WebFront {
  /** As in `http://127.0.0.1:41234`. */
  readonly baseUrl: string;
  close(): Promise<void>;
}

const project = fileURLToPath(new URL('../..', import.meta.url));
const servedByService = ['/api', '/media', '/healthz', '/readyz', '/ws'];

/** Builds the page unless it is up to date. The caller closes it. */
export async function startWebFront(serviceUrl: string): Promise<WebFront> {
  await buildWeb();
  const policy = (await fetch(`${serviceUrl}/api/openapi.json`)).headers.get('content-security-policy');
  const server = await preview({
    configFile: `${project}vite.config.ts`,
    logLevel: 'silent',
    preview: {
      host: '127.0.0.1',
      port: 0,
      headers: { 'content-security-policy': policy ?? '' },
      // The names stay as the browser knows them: the service compares Origin and Host.
      proxy: Object.fromEntries(
        servedByService.map((path) => [
          path,
          { target: serviceUrl, changeOrigin: false, ws: path === '/ws' },
        ]),
      ),
    },
  });
  const baseUrl = server.resolvedUrls?.local[0]?.replace(/\/$/, '');
  if (!baseUrl) throw new Error('The front of the page has no address.');
  return { baseUrl, close: () => server.close() };
}
