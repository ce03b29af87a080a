// What stands before every route: who asks, which role a route needs, proxies, and what viewers are not told.
// Every route × every role is in test/access.test.ts.

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  call,
  headersOf,
  newUser,
  signIn,
  startGuardedServer,
  type TestServer,
} from '../../test/support/http-server.ts';
import { bearer } from '../../test/support/service.ts';
import { silentLog } from '../base/log.ts';
import { AppError, CameraError } from '../errors.ts';
import { controlAccess } from './access.ts';

let server: TestServer;
let admin: Record<string, string>;

beforeAll(async () => {
  server = await startGuardedServer();
  admin = await headersOf(server, 'admin');
});

afterAll(() => server[Symbol.asyncDispose]());

const camera = { name: 'Door', rtsp_url: 'rtsp://watcher:canary@camera.local/main' };

async function newStream(): Promise<string> {
  const detection_url = 'rtsp://watcher:canary@camera.local/sub';
  return (await call(server, 'POST', '/api/streams/', { ...camera, detection_url }, admin)).body.id;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a route that does not say who may use it makes the server refuse to start', async () => {
  const app = fastify();
  controlAccess(app, { ...server.auth, log: silentLog });
  app.get('/open', { config: { access: 'public' } }, async () => 'open');
  expect(() => app.get('/forgotten', async () => 'a secret')).toThrow(
    /GET,?\w* \/forgotten .*config\.access/,
  );
  await app.close();
});

test('the header counts before the cookie, and one that is wrong is not made good by the cookie', async () => {
  const { cookie } = await signIn(server);
  const viewer = await headersOf(server, 'viewer');
  expect((await call(server, 'GET', '/api/me/', undefined, { cookie })).body.role).toBe('admin');
  expect((await call(server, 'GET', '/api/me/', undefined, { ...viewer, cookie })).body.role).toBe('viewer');
  const wrong = await call(server, 'GET', '/api/me/', undefined, { ...bearer('rsv_nonsense'), cookie });
  expect(wrong).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
  expect(wrong.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  // A proxy in front may have asked for a password of its own.
  const basic = { authorization: 'Basic YTpi', cookie };
  expect((await call(server, 'GET', '/api/me/', undefined, basic)).status).toBe(200);
});

test('a token in the address counts for WebSockets only', async () => {
  const { access } = await signIn(server);
  expect(await call(server, 'GET', `/api/me/?token=${access}`)).toMatchObject({
    status: 401,
    body: { code: 'not_signed_in' },
  });
});

test('public routes are open also to those whose token does not count any more', async () => {
  for (const path of ['/healthz', '/readyz', '/api/openapi.json', '/api/docs/', '/'])
    expect((await call(server, 'GET', path, undefined, bearer('rsv_nonsense'))).status, path).toBe(200);
  const { refresh } = await signIn(server);
  expect((await call(server, 'POST', '/api/token/refresh/', { refresh }, bearer('stale'))).status).toBe(200);
});

test('preflights of listed origins are answered without sign-in, and refusals may be read by their pages', async () => {
  await using own = await startGuardedServer({ env: { CORS_ALLOWED_ORIGINS: 'https://app.example' } });
  const origin = 'https://app.example';
  const preflight = { origin, 'access-control-request-method': 'PATCH' };
  expect((await call(own, 'OPTIONS', '/api/streams/x', undefined, preflight)).status).toBe(204);
  const refused = await call(own, 'PATCH', '/api/streams/x', {}, { origin });
  expect(refused.status).toBe(401);
  expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
});

test('strangers learn which part is not ready, and not why', async () => {
  const checks = { storage: () => Promise.reject(new Error('no space left on /dev/sda1')) };
  const optionalChecks = { detector: () => Promise.reject(new Error('no file at /srv/models')) };
  await using own = await startGuardedServer({ http: { checks, optionalChecks } });
  const stranger = await call(own, 'GET', '/readyz');
  expect(stranger).toMatchObject({
    status: 503,
    body: { error: 'Not ready: storage.', checks: { storage: 'failing', detector: 'failing' } },
  });
  const viewer = await call(own, 'GET', '/readyz', undefined, await headersOf(own, 'viewer'));
  expect(viewer.body.checks).toEqual({
    storage: 'no space left on /dev/sda1',
    detector: 'no file at /srv/models',
  });
});

test('over https, pages that came over http change nothing here', async () => {
  await using own = await startGuardedServer({ env: { TRUSTED_PROXIES: '127.0.0.1/32' } });
  const { cookie } = await signIn(own);
  const { host } = new URL(own.base);
  const signOut = (origin: string, scheme: string) =>
    call(own, 'POST', '/api/logout/', undefined, { cookie, origin, 'x-forwarded-proto': scheme });
  expect(await signOut(`http://${host}`, 'https')).toMatchObject({
    status: 403,
    body: { code: 'foreign_origin' },
  });
  expect((await signOut(`https://${host}`, 'https')).status).toBe(200);
});

test('JSON of the API is kept by no cache', async () => {
  for (const [path, headers] of [
    ['/api/me/', admin],
    ['/%61pi/me/', admin],
    ['/api/streams/', {}],
    ['/api/nothing', {}],
  ] as const)
    expect((await call(server, 'GET', path, undefined, headers)).headers.get('cache-control'), path).toBe(
      'no-store',
    );
});

describe('a viewer', () => {
  test('is told no camera’s address, wherever it might stand', async () => {
    const id = await newStream();
    const viewer = await headersOf(server, 'viewer');
    server.cameras.trouble = new CameraError('server_error', '500 rtsp://camera.local/main');
    const read = async (path: string, headers: Record<string, string>) =>
      call(server, 'GET', path, undefined, headers);
    const { stream } = (await read(`/api/streams/${id}/`, viewer)).body;
    expect(stream).toMatchObject({
      rtsp_url: null,
      detection_url: null,
      last_error: 'The camera answered with an error.',
      ws_url: `${server.base.replace('http', 'ws')}/ws/stream/?stream_id=${id}`,
    });
    const operator = await headersOf(server, 'operator');
    expect((await read(`/api/streams/${id}/`, operator)).body.stream).toMatchObject({
      rtsp_url: 'rtsp://watcher:****@camera.local/main',
      detection_url: 'rtsp://watcher:****@camera.local/sub',
      last_error: expect.stringContaining('camera.local'),
      ws_url: expect.stringContaining('camera.local'),
    });
    await call(server, 'POST', '/api/detections/', { stream_id: id, confidence_score: 0.9 }, operator);
    for (const path of [
      '/api/streams/',
      `/api/streams/${id}/stats/`,
      `/api/streams/${id}/snapshot.jpg`,
      '/api/detections/',
      '/api/alerts/',
      '/api/me/',
      '/metrics',
      '/readyz',
      '/api/openapi.json',
    ]) {
      const { body, headers } = await read(path, viewer);
      expect(JSON.stringify([body, [...headers]]), path).not.toContain('camera.local');
    }
    expect((await read(`/api/streams/${id}/snapshot.jpg`, viewer)).body).toMatchObject({
      code: 'server_error',
      error: 'The camera answered with an error.',
    });
    // As running cameras tell it.
    server.cameras.trouble = new AppError(503, 'no_picture', server.cameras.trouble.message);
    expect((await read(`/api/streams/${id}/snapshot.jpg`, viewer)).body).toMatchObject({
      code: 'no_picture',
      error: 'The camera answered with an error.',
    });
    server.cameras.trouble = null;
  });

  test('sees no more pictures within a second of being signed out, revoked, deleted or given another role', async () => {
    const id = await newStream();
    const watch = async (headers: Record<string, string>) => {
      const sent = get(`${server.base}/api/streams/${id}/live.mjpeg`, { headers });
      const [before] = [server.cameras.readers.get(id)?.size ?? 0];
      const response = once(sent, 'response');
      await until(() => (server.cameras.readers.get(id)?.size ?? 0) > before);
      server.cameras.show(id, new Uint8Array(10));
      const [message] = (await response) as [IncomingMessage];
      return new Promise<number>((resolve) => {
        message.on('close', () => resolve(performance.now())).on('error', () => undefined);
        message.resume();
      });
    };
    const asViewer = async () => {
      const user = await newUser(server, 'viewer');
      return { user, headers: bearer((await signIn(server, user)).access) };
    };
    const token = await call(server, 'POST', '/api/tokens/', { name: 'wall', role: 'viewer' }, admin);
    const [out, deleted, raised] = [await asViewer(), await asViewer(), await asViewer()];
    const ways: [Record<string, string>, () => Promise<{ status: number }>][] = [
      [out.headers, () => call(server, 'POST', '/api/logout/', {}, out.headers)],
      [
        bearer(token.body.secret),
        () => call(server, 'DELETE', `/api/tokens/${token.body.token.id}/`, undefined, admin),
      ],
      [deleted.headers, () => call(server, 'DELETE', `/api/users/${deleted.user.id}/`, undefined, admin)],
      [
        raised.headers,
        () => call(server, 'PATCH', `/api/users/${raised.user.id}/`, { role: 'operator' }, admin),
      ],
    ];
    for (const [headers, end] of ways) {
      const closed = watch(headers);
      await until(() => server.cameras.readers.get(id)?.size === 1);
      const reading = await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 50, 'open'))]);
      expect(reading).toBe('open');
      const asked = performance.now();
      expect((await end()).status).toBeLessThan(300);
      expect((await closed) - asked).toBeLessThan(1_000);
      await until(() => server.cameras.readers.get(id)?.size === 0);
      expect((await call(server, 'GET', '/api/me/', undefined, headers)).status).toBe(401);
    }
  });
});

