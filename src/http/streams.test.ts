// The routes of saved streams, with the real server and database: what clients send, what they get, what is refused.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostileUrls } from '../../test/corpus/hostile-urls.ts';
import { call, startServer, type TestServer } from '../../test/support/http-server.ts';

const address = 'rtsp://admin:canary%40pass@camera.local/main';
let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server[Symbol.asyncDispose]());

async function created(change: object = {}): Promise<{ id: string; ws_url: string; rtsp_url: string }> {
  const { status, body } = await call(server, 'POST', '/api/streams/', {
    name: 'Door',
    rtsp_url: address,
    ...change,
  });
  expect(status).toBe(201);
  return body;
}

describe('clients of the earlier service', () => {
  test('create with either route, with or without a slash or two, and read id and ws_url at the top', async () => {
    for (const path of ['/api/streams/', '/api/streams', '/api/streams/create/', '/api//streams//create']) {
      const { status, body, headers } = await call(server, 'POST', path, { name: 'Door', rtsp_url: address });
      expect(status).toBe(201);
      expect(body).toMatchObject({
        message: expect.any(String),
        name: 'Door',
        description: '',
        rtsp_url: 'rtsp://admin:****@camera.local/main',
        detection_enabled: true,
        confidence_threshold: 0.8,
        status: 'online',
      });
      expect(headers.get('location')).toBe(`/api/streams/${body.id}/`);
      const socket = new URL(`${body.ws_url}&stream_id=${body.id}`);
      expect(`${socket.origin}${socket.pathname}`).toBe(`${server.base.replace('http', 'ws')}/ws/stream/`);
      expect(socket.searchParams.get('url')).toBe('rtsp://admin@camera.local/main');
      expect(socket.searchParams.get('stream_id')).toBe(body.id);
    }
  });

  test('list under streams, read one under stream, and delete with either route', async () => {
    const one = await created();
    const two = await created();
    const { body } = await call(server, 'GET', '/api/streams');
    expect(body.streams.map(({ id }: { id: string }) => id)).toEqual(
      expect.arrayContaining([one.id, two.id]),
    );
    expect(Object.keys(body.streams[0]).sort()).toEqual(
      'confidence_threshold created_at description detection_enabled detection_url id last_connected last_error name rtsp_url status video viewers ws_url'.split(
        ' ',
      ),
    );
    expect((await call(server, 'GET', `/api/streams/${one.id}/`)).body).toEqual({
      stream: expect.objectContaining({ id: one.id }),
    });
    const json = { 'content-type': 'application/json' };
    expect(await call(server, 'DELETE', `/api/streams/${one.id}/`)).toMatchObject({ status: 204, body: '' });
    expect((await call(server, 'DELETE', `/api/streams/${two.id}/delete/`, undefined, json)).status).toBe(
      204,
    );
    for (const { id } of [one, two]) {
      expect((await call(server, 'GET', `/api/streams/${id}/`)).status).toBe(404);
      expect(server.cameras.saved.has(id)).toBe(false);
    }
  });

  test('start, stop, pause and resume', async () => {
    const { id } = await created();
    const expected = [
      ['stop', { status: 'offline', stream: { status: 'offline', detection_enabled: true } }],
      ['pause', { status: 'offline', stream: { detection_enabled: false } }],
      ['start', { status: 'online', stream: { status: 'online', detection_enabled: false } }],
      ['resume', { status: 'online', stream: { detection_enabled: true } }],
    ] as const;
    for (const [action, reply] of expected) {
      const { status, body } = await call(server, 'PATCH', `/api/streams/${id}/status/`, { action });
      expect(status).toBe(200);
      expect(body).toMatchObject({ message: expect.any(String), ...reply });
    }
    expect(server.cameras.saved.get(id)).toMatchObject({ wanted: 'running', detectionEnabled: true });
    const refused = await call(server, 'PATCH', `/api/streams/${id}/status/`, { action: 'explode' });
    expect(refused).toMatchObject({ status: 400, body: { issues: [{ path: 'action' }] } });
  });

  test('read the six performance figures at the top', async () => {
    const { id } = await created();
    const { body } = await call(server, 'GET', `/api/streams/${id}/stats/`);
    for (const figure of 'current_fps avg_processing_time avg_detection_time total_frames total_detections uptime'.split(
      ' ',
    ))
      expect(body[figure]).toEqual(expect.any(Number));
    expect(body).toMatchObject({ stream_id: id, status: 'online', transport: 'tcp' });
  });
});

