// Pictures over HTTP: the newest one, a running sequence, readers that are slow, gone or too early.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, startServer, type TestServer } from '../../test/support/http-server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ http: { pictures: { firstPictureMs: 200 } } });
});

afterAll(() => server[Symbol.asyncDispose]());

async function created(): Promise<string> {
  const { body } = await call(server, 'POST', '/api/streams/', {
    name: 'Door',
    rtsp_url: 'rtsp://camera.local/',
  });
  return body.id;
}

/** Any bytes will do: nobody here looks into a picture. */
function picture(size: number, fill: number): Uint8Array {
  return new Uint8Array(size).fill(fill);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const readers = (id: string) => server.cameras.readers.get(id)?.size ?? 0;

/** Asks for the sequence and shows one picture as soon as it is waited for. */
async function watch(id: string, first: Uint8Array): Promise<IncomingMessage> {
  const sent = get(`${server.base}/api/streams/${id}/live.mjpeg`);
  const response = once(sent, 'response');
  await until(() => readers(id) === 1);
  server.cameras.show(id, first);
  return (await response)[0];
}

test('a snapshot is the next picture, as it is, and is not to be cached', async () => {
  const id = await created();
  const reply = fetch(`${server.base}/api/streams/${id}/snapshot.jpg`);
  await until(() => readers(id) === 1);
  server.cameras.show(id, picture(5_000, 7));
  const response = await reply;
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('image/jpeg');
  expect(response.headers.get('cache-control')).toContain('no-store');
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(picture(5_000, 7));
  expect(readers(id)).toBe(0);
});

test('without a picture, and for a stopped camera, the reason is told with 503', async () => {
  const id = await created();
  for (const path of ['snapshot.jpg', 'live.mjpeg']) {
    const reply = await call(server, 'GET', `/api/streams/${id}/${path}`);
    expect(reply).toMatchObject({ status: 503, body: { code: 'no_picture', error: expect.any(String) } });
  }
  expect(readers(id)).toBe(0);
  await call(server, 'PATCH', `/api/streams/${id}/status/`, { action: 'stop' });
  for (const path of ['snapshot.jpg', 'live.mjpeg']) {
    const reply = await call(server, 'GET', `/api/streams/${id}/${path}`);
    expect(reply).toMatchObject({ status: 503, body: { code: 'stream_stopped' } });
  }
  expect(await call(server, 'GET', `/api/streams/${id}/live.mjpeg?fps=0`)).toMatchObject({ status: 400 });
});

test('a running sequence is multipart, each part a whole picture followed at once by its boundary', async () => {
  const id = await created();
  const response = await watch(id, picture(3, 1));
  expect(response.headers['content-type']).toBe('multipart/x-mixed-replace; boundary=picture');
  expect(response.headers['x-content-type-options']).toBe('nosniff');
  let received = '';
  response.setEncoding('latin1').on('data', (chunk) => {
    received += chunk;
  });
  const part = (bytes: string) =>
    `Content-Type: image/jpeg\r\nContent-Length: 3\r\n\r\n${bytes}\r\n--picture\r\n`;
  await until(() => received === `--picture\r\n${part('\x01\x01\x01')}`);
  expect(server.cameras.show(id, picture(3, 2))).toBe(1);
  await until(() => received === `--picture\r\n${part('\x01\x01\x01')}${part('\x02\x02\x02')}`);
  response.destroy();
  await until(() => readers(id) === 0);
});

test('a reader that takes nothing is given nothing more, and the memory of the service stays flat', async () => {
  const id = await created();
  const large = picture(500_000, 3);
  const response = await watch(id, large);
  response.pause();
  let taken = 0;
  for (let count = 0; count < 400; count++) {
    taken += server.cameras.show(id, large);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Loopback buffers hold some megabytes; 400 pictures are 200.
  expect(taken).toBeLessThan(50);
  let bytes = 0;
  response.on('data', (chunk) => {
    bytes += chunk.length;
  });
  response.resume();
  await until(() => bytes > taken * large.length);
  await until(() => server.cameras.show(id, large) === 1);
  response.destroy();
  await until(() => readers(id) === 0);
});

test('a reader that is stuck for long is let go', async () => {
  await using own = await startServer({ http: { pictures: { stuckMs: 20 } } });
  const { body } = await call(own, 'POST', '/api/streams/', {
    name: 'Door',
    rtsp_url: 'rtsp://camera.local/',
  });
  const sent = get(`${own.base}/api/streams/${body.id}/live.mjpeg`);
  const large = picture(500_000, 3);
  sent.on('response', (response) => response.pause().on('error', () => sent.destroy()));
  await until(() => own.cameras.readers.get(body.id)?.size === 1);
  const held = own.cameras.readers.get(body.id);
  while (held?.size === 1) {
    own.cameras.show(body.id, large);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(held?.size).toBe(0);
});

test('closing the server ends running sequences', async () => {
  const own = await startServer();
  const { body } = await call(own, 'POST', '/api/streams/', {
    name: 'Door',
    rtsp_url: 'rtsp://camera.local/',
  });
  const sent = get(`${own.base}/api/streams/${body.id}/live.mjpeg`);
  const response = once(sent, 'response');
  await until(() => own.cameras.readers.get(body.id)?.size === 1);
  own.cameras.show(body.id, picture(10, 1));
  const [message] = await response;
  const ended = new Promise((resolve) =>
    message
      .on('close', resolve)
      .on('error', () => undefined)
      .resume(),
  );
  await own[Symbol.asyncDispose]();
  await ended;
  expect(own.cameras.readers.get(body.id)?.size).toBe(0);
});

test('a reader that left before it was known who asks is neither shown pictures nor followed', async () => {
  const own = await startServer();
  const camera = { name: 'Door', rtsp_url: 'rtsp://camera.local/' };
  const { body } = await call(own, 'POST', '/api/streams/', camera);
  const { authenticator } = own.auth;
  const identify = authenticator.identify.bind(authenticator);
  const mayAnswer = Promise.withResolvers<void>();
  authenticator.identify = async (credentials) => {
    await mayAnswer.promise;
    return identify(credentials);
  };
  let followed = 0;
  authenticator.follow = () => {
    followed += 1;
    return () => {
      followed -= 1;
    };
  };
  const begun = Promise.withResolvers<ServerResponse>();
  const onBegin = (message: unknown) => begun.resolve((message as { response: ServerResponse }).response);
  subscribe('http.server.request.start', onBegin);
  const sent = get(`${own.base}/api/streams/${body.id}/live.mjpeg`).on('error', () => undefined);
  const response = await begun.promise;
  unsubscribe('http.server.request.start', onBegin);
  const gone = once(response, 'close');
  sent.destroy();
  await gone;
  mayAnswer.resolve();
  // Answered after whatever became of the one before it.
  expect((await call(own, 'GET', `/api/streams/${body.id}/`)).status).toBe(200);
  expect(own.cameras.readers.get(body.id)?.size ?? 0).toBe(0);
  expect(followed).toBe(0);
  await own[Symbol.asyncDispose]();
});
