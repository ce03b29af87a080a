// What holds for every request: hosts, origins, headers, bodies, errors; and health, metrics and documentation.

import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, startServer, type TestServer } from '../../test/support/http-server.ts';
import { hostAllowed, originAllowed } from './guard.ts';
import type { StreamService } from './ports.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ env: { CORS_ALLOWED_ORIGINS: 'https://app.example' } });
});

afterAll(() => server[Symbol.asyncDispose]());

/** A request with any Host header, which fetch does not allow. */
async function withHost(host: string, path = '/api/streams/'): Promise<{ status: number; body: string }> {
  const sent = request(server.base + path, { headers: { host } }).end();
  const [response] = await once(sent, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body };
}

/** Everything the server sends in answer to these bytes, until it closes. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(server.base).port), '127.0.0.1');
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

test('only the allowed host names are served', async () => {
  for (const host of ['localhost', 'LOCALHOST:8000', '127.0.0.1', '[::1]:8000', '[::1]', 'localhost.'])
    expect((await withHost(host)).status).toBe(200);
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil',
    '[::1',
  ]) {
    const { status, body } = await withHost(host);
    expect(status, host).toBe(400);
    expect(JSON.parse(body)).toMatchObject({
      code: 'host_not_allowed',
      error: expect.stringMatching(/ALLOWED_HOSTS/),
    });
  }
});

test('health checks, of schedulers and load balancers too, may ask by any address whether the service is well, and nothing else', async () => {
  expect(await withHost('10.1.2.3:8000', '/healthz')).toEqual({ status: 200, body: '{"status":"ok"}' });
  expect((await withHost('10.1.2.3:8000', '/readyz')).status).toBe(200);
  for (const path of ['/metrics', '/', '/healthz/x', '/readyz/x'])
    expect((await withHost('10.1.2.3:8000', path)).status, path).toBe(400);
});

test('whoever asks by a host name that is not served here learns that a part fails, and not why', async () => {
  const checks = { storage: () => Promise.reject(new Error('/srv/images: no space left')) };
  await using own = await startServer({ http: { checks, optionalChecks: {} } });
  const asked = async (headers: Record<string, string>) => {
    const sent = request(`${own.base}/readyz`, { headers }).end();
    const [response] = await once(sent, 'response');
    let body = '';
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode, checks: JSON.parse(body).checks };
  };
  // The same caller, whom this server knows: only the name differs, as it does for a page with a name of its own making.
  expect(await asked({ host: 'localhost' })).toEqual({
    status: 503,
    checks: { storage: '/srv/images: no space left' },
  });
  expect(await asked({ host: 'evil.example' })).toEqual({ status: 503, checks: { storage: 'failing' } });
});

test('a host pattern means the name, the domain below a dot, or everything', () => {
  expect(hostAllowed(['.example.com'], 'a.b.example.com:80')).toBe(true);
  expect(hostAllowed(['.example.com'], 'example.com')).toBe(true);
  expect(hostAllowed(['.example.com'], 'badexample.com')).toBe(false);
  expect(hostAllowed(['*'], 'anything at all')).toBe(true);
  expect(hostAllowed([], 'localhost')).toBe(false);
});

test('pages of other origins change nothing, those of listed ones and of this host do', async () => {
  const body = { name: 'Door', rtsp_url: 'rtsp://camera.local/' };
  const from = (origin: string) => call(server, 'POST', '/api/streams/', body, { origin });
  for (const origin of [
    'https://evil.example',
    'null',
    'http://127.0.0.1:1',
    'https://app.example.evil',
    'file://',
  ])
    expect(await from(origin)).toMatchObject({ status: 403, body: { code: 'foreign_origin' } });
  expect(server.cameras.saved.size).toBe(0);
  for (const origin of ['https://app.example', server.base]) expect((await from(origin)).status).toBe(201);
});

test('the own origin is told by host and port, also behind a proxy that takes TLS away', () => {
  expect(originAllowed([], 'http://localhost:8000', 'localhost:8000')).toBe(true);
  expect(originAllowed([], 'https://video.example', 'video.example')).toBe(true);
  expect(originAllowed([], 'https://video.example', 'video.example:443')).toBe(true);
  expect(originAllowed([], 'http://localhost:3000', 'localhost:8000')).toBe(false);
  expect(originAllowed([], 'chrome-extension://localhost:8000', 'localhost:8000')).toBe(false);
  expect(originAllowed([], 'http://evil', '')).toBe(false);
});

test('listed origins may read replies, others may not', async () => {
  const read = async (origin: string) =>
    (await call(server, 'GET', '/api/streams', undefined, { origin })).headers.get(
      'access-control-allow-origin',
    );
  expect(await read('https://app.example')).toBe('https://app.example');
  expect(await read('https://evil.example')).toBeNull();
  const preflight = { origin: 'https://app.example', 'access-control-request-method': 'PATCH' };
  const reply = await call(server, 'OPTIONS', '/api/streams/x', undefined, preflight);
  expect(reply.status).toBe(204);
  expect(reply.headers.get('access-control-allow-methods')).toMatch(/PATCH/);
});

test('every reply carries the headers that keep a browser from doing more than it should', async () => {
  for (const path of ['/', '/api/streams', '/api/docs/', '/nothing']) {
    const { headers } = await call(server, 'GET', path);
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  }
});

test('what is not JSON is refused with a sentence', async () => {
  const post = (body: string, type: string) =>
    call(server, 'POST', '/api/streams/', body, { 'content-type': type });
  for (const type of [
    'application/x-www-form-urlencoded',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/xml',
  ])
    expect(await post('name=x', type)).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type' },
    });
  for (const text of ['{', '{"name": }', 'null}', "{'name': 1}", '\u0000'])
    expect(await post(text, 'application/json')).toMatchObject({
      status: 400,
      body: { code: 'invalid_json' },
    });
  for (const text of ['', 'null', '[]', '5', '"text"'])
    expect(await post(text, 'application/json')).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', error: 'The request body must be a JSON object.' },
    });
  const large = JSON.stringify({ name: 'x'.repeat(100_000) });
  expect(await post(large, 'application/json')).toMatchObject({
    status: 413,
    body: { code: 'body_too_large' },
  });
});

test('unknown paths are 404 and wrong methods 405, in the form of every error', async () => {
  for (const path of [
    '/nothing',
    '/api/',
    '/api/streams/a/b/c',
    '/../package.json',
    '/%2e%2e/package.json',
    '/.env',
  ])
    expect(await call(server, 'GET', path), path).toMatchObject({
      status: 404,
      body: { code: 'not_found', error: expect.any(String) },
    });
  const wrong = await call(server, 'PUT', '/api/streams/', { name: 'x' });
  expect(wrong).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
  expect(wrong.headers.get('allow')).toBe('GET, HEAD, POST');
  expect(await call(server, 'GET', '/api/streams/%zz')).toMatchObject({
    status: 400,
    body: { code: 'invalid_path' },
  });
  expect((await call(server, 'GET', `/api/streams/${'x'.repeat(150)}`)).status).toBe(400);
});

test('what is not HTTP is answered too', async () => {
  expect(await raw('GET /metrics HTTP/1.1\r\nHost:\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 400 [\s\S]*host_not_allowed/,
  );
  expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"invalid_http"/);
  expect(await raw(`GET /${'x'.repeat(40_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431 /,
  );
});

test('a fault of the service is logged and told without its inside', async () => {
  const streams = new Proxy(
    {},
    { get: () => () => Promise.reject(new Error('inside: rtsp://a:canary@host/')) },
  );
  await using own = await startServer({ http: { streams: streams as StreamService } });
  const reply = await call(own, 'GET', '/api/streams');
  expect(reply).toMatchObject({ status: 500, body: { code: 'internal_error' } });
  expect(JSON.stringify(reply.body)).not.toContain('inside');
  expect(own.log.join('')).toContain('inside');
  expect(own.log.join('')).not.toContain('canary');
});

test('healthz says alive, readyz says which part does not answer', async () => {
  expect((await call(server, 'GET', '/healthz')).body).toEqual({ status: 'ok' });
  expect((await call(server, 'GET', '/readyz')).body).toEqual({
    status: 'ready',
    checks: { database: 'ok', storage: 'ok', detector: 'ok' },
    degraded: [],
  });
  const checks = {
    database: async () => undefined,
    storage: () => Promise.reject(new Error('the disk is full')),
    bus: () => new Promise<never>(() => undefined),
  };
  await using own = await startServer({ http: { checks } });
  const { status, body } = await call(own, 'GET', '/readyz');
  expect(status).toBe(503);
  expect(body).toMatchObject({
    error: 'Not ready: storage, bus.',
    code: 'not_ready',
    checks: { database: 'ok', storage: 'the disk is full', bus: 'no answer within 2000 ms' },
  });
});

test('a detector that fails leaves the service ready, and is shown as the part that fails', async () => {
  const optionalChecks = { detector: () => Promise.reject(new Error('the model file is missing')) };
  await using own = await startServer({ http: { optionalChecks } });
  const { status, body } = await call(own, 'GET', '/readyz');
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'ready', degraded: ['detector'] });
  expect(body.checks).toMatchObject({ database: 'ok', detector: 'the model file is missing' });
});

test('metrics count what the detector does, as it is at the moment of asking', async () => {
  const value = async (name: string) => {
    const { body } = await call(server, 'GET', '/metrics');
    return Number(new RegExp(`^rtsp_viewer_detection_${name} (\\S+)$`, 'm').exec(body)?.[1]);
  };
  server.figures.framesAnalysed = 120;
  server.figures.analysisMs = 2_500;
  expect(await value('frames_analysed_total')).toBe(120);
  expect(await value('analysis_seconds_total')).toBe(2.5);
  server.figures.framesAnalysed = 125;
  expect(await value('frames_analysed_total')).toBe(125);
  for (const name of ['frames_skipped', 'faces', 'tracks', 'stored', 'alerts', 'lost_images', 'lost_visits'])
    expect(await value(`${name}_total`)).toBe(0);
  expect(await value('waiting')).toBe(0);
});

test('metrics show each camera as it is now, and forget deleted ones', async () => {
  await using own = await startServer();
  const { body } = await call(own, 'POST', '/api/streams/', {
    name: 'Front "door"',
    rtsp_url: 'rtsp://camera.local/',
  });
  const before = await call(own, 'GET', '/metrics');
  expect(before.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(before.body).toContain(
    `rtsp_viewer_stream_fps{stream_id="${body.id}",name="Front \\"door\\""} 14.9`,
  );
  expect(before.body).toContain('rtsp_viewer_streams{status="online"} 1');
  expect(before.body).toContain('process_resident_memory_bytes');
  expect(before.body).toContain('route="/api/streams"');
  await call(own, 'DELETE', `/api/streams/${body.id}`);
  const after = await call(own, 'GET', '/metrics');
  expect(after.body).not.toContain(body.id);
  expect(after.body).toContain('rtsp_viewer_streams{status="online"} 0');
});

test('the description is OpenAPI 3.1, every reference in it leads somewhere, and every route is in it', async () => {
  const { body } = await call(server, 'GET', '/api/openapi.json');
  expect(body.openapi).toMatch(/^3\.1\./);
  const text = JSON.stringify(body);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    expect(body.components.schemas).toHaveProperty(name!);
  for (const [path, methods] of Object.entries({
    '/api/streams': ['get', 'post'],
    '/api/streams/{id}': ['delete', 'get', 'patch'],
    '/api/streams/{id}/status': ['patch'],
    '/api/streams/{id}/stats': ['get'],
    '/api/streams/{id}/snapshot.jpg': ['get'],
    '/api/streams/{id}/live.mjpeg': ['get'],
    '/api/detections': ['get', 'post'],
    '/api/detections/{id}': ['delete', 'get'],
    '/api/alerts': ['get', 'patch'],
    '/api/alerts/{id}': ['delete', 'get', 'patch'],
    '/media/{folder}/{file}': ['get'],
    '/healthz': ['get'],
    '/readyz': ['get'],
    '/metrics': ['get'],
  })) {
    expect(Object.keys(body.paths[path]).sort()).toEqual(methods);
    for (const method of methods) expect(body.paths[path][method].summary).toEqual(expect.any(String));
  }
});

test('the documentation page and the page at / load nothing from elsewhere', async () => {
  const page = await call(server, 'GET', '/api/docs/');
  expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  for (const [, path] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect(path).toMatch(/^\/[^/]*/);
    expect((await call(server, 'GET', path)).status).toBe(200);
  }
  expect((await call(server, 'GET', '/')).body).toContain('<title>Cameras</title>');
});
