// Signing in, renewing and registering on a real database: who gets in, who does not, and what it costs to guess.

import { expect, test, vi } from 'vitest';
import type { Origin } from '../base/accounts.ts';
import { everyone } from '../base/identity.ts';
import { UserRepository } from '../db/users.ts';
import { failuresAllowed } from './limits.ts';
import { here, nothing, refusalOf, secretKey, startWorld } from './testing.ts';

const root = { username: 'root', password: 'correct horse' };

test('who signs in is known by cookie, by access token and by nothing else', async () => {
  await using world = await startWorld();
  await world.setUp();
  const { authenticator } = world;
  const signedIn = await world.accounts.login(root, here);
  const { userId, sessionId } = signedIn.identity;
  const known = { userId, name: 'root', role: 'admin', sessionId };
  expect(await authenticator.identify({ ...nothing, bearer: signedIn.access })).toEqual({
    kind: 'access',
    ...known,
  });
  expect(await authenticator.identify({ ...nothing, query: signedIn.access })).toEqual({
    kind: 'access',
    ...known,
  });
  expect(await authenticator.identify({ ...nothing, cookie: signedIn.cookie })).toEqual({
    kind: 'cookie',
    ...known,
  });
  expect(await authenticator.identify(nothing)).toBeNull();
  expect(await authenticator.identify({ ...nothing, cookie: 'wrong' })).toBeNull();
  // A header that is wrong is not made good by the cookie beside it.
  const wrong = { bearer: 'wrong', query: signedIn.access, cookie: signedIn.cookie };
  expect(await refusalOf(authenticator.identify(wrong))).toBe('401 invalid_token');
  expect(signedIn.cookieMaxAge).toBe(30 * 24 * 60 * 60);
});

test('names are the same in upper and lower case, passwords in every normal form of Unicode', async () => {
  await using world = await startWorld();
  const admin = await world.setUp();
  await world.accounts.register({ username: 'Zoë', password: 'pässwörter' }, admin.identity, here);
  const login = { username: 'ZOE\u0308', password: 'pa\u0308sswo\u0308rter' };
  expect((await world.accounts.login(login, here)).identity).toMatchObject({ name: 'Zoë', role: 'viewer' });
  const again = { username: 'zoë', password: 'something else' };
  expect(await refusalOf(world.accounts.register(again, admin.identity, here))).toBe('409 username_taken');
});

test('names and passwords that cannot be are refused with what is wrong about them', async () => {
  await using world = await startWorld();
  const { identity } = await world.setUp();
  const tryIt = async (username: string, password: string) => {
    try {
      await world.accounts.register({ username, password }, identity, here);
    } catch (error) {
      return (error as { issues?: { path: string }[] }).issues?.map(({ path }) => path);
    }
    return [];
  };
  for (const name of ['', 'a b', 'a/b', 'a\u0000', 'a'.repeat(65), '<b>', 'a\n', "a'--", 'a"b'])
    expect(await tryIt(name, 'correct horse'), JSON.stringify(name)).toEqual(['username']);
  for (const password of ['', 'sevench', 'x'.repeat(257), 'x'.repeat(100_000), 'LongName'])
    expect(await tryIt('longname', password), password.slice(0, 20)).toEqual(['password']);
  expect(await tryIt('x x', 'short')).toEqual(['username', 'password']);
  for (const name of ['__proto__', 'constructor', 'toString', 'a@b.example', 'ü-1_.', 'a'.repeat(64)])
    expect(await tryIt(name, 'correct horse'), name).toEqual([]);
  for (const username of ['__proto__', 'constructor'])
    expect((await world.accounts.login({ username, password: 'correct horse' }, here)).identity.role).toBe(
      'viewer',
    );
});

