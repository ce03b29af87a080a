// The cookie that keeps a browser signed in: its name, its attributes, and setting and clearing it.
// What is in it, and whether it still counts, is known behind the port.

import type {} from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SignedIn } from './auth-ports.ts';

export const sessionCookie = 'rsv_session';

/** Its secret as the browser sends it; null when there is none. */
export function presentedCookie(request: FastifyRequest): string | null {
  return request.cookies[sessionCookie] ?? null;
}

/** No script may read it, no other site's page sends it along, and none but the same host gets it. */
function attributes(request: FastifyRequest) {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure: request.protocol === 'https' } as const;
}

export function keepSignedIn(
  request: FastifyRequest,
  reply: FastifyReply,
  { cookie, cookieMaxAge }: Pick<SignedIn, 'cookie' | 'cookieMaxAge'>,
): void {
  reply.setCookie(sessionCookie, cookie, { ...attributes(request), maxAge: cookieMaxAge });
}

export function forgetSignIn(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(sessionCookie, attributes(request));
}
