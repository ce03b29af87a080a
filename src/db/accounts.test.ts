// Users, sessions, API tokens and the audit trail as tables of either database: what goes with what, also when several
// do it at once. What people may do with them is tested with the sign-in.

import { beforeEach, describe, expect, test } from 'vitest';
import { onEachDatabase } from '../../test/support/databases.ts';
import type { Role } from '../base/identity.ts';
import { ApiTokenRepository } from './api-tokens.ts';
import { AuditRepository } from './audit.ts';
import type { Database } from './database.ts';
import { newId } from './id.ts';
import { SessionRepository } from './sessions.ts';
import { type SavedUser, UserRepository } from './users.ts';

onEachDatabase((databases) => {
  let database: Database;
  let users: UserRepository;
  let sessions: SessionRepository;
  let tokens: ApiTokenRepository;
  let audit: AuditRepository;

  beforeEach(async () => {
    database = await databases.open();
    users = new UserRepository(database.db);
    sessions = new SessionRepository(database.db);
    tokens = new ApiTokenRepository(database.db);
    audit = new AuditRepository(database.db);
  });

  let made = 0;
  function draft(name: string, role: Role = 'viewer') {
    const usernameKey = name.toLowerCase();
    return { username: name, usernameKey, email: null, role, passwordHash: `hash of ${name}` };
  }
  const user = (name: string, role?: Role) => users.create(draft(name, role));
  function session(of: SavedUser, now = 1_000, most = 10, expiresAt = 1e12) {
    const id = newId();
    made += 1;
    const hashes = { cookieHash: `cookie ${made}`, refreshHash: `refresh ${made}` };
    const row = { id, userId: of.id, passwordHash: of.passwordHash, newPasswordHash: null, ...hashes };
    return sessions.create({ ...row, now, expiresAt }, most).then((gone) => ({ id, gone, ...hashes }));
  }
  function token(name: string, role: Role, createdBy: string | null, madeWith: string | null = null) {
    return tokens.create({ name, role, hash: `hash of ${name}`, expiresAt: null, createdBy, madeWith });
  }

  describe('users', () => {
    test('read back as they were made, are found by key and listed in order', async () => {
      const ada = await user('Ada', 'admin');
      const grace = await user('Grace');
      expect(ada).toMatchObject({ username: 'Ada', role: 'admin', email: null, lastLogin: null });
      expect(await users.get(ada.id)).toEqual(ada);
      expect(await users.findByKey('grace')).toEqual(grace);
      expect(await users.findByKey('Grace')).toBeUndefined();
      const all = [ada, grace].sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(await users.list()).toEqual(all);
      expect(await users.list({ limit: 5, after: all[0]!.id })).toEqual([all[1]]);
      expect(await users.any()).toBe(true);
    });

    test('have names of their own, also when many take one at once', async () => {
      const tried = await Promise.allSettled(Array.from({ length: 8 }, () => user('Ada')));
      expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const each of tried)
        if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'username_taken' });
      expect(await users.list()).toHaveLength(1);
    });

    test('begin with one, however many set the service up at once', async () => {
      const first = await Promise.all(
        Array.from({ length: 6 }, (_, index) => users.createFirst(draft(`user ${index}`, 'admin'))),
      );
      expect(first.filter((each) => each !== undefined)).toHaveLength(1);
      expect(await users.list()).toHaveLength(1);
      expect(await users.createFirst(draft('late'))).toBeUndefined();
    });

    test('always keep an admin, also when two give it up at once', async () => {
      for (let round = 0; round < 5; round++) {
        const pair = [await user(`a${round}`, 'admin'), await user(`b${round}`, 'admin')];
        for (const other of await users.list())
          if (!pair.some(({ id }) => id === other.id)) await users.delete(other.id);
        const given = await Promise.allSettled([
          users.change(pair[0]!.id, { role: 'viewer' }),
          round % 2 === 0 ? users.change(pair[1]!.id, { role: 'viewer' }) : users.delete(pair[1]!.id),
        ]);
        expect(given.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(given.find(({ status }) => status === 'rejected')).toMatchObject({
          reason: { code: 'last_admin' },
        });
        expect((await users.list()).filter(({ role }) => role === 'admin')).toHaveLength(1);
      }
    });

    test('lose with a role their sessions and the tokens above it; an admin keeps the tokens', async () => {
      await user('Root', 'admin');
      const ada = await user('Ada', 'admin');
      const [{ id }, above, below] = [
        await session(ada),
        await token('above', 'admin', ada.id),
        await token('below', 'viewer', ada.id),
      ];
      const changed = await users.change(ada.id, { passwordHash: 'another', email: 'ada@example.com' });
      expect(changed).toMatchObject({ revoked: [], user: { email: 'ada@example.com', role: 'admin' } });
      expect(await sessions.get(id)).toBeUndefined();
      const lowered = await users.change(ada.id, { role: 'viewer' });
      expect(lowered.revoked).toEqual([{ id: above.id, name: 'above' }]);
      expect((await tokens.list({ limit: 10 })).map((each) => each.id)).toEqual([below.id]);
      await expect(users.change(newId(), { role: 'viewer' })).rejects.toMatchObject({
        code: 'user_not_found',
      });
    });

    test('take their sessions and tokens along, and change passwords only from the one that is', async () => {
      await user('Root', 'admin');
      const ada = await user('Ada');
      const [kept, other] = [await session(ada), await session(ada)];
      const change = { from: ada.passwordHash, to: 'new', keepSession: kept.id };
      expect(await users.replacePassword(ada.id, { ...change, from: 'wrong' })).toBe(false);
      expect(await users.replacePassword(ada.id, change)).toBe(true);
      expect(await sessions.get(kept.id)).toBeDefined();
      expect(await sessions.get(other.id)).toBeUndefined();
      const { id } = await token('mine', 'viewer', ada.id);
      expect((await users.delete(ada.id)).revoked).toEqual([{ id, name: 'mine' }]);
      expect(await sessions.get(kept.id)).toBeUndefined();
    });
  });

  describe('sessions', () => {
    test('are found by id and cookie with their user, and end with the password they began with', async () => {
      const ada = await user('Ada', 'admin');
      const { id, cookieHash } = await session(ada, 5_000);
      const expected = { id, userId: ada.id, username: 'Ada', role: 'admin', cookieUsed: 0, lastUsed: 5_000 };
      expect(await sessions.get(id)).toMatchObject(expected);
      await sessions.useCookie(id);
      expect(await sessions.findByCookie(cookieHash)).toMatchObject({ ...expected, cookieUsed: 1 });
      expect((await users.get(ada.id))?.lastLogin).toBe(5_000);
      await sessions.touch(id, { lastUsed: 4_000, expiresAt: 1 });
      await sessions.touch(id, { lastUsed: 6_000, expiresAt: 9_000 });
      expect(await sessions.get(id)).toMatchObject({ lastUsed: 6_000, expiresAt: 9_000 });
      expect((await session({ ...ada, passwordHash: 'another' })).gone).toBeUndefined();
      expect(await sessions.delete(id)).toBe(true);
      expect(await sessions.delete(id)).toBe(false);
    });

    test('of a user are never more than may be, also when many sign in at once', async () => {
      const ada = await user('Ada');
      const browser = await session(ada, 1_000, 3);
      await sessions.useCookie(browser.id);
      await Promise.all(Array.from({ length: 8 }, (_, index) => session(ada, 2_000 + index, 3)));
      const left = await database.db.selectFrom('sessions').select('id').execute();
      expect(left).toHaveLength(3);
      expect(left.map(({ id }) => id)).toContain(browser.id);
    });

    test('go on with one refresh token at a time: of many with the same one succeeds, and then all end', async () => {
      const ada = await user('Ada');
      const { id, refreshHash } = await session(ada);
      const turn = { from: refreshHash, now: 2_000, expiresAt: 1e12 };
      expect(await sessions.rotate({ ...turn, from: 'nothing', to: 'x' })).toEqual({ outcome: 'unknown' });
      const outcomes = await Promise.all(
        Array.from({ length: 5 }, (_, index) => sessions.rotate({ ...turn, to: `next ${index}` })),
      );
      expect(outcomes.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1);
      expect(outcomes.some(({ outcome }) => outcome === 'reused')).toBe(true);
      expect(await sessions.get(id)).toBeUndefined();
      expect(await database.db.selectFrom('refresh_tokens').selectAll().execute()).toEqual([]);
    });

    test('that have expired are pruned with old refresh tokens, the others stand', async () => {
      const ada = await user('Ada');
      const [old, current] = [await session(ada, 1_000, 10, 2_000), await session(ada)];
      const next = { from: current.refreshHash, to: 'next', now: 3_000, expiresAt: 1e12 };
      expect(await sessions.rotate(next)).toMatchObject({ outcome: 'rotated', session: { lastUsed: 3_000 } });
      expect(await sessions.rotate({ ...next, from: old.refreshHash, to: 'y' })).toEqual({
        outcome: 'unknown',
      });
      await sessions.prune(5_000, 4_000);
      expect((await sessions.standing([old.id, current.id])).map(({ id }) => id)).toEqual([current.id]);
      const hashes = await database.db.selectFrom('refresh_tokens').select('hash').execute();
      expect(hashes).toEqual([{ hash: 'next' }]);
      expect(await sessions.standing([])).toEqual([]);
    });
  });

  describe('API tokens', () => {
    test('name their maker, also of the token they were made with, until the maker is gone', async () => {
      const ada = await user('Ada');
      const first = await token('first', 'operator', ada.id);
      const second = await token('second', 'viewer', null, first.id);
      const third = await token('third', 'viewer', null);
      expect([first, second, third].map(({ createdBy }) => createdBy)).toEqual(['Ada', 'Ada', null]);
      expect(await tokens.findByHash('hash of second')).toEqual(second);
      await tokens.touch(third.id, 7_000);
      expect(await tokens.findByHash('hash of third')).toMatchObject({ lastUsed: 7_000 });
      const ids = [first.id, second.id, third.id].sort();
      expect((await tokens.list({ limit: 2 })).map(({ id }) => id)).toEqual(ids.slice(0, 2));
      expect((await tokens.list({ limit: 5, after: ids[1]! })).map(({ id }) => id)).toEqual([ids[2]]);
      expect(await tokens.delete(second.id)).toEqual(second);
      expect(await tokens.delete(second.id)).toBeUndefined();
      expect((await tokens.standing(ids)).map(({ id }) => id).sort()).toEqual([first.id, third.id].sort());
    });
  });

  describe('the audit trail', () => {
    const entry = (
      at: number,
      actor: string | null,
      action: 'signed_in' | 'stream_created' = 'signed_in',
    ) => ({
      at,
      action,
      actor,
      actorRole: null,
      subject: null,
      detail: null,
      address: '192.0.2.7',
    });

    test('is listed newest first, in pages, by actor, action and time', async () => {
      await audit.add([]);
      await audit.add([entry(1_000, 'ada'), entry(1_000, 'Ada'), entry(1_000, null)]);
      await audit.add([entry(2_000, 'ada', 'stream_created'), entry(3_000, 'ada')]);
      const all = await audit.list({ limit: 10 });
      expect(all.map(({ actor }) => actor)).toEqual(['ada', 'ada', null, 'Ada', 'ada']);
      expect(all[0]!.timestamp).toBe('1970-01-01T00:00:03.000Z');
      expect(await audit.list({ limit: 2, after: all[1]!.id })).toEqual(all.slice(2, 4));
      const times = async (filter: object) =>
        (await audit.list({ limit: 10, ...filter })).map(({ timestamp }) => Date.parse(timestamp));
      expect(await times({ actor: 'ada' })).toEqual([3_000, 2_000, 1_000]);
      expect(await times({ actor: 'ada', action: 'signed_in', since: 1_000, until: 3_000 })).toEqual([1_000]);
      expect(await times({ actor: 'a\0da' })).toEqual([]);
    });

    test('loses what is too old, then what there is too much of, the lesser first', async () => {
      await audit.add(
        [1, 2, 3, 4, 5, 6].map((at) => entry(at, 'ada', at % 2 ? 'signed_in' : 'stream_created')),
      );
      const limits = { before: 3, most: 2, first: ['signed_in'], limit: 100 } as const;
      expect(await audit.prune(limits)).toBe(4);
      const left = await audit.list({ limit: 10 });
      expect(left.map(({ timestamp }) => Date.parse(timestamp))).toEqual([6, 4]);
      expect(await audit.prune(limits)).toBe(0);
    });
  });
});
