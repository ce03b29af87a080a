// Addresses and refusals as the page sends and reads them; against a real server.

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiError, formErrorOf, isSignedOut, issueOf } from './errors.ts';
import { addressOf, send } from './send.ts';

let server: Server;
let base: string;
let answer: (reply: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((_request, reply) => answer(reply));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

async function failure(path = `${base}/x`): Promise<ApiError> {
  const error = await send({ method: 'GET', path }).then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error;
}

test('parameters and filters are encoded, and what is not set is left out', () => {
  const address = addressOf({
    method: 'GET',
    path: '/api/streams/{id}',
    params: { id: '../a b' },
    query: { viewed: false, actor: '', cursor: undefined, name: 'ä&b' },
  });
  expect(address).toBe('/api/streams/..%2Fa%20b/?viewed=false&name=%C3%A4%26b');
});

test('a refusal keeps its sentence, its code and the fields that are wrong', async () => {
  answer = (reply) =>
    reply.writeHead(400, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        error: 'name: is required.',
        code: 'invalid_request',
        issues: [{ path: 'name', message: 'is required' }],
      }),
    );
  const error = await failure();
  expect(error).toMatchObject({ status: 400, code: 'invalid_request', message: 'name: is required.' });
  expect(issueOf(error, 'name')).toBe('Is required.');
  expect(formErrorOf(error, ['name'])).toBeNull();
  expect(formErrorOf(error, ['rtsp_url'])).toBe('name: is required.');
});

test('what a proxy says in HTML becomes a sentence with the status', async () => {
  answer = (reply) => reply.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
  const error = await failure();
  expect(error).toMatchObject({ status: 502, code: 'unknown' });
  expect(error.message).toMatch(/502/);
});

test('a refusal that is over at some time says when', async () => {
  answer = (reply) => reply.writeHead(429, { 'retry-after': '90' }).end('{}');
  const before = Date.now();
  const { retryAt } = await failure();
  expect(retryAt).toBeGreaterThanOrEqual(before + 90_000);
  expect(retryAt).toBeLessThanOrEqual(Date.now() + 90_000);
  for (const value of ['Wed, 21 Oct 2026 07:28:00 GMT', '-5', '']) {
    answer = (reply) => reply.writeHead(503, { 'retry-after': value }).end('{}');
    expect((await failure()).retryAt).toBeNull();
  }
});

test('a service that does not answer is told from one that refuses', async () => {
  answer = (reply) => reply.destroy();
  expect(await failure()).toMatchObject({ status: 0, code: 'unreachable' });
});

test('only the end of a sign-in signs out, a wrong password does not', () => {
  expect(isSignedOut(new ApiError(401, 'not_signed_in', ''))).toBe(true);
  expect(isSignedOut(new ApiError(401, 'invalid_token', ''))).toBe(true);
  expect(isSignedOut(new ApiError(401, 'wrong_credentials', ''))).toBe(false);
  expect(isSignedOut(new ApiError(403, 'forbidden', ''))).toBe(false);
});

test('an aborted request is no failure of the service', async () => {
  answer = (reply) => reply.end('{}');
  const signal = AbortSignal.abort();
  await expect(send({ method: 'GET', path: `${base}/x`, signal })).rejects.toMatchObject({
    name: 'AbortError',
  });
});

test('a service that takes a request and never answers, or stops in the middle, is one that does not answer', async () => {
  const replies: ServerResponse[] = [];
  for (const begin of [() => undefined, (reply: ServerResponse) => reply.writeHead(200).write('{"a":')]) {
    answer = (reply) => {
      replies.push(reply);
      begin(reply);
    };
    await expect(send({ method: 'GET', path: `${base}/x` }, 200)).rejects.toMatchObject({
      status: 0,
      code: 'unreachable',
    });
  }
  for (const reply of replies) reply.destroy();
});

test('whoever gives a request up hears that, and nothing of the service', async () => {
  const gone = new AbortController();
  answer = (reply) => {
    gone.abort();
    reply.end('{}');
  };
  const request = send({ method: 'GET', path: `${base}/x`, signal: gone.signal });
  await expect(request).rejects.toMatchObject({ name: 'AbortError' });
});
