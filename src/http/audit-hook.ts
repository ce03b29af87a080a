// Tells the audit trail what requests have done: the action that a route names, who asked, and what it was done to.
// Sign-ins, users and tokens are told by auth itself; reading the trail is in audit.ts.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuditTrail, Origin } from './auth-ports.ts';
import { originOf } from './origin.ts';

interface AuditNote {
  readonly subject: string;
  readonly detail?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request was about, where its path does not say it, or not in words for people. */
    auditNote: AuditNote | null;
  }
}

/** @param detail such as a name, by which people know what an id alone does not tell them any more once it is deleted. */
export function noteForAudit(request: FastifyRequest, subject: string, detail?: string): void {
  request.auditNote = detail === undefined ? { subject } : { subject, detail };
}

export function auditRequests(app: FastifyInstance, trail: Pick<AuditTrail, 'record'>): void {
  app.decorateRequest('auditNote', null);
  const origins = new WeakMap<FastifyRequest, Origin>();
  // At its arrival: of whoever hangs up meanwhile the address cannot be told any more.
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.audit !== undefined) origins.set(request, originOf(request));
  });
  // As soon as the outcome is known, and not when it is sent: whoever hangs up early has done it all the same.
  app.addHook('onSend', async (request, reply) => {
    const { audit } = request.routeOptions.config;
    if (audit === undefined || reply.statusCode < 200 || reply.statusCode > 299) return;
    const { id } = (request.params ?? {}) as { id?: string };
    trail.record({
      action: typeof audit === 'function' ? audit(request) : audit,
      actor: request.identity,
      ...(request.auditNote ?? { subject: id ?? null }),
      origin: origins.get(request) ?? originOf(request),
    });
  });
}
