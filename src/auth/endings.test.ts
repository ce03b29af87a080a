// What ends, ends at once: sign-outs, roles, passwords, users, tokens, expiry.
// What is recorded of it is in audit.test.ts.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, type Mock, test, vi } from 'vitest';
import type { Identity, Role } from '../base/identity.ts';
import { openDatabase } from '../db/database.ts';
import { SessionRepository } from '../db/sessions.ts';
import { UserRepository } from '../db/users.ts';
import { ScriptedClock } from '../detect/testing.ts';
import { sessionMs } from './sessions.ts';
import { addUser, here, nothing, refusalOf, startWorld } from './testing.ts';

const dayMs = 24 * 60 * 60_000;

test('sockets end with a sign-out, a new role, a new password, a deleted user and a deleted token', async () => {
  await using world = await startWorld();
  const { accounts, authenticator } = world;
  const admin = await world.setUp();
  const by = admin.identity;
  const followed = (identity: Identity) => {
    const onEnd = vi.fn();
    authenticator.follow(identity, onEnd);
    return onEnd;
  };
  const untouched = followed(by);

  const out = await addUser(world, by, 'out', 'viewer');
  const elsewhere = await accounts.login({ username: 'out', password: 'correct horse' }, here);
  const [ended, stays] = [followed(out.identity), followed(elsewhere.identity)];
  await accounts.logout(out.identity, here);
  expect([ended.mock.calls.length, stays.mock.calls.length]).toEqual([1, 0]);
  expect(await authenticator.identify({ ...nothing, cookie: out.cookie })).toBeNull();
  expect(await refusalOf(authenticator.identify({ ...nothing, bearer: out.access }))).toBe(
    '401 invalid_token',
  );
  expect(await refusalOf(accounts.refresh(out.refresh, here))).toBe('401 invalid_token');

  const changes = { role: { role: 'operator' }, password: { password: 'another horse' } } as const;
  for (const [name, change] of Object.entries(changes)) {
    const { identity, cookie, user } = await addUser(world, by, name, 'viewer');
    const onEnd = followed(identity);
    await accounts.changeUser(user.id, { email: 'a@b.example' }, by, here);
    await accounts.changeUser(user.id, { role: 'viewer' }, by, here);
    expect(onEnd).not.toHaveBeenCalled();
    await accounts.changeUser(user.id, change, by, here);
    expect(onEnd).toHaveBeenCalledOnce();
    expect(await authenticator.identify({ ...nothing, cookie })).toBeNull();
  }

  const gone = await addUser(world, by, 'gone', 'viewer');
  const onGone = followed(gone.identity);
  await accounts.deleteUser(gone.user.id, by, here);
  expect(onGone).toHaveBeenCalledOnce();
  expect(await authenticator.identify({ ...nothing, cookie: gone.cookie })).toBeNull();

  const { token, secret } = await accounts.createToken(
    { name: 'nvr', role: 'viewer', expiresAt: null },
    by,
    here,
  );
  const machine = await authenticator.identify({ ...nothing, bearer: secret });
  const onRevoked = followed(machine!);
  await accounts.deleteToken(token.id, by, here);
  expect(onRevoked).toHaveBeenCalledOnce();
  expect(await refusalOf(authenticator.identify({ ...nothing, bearer: secret }))).toBe('401 invalid_token');
  expect(untouched).not.toHaveBeenCalled();
});

test('an admin who is demoted or deleted loses the API tokens of his making, also those made with one of them', async () => {
  await using world = await startWorld();
  const { accounts, authenticator } = world;
  const by = (await world.setUp()).identity;
  const maker = await addUser(world, by, 'maker', 'admin');
  const make = async (name: string, role: Role, creator: Identity) => {
    const made = await accounts.createToken({ name, role, expiresAt: null }, creator, here);
    const identity = (await authenticator.identify({ ...nothing, bearer: made.secret }))!;
    const onEnd = vi.fn();
    authenticator.follow(identity, onEnd);
    const bearer = { ...nothing, bearer: made.secret };
    return { identity, onEnd, stands: () => authenticator.identify(bearer).then(Boolean, () => false) };
  };
  const first = await make('first', 'admin', maker.identity);
  const tokens = [
    first,
    await make('second', 'admin', first.identity),
    await make('third', 'operator', maker.identity),
    await make('fourth', 'viewer', first.identity),
    await make('of another', 'admin', by),
  ];
  const standing = () => Promise.all(tokens.map(({ stands }) => stands()));
  await accounts.changeUser(maker.user.id, { email: 'a@b.example' }, by, here);
  expect(await standing()).toEqual([true, true, true, true, true]);
  await accounts.changeUser(maker.user.id, { role: 'operator' }, by, here);
  expect(await standing()).toEqual([false, false, true, true, true]);
  await accounts.deleteUser(maker.user.id, by, here);
  expect(await standing()).toEqual([false, false, false, false, true]);
  expect(tokens.map(({ onEnd }) => onEnd.mock.calls.length)).toEqual([1, 1, 1, 1, 0]);
  const revoked = await world.audit.list({ limit: 10, action: 'api_token_deleted' });
  expect(revoked.map(({ subject, detail }) => `${subject}: ${detail}`).sort()).toEqual([
    'first: its maker maker is now operator',
    'fourth: its maker maker was deleted',
    'second: its maker maker is now operator',
    'third: its maker maker was deleted',
  ]);
});

