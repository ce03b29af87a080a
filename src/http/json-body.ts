// Reading request bodies: JSON and nothing else.
// What the JSON has to look like is said by each route's schema.

import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';

/**
 * An empty body reads as no body: clients send `Content-Type: application/json` with a DELETE that has none. Keys such
 * as `__proto__` stay plain members here, and the schemas take only the members they know.
 */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    let value: unknown;
    try {
      value = JSON.parse(body as string);
    } catch (error) {
      return done(malformed(error as SyntaxError));
    }
    return done(null, value);
  });
}

/** V8's message quotes the text around the mistake, which may be a password: only the position is taken from it. */
function malformed(error: SyntaxError): AppError {
  const position = /position (\d+)/.exec(error.message)?.[1];
  const where = position === undefined ? '' : ` (see character ${Number(position) + 1})`;
  return new AppError(400, 'invalid_json', `The request body is not valid JSON${where}.`);
}
