// Who asks, and whether the route is open to them: the hooks that stand before every route.
// What makes somebody an identity is decided behind the port; which role a route needs is said by the route itself.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Identity, mayAct, type Role } from '../base/identity.ts';
import type { Log } from '../base/log.ts';
import { AppError } from '../errors.ts';
import type { Accounts, AuditAction, Authenticator, Credentials } from './auth-ports.ts';
import { changesSomething } from './guard.ts';
import { presentedCookie } from './session-cookie.ts';

/** Who may use a route: anybody, or whoever has at least this role. */
export type Access = 'public' | Role;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null for nobody. On other than public routes somebody with the role that the route needs. */
    identity: Identity | null;
  }
  interface FastifyContextConfig {
    access?: Access;
    /** Also open to nobody while there is no user yet. */
    openBeforeSetup?: boolean;
    /** What is told to the audit trail when the request has succeeded; see audit-hook.ts. */
    audit?: AuditAction | ((request: FastifyRequest) => AuditAction);
  }
}

export interface AccessOptions {
  readonly authenticator: Authenticator;
  readonly accounts: Pick<Accounts, 'needsSetup'>;
  readonly log: Log;
}

/** The one route of the page's files, which anybody may have: the sign-in page is among them. */
const pageFiles = '/*';

/**
 * To be called before the routes are registered, and after whatever answers a request by itself (CORS preflights).
 * A route that does not say who may use it makes the server refuse to start.
 */
export function controlAccess(app: FastifyInstance, { authenticator, accounts, log }: AccessOptions): void {
  app.decorateRequest('identity', null);

  app.addHook('onRoute', (route) => {
    if (route.url === pageFiles) route.config = { ...route.config, access: 'public' };
    if (route.config?.access === undefined)
      throw new Error(`The route ${route.method} ${route.url} does not say who may use it (config.access).`);
  });

  app.addHook('onRequest', async (request) => {
    const { config, url } = request.routeOptions;
    if (request.is404 || url === pageFiles) return;
    const access = config.access ?? 'admin';
    if (access === 'public') request.identity = await whoMayBe(authenticator, request, log);
    else {
      request.identity = await authenticator.identify(credentialsOf(request));
      await admit(request, access, accounts);
    }
  });
}

/** The identity where none is needed: what is presented may be stale or not checkable now, and the route is open all the same. */
async function whoMayBe(
  authenticator: Authenticator,
  request: FastifyRequest,
  log: Log,
): Promise<Identity | null> {
  try {
    return await authenticator.identify(credentialsOf(request));
  } catch (error) {
    if (!(error instanceof AppError)) log.warn({ err: error }, 'who asks could not be found out');
    return null;
  }
}

/** @throws AppError 401 for nobody, 403 for somebody who may not. */
async function admit(
  request: FastifyRequest,
  needed: Role,
  accounts: Pick<Accounts, 'needsSetup'>,
): Promise<void> {
  const { identity } = request;
  if (identity === null) {
    if (!(await accounts.needsSetup())) throw new AppError(401, 'not_signed_in', 'Sign in first.');
    if (request.routeOptions.config.openBeforeSetup) return;
    throw new AppError(
      401,
      'setup_required',
      'There is no user yet; open the link that the service printed when it started to make the first one.',
    );
  }
  requireRole(identity, needed);
  requireOrigin(request, identity);
}

function requireRole({ role }: Identity, needed: Role): void {
  if (mayAct(role, needed)) return;
  throw new AppError(403, 'forbidden', `This needs the role ${needed}; you are signed in as ${role}.`);
}

/**
 * A browser sends its cookie along with whatever page makes it ask, and says by `Origin` which page that is; guard.ts has
 * judged it where it is there. Whoever sends a cookie without it is no browser of today, and may be an old one misused.
 */
function requireOrigin(request: FastifyRequest, { kind }: Identity): void {
  if (kind !== 'cookie' || !changesSomething(request) || request.headers.origin !== undefined) return;
  throw new AppError(
    403,
    'origin_missing',
    'A request signed in by cookie needs an Origin header here; programs send Authorization: Bearer with a token instead.',
  );
}

/** What the request presents. `?token=` counts for WebSockets alone: in other addresses it would end up in histories and logs. */
export function credentialsOf(request: FastifyRequest): Credentials {
  const { authorization, upgrade } = request.headers;
  const forSocket = upgrade !== undefined && request.routeOptions.url?.startsWith('/ws/');
  const { token } = request.query as { token?: unknown };
  return {
    // Another scheme is for somebody else: a proxy in front may ask for a password of its own.
    bearer: /^bearer(?: +(.*))?$/is.exec(authorization ?? '')?.[1]?.trim() ?? null,
    query: forSocket && typeof token === 'string' ? token : null,
    cookie: presentedCookie(request),
  };
}
