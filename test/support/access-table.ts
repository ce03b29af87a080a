// Who may do what, route by route, as it is meant to be: what test/access.test.ts holds the running service against.
// Requests here change nothing: bodies are empty, ids lead nowhere.

import type { Role } from '../../src/base/identity.ts';

export interface Row {
  /** Least role; `public` for everybody. */
  readonly from: Role | 'public';
  /** What those get who may. */
  readonly status: number;
}

const row = (from: Row['from'], status: number): Row => ({ from, status });

/** Every route of the OpenAPI document, by method and path. */
export const documented: Readonly<Record<string, Row>> = {
  'GET /healthz': row('public', 200),
  'GET /readyz': row('public', 200),
  'GET /metrics': row('viewer', 200),

  'POST /api/login': row('public', 400),
  'POST /api/token/refresh': row('public', 400),
  // What asks here are API tokens, which cannot be signed out.
  'POST /api/logout': row('viewer', 400),
  'GET /api/me': row('viewer', 200),
  'PATCH /api/me': row('viewer', 400),
  'POST /api/register': row('admin', 400),

  'GET /api/users': row('admin', 200),
  'PATCH /api/users/{id}': row('admin', 404),
  'DELETE /api/users/{id}': row('admin', 404),
  'GET /api/tokens': row('admin', 200),
  'POST /api/tokens': row('admin', 400),
  'DELETE /api/tokens/{id}': row('admin', 404),
  'GET /api/audit': row('admin', 200),

  'GET /api/streams': row('viewer', 200),
  'POST /api/streams': row('operator', 400),
  'POST /api/streams/check': row('operator', 400),
  'GET /api/streams/{id}': row('viewer', 404),
  'PATCH /api/streams/{id}': row('operator', 404),
  'DELETE /api/streams/{id}': row('operator', 404),
  'PATCH /api/streams/{id}/status': row('operator', 400),
  'GET /api/streams/{id}/stats': row('viewer', 404),
  'GET /api/streams/{id}/snapshot.jpg': row('viewer', 404),
  'GET /api/streams/{id}/live.mjpeg': row('viewer', 404),
  'GET /api/streams/{id}/performance': row('viewer', 404),
  'GET /api/performance': row('viewer', 200),

  'GET /api/detections': row('viewer', 200),
  'POST /api/detections': row('operator', 400),
  'GET /api/detections/{id}': row('viewer', 404),
  'DELETE /api/detections/{id}': row('operator', 404),

  'GET /api/alerts': row('viewer', 200),
  'PATCH /api/alerts': row('operator', 400),
  'GET /api/alerts/{id}': row('viewer', 404),
  'PATCH /api/alerts/{id}': row('operator', 400),
  'DELETE /api/alerts/{id}': row('operator', 404),

  'GET /media/{folder}/{file}': row('viewer', 404),
};

/** Routes that are there without being documented: spellings of earlier clients, the page, the documentation itself. */
export const hidden: Readonly<Record<string, Row>> = {
  'POST /api/streams/create': row('operator', 400),
  'DELETE /api/streams/{id}/delete': row('operator', 404),
  'POST /api/detections/create': row('operator', 400),
  'PATCH /api/alerts/{id}/update': row('operator', 400),
  'DELETE /api/alerts/{id}/delete': row('operator', 404),

  'GET /': row('public', 200),
  'GET /no-such-file.js': row('public', 404),
  'GET /api/openapi.json': row('public', 200),
  'GET /api/docs': row('public', 200),
  'GET /api/docs/docs.js': row('public', 200),
  'GET /api/docs/docs.css': row('public', 200),
};

/** WebSocket routes, by what is asked of them; 101 is the upgrade. */
export const sockets: Readonly<Record<string, Row>> = {
  '/ws/events/': row('viewer', 101),
  '/ws/stream/?stream_id=01890000-0000-7000-8000-000000000000': row('viewer', 101),
  // An address of no saved stream: a stream of its own, which costs a connection to wherever it leads.
  '/ws/stream/?url=rtsp%3A%2F%2F192.0.2.1%2Fnobody': row('operator', 101),
};