test('changing one’s own password ends every other session, and needs the current one', async () => {
  await using world = await startWorld();
  const { accounts, authenticator } = world;
  const mine = await world.setUp();
  const other = await accounts.login({ username: 'root', password: 'correct horse' }, here);
  const [onMine, onOther] = [vi.fn(), vi.fn()];
  authenticator.follow(mine.identity, onMine);
  authenticator.follow(other.identity, onOther);
  const change = (current: string, password: string) =>
    refusalOf(accounts.changeOwnPassword(mine.identity, { current, password }, here));
  expect(await change('wrong horse', 'another horse')).toBe('401 wrong_credentials');
  expect(await change('correct horse', 'short')).toBe('400 invalid_request');
  expect(onOther).not.toHaveBeenCalled();
  expect(await change('correct horse', 'another horse')).toBe('no refusal');
  expect([onMine.mock.calls.length, onOther.mock.calls.length]).toEqual([0, 1]);
  expect(await authenticator.identify({ ...nothing, cookie: mine.cookie })).not.toBeNull();
  expect(await authenticator.identify({ ...nothing, cookie: other.cookie })).toBeNull();
  for (let index = 0; index < 10; index++) await change('wrong horse', 'another horse');
  expect(await change('another horse', 'correct horse')).toBe('429 too_many_attempts');
});

test('whoever stops following is told nothing', async () => {
  await using world = await startWorld();
  const { identity } = await world.setUp();
  const onEnd = vi.fn();
  const stop = world.authenticator.follow(identity, onEnd);
  stop();
  stop();
  await world.accounts.logout(identity, here);
  expect(onEnd).not.toHaveBeenCalled();
});

test('a sign-in that ended before it was followed is told within 1 s', async () => {
  const clock = new ScriptedClock();
  await using world = await startWorld({}, clock);
  const { identity } = await world.setUp();
  await world.accounts.logout(identity, here);
  const onEnd = vi.fn();
  world.authenticator.follow(identity, onEnd);
  await clock.advance(1_000);
  expect(onEnd).toHaveBeenCalledOnce();
});

test('what another process changes ends sockets within 10 s, others stay', async () => {
  const clock = new ScriptedClock();
  await using world = await startWorld({}, clock);
  const { identity } = await world.setUp();
  const names = ['signed-out', 'demoted', 'new-password', 'stays'];
  const ends = new Map<string, Mock<() => void>>();
  const users = new Map<string, Identity>();
  for (const name of names) {
    const added = await addUser(world, identity, name, 'operator');
    users.set(name, added.identity);
    ends.set(name, vi.fn<() => void>());
    world.authenticator.follow(added.identity, ends.get(name)!);
  }
  await clock.advance(20_000);
  expect([...ends.values()].map((end) => end.mock.calls.length)).toEqual([0, 0, 0, 0]);
  const other = await openDatabase(world.path);
  await new SessionRepository(other.db).delete(users.get('signed-out')!.sessionId!);
  await new UserRepository(other.db).change(users.get('demoted')!.userId!, { role: 'viewer' });
  await new UserRepository(other.db).change(users.get('new-password')!.userId!, { passwordHash: 'x' });
  await other.close();
  await clock.advance(10_000);
  expect([...ends.values()].map((end) => end.mock.calls.length)).toEqual([1, 1, 1, 0]);
});

test('an API token works until it expires, and its sockets end then', async () => {
  const clock = new ScriptedClock();
  await using world = await startWorld({}, clock);
  const { identity } = await world.setUp();
  const make = (expiresAt: number) =>
    world.accounts.createToken({ name: 'nvr', role: 'operator', expiresAt }, identity, here);
  expect(await refusalOf(make(clock.wallTime()))).toBe('400 invalid_request');
  const { secret, token } = await make(clock.wallTime() + 3_600_000);
  expect(secret).toMatch(/^rsv_[\w-]{43}$/);
  expect(token).toMatchObject({ name: 'nvr', role: 'operator', last_used: null, created_by: 'root' });
  const identify = () => world.authenticator.identify({ ...nothing, bearer: secret });
  const machine = await identify();
  expect(machine).toEqual({
    kind: 'api_token',
    userId: null,
    name: 'nvr',
    role: 'operator',
    sessionId: token.id,
  });
  const onEnd = vi.fn();
  world.authenticator.follow(machine!, onEnd);
  await clock.advance(3_599_000);
  expect(onEnd).not.toHaveBeenCalled();
  const lastUse = clock.wallTime();
  await identify();
  await clock.advance(1_900);
  expect(onEnd).toHaveBeenCalledOnce();
  expect(await refusalOf(identify())).toBe('401 invalid_token');
  const [listed] = await world.accounts.listTokens({ limit: 10 });
  expect(listed).toEqual({ ...token, last_used: new Date(lastUse).toISOString() });
  expect(await refusalOf(world.accounts.logout(machine!, here))).toBe('400 not_a_session');
  expect(await refusalOf(world.accounts.deleteToken('none', identity, here))).toBe('404 token_not_found');
});

