// Who may do what, over every route of the running service: strangers, each role, and tokens that do not count.
// What is expected stands in support/access-table.ts; a route that is not in it fails by name.

import { request as httpRequest } from 'node:http';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signAccessToken, signingKey } from '../src/auth/access-tokens.ts';
import { mayAct, type Role, roles } from '../src/base/identity.ts';
import { documented, hidden, type Row, sockets } from './support/access-table.ts';
import { bearer, type Headers, type Service, startService } from './support/service.ts';

const secretKey = 'a secret for tests only, and long enough';
const nowhere = '01890000-0000-7000-8000-000000000000';

let service: Service;
let callers: Readonly<Record<string, Caller>>;

interface Caller {
  /** Null: nobody. */
  readonly role: Role | null;
  readonly headers: Headers;
}

beforeAll(async () => {
  service = await startService({ admin: true, env: { SECRET_KEY: secretKey } });
  const valid = (await service.signIn()).access;
  callers = {
    nobody: { role: null, headers: {} },
    ...Object.fromEntries(
      await Promise.all(
        roles.map(async (role) => [role, { role, headers: bearer(await apiToken(role)) }] as const),
      ),
    ),
    expired: { role: null, headers: bearer(await expired(valid)) },
    tampered: { role: null, headers: bearer(tampered(valid)) },
    'alg none': { role: null, headers: bearer(unsigned(valid)) },
  };
});

afterAll(() => service.stop());

async function apiToken(role: Role): Promise<string> {
  return (await service.api<{ secret: string }>('POST', '/api/tokens/', { name: `a ${role}`, role })).secret;
}

/** The very same statement, signed with the very same key, an hour ago. */
async function expired(token: string): Promise<string> {
  const { sub, sid } = decodeJwt<{ sid: string }>(token);
  const claims = { userId: sub!, sessionId: sid };
  return signAccessToken(await signingKey(secretKey), claims, Math.floor(Date.now() / 1000) - 3600);
}

/** Another session, under the signature of this one. */
function tampered(token: string): string {
  const [head, , signature] = token.split('.');
  return `${head}.${part({ ...decodeJwt(token), sid: nowhere })}.${signature}`;
}

function unsigned(token: string): string {
  return `${part({ alg: 'none', typ: 'at+jwt' })}.${token.split('.')[1]}.`;
}

function part(members: object): string {
  return Buffer.from(JSON.stringify(members)).toString('base64url');
}

function expectedStatus({ from, status }: Row, { role }: Caller): number {
  if (from === 'public') return status;
  if (role === null) return 401;
  return mayAct(role, from) ? status : 403;
}

function pathOf(route: string): string {
  return route
    .split(' ')[1]!
    .replace('{folder}/{file}', '00/000000000000000000000000000000.jpg')
    .replace(/\{\w+\}/g, nowhere);
}

async function ask(route: string, headers: Headers): Promise<Response> {
  const [method = ''] = route.split(' ');
  const response = await service.request(method, pathOf(route), method === 'GET' ? undefined : {}, headers);
  await response.clone().arrayBuffer();
  return response;
}

