// The fault proxy must do what the tests behind it rely on: tested against a plain echo server.
// Nothing of RTSP here.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

let echo: Server;
let proxy: TcpProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startTcpProxy({ port: (echo.address() as { port: number }).port });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  echo.close();
});

/** A client that keeps what it got and how it ended. */
async function client() {
  const socket = connect(proxy.port, '127.0.0.1');
  sockets.push(socket);
  const seen = { text: '', error: '', ended: false, socket };
  socket.on('data', (chunk) => {
    seen.text += chunk.toString();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    seen.error = error.code ?? error.message;
  });
  socket.on('end', () => {
    seen.ended = true;
  });
  await once(socket, 'connect');
  return seen;
}

test('bytes pass untouched and are counted', async () => {
  const seen = await client();
  seen.socket.write('hello');
  await expect.poll(() => seen.text).toBe('hello');
  expect(proxy.bytesFromServer).toBe(5);
  expect(proxy.open).toBe(1);
});

test('a black hole swallows bytes without closing, and what it swallowed stays lost', async () => {
  const seen = await client();
  proxy.mode('black-hole');
  seen.socket.write('lost');
  const other = await client();
  other.socket.write('also lost');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(seen.text + other.text).toBe('');
  expect(seen.socket.closed || other.socket.closed).toBe(false);
  proxy.mode('pass');
  seen.socket.write('kept');
  await expect.poll(() => seen.text).toBe('kept');
});

test('a refused connection is reset, open ones too, and new ones pass again afterwards', async () => {
  const seen = await client();
  proxy.mode('refuse');
  await expect.poll(() => seen.error).toBe('ECONNRESET');
  const refused = connect(proxy.port, '127.0.0.1');
  sockets.push(refused);
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  proxy.mode('pass');
  const back = await client();
  back.socket.write('back');
  await expect.poll(() => back.text).toBe('back');
});

test('finish ends both directions cleanly', async () => {
  const seen = await client();
  seen.socket.write('x');
  await expect.poll(() => seen.text).toBe('x');
  proxy.finish();
  await expect.poll(() => seen.ended).toBe(true);
  expect(seen.error).toBe('');
  await expect.poll(() => proxy.open).toBe(0);
});

test('a cut connection has given its client exactly so many bytes', async () => {
  proxy.cutAfter(10);
  const seen = await client();
  seen.socket.write('0123456789abcdef');
  await expect.poll(() => seen.error).toBe('ECONNRESET');
  expect(seen.text).toBe('0123456789');
});

test('delayed bytes arrive late and in order', async () => {
  proxy.delay(100);
  const seen = await client();
  const start = performance.now();
  for (const letter of 'abcdef') seen.socket.write(letter);
  await expect.poll(() => seen.text).toBe('abcdef');
  // Once on the way there and once on the way back; timers may fire a millisecond early.
  expect(performance.now() - start).toBeGreaterThanOrEqual(198);
});
