// The route by which admins read the audit trail: /api/audit.
// What goes into it is told by audit-hook.ts, sign-in and the live view.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { auditQuery, auditReply } from './account-schemas.ts';
import type { AuditTrail } from './auth-ports.ts';
import { pageById } from './cursor.ts';
import { errorReply } from './errors.ts';

export interface AuditRoutesOptions {
  readonly audit: AuditTrail;
}

export const auditRoutes: FastifyPluginAsyncZod<AuditRoutesOptions> = async (app, { audit }) => {
  app.get(
    '/api/audit',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['audit'],
        summary: 'Who did what, newest first',
        querystring: auditQuery,
        response: { 200: auditReply, '4xx': errorReply, '5xx': errorReply },
      },
    },
    async ({ query }) => {
      const { limit: _limit, cursor: _cursor, ...filter } = query;
      const { rows, next_cursor } = await pageById('audit', query, (page) =>
        audit.list({ ...filter, ...page }),
      );
      return { entries: rows, next_cursor };
    },
  );
};