test('a session lasts while it is used, open sockets included, and 30 days after', async () => {
  const clock = new ScriptedClock();
  await using world = await startWorld({}, clock);
  const { cookie, identity } = await world.setUp();
  const identify = () => world.authenticator.identify({ ...nothing, cookie });
  for (let day = 0; day < 40; day += 20) {
    clock.jumpWall(20 * dayMs);
    expect(await identify()).not.toBeNull();
    await world.database.check();
  }
  const onEnd = vi.fn();
  const stop = world.authenticator.follow(identity, onEnd);
  clock.jumpWall(20 * dayMs);
  await clock.advance(10_000);
  stop();
  clock.jumpWall(sessionMs - 60_000);
  expect(await identify()).not.toBeNull();
  await world.database.check();
  clock.jumpWall(sessionMs);
  expect(await identify()).toBeNull();
  expect(onEnd).not.toHaveBeenCalled();
  // A clock that far ahead has to be right for a day before what has expired goes for good.
  await clock.advance(26 * 60 * 60_000);
  expect(await world.database.db.selectFrom('sessions').select('id').execute()).toEqual([]);
});

test('a program that signs in for each request keeps a bounded number of sessions', async () => {
  await using world = await startWorld();
  const first = await world.setUp();
  const onEnd = vi.fn();
  world.authenticator.follow(first.identity, onEnd);
  const login = () => world.accounts.login({ username: 'root', password: 'correct horse' }, here);
  // Sign-ins of one millisecond are in no order; the first is the oldest for certain.
  await sleep(5);
  for (let index = 0; index < 110; index++) await login();
  expect(await world.database.db.selectFrom('sessions').select('id').execute()).toHaveLength(100);
  expect(onEnd).toHaveBeenCalledOnce();
});

test('a program that signs in again and again ends its own sessions, not that of its user’s browser', async () => {
  await using world = await startWorld();
  const browser = await world.setUp();
  const identify = () => world.authenticator.identify({ ...nothing, cookie: browser.cookie });
  expect(await identify()).not.toBeNull();
  // That the cookie was presented is written by the way.
  await vi.waitFor(async () => {
    const used = world.database.db.selectFrom('sessions').select('id').where('cookie_used', '=', 1);
    expect(await used.execute()).toHaveLength(1);
  });
  await sleep(5);
  for (let index = 0; index < 110; index++)
    await world.accounts.login({ username: 'root', password: 'correct horse' }, here);
  expect(await identify()).not.toBeNull();
  expect(await world.database.db.selectFrom('sessions').select('id').execute()).toHaveLength(100);
});

test('the last admin cannot be deleted or demoted, also by two at once', async () => {
  await using world = await startWorld();
  const { accounts } = world;
  const { user, identity } = await world.setUp().then((done) => ({ ...done, user: done.identity.userId! }));
  const demote = (id: string) => refusalOf(accounts.changeUser(id, { role: 'viewer' }, identity, here));
  const remove = (id: string) => refusalOf(accounts.deleteUser(id, identity, here));
  expect(await demote(user)).toBe('409 last_admin');
  expect(await remove(user)).toBe('409 last_admin');
  const second = (await addUser(world, identity, 'second', 'admin')).user.id;
  const outcomes = await Promise.all([demote(user), remove(second)]);
  expect(outcomes.sort()).toEqual(['409 last_admin', 'no refusal']);
  const admins = (await accounts.listUsers({ limit: 10 })).filter(({ role }) => role === 'admin');
  expect(admins).toHaveLength(1);
  expect(await demote('nobody')).toBe('404 user_not_found');
  expect(await remove('nobody')).toBe('404 user_not_found');
});

test('a viewer adds nobody, and an admin stays who it is when it adds one', async () => {
  await using world = await startWorld();
  const admin = await world.setUp();
  const added = await addUser(world, admin.identity, 'viewer', 'viewer');
  expect(added.identity).toMatchObject({ name: 'viewer', role: 'viewer', userId: added.user.id });
  expect(await world.accounts.user(added.identity)).toEqual(
    expect.objectContaining({ id: added.user.id, username: 'viewer', email: null, role: 'viewer' }),
  );
  expect(await world.authenticator.identify({ ...nothing, cookie: admin.cookie })).toMatchObject({
    name: 'root',
  });
  expect(await refusalOf(addUser(world, added.identity, 'more', 'admin'))).toBe('403 forbidden');
  const page = await world.accounts.listUsers({ limit: 1 });
  expect(await world.accounts.listUsers({ limit: 5, after: page[0]!.id })).toMatchObject([
    { username: 'viewer' },
  ]);
  expect(JSON.stringify(await world.accounts.listUsers({ limit: 5 }))).not.toContain('scrypt');
});
