// The audit trail over REST, with the real database: what requests leave in it, and how it is read.
// What sign-in itself tells it is tested in auth/.

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { call, headersOf, newUser, signIn, startGuardedServer } from '../../test/support/http-server.ts';
import { bearer } from '../../test/support/service.ts';
import { AppError } from '../errors.ts';
import type { CameraCheckInput } from './camera-check-ports.ts';

test('the audit trail tells who did what to what, and not what was refused', async () => {
  await using own = await startGuardedServer();
  const [by, operator] = [await headersOf(own, 'admin'), await newUser(own, 'operator')];
  const asked = bearer((await signIn(own, operator)).access);
  const camera = { name: 'Door', rtsp_url: 'rtsp://watcher:canary@camera.local/main' };
  const { id } = (await call(own, 'POST', '/api/streams/create/', camera, asked)).body;
  await call(own, 'PATCH', `/api/streams/${id}/`, { name: 'Gate' }, asked);
  for (const action of ['stop', 'start', 'pause', 'resume'])
    await call(own, 'PATCH', `/api/streams/${id}/status/`, { action }, asked);
  const seen = { stream_id: id, confidence_score: 0.9 };
  const [one, two] = [
    (await call(own, 'POST', '/api/detections/', seen, asked)).body.id,
    (await call(own, 'POST', '/api/detections/', seen, asked)).body.id,
  ];
  const { alerts } = (await call(own, 'GET', '/api/alerts/', undefined, asked)).body;
  const [newer, older] = alerts.map((alert: { id: string }) => alert.id);
  await call(own, 'PATCH', `/api/alerts/${older}/update/`, { viewed: true }, asked);
  await call(own, 'PATCH', '/api/alerts/', { viewed: true }, asked);
  await call(own, 'DELETE', `/api/alerts/${newer}/delete/`, undefined, asked);
  await call(own, 'DELETE', `/api/detections/${one}/`, undefined, asked);
  expect((await call(own, 'DELETE', `/api/detections/${one}/`, undefined, asked)).status).toBe(404);
  expect((await call(own, 'POST', '/api/streams/', { name: '' }, asked)).status).toBe(400);
  expect((await call(own, 'DELETE', '/api/users/x/', undefined, asked)).status).toBe(403);
  await call(own, 'DELETE', `/api/streams/${id}/`, undefined, asked);

  const path = `/api/audit/?actor=${operator.username}`;
  const { entries } = (await call(own, 'GET', path, undefined, by)).body;
  const told = entries
    .reverse()
    .map(({ action, subject, detail }: Record<string, string>) => [action, subject, detail]);
  expect(told.slice(1)).toEqual([
    ['stream_created', id, 'Door'],
    ['stream_changed', id, 'Gate'],
    ['stream_stopped', id, 'Gate'],
    ['stream_started', id, 'Gate'],
    ['detection_paused', id, 'Gate'],
    ['detection_resumed', id, 'Gate'],
    ['detection_created', one, 'Gate'],
    ['detection_created', two, 'Gate'],
    ['alert_viewed', older, 'viewed, Gate'],
    ['alerts_viewed', 'all', '1'],
    ['alert_deleted', newer, 'Gate'],
    ['detection_deleted', one, 'Gate'],
    ['stream_deleted', id, 'Gate'],
  ]);
  expect(told[0].slice(0, 2)).toEqual(['signed_in', operator.username]);
  expect(entries[1]).toEqual({
    id: expect.any(String),
    timestamp: expect.stringMatching(/^20.*Z$/),
    action: 'stream_created',
    actor: operator.username,
    actor_role: 'operator',
    subject: id,
    detail: 'Door',
    address: '127.0.0.1',
  });
  expect(JSON.stringify(entries)).not.toContain('canary');
});

test('a camera that was tried is in the audit trail, also when that failed or nobody waited for it; a refusal is not', async () => {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const check = async ({ rtspUrl }: CameraCheckInput, _by: unknown, signal: AbortSignal) => {
    if (rtspUrl.includes('refused')) throw new AppError(429, 'too_many_checks', 'Later.');
    if (rtspUrl.includes('broken')) throw new Error('broken');
    begun.resolve();
    await once(signal, 'abort');
    ended.resolve();
    return signal.throwIfAborted() as never;
  };
  await using own = await startGuardedServer({ http: { cameraChecks: { check } } });
  const by = await headersOf(own, 'admin');
  const address = (host: string) => `rtsp://admin:canary@${host}/main?token=canary`;
  const path = '/api/streams/check/';
  expect((await call(own, 'POST', path, { rtsp_url: address('refused') }, by)).status).toBe(429);
  expect((await call(own, 'POST', path, { rtsp_url: address('broken') }, by)).status).toBe(500);
  const leaving = new AbortController();
  const left = fetch(own.base + path, {
    method: 'POST',
    headers: { ...by, 'content-type': 'application/json' },
    body: JSON.stringify({ rtsp_url: address('slow') }),
    signal: leaving.signal,
  }).catch(() => 'left');
  await begun.promise;
  leaving.abort();
  expect(await left).toBe('left');
  await ended.promise;
  const { entries } = (await call(own, 'GET', '/api/audit/?action=watched_ad_hoc', undefined, by)).body;
  expect(entries).toMatchObject([
    { subject: expect.stringContaining('slow'), address: '127.0.0.1', actor_role: 'admin' },
    { subject: expect.stringContaining('broken') },
  ]);
  expect(JSON.stringify(entries)).not.toContain('canary');
});

test('the audit trail is read newest first, in pages, by action and time', async () => {
  await using own = await startGuardedServer();
  const by = await headersOf(own, 'admin');
  for (const role of ['viewer', 'operator'] as const) await headersOf(own, role);
  const read = async (query: string) => call(own, 'GET', `/api/audit/?${query}`, undefined, by);
  const all = (await read('limit=500')).body.entries;
  const first = (await read('limit=2')).body;
  const second = (await read(`limit=2&cursor=${first.next_cursor}`)).body;
  expect([...first.entries, ...second.entries]).toEqual(all.slice(0, 4));
  const signIns = (await read('action=signed_in')).body.entries;
  expect(signIns.length).toBeGreaterThan(0);
  expect(new Set(signIns.map(({ action }: { action: string }) => action))).toEqual(new Set(['signed_in']));
  expect((await read('until=2020-01-01T00:00:00Z')).body).toEqual({ entries: [], next_cursor: null });
  expect((await read('limit=500&since=2020-01-01T00:00:00Z')).body.entries).toEqual(all);
  for (const [query, path] of [
    ['action=exploded', 'action'],
    ['who=admin', 'who'],
    ['since=yesterday', 'since'],
    ['cursor=x', 'cursor'],
  ] as const)
    expect(await read(query)).toMatchObject({ status: 400, body: { issues: [{ path }] } });
});