test('the running camera gets the address with its password, and nobody else does', async () => {
  const { id } = await created({ detection_url: 'rtsp://admin:****@camera.local/sub' });
  const saved = server.cameras.saved.get(id);
  expect(saved?.address.password).toBe('canary@pass');
  expect(saved?.detectionAddress).toMatchObject({ path: '/sub', password: 'canary@pass' });
});

test('a change of any member reaches the running camera', async () => {
  const { id } = await created();
  const change = {
    name: ' Gate ',
    description: 'back\nyard',
    detection_enabled: false,
    confidence_threshold: 0.5,
  };
  const { status, body } = await call(server, 'PATCH', `/api/streams/${id}/`, change);
  expect(status).toBe(200);
  expect(body.stream).toMatchObject({
    ...change,
    name: 'Gate',
    rtsp_url: 'rtsp://admin:****@camera.local/main',
  });
  expect(server.cameras.saved.get(id)).toMatchObject({ name: 'Gate', confidenceThreshold: 0.5 });
  await call(server, 'PATCH', `/api/streams/${id}/`, {
    rtsp_url: 'rtsp://other.local/new',
    detection_url: '',
  });
  expect(server.cameras.saved.get(id)?.address).toMatchObject({ host: 'other.local', password: undefined });
});

test('a masked password means the stored one for the same scheme, host, port and user, and never goes elsewhere', async () => {
  const { id, rtsp_url } = await created();
  const patch = (url: string) => call(server, 'PATCH', `/api/streams/${id}/`, { rtsp_url: url });
  expect((await patch(rtsp_url)).status).toBe(200);
  expect((await patch(rtsp_url.replace('/main', '/other'))).status).toBe(200);
  expect(server.cameras.saved.get(id)?.address).toMatchObject({
    path: '/other',
    password: 'canary@pass',
  });
  for (const url of [
    'rtsp://admin:****@evil.example/main',
    'rtsp://root:****@camera.local/main',
    'rtsp://admin:****@camera.local:8554/main',
    'rtsps://admin:****@camera.local:554/main',
    'rtsp://:****@camera.local/',
  ]) {
    const { status, body } = await patch(url);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'invalid_rtsp_url',
      error: expect.stringMatching(/enter the password/),
    });
  }
  expect(server.cameras.saved.get(id)?.address.host).toBe('camera.local');
  const unknown = await call(server, 'POST', '/api/streams/', {
    name: 'x',
    rtsp_url: 'rtsp://admin:****@camera.local/',
  });
  expect(unknown.status).toBe(400);
});

test('secrets in path and query are masked, kept when the mask comes back, and name the stream without them', async () => {
  const query = 'rtsp://camera.local/?user=admin&password=canary%2Fquery&channel=1';
  const { id, rtsp_url, ws_url } = await created({
    rtsp_url: query,
    detection_url: 'rtsp://camera.local/user=admin_password=canary_channel=1_stream=1.sdp',
  });
  expect(rtsp_url).toBe('rtsp://camera.local/?user=admin&password=****&channel=1');
  expect(new URL(ws_url).searchParams.get('url')).toBe(rtsp_url);
  const running = () => server.cameras.saved.get(id);
  expect(running()?.address.path).toBe('/?user=admin&password=canary%2Fquery&channel=1');
  const patch = (members: object) => call(server, 'PATCH', `/api/streams/${id}/`, members);
  const { body } = await patch({ rtsp_url });
  expect(body.stream.detection_url).toBe(
    'rtsp://camera.local/user=admin_password=****_channel=1_stream=1.sdp',
  );
  expect(running()?.address.path).toBe('/?user=admin&password=canary%2Fquery&channel=1');
  expect((await patch({ rtsp_url: rtsp_url.replace('channel=1', 'channel=2') })).status).toBe(200);
  expect(running()?.address.path).toBe('/?user=admin&password=canary%2Fquery&channel=2');
  await patch({ detection_url: body.stream.detection_url.replace('stream=1', 'stream=2') });
  expect(running()?.detectionAddress?.path).toBe('/user=admin_password=canary_channel=1_stream=2.sdp');
  for (const url of [
    rtsp_url.replace('camera.local', 'evil.example'),
    rtsp_url.replace('user=admin', 'user=root'),
    rtsp_url.replace('password=', 'token='),
  ])
    expect(await patch({ rtsp_url: url }), url).toMatchObject({
      status: 400,
      body: { code: 'invalid_rtsp_url', error: expect.stringMatching(/enter the password/) },
    });
});

