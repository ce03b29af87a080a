// Who may talk to the service from a browser: the Host header (DNS rebinding) and the Origin of pages.
// Decisions only from headers and settings; sign-in is another matter.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';

export interface GuardSettings {
  readonly allowedHosts: readonly string[];
  readonly corsAllowedOrigins: readonly string[];
}

/** Asked by schedulers and load balancers, by whatever address they know: they say no more to strangers than well or not. */
const healthRoutes = new Set(['/healthz', '/readyz']);

const harmlessMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The name in a Host header: lower case, no port, no dot at the end; undefined when it is not one. */
function hostName(header: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header);
  return match?.[1]?.toLowerCase().replace(/\.$/, '');
}

/** @param patterns as in `ALLOWED_HOSTS`: `*` for any, `.example.com` for a domain and all below it. */
export function hostAllowed(patterns: readonly string[], header: string): boolean {
  if (patterns.includes('*')) return true;
  const name = hostName(header);
  if (name === undefined) return false;
  return patterns.some((pattern) =>
    pattern.startsWith('.') ? name === pattern.slice(1) || name.endsWith(pattern) : name === pattern,
  );
}

/**
 * Whether a page of `origin` may change things or open sockets: it is from this very host, or listed.
 * @param scheme of the request: over https, whoever sits on the network must not come in by a page of his own over http.
 */
export function originAllowed(
  listed: readonly string[],
  origin: string,
  hostHeader: string,
  scheme: 'http' | 'https' = 'http',
): boolean {
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  if (listed.includes(page.origin)) return true;
  if (scheme === 'https' && page.protocol === 'http:') return false;
  // A proxy that is not trusted may take TLS away, so that only the hosts can be compared; the parser drops the scheme's own port.
  const own = `${page.protocol}//${hostHeader}`;
  return /^https?:$/.test(page.protocol) && URL.canParse(own) && new URL(own).host === page.host;
}

const isUpgrade = ({ headers }: FastifyRequest) => headers.upgrade !== undefined;

/** Whether a request may change something, or opens a socket through which things may be changed. */
export function changesSomething(request: FastifyRequest): boolean {
  return !harmlessMethods.has(request.method) || isUpgrade(request);
}

export function guard(app: FastifyInstance, { allowedHosts, corsAllowedOrigins }: GuardSettings): void {
  app.addHook('onRequest', async (request: FastifyRequest) => {
    const { host = '', origin } = request.headers;
    if (healthRoutes.has(request.routeOptions.url ?? '')) return;
    // A trusted proxy may name the host that the client asked for; the one that it asks for itself counts as well.
    const named = request.host;
    if (![host, named].every((each) => hostAllowed(allowedHosts, each)))
      throw new AppError(
        400,
        'host_not_allowed',
        'This host name is not served here; add it to ALLOWED_HOSTS if it should be.',
      );
    if (origin === undefined || !changesSomething(request)) return;
    if (originAllowed(corsAllowedOrigins, origin, named, request.protocol)) return;
    const what = isUpgrade(request) ? 'open sockets' : 'change anything';
    throw new AppError(
      403,
      'foreign_origin',
      `Pages of this origin may not ${what} here; add it to CORS_ALLOWED_ORIGINS if they should.`,
    );
  });
}