describe('behind a proxy', () => {
  const forwarded = {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'video.example',
  };

  test('that is trusted, the scheme, host and address of the client are those that it names', async () => {
    const env = { TRUSTED_PROXIES: '127.0.0.0/8', ALLOWED_HOSTS: '127.0.0.1,video.example' };
    await using own = await startGuardedServer({ env });
    const viewer = await newUser(own, 'viewer');
    const { headers } = await call(own, 'POST', '/api/login/', viewer, forwarded);
    expect(headers.getSetCookie()[0]).toMatch(/; Secure/);
    const by = await headersOf(own, 'admin');
    const { body } = await call(own, 'POST', '/api/streams/', camera, {
      ...by,
      ...forwarded,
      origin: 'https://video.example',
    });
    expect(body.ws_url).toMatch(/^wss:\/\/video\.example\/ws\/stream\/\?url=/);
    const { entries } = (await call(own, 'GET', '/api/audit/?action=stream_created', undefined, by)).body;
    expect(entries[0].address).toBe('203.0.113.9');
    const elsewhere = await call(own, 'GET', '/', undefined, { 'x-forwarded-host': 'evil.example' });
    expect(elsewhere).toMatchObject({ status: 400, body: { code: 'host_not_allowed' } });
  });

  test('that is not, its word does not count', async () => {
    const viewer = await newUser(server, 'viewer');
    const { headers } = await call(server, 'POST', '/api/login/', viewer, forwarded);
    expect(headers.getSetCookie()[0]).not.toMatch(/Secure/);
    const { entries } = (await call(server, 'GET', '/api/audit/?action=signed_in', undefined, admin)).body;
    expect(entries[0]).toMatchObject({ actor: viewer.username, address: '127.0.0.1' });
  });
});