test('every hostile address is refused with 400 and a sentence, and nothing is saved or opened', async () => {
  const before = server.cameras.saved.size;
  for (const rtsp_url of hostileUrls) {
    const { status, body } = await call(server, 'POST', '/api/streams/', { name: 'Door', rtsp_url });
    expect(status, JSON.stringify(rtsp_url)?.slice(0, 100)).toBe(400);
    expect(body.error).toMatch(/^\S.{20,200}\.$/s);
    expect(body.issues[0].path).toBe('rtsp_url');
    expect(JSON.stringify(body)).not.toContain('secret');
  }
  expect(server.cameras.saved.size).toBe(before);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  const sub = await call(server, 'POST', '/api/streams/', {
    name: 'x',
    rtsp_url: address,
    detection_url: 'file:///etc/passwd',
  });
  expect(sub).toMatchObject({
    status: 400,
    body: { code: 'invalid_detection_url', issues: [{ path: 'detection_url' }] },
  });
});

test.each([
  ['name', {}, 'name'],
  ['an empty name', { name: '   ' }, 'name'],
  ['a long name', { name: 'x'.repeat(101) }, 'name'],
  ['a name with a line break', { name: 'a\r\nb' }, 'name'],
  ['a name that is no text', { name: 5 }, 'name'],
  ['a threshold over 1', { name: 'x', confidence_threshold: 1.1 }, 'confidence_threshold'],
  ['a threshold that is no number', { name: 'x', confidence_threshold: '0.5' }, 'confidence_threshold'],
  ['detection that is neither on nor off', { name: 'x', detection_enabled: 'yes' }, 'detection_enabled'],
  ['a description that is no text', { name: 'x', description: {} }, 'description'],
])('%s: 400 that names the member', async (_what, members, path) => {
  const { status, body } = await call(server, 'POST', '/api/streams/', { rtsp_url: address, ...members });
  expect(status).toBe(400);
  expect(body).toMatchObject({ code: 'invalid_request', issues: [{ path }] });
  expect(body.error).toMatch(new RegExp(`^${path}: .*\\.$`));
});

test('names such as __proto__ and constructor are names like any other', async () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const text = `{"name": "${name}", "rtsp_url": "rtsp://camera.local/", "__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}`;
    const { status, body } = await call(server, 'POST', '/api/streams/', text);
    expect(status).toBe(201);
    expect(body.name).toBe(name);
    expect((await call(server, 'GET', `/api/streams/${name}/`)).status).toBe(404);
  }
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('an unknown stream is a 404 with a code, on every route', async () => {
  const id = '01890000-0000-7000-8000-000000000000';
  const requests: [string, string, object?][] = [
    ['GET', `/api/streams/${id}/`],
    ['PATCH', `/api/streams/${id}/`, { name: 'x' }],
    ['PATCH', `/api/streams/${id}/status/`, { action: 'start' }],
    ['DELETE', `/api/streams/${id}/`],
    ['DELETE', `/api/streams/${id}/delete/`],
    ['GET', `/api/streams/${id}/stats/`],
    ['GET', `/api/streams/${id}/snapshot.jpg`],
    ['GET', `/api/streams/${id}/live.mjpeg`],
  ];
  for (const [method, path, body] of requests)
    expect(await call(server, method, path, body)).toMatchObject({
      status: 404,
      body: { code: 'stream_not_found' },
    });
});

test('a password is in no reply, no log line and no file, raw or percent-encoded', async () => {
  const parameters = 'rtsp://camera.local/?user=admin&password=canary';
  const { id } = await created({ detection_url: parameters });
  const replies = await Promise.all(
    ['/api/streams', `/api/streams/${id}`, `/api/streams/${id}/stats`, '/metrics', '/api/openapi.json'].map(
      (path) => call(server, 'GET', path),
    ),
  );
  replies.push(await call(server, 'POST', '/api/streams/', { name: '', rtsp_url: address }));
  replies.push(await call(server, 'POST', '/api/streams/', { name: '', rtsp_url: parameters }));
  replies.push(await call(server, 'POST', '/api/streams/', { name: 'x', rtsp_url: `${parameters} x` }));
  replies.push(await call(server, 'POST', '/api/streams/', `{"rtsp_url": "${address}" oops}`));
  replies.push(await call(server, 'GET', `/nothing?url=${encodeURIComponent(parameters)}`));
  for (const { body, headers } of replies)
    expect(JSON.stringify([body, [...headers]])).not.toContain('canary');
  expect(server.log.length).toBeGreaterThan(0);
  expect(server.log.join('')).not.toContain('canary');
  for (const name of readdirSync(server.dataDir))
    expect(readFileSync(join(server.dataDir, name), 'latin1')).not.toContain('canary');
});

