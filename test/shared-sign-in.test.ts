// Sign-in of several instances over one database: what one of them does counts at the others.
// What they share over Redis beside it is in shared-limits.test.ts; how one of them does it is tested beside src/auth.

import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Auth } from '../src/auth/auth.ts';
import { here, nothing, refusalOf } from '../src/auth/testing.ts';
import type { Identity } from '../src/base/identity.ts';
import { BroadcastHub } from '../src/base/testing.ts';
import { openDatabase } from '../src/db/database.ts';
import { ScriptedClock } from '../src/detect/testing.ts';
import { skipsWithout } from './support/components.ts';
import { type PostgresServer, startPostgres } from './support/postgres-server.ts';
import { type Open, password, setUp, several, sqlite } from './support/sign-in-instances.ts';

function follow({ authenticator }: Auth, identity: Identity) {
  const onEnd = vi.fn();
  authenticator.follow(identity, onEnd);
  return onEnd;
}

/** @param create makes a database of the test's own; the function it gives opens it for one more instance. */
function overOneDatabase(create: () => Promise<Open>): void {
  test('what ends on one instance closes its sockets on another within a second, and no others', async () => {
    const [open, hub, clock] = [await create(), new BroadcastHub(), new ScriptedClock()];
    const changes = [{ others: hub.join() }, { others: hub.join() }];
    const [one, two] = (await several(open, changes, clock)) as [Auth, Auth];
    const admin = await setUp(one);
    const by = admin.identity;
    const add = (username: string) =>
      one.accounts.register({ username, password, role: 'operator' }, by, here);
    const [out, demoted, reset] = [await add('out'), await add('demoted'), await add('reset')];
    const [own, gone] = [await add('own'), await add('gone')];
    const again = await two.accounts.login({ username: 'own', password }, here);
    const { token, secret } = await two.accounts.createToken(
      { name: 'nvr', role: 'viewer', expiresAt: null },
      by,
      here,
    );
    const machine = await two.authenticator.identify({ ...nothing, bearer: secret });
    const ended = [out, demoted, reset, own, gone].map(({ identity }) => follow(two, identity));
    ended.push(follow(two, machine!));
    const stay = [by, again.identity].map((identity) => follow(two, identity));
    await clock.advance(1_000);

    await one.accounts.logout(out.identity, here);
    await one.accounts.changeUser(demoted.user.id, { role: 'viewer' }, by, here);
    await one.accounts.changeUser(reset.user.id, { password: 'another horse' }, by, here);
    const change = { current: password, password: 'another horse' };
    await one.accounts.changeOwnPassword(again.identity, change, here);
    await one.accounts.deleteUser(gone.user.id, by, here);
    await one.accounts.deleteToken(token.id, by, here);
    // Less than until the next look at all that is followed.
    await clock.advance(1_000);
    await vi.waitFor(() => expect(ended.map((onEnd) => onEnd.mock.calls.length)).toEqual([1, 1, 1, 1, 1, 1]));
    expect(stay.map((onEnd) => onEnd.mock.calls.length)).toEqual([0, 0]);
  });

  test('a word that comes late ends nothing that has begun since', async () => {
    const [open, hub, clock] = [await create(), new BroadcastHub(), new ScriptedClock()];
    const [one] = (await several(open, [{ others: hub.join() }], clock)) as [Auth];
    const { identity } = await setUp(one);
    const onEnd = follow(one, identity);
    const other = hub.join();
    for (const word of [{ user: identity.userId }, { session: identity.sessionId }, { more: 1 }, [], {}])
      other.publishLasting('sign-in.ended', word);
    await clock.advance(2_000);
    expect(onEnd).not.toHaveBeenCalled();
  });

  test('cookies, tokens and refresh tokens of one instance are good at every other', async () => {
    const open = await create();
    const [one, two] = (await several(open, [{}, {}])) as [Auth, Auth];
    const { access, cookie, refresh } = await setUp(one);
    const named = expect.objectContaining({ name: 'root' });
    expect(await two.authenticator.identify({ ...nothing, bearer: access })).toEqual(named);
    expect(await two.authenticator.identify({ ...nothing, cookie })).toEqual(named);
    const renewed = await two.accounts.refresh(refresh, here);
    expect(renewed.cookie).toBe(cookie);
    expect(await one.authenticator.identify({ ...nothing, bearer: renewed.access })).toEqual(named);
    const next = await one.accounts.refresh(renewed.refresh, here);
    expect(await two.authenticator.identify({ ...nothing, bearer: next.access })).toEqual(named);
    await two.accounts.logout(next.identity, here);
    expect(await one.authenticator.identify({ ...nothing, cookie })).toBeNull();
  });

  test('of one refresh token used at two instances at once one is renewed, and the session ends', async () => {
    const [open, hub] = [await create(), new BroadcastHub()];
    const [one, two] = (await several(open, [{ others: hub.join() }, { others: hub.join() }])) as [
      Auth,
      Auth,
    ];
    const first = await setUp(one);
    for (let round = 0; round < 5; round++) {
      const { identity, refresh, cookie } =
        round === 0 ? first : await two.accounts.login({ username: 'root', password }, here);
      const ends = [follow(one, identity), follow(two, identity)];
      const outcomes = await Promise.all(
        [one, two, one, two].map(({ accounts }) => refusalOf(accounts.refresh(refresh, here))),
      );
      expect(outcomes.sort()).toEqual([...Array(3).fill('401 invalid_token'), 'no refusal']);
      await vi.waitFor(() => expect(ends.map((onEnd) => onEnd.mock.calls.length)).toEqual([1, 1]), 5_000);
      expect(await one.authenticator.identify({ ...nothing, cookie })).toBeNull();
    }
    await Promise.all([one, two].map(({ audit }) => audit.list({ limit: 1 })));
    const reused = await one.audit.list({ limit: 20, action: 'token_reused' });
    expect(reused).toHaveLength(5);
  });

  test('a session in use at several instances is renewed by each, and the latest use stays', async () => {
    const [open, clock] = [await create(), new ScriptedClock()];
    const [one, two] = (await several(open, [{}, {}], clock)) as [Auth, Auth];
    const { cookie } = await setUp(one);
    const database = await open();
    onTestFinished(() => database.close());
    const sessions = database.db.selectFrom('sessions').select('last_used');
    for (let day = 0; day < 60; day += 20) {
      clock.jumpWall(20 * 24 * 60 * 60_000);
      const used = await Promise.all(
        [one, two, one, two].map((each) => each.authenticator.identify({ ...nothing, cookie })),
      );
      expect(used).not.toContain(null);
      // That it is in use is written beside everything else.
      await vi.waitFor(async () => {
        expect(await sessions.execute()).toEqual([{ last_used: clock.wallTime() }]);
      }, 5_000);
    }
  });

  test('ADMIN_USERNAME and ADMIN_PASSWORD at three instances that start at once make one user', async () => {
    const open = await create();
    const firstAdmin = { username: 'boss', password };
    const all = await several(open, Array(3).fill({ firstAdmin }));
    expect(all.map(({ setupLinkSecret }) => setupLinkSecret())).toEqual([null, null, null]);
    expect(await all[0]!.accounts.listUsers({ limit: 5 })).toMatchObject([
      { username: 'boss', role: 'admin' },
    ]);
    for (const { accounts } of all) await accounts.login(firstAdmin, here);
  });

  test('the set-up links of three instances used at once make one user', async () => {
    const open = await create();
    const all = await several(open, [{}, {}, {}]);
    const outcomes = await Promise.all(all.map((each) => refusalOf(setUp(each))));
    expect(outcomes.sort()).toEqual(['403 forbidden', '403 forbidden', 'no refusal']);
    expect(await all[0]!.accounts.listUsers({ limit: 5 })).toHaveLength(1);
    for (const { accounts } of all) expect(await accounts.needsSetup()).toBe(false);
  });
}

describe('over one SQLite file', () => overOneDatabase(async () => sqlite()));

describe.skipIf(skipsWithout('postgresql'))('over one PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  overOneDatabase(async () => {
    const url = await server.createDatabase();
    return () => openDatabase(url);
  });
});