test('an unknown user costs one hash, as a wrong password does, and gets the same answer', async () => {
  await using world = await startWorld();
  await world.setUp();
  const attempt = async (username: string, password = 'wrong horse') => {
    const before = world.auth.passwordHashes();
    const error = await world.accounts.login({ username, password }, here).catch((thrown: unknown) => thrown);
    return { error: String(error), hashes: world.auth.passwordHashes() - before };
  };
  const known = await attempt('root');
  expect(known.hashes).toBe(1);
  for (const other of ['nobody', 'no such name possible', '']) expect(await attempt(other)).toEqual(known);
  expect(await attempt('root', 'x'.repeat(100_000))).toEqual(known);
});

test('10,000 wrong logins are refused early and hash only a bounded number of times', async () => {
  await using world = await startWorld();
  await world.setUp();
  const before = world.auth.passwordHashes();
  const outcomes = new Map<string, number>();
  for (let batch = 0; batch < 100; batch++) {
    const refusals = Array.from({ length: 100 }, () =>
      refusalOf(world.accounts.login({ username: 'root', password: 'wrong horse' }, here)),
    );
    for (const each of await Promise.all(refusals)) outcomes.set(each, (outcomes.get(each) ?? 0) + 1);
  }
  expect(world.auth.passwordHashes() - before).toBe(failuresAllowed.address);
  expect(outcomes.get('401 wrong_credentials')).toBe(failuresAllowed.address);
  const limited = outcomes.get('429 too_many_attempts') ?? 0;
  expect(limited + (outcomes.get('503 sign_in_busy') ?? 0)).toBe(10_000 - failuresAllowed.address);
  expect(limited).toBeGreaterThan(9_000);
  const error = await world.accounts.login(root, here).catch((thrown) => thrown);
  expect(error).toMatchObject({ status: 429, retryAfter: expect.any(Number) });
  expect(error.message).toContain(`${error.retryAfter} second`);
  // Another address may still sign in to the account, and whoever is signed in notices nothing.
  const elsewhere = await world.accounts.login(root, { ...here, address: '198.51.100.4' });
  expect(await world.authenticator.identify({ ...nothing, cookie: elsewhere.cookie })).not.toBeNull();
});

test('a guesser with many addresses is stopped at the account, in IPv6 at its network', async () => {
  await using world = await startWorld();
  await world.setUp();
  const wrong = (username: string, address: string) =>
    refusalOf(world.accounts.login({ username, password: 'wrong horse' }, { address, agent: null }));
  for (let index = 0; index < failuresAllowed.account; index++)
    expect(await wrong('root', `198.51.100.${index}`)).toBe('401 wrong_credentials');
  expect(await wrong('ROOT', '203.0.113.1')).toBe('429 too_many_attempts');
  for (let index = 0; index < failuresAllowed.address; index++)
    expect(await wrong(`user${index}`, `2001:db8::${index.toString(16)}`)).toBe('401 wrong_credentials');
  expect(await wrong('other', '2001:db8::ffff:1')).toBe('429 too_many_attempts');
  expect(await wrong('other', '2001:db8:0:1::1')).toBe('401 wrong_credentials');
});

test('guessers with many addresses keep nobody out who signed in from the same address before', async () => {
  await using world = await startWorld();
  await world.setUp();
  const home = { address: '192.0.2.7', agent: null };
  const attempt = (password: string, from: Origin) =>
    world.accounts.login({ username: 'Root', password }, from).then(() => 'in', String);
  expect(await attempt(root.password, home)).toBe('in');
  for (let index = 0; index < failuresAllowed.account; index++)
    await attempt('wrong horse', { address: `198.51.100.${index}`, agent: null });
  expect(await attempt(root.password, { address: '192.0.2.8', agent: null })).toContain('to this account');
  expect(await attempt(root.password, home)).toBe('in');
  // Known or not, an address has no more guesses than others.
  for (let index = 0; index < failuresAllowed.address; index++)
    expect(await attempt('wrong horse', home)).toContain('is wrong');
  expect(await attempt(root.password, home)).toContain('from this address');
});

