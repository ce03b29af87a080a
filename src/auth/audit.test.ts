// The audit trail: what sign-in tells it, what a broken database costs, and how much of it is kept.
// What requests leave in it is tested in http/.

import { expect, test, vi } from 'vitest';
import type { AuditAction } from '../base/accounts.ts';
import { silentLog } from '../base/log.ts';
import { AuditRepository } from '../db/audit.ts';
import { ScriptedClock } from '../detect/testing.ts';
import { AuditLog } from './audit.ts';
import { addUser, here, nothing, refusalOf, startWorld } from './testing.ts';

test('the audit trail tells who did what, newest first, in pages, and holds no password', async () => {
  await using world = await startWorld();
  const { accounts, audit } = world;
  const { identity } = await world.setUp();
  await refusalOf(accounts.login({ username: 'root', password: 'canary-password' }, here));
  await refusalOf(accounts.login({ username: 'canary-name', password: 'x' }, here));
  const { user } = await addUser(world, identity, 'anna', 'viewer');
  await accounts.changeUser(user.id, { role: 'operator', password: 'canary-password' }, identity, here);
  await accounts.deleteUser(user.id, identity, here);
  audit.record({
    action: 'watched_ad_hoc',
    actor: identity,
    subject: 'rtsp://admin:canary@camera/',
    detail: 'x'.repeat(10_000),
    origin: here,
  });
  await accounts.logout(identity, here);
  const all = await audit.list({ limit: 100 });
  expect(all.map(({ action, actor, subject }) => [action, actor, subject])).toEqual([
    ['signed_out', 'root', 'root'],
    ['watched_ad_hoc', 'root', 'rtsp://admin:****@camera/'],
    ['user_deleted', 'root', 'anna'],
    ['user_changed', 'root', 'anna'],
    ['user_created', 'root', 'anna'],
    ['sign_in_failed', null, null],
    ['sign_in_failed', null, 'root'],
    ['set_up', 'root', 'root'],
  ]);
  expect(all[3]?.detail).toBe('role viewer → operator, password');
  expect(all[1]?.detail).toHaveLength(500);
  expect(JSON.stringify(all)).not.toContain('canary');
  const firstPage = await audit.list({ limit: 3 });
  const rest = await audit.list({ limit: 100, after: firstPage[2]!.id });
  expect([...firstPage, ...rest]).toEqual(all);
  expect(await audit.list({ limit: 9, action: 'user_deleted' })).toEqual([all[2]]);
  expect(await audit.list({ limit: 9, actor: 'root' })).toHaveLength(6);
  expect(await audit.list({ limit: 9, until: Date.parse(all[7]!.timestamp) })).toEqual([]);
  expect(await audit.list({ limit: 9, since: Date.parse(all[7]!.timestamp) })).toHaveLength(8);
});

test('a database that does not answer costs no entry but those over the bound, and nobody waits for it', async () => {
  await using world = await startWorld();
  const table = new AuditRepository(world.database.db);
  const clock = new ScriptedClock();
  let broken = true;
  const log = new AuditLog({
    store: {
      add: (rows) => (broken ? Promise.reject(new Error('disk full')) : table.add(rows)),
      list: (page) => table.list(page),
      prune: (limits) => table.prune(limits),
    },
    clock,
    log: silentLog,
  });
  const entry = { action: 'signed_in', actor: null, detail: undefined, origin: here } as const;
  for (let index = 0; index < 1_500; index++) log.record({ ...entry, subject: String(index) });
  await clock.advance(5_000);
  expect(await log.list({ limit: 10 })).toEqual([]);
  broken = false;
  await clock.advance(60_000);
  const kept = await log.list({ limit: 2_000 });
  expect(kept.map(({ subject }) => subject)).toEqual(
    Array.from({ length: 1_000 }, (_, i) => String(999 - i)),
  );
  await log.close();
});

test('the audit trail keeps the newest, up to an age and a number', async () => {
  await using world = await startWorld();
  const table = new AuditRepository(world.database.db);
  const base = { action: 'signed_in', actor: 'a', actorRole: null, detail: null, address: '::1' } as const;
  await table.add(Array.from({ length: 100 }, (_, at) => ({ ...base, at: 1_000 + at, subject: String(at) })));
  const prune = (most: number, limit: number) => table.prune({ before: 1_010, most, first: [], limit });
  expect(await prune(1_000, 4)).toBe(4);
  expect(await prune(1_000, 50)).toBe(6);
  expect(await prune(30, 50)).toBe(50);
  expect(await prune(30, 50)).toBe(10);
  expect(await prune(30, 50)).toBe(0);
  const left = await table.list({ limit: 100 });
  expect(left.map(({ subject }) => subject)).toEqual(Array.from({ length: 30 }, (_, i) => String(99 - i)));
});

test('alerts marked as viewed again and again push nothing else out of the audit trail', async () => {
  await using world = await startWorld();
  const table = new AuditRepository(world.database.db);
  const base = { actor: 'a', actorRole: null, detail: null, address: '::1' } as const;
  const add = (action: AuditAction, from: number, count: number) =>
    table.add(
      Array.from({ length: count }, (_, n) => ({ ...base, action, at: from + n, subject: `${from + n}` })),
    );
  await add('stream_deleted', 1_000, 20);
  await add('alert_viewed', 2_000, 100);
  await add('signed_in', 3_000, 20);
  const first = ['alert_viewed', 'alerts_viewed'] as const;
  while ((await table.prune({ before: 0, most: 45, first, limit: 30 })) > 0);
  const count = async (action: AuditAction) => (await table.list({ limit: 500, action })).length;
  expect(await Promise.all((['stream_deleted', 'alert_viewed', 'signed_in'] as const).map(count))).toEqual([
    20, 5, 20,
  ]);
  const newest = await table.list({ limit: 5, action: 'alert_viewed' });
  expect(newest.map(({ subject }) => subject)).toEqual(['2099', '2098', '2097', '2096', '2095']);
  while ((await table.prune({ before: 0, most: 30, first, limit: 30 })) > 0);
  expect(await Promise.all((['stream_deleted', 'alert_viewed', 'signed_in'] as const).map(count))).toEqual([
    10, 0, 20,
  ]);
});

test('a clock that leaps ahead takes neither the audit trail nor sessions with it, unless it stays there', async () => {
  const clock = new ScriptedClock();
  await using world = await startWorld({}, clock);
  const { cookie } = await world.setUp();
  const leap = 3_650 * 24 * 60 * 60_000;
  const kept = async () => {
    const sessions = await world.database.db.selectFrom('sessions').select('id').execute();
    const entries = await world.audit.list({ limit: 10, action: 'set_up' });
    return [sessions.length, entries.length];
  };
  clock.jumpWall(leap);
  await clock.advance(2 * 60 * 60_000);
  expect(await kept()).toEqual([1, 1]);
  clock.jumpWall(-leap);
  await clock.advance(60 * 60_000);
  expect(await world.authenticator.identify({ ...nothing, cookie })).not.toBeNull();
  clock.jumpWall(leap);
  await clock.advance(26 * 60 * 60_000);
  await vi.waitFor(async () => expect(await kept()).toEqual([0, 0]));
});