/** @returns the status of the upgrade: 101 when it was granted; and the reply when it was not. */
function upgrade(path: string, headers: Headers): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${service.baseUrl}${path}`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        ...headers,
      },
    });
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode!, text: '' });
    });
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    sent.on('error', reject).end();
  });
}

interface ApiDocument {
  paths: Record<string, Record<string, { 'x-role'?: string; security?: object[] }>>;
}

async function routesOfDocument() {
  const { paths } = await service.api<ApiDocument>('GET', '/api/openapi.json');
  return new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation]),
    ),
  );
}

test('every route of the document is in the table, with the role that the document says, and no other is', async () => {
  const routes = await routesOfDocument();
  const unknown = [...routes.keys()].filter((route) => !(route in documented));
  expect(unknown, 'routes without an entry in access-table.ts').toEqual([]);
  expect(Object.keys(documented).sort()).toEqual([...routes.keys()].sort());
  for (const [route, { from }] of Object.entries(documented)) {
    expect(routes.get(route)?.['x-role'], route).toBe(from);
    expect(routes.get(route)?.security?.length === 0, route).toBe(from === 'public');
  }
});

describe('over every route', () => {
  test.each(['nobody', ...roles, 'expired', 'tampered', 'alg none'])(
    '%s gets what the table says',
    async (name) => {
      const caller = callers[name]!;
      for (const [route, entry] of Object.entries({ ...documented, ...hidden })) {
        const response = await ask(route, caller.headers);
        expect(response.status, `${name}: ${route}`).toBe(expectedStatus(entry, caller));
        if (response.status !== 401 && response.status !== 403) continue;
        const { code, error } = (await response.json()) as { code: string; error: string };
        expect(error, route).toMatch(/\.$/);
        const codes = { 401: name === 'nobody' ? 'not_signed_in' : 'invalid_token', 403: 'forbidden' };
        expect(code, `${name}: ${route}`).toBe(codes[response.status]);
        expect(response.headers.get('www-authenticate') ?? '', route).toMatch(
          response.status === 401 ? /^Bearer/ : /^$/,
        );
        if (response.status === 403) expect(error).toContain(entry.from);
      }
    },
  );

  test('HEAD tells a stranger no more than GET', async () => {
    for (const [route, { from }] of Object.entries(documented)) {
      if (!route.startsWith('GET ') || from === 'public') continue;
      const { status } = await service.request('HEAD', pathOf(route), undefined, {});
      expect([401, 405], route).toContain(status);
    }
  });

  test('no other way to write a path lets a stranger in', async () => {
    for (const path of [
      '/api//streams',
      '//api/streams//',
      '/api/%73treams',
      '/api/streams;x',
      '/api/streams/../streams',
      '/API/streams',
      '/api/streams?token=x',
      '/media//00/000000000000000000000000000000.jpg',
      '/metrics/',
      '/./metrics',
    ]) {
      const { status } = await service.request('GET', path, undefined, {});
      expect([400, 401, 404], path).toContain(status);
    }
  });
});

describe('over every WebSocket route', () => {
  test.each(['nobody', ...roles, 'expired', 'tampered', 'alg none'])(
    '%s gets what the table says',
    async (name) => {
      const caller = callers[name]!;
      for (const [path, entry] of Object.entries(sockets)) {
        const status = expectedStatus(entry, caller);
        expect(await upgrade(path, caller.headers), `${name}: ${path}`).toMatchObject({ status });
        const token = caller.headers.authorization?.replace('Bearer ', '');
        if (token === undefined) continue;
        const withQuery = `${path}${path.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`;
        expect(await upgrade(withQuery, {}), `${name} by query: ${path}`).toMatchObject({ status });
      }
    },
  );

  test('a page of another origin opens none, and is not told that it changes anything', async () => {
    const headers = { ...callers.admin!.headers, origin: 'https://evil.example' };
    for (const path of Object.keys(sockets)) {
      const { status, text } = await upgrade(path, headers);
      expect(status).toBe(403);
      expect(JSON.parse(text)).toMatchObject({
        code: 'foreign_origin',
        error: expect.stringMatching(/may not open sockets/),
      });
    }
  });
});

describe('a browser', () => {
  test('is known by its cookie, and must say which page it is on when it changes something', async () => {
    const { cookie } = await service.signIn();
    const own = { cookie, origin: service.baseUrl };
    expect((await service.request('GET', '/api/me', undefined, { cookie })).status).toBe(200);
    const change = (headers: Headers) => service.request('PATCH', '/api/alerts/', { viewed: true }, headers);
    expect((await change(own)).status).toBe(200);
    for (const [headers, code] of [
      [{ cookie }, 'origin_missing'],
      [{ cookie, origin: 'https://evil.example' }, 'foreign_origin'],
      [{ cookie, origin: 'null' }, 'foreign_origin'],
    ] as const) {
      const response = await change(headers);
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ code });
    }
    for (const path of Object.keys(sockets)) {
      expect(await upgrade(path, own), path).toMatchObject({ status: 101 });
      expect(await upgrade(path, { cookie }), path).toMatchObject({ status: 403 });
      expect((await upgrade(path, { cookie, origin: 'https://evil.example' })).status, path).toBe(403);
    }
  });

  test('with a cookie that does not count any more is a stranger, also after signing out', async () => {
    const { cookie } = await service.signIn();
    const own = { cookie, origin: service.baseUrl };
    expect((await service.request('POST', '/api/logout/', {}, own)).status).toBe(200);
    for (const old of [cookie, `${cookie}x`, 'rsv_session=']) {
      const response = await service.request('GET', '/api/streams', undefined, { cookie: old });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 'not_signed_in' });
    }
  });
});