test('only failures count: signing in rightly is never refused', async () => {
  await using world = await startWorld();
  await world.setUp();
  for (let index = 0; index < failuresAllowed.account + 10; index++) await world.accounts.login(root, here);
});

test('a password hashed with older parameters is verified, and hashed anew at the sign-in', async () => {
  await using world = await startWorld();
  const { identity } = await world.setUp();
  const stored = () =>
    world.database.db
      .selectFrom('users')
      .select('password_hash')
      .where('id', '=', identity.userId!)
      .executeTakeFirst();
  expect((await stored())?.password_hash).toContain('$scrypt$ln=4,r=1,p=1$');
  const later = await world.restart({ passwordCost: { logN: 5, r: 2, p: 1 } });
  const { cookie } = await later.accounts.login(root, here);
  expect((await stored())?.password_hash).toContain('$scrypt$ln=5,r=2,p=1$');
  expect(await later.authenticator.identify({ ...nothing, cookie })).not.toBeNull();
  await later.accounts.login(root, here);
});

test('a refresh token works once; its second use ends the session with everything it gave', async () => {
  await using world = await startWorld();
  const first = await world.setUp();
  const { accounts, authenticator } = world;
  const second = await accounts.refresh(first.refresh, here);
  expect(second.refresh).not.toBe(first.refresh);
  expect(second.identity.sessionId).toBe(first.identity.sessionId);
  // Requests of a browser that are under way keep their cookie.
  expect(second.cookie).toBe(first.cookie);
  const third = await accounts.refresh(second.refresh, here);
  const onEnd = vi.fn();
  authenticator.follow(third.identity, onEnd);
  expect(await refusalOf(accounts.refresh(first.refresh, here))).toBe('401 invalid_token');
  expect(onEnd).toHaveBeenCalledOnce();
  expect(await refusalOf(accounts.refresh(third.refresh, here))).toBe('401 invalid_token');
  expect(await refusalOf(authenticator.identify({ ...nothing, bearer: third.access }))).toBe(
    '401 invalid_token',
  );
  expect(await authenticator.identify({ ...nothing, cookie: third.cookie })).toBeNull();
  const [reuse] = await world.audit.list({ limit: 1 });
  expect(reuse).toMatchObject({
    action: 'token_reused',
    subject: 'root',
    actor: null,
    address: here.address,
  });
  for (const wrong of ['', 'rsr_', `rsr_${'x'.repeat(43)}`, third.access, 'x'.repeat(100_000)])
    expect(await refusalOf(accounts.refresh(wrong, here))).toBe('401 invalid_token');
});

test('of many who refresh with the same token at once, exactly one succeeds', async () => {
  await using world = await startWorld();
  const { refresh } = await world.setUp();
  const all = await Promise.all(
    Array.from({ length: 20 }, () => refusalOf(world.accounts.refresh(refresh, here))),
  );
  expect(all.filter((each) => each === 'no refusal')).toHaveLength(1);
  expect(all.filter((each) => each === '401 invalid_token')).toHaveLength(19);
});

test('after a change of SECRET_KEY with a fallback, everyone stays signed in', async () => {
  await using world = await startWorld();
  const { access, cookie, refresh } = await world.setUp();
  const later = await world.restart({ secretKey: 'the next secret of tests', fallbacks: [secretKey] });
  const identify = (some: object) => later.authenticator.identify({ ...nothing, ...some });
  expect(await identify({ bearer: access })).not.toBeNull();
  expect(await identify({ cookie })).not.toBeNull();
  const renewed = await later.accounts.refresh(refresh, here);
  expect(await identify({ bearer: renewed.access })).not.toBeNull();
  expect(await identify({ cookie: renewed.cookie })).not.toBeNull();
});