test('the list can be read in pages', async () => {
  await using own = await startServer();
  const body = { name: 'Door', rtsp_url: address };
  const ids = [];
  for (let count = 0; count < 5; count++) ids.push((await call(own, 'POST', '/api/streams/', body)).body.id);
  const read = [];
  for (let cursor = ''; ; ) {
    const page = (await call(own, 'GET', `/api/streams/?limit=2${cursor && `&cursor=${cursor}`}`)).body;
    read.push(...page.streams.map(({ id }: { id: string }) => id));
    cursor = page.next_cursor;
    if (cursor === null) break;
  }
  expect(read).toEqual(ids.sort());
  expect((await call(own, 'GET', '/api/streams/')).body).toMatchObject({ next_cursor: null });
  for (let count = 5; count < 52; count++) await call(own, 'POST', '/api/streams/', body);
  const first = (await call(own, 'GET', '/api/streams/')).body;
  expect(first.streams).toHaveLength(50);
  expect(first.next_cursor).toEqual(expect.any(String));
  for (const limit of ['0', '501', 'x', '1.5'])
    expect(await call(own, 'GET', `/api/streams/?limit=${limit}`)).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'limit' }] },
    });
});

test('over MAX_STREAMS a new stream is refused, also when many are created at the same time', async () => {
  await using own = await startServer({ env: { MAX_STREAMS: '3' } });
  const body = { name: 'Door', rtsp_url: address };
  const replies = await Promise.all(
    Array.from({ length: 8 }, () => call(own, 'POST', '/api/streams/', body)),
  );
  expect(replies.filter(({ status }) => status === 201)).toHaveLength(3);
  for (const reply of replies.filter(({ status }) => status !== 201))
    expect(reply).toMatchObject({
      status: 409,
      body: { code: 'too_many_streams', error: expect.stringMatching(/MAX_STREAMS/) },
    });
  expect(own.cameras.saved.size).toBe(3);
});

test('ws_url begins with WS_BASE_URL when it is set', async () => {
  await using own = await startServer({ env: { WS_BASE_URL: 'wss://video.example/base/' } });
  const { body } = await call(own, 'POST', '/api/streams/', { name: 'Door', rtsp_url: address });
  expect(body.ws_url).toBe(
    'wss://video.example/base/ws/stream/?url=rtsp%3A%2F%2Fadmin%40camera.local%2Fmain',
  );
});

test('saved streams are handed to the cameras at the next start, and locked ones are left alone', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'rtsp-viewer-restart-'));
  let id: string;
  {
    await using first = await startServer({ dataDir });
    id = (await call(first, 'POST', '/api/streams/', { name: 'Door', rtsp_url: address })).body.id;
  }
  {
    await using second = await startServer({ dataDir });
    expect(second.cameras.told).toEqual(['add running']);
    expect(second.cameras.saved.get(id)?.address.password).toBe('canary@pass');
  }
  await using third = await startServer({ dataDir, env: { SECRET_KEY: 'another secret for tests' } });
  expect(third.cameras.told).toEqual(['add stopped']);
  const locked = { status: 'error', last_error: expect.stringMatching(/password must be entered again/) };
  expect((await call(third, 'GET', `/api/streams/${id}`)).body.stream).toMatchObject(locked);
  const start = await call(third, 'PATCH', `/api/streams/${id}/status`, { action: 'start' });
  expect(start).toMatchObject({ status: 409, body: { code: 'credentials_locked' } });
  expect(await call(third, 'GET', `/api/streams/${id}/snapshot.jpg`)).toMatchObject({ status: 503 });
  const { rtsp_url } = (await call(third, 'GET', `/api/streams/${id}`)).body.stream;
  const renamed = { name: 'Gate', rtsp_url };
  expect((await call(third, 'PATCH', `/api/streams/${id}`, renamed)).body.stream).toMatchObject({
    name: 'Gate',
    ...locked,
  });
  const mended = await call(third, 'PATCH', `/api/streams/${id}`, { rtsp_url: address });
  expect(mended.body.stream).toMatchObject({ status: 'online', last_error: null });
  rmSync(dataDir, { recursive: true });
});

test('changes of one stream that arrive together are all kept', async () => {
  const { id } = await created();
  await Promise.all([
    call(server, 'PATCH', `/api/streams/${id}`, { name: 'Gate' }),
    call(server, 'PATCH', `/api/streams/${id}`, { description: 'yard' }),
    call(server, 'PATCH', `/api/streams/${id}`, { confidence_threshold: 0.1 }),
    call(server, 'PATCH', `/api/streams/${id}/status`, { action: 'pause' }),
  ]);
  const members = { name: 'Gate', description: 'yard', confidenceThreshold: 0.1, detectionEnabled: false };
  expect(server.cameras.saved.get(id)).toMatchObject(members);
});
