// Every refusal in one form: {error, code, detail?, issues?}, with the status that fits.
// Says nothing of the request that might be a secret.

import type { Socket } from 'node:net';
import type { ConnectionError, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  type ZodFastifySchemaValidationError,
} from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Log, redact } from '../base/log.ts';
import { AppError, CameraError, type Issue, withoutDetail } from '../errors.ts';
import { asksForPage, sendPage } from './page.ts';

export const errorReply = z
  .object({
    error: z.string().describe('A sentence for people.'),
    code: z.string().describe('Stable, snake_case, for programs.'),
    detail: z.string().optional(),
    issues: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('The members of the request that are wrong.'),
  })
  .meta({ id: 'Error', description: 'A refusal, and why.' });

/** What Fastify refuses by itself, in our words. */
const knownCodes: Record<string, AppError> = Object.assign(Object.create(null), {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: new AppError(
    415,
    'unsupported_media_type',
    'The request body must be JSON, sent with Content-Type: application/json.',
  ),
  FST_ERR_CTP_BODY_TOO_LARGE: new AppError(413, 'body_too_large', 'The request body is too large.'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: new AppError(
    400,
    'invalid_content_length',
    'The request body does not have the length its Content-Length says.',
  ),
});

/** A member that is not known is named itself, and not only what it is in. */
function issuesOf({ instancePath, keyword, message, params }: ZodFastifySchemaValidationError): Issue[] {
  const path = instancePath.replace(/^\//, '').replaceAll('/', '.');
  if (keyword !== 'unrecognized_keys') return [{ path, message: message ?? 'is not valid' }];
  return (params as { keys: string[] }).keys.map((key) => ({
    path: key.slice(0, 100),
    message: 'is not known here',
  }));
}

/** The error as the outside may see it. Whatever is not known as a refusal is our own fault: 500. */
function refusalOf(error: FastifyError | AppError | CameraError): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof CameraError) return new AppError(503, error.code, error.message);
  if (hasZodFastifySchemaValidationErrors(error)) {
    const issues = error.validation.flatMap(issuesOf);
    const [first] = issues;
    const sentence = first
      ? `${first.path ? `${first.path}: ` : ''}${first.message}`
      : 'The request is not valid.';
    return new AppError(400, 'invalid_request', /[.!?]$/.test(sentence) ? sentence : `${sentence}.`, {
      issues,
    });
  }
  const known = knownCodes[error.code];
  if (known) return known;
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500)
    return new AppError(status, 'invalid_request', 'The request is not valid.');
  return new AppError(500, 'internal_error', 'Something went wrong in the service; its log says more.');
}

/** A path that cannot be decoded never reaches the hooks and routes. */
export function answerBadPath(_error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  reply
    .code(400)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({ error: 'The path has a broken percent-encoding.', code: 'invalid_path' });
}

/** What cannot be read as HTTP at all is answered on the bare socket. */
export function answerBadHttp(error: ConnectionError, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const line = tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const body = JSON.stringify({
    error: tooLong
      ? 'The address or the headers of the request are too long.'
      : 'The request is not valid HTTP.',
    code: tooLong ? 'headers_too_long' : 'invalid_http',
  });
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** RFC 6750 §3: a token that was presented and does not count is told as that. */
function challenge(code: string): string {
  return code === 'invalid_token' ? 'Bearer error="invalid_token"' : 'Bearer';
}

export function handleErrors(app: FastifyInstance, log: Log, debug: boolean): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal.status === 401) reply.header('www-authenticate', challenge(refusal.code));
    if (refusal.retryAfter !== undefined) reply.header('retry-after', String(Math.ceil(refusal.retryAfter)));
    // The camera's own words may repeat its address.
    const ofCamera = error instanceof CameraError || refusal.code === 'no_picture';
    const sentence =
      ofCamera && request.identity?.role === 'viewer' ? withoutDetail(refusal.message) : refusal.message;
    if (refusal.status >= 500 && !(error instanceof AppError) && !(error instanceof CameraError))
      log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'a request failed');
    const detail =
      refusal.detail ?? (debug && refusal.code === 'internal_error' ? String(error.stack) : undefined);
    return reply
      .code(refusal.status)
      .type('application/json; charset=utf-8')
      .serializer(JSON.stringify)
      .send({
        error: sentence,
        code: refusal.code,
        ...(detail !== undefined && { detail: redact(detail) }),
        ...(refusal.issues !== undefined && { issues: refusal.issues }),
      });
  });
}

/** Unknown paths: the page for browsers, else 404; known ones asked in another way: 405 with the methods that there are. */
export function handleUnknownRoutes(app: FastifyInstance): void {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    const pattern = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z_]+/g, '[^/]+');
    routes.push({ pattern: new RegExp(`^${pattern.replace(/\/$/, '')}/?$`), methods: [method].flat() });
  });
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    if (asksForPage(request)) return sendPage(reply);
    const path = request.url.replace(/\?.*$/s, '');
    const methods = new Set(
      routes.filter(({ pattern }) => pattern.test(path)).flatMap((route) => route.methods),
    );
    if (methods.size === 0 || methods.has(request.method))
      throw new AppError(404, 'not_found', 'There is nothing at this path; /api/docs/ lists what there is.');
    const allowed = [...methods].sort().join(', ');
    reply.header('allow', allowed);
    throw new AppError(405, 'method_not_allowed', `This path answers to ${allowed} only.`);
  });
}