test('the set-up link makes one admin, even when it is used twice at once, and is dead then', async () => {
  await using world = await startWorld();
  const { accounts, auth } = world;
  expect(await accounts.needsSetup()).toBe(true);
  const setupToken = auth.setupLinkSecret()!;
  expect((await world.restart()).setupLinkSecret()).not.toBe(setupToken);
  const some = (username: string, token?: string) =>
    accounts.register({ username, password: 'correct horse', role: 'viewer', setupToken: token }, null, here);
  expect(await refusalOf(some('eve'))).toBe('403 setup_required');
  expect(await refusalOf(some('eve', 'wrong'))).toBe('403 setup_required');
  expect(await refusalOf(some('not a name', setupToken))).toBe('400 invalid_request');
  const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((name) => refusalOf(some(name, setupToken))));
  expect(outcomes.sort()).toEqual(['403 forbidden', '403 forbidden', '403 forbidden', 'no refusal']);
  expect(await accounts.listUsers({ limit: 10 })).toMatchObject([{ role: 'admin' }]);
  expect(auth.setupLinkSecret()).toBeNull();
  expect(await accounts.needsSetup()).toBe(false);
  expect(await refusalOf(some('eve', setupToken))).toBe('403 forbidden');
  expect((await world.restart()).setupLinkSecret()).toBeNull();
});

test('strangers cost no query once there is a user, also one made by another process', async () => {
  await using world = await startWorld();
  const users = new UserRepository(world.database.db);
  const any = vi.spyOn(users, 'any');
  const { accounts } = await world.restart({ users });
  expect(await accounts.needsSetup()).toBe(true);
  await world.setUp();
  expect(await accounts.needsSetup()).toBe(false);
  any.mockClear();
  for (let index = 0; index < 10; index++) expect(await accounts.needsSetup()).toBe(false);
  expect(any).not.toHaveBeenCalled();
});

test('the secret of the set-up link cannot be guessed on and on', async () => {
  await using world = await startWorld();
  const guess = (origin: Origin) =>
    refusalOf(
      world.accounts.register({ username: 'eve', password: 'correct horse', setupToken: 'x' }, null, origin),
    );
  for (let index = 0; index < failuresAllowed.token; index++)
    expect(await guess(here)).toBe('403 setup_required');
  expect(await guess(here)).toBe('429 too_many_attempts');
  expect(world.auth.passwordHashes()).toBe(0);
});

test('ADMIN_USERNAME and ADMIN_PASSWORD make the first admin, and nothing once there is a user', async () => {
  await using world = await startWorld({ firstAdmin: { username: 'boss', password: 'correct horse' } });
  expect(world.auth.setupLinkSecret()).toBeNull();
  const login = { username: 'boss', password: 'correct horse' };
  expect((await world.accounts.login(login, here)).identity.role).toBe('admin');
  const later = await world.restart({ firstAdmin: { username: 'boss', password: 'another horse' } });
  await later.accounts.login(login, here);
  expect(await later.accounts.listUsers({ limit: 10 })).toHaveLength(1);
});

test('an ADMIN_PASSWORD that is too short stops the start with one line', async () => {
  const start = startWorld({ firstAdmin: { username: 'boss', password: 'short' } });
  await expect(start).rejects.toThrow(/^ADMIN_PASSWORD must have 8 to 256 characters\.$/);
});

test('with sign-in switched off everyone is admin, whatever is presented', async () => {
  await using world = await startWorld({ mode: 'off' });
  for (const some of [{}, { bearer: 'wrong' }, { query: 'wrong' }, { cookie: 'wrong' }])
    expect(await world.authenticator.identify({ ...nothing, ...some })).toBe(everyone);
  expect(await world.accounts.needsSetup()).toBe(false);
  expect(await world.accounts.user(everyone)).toBeNull();
  await world.accounts.logout(everyone, here);
  // Nobody could manage the service later, if the first user were no admin.
  const { user } = await world.accounts.register({ ...root, role: 'viewer' }, everyone, here);
  expect(user.role).toBe('admin');
});
