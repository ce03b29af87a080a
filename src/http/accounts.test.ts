// The routes of sign-in, users and API tokens, with the real sign-in and database.
// What makes a password or token count is tested in auth/.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  call,
  headersOf,
  newUser,
  signIn,
  startGuardedServer,
  startServer,
  type TestServer,
} from '../../test/support/http-server.ts';
import { bearer, newAccount } from '../../test/support/service.ts';

let server: TestServer;
let admin: Record<string, string>;

beforeAll(async () => {
  server = await startGuardedServer();
  admin = await headersOf(server, 'admin');
});

afterAll(() => server[Symbol.asyncDispose]());

const cookiesOf = ({ headers }: { headers: Headers }) => headers.getSetCookie();

describe('the first user', () => {
  test('is made with the secret of the set-up link, once; until then nobody gets anything', async () => {
    await using own = await startServer({ env: { AUTH: 'required' } });
    const setup_token = own.auth.setupLinkSecret()!;
    const owner = newAccount('owner');
    expect(await call(own, 'GET', '/api/streams/')).toMatchObject({
      status: 401,
      body: { code: 'setup_required', error: expect.stringMatching(/link/) },
    });
    for (const guess of [undefined, null, `${setup_token}x`])
      expect(await call(own, 'POST', '/api/register/', { ...owner, setup_token: guess })).toMatchObject({
        status: 403,
        body: { code: 'setup_required' },
      });
    const made = await call(own, 'POST', '/api/register/', {
      ...owner,
      setup_token,
      role: 'viewer',
      email: '',
    });
    expect(made).toMatchObject({
      status: 201,
      body: {
        message: expect.any(String),
        access: expect.any(String),
        refresh: expect.any(String),
        user: { username: 'owner', role: 'admin', email: null },
      },
    });
    const [cookie = ''] = cookiesOf(made);
    expect((await call(own, 'GET', '/api/me/', undefined, { cookie: cookie.split(';')[0]! })).body).toEqual({
      user: expect.objectContaining({ username: 'owner' }),
      name: 'owner',
      role: 'admin',
      auth: 'required',
    });
    const again = await call(own, 'POST', '/api/register/', { ...newAccount('second'), setup_token });
    expect(again).toMatchObject({ status: 401, body: { code: 'not_signed_in' } });
  });
});

describe('signing in', () => {
  test('gives tokens, and browsers a cookie that no script and no other site can use', async () => {
    const user = await newUser(server, 'viewer');
    const reply = await call(server, 'POST', '/api/login/', user);
    expect(reply).toMatchObject({
      status: 200,
      body: { message: expect.any(String), access: expect.any(String), refresh: expect.any(String) },
    });
    expect(Object.keys(reply.body).sort()).toEqual(['access', 'message', 'refresh']);
    expect(cookiesOf(reply)).toHaveLength(1);
    const [value, ...attributes] = cookiesOf(reply)[0]!.split('; ');
    expect(value).toMatch(/^rsv_session=[\w-]{30,}$/);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax']);
    expect((await call(server, 'GET', '/api/me/', undefined, bearer(reply.body.access))).body).toMatchObject({
      name: user.username,
      role: 'viewer',
    });
  });

  test('with a wrong password is told as clients of the earlier service read it', async () => {
    const { username } = await newUser(server, 'viewer');
    for (const account of [
      { username, password: 'not the password' },
      { username: 'nobody at all', password: 'not the password' },
    ]) {
      const reply = await call(server, 'POST', '/api/login/', account);
      expect(reply).toMatchObject({
        status: 401,
        body: { code: 'wrong_credentials', error: expect.any(String), detail: expect.any(String) },
      });
      expect(reply.headers.get('www-authenticate')).toBe('Bearer');
      expect(cookiesOf(reply)).toEqual([]);
    }
    for (const [body, path] of [
      [{ username }, 'password'],
      [{ username, password: 5 }, 'password'],
      [{ username: '', password: 'x' }, 'username'],
      [{ username: 'x'.repeat(2_000), password: 'x' }, 'username'],
    ] as const)
      expect(await call(server, 'POST', '/api/login/', body)).toMatchObject({
        status: 400,
        body: { issues: [{ path }] },
      });
  });

  test('too often with a wrong password is refused, and says when to come back', async () => {
    await using own = await startGuardedServer();
    const wrong = { username: 'admin', password: 'not the password' };
    let reply = await call(own, 'POST', '/api/login/', wrong);
    for (let count = 0; count < 100 && reply.status === 401; count++)
      reply = await call(own, 'POST', '/api/login/', wrong);
    expect(reply).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('is renewed with the refresh token, once, and the cookie only where there was one', async () => {
    const { refresh, cookie } = await signIn(server);
    const first = await call(server, 'POST', '/api/token/refresh/', { refresh });
    expect(first.status).toBe(200);
    expect(cookiesOf(first)).toEqual([]);
    const next = { refresh: first.body.refresh };
    const origin = server.base;
    const second = await call(server, 'POST', '/api/token/refresh/', next, { cookie, origin });
    expect(cookiesOf(second)[0]).toContain(cookie);
    const used = await call(server, 'POST', '/api/token/refresh/', { refresh });
    expect(used).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
    const whole = await call(server, 'GET', '/api/me/', undefined, bearer(second.body.access));
    expect(whole.status).toBe(401);
  });

  test('lasts in a browser for as long as its page is opened from time to time', async () => {
    const { cookie, access } = await signIn(server);
    const [kept = ''] = cookiesOf(await call(server, 'GET', '/api/me/', undefined, { cookie }));
    expect(kept).toContain(`${cookie}; Max-Age=2592000`);
    expect(cookiesOf(await call(server, 'GET', '/api/me/', undefined, bearer(access)))).toEqual([]);
  });

  test('ends with signing out, which takes the cookie away', async () => {
    const { cookie, access } = await signIn(server);
    const reply = await call(server, 'POST', '/api/logout/', undefined, { cookie, origin: server.base });
    expect(reply.status).toBe(200);
    expect(cookiesOf(reply)[0]).toMatch(/^rsv_session=; .*(Max-Age=0|Expires=Thu, 01 Jan 1970)/);
    for (const headers of [{ cookie }, bearer(access)])
      expect((await call(server, 'GET', '/api/me/', undefined, headers)).status).toBe(401);
  });

  test('switched off makes everyone admin, whatever is presented', async () => {
    await using own = await startServer();
    for (const headers of [{}, bearer('nonsense')])
      expect((await call(own, 'GET', '/api/me/', undefined, headers)).body).toEqual({
        user: null,
        name: 'everyone',
        role: 'admin',
        auth: 'off',
      });
    expect((await call(own, 'POST', '/api/logout/', {})).status).toBe(200);
  });
});

test('one’s own password is changed with the one before, and other sign-ins end', async () => {
  const user = await newUser(server, 'viewer');
  const [here, there] = [await signIn(server, user), await signIn(server, user)];
  const change = (current_password: string) =>
    call(
      server,
      'PATCH',
      '/api/me/',
      { current_password, password: 'another long one' },
      bearer(here.access),
    );
  expect(await change('not the password')).toMatchObject({
    status: 401,
    body: { code: 'wrong_credentials' },
  });
  expect((await change(user.password)).status).toBe(200);
  const me = async (access: string) =>
    (await call(server, 'GET', '/api/me/', undefined, bearer(access))).status;
  expect(await me(here.access)).toBe(200);
  expect(await me(there.access)).toBe(401);
  await signIn(server, { ...user, password: 'another long one' });
});

test('an admin makes users and keeps his own sign-in', async () => {
  const { cookie } = await signIn(server);
  const account = newAccount('made-by-admin');
  const own = { cookie, origin: server.base };
  const made = await call(server, 'POST', '/api/register/', { ...account, email: 'a@example.org' }, own);
  expect(made).toMatchObject({
    status: 201,
    body: { user: { username: account.username, role: 'viewer', email: 'a@example.org', last_login: null } },
  });
  expect(cookiesOf(made)).toEqual([]);
  expect(JSON.stringify(made.body)).not.toContain(account.password);
  const twice = await call(server, 'POST', '/api/register/', account, own);
  expect(twice).toMatchObject({ status: 409, body: { code: 'username_taken' } });
  const weak = await call(server, 'POST', '/api/register/', { username: 'weak', password: 'x' }, own);
  expect(weak).toMatchObject({ status: 400, body: { issues: [{ path: 'password' }] } });
  const odd = await call(server, 'POST', '/api/register/', { ...newAccount('odd'), role: 'root' }, own);
  expect(odd).toMatchObject({ status: 400, body: { issues: [{ path: 'role' }] } });
});

test('an admin lists, changes and deletes users, but not the last admin', async () => {
  await using own = await startGuardedServer();
  const by = await headersOf(own, 'admin');
  const users = [await newUser(own, 'viewer'), await newUser(own, 'operator')];
  const names: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await call(
      own,
      'GET',
      `/api/users/?limit=1${cursor && `&cursor=${cursor}`}`,
      undefined,
      by,
    );
    names.push(...body.users.map(({ username }: { username: string }) => username));
    cursor = body.next_cursor;
    if (cursor === null) break;
  }
  expect(names).toEqual(['admin', ...users.map(({ username }) => username)]);
  const [viewer] = users;
  const path = `/api/users/${viewer!.id}/`;
  expect((await call(own, 'PATCH', path, { role: 'operator', email: null }, by)).body.user).toMatchObject({
    id: viewer!.id,
    role: 'operator',
  });
  expect((await call(own, 'DELETE', path, undefined, by)).status).toBe(204);
  expect((await call(own, 'DELETE', path, undefined, by)).body.code).toBe('user_not_found');
  const me = (await call(own, 'GET', '/api/me/', undefined, by)).body.user;
  for (const [method, body] of [['DELETE'], ['PATCH', { role: 'viewer' }]] as const)
    expect(await call(own, method, `/api/users/${me.id}/`, body, by)).toMatchObject({
      status: 409,
      body: { code: 'last_admin' },
    });
});

test('API tokens are shown once, listed without their secrets, and end when they are deleted', async () => {
  const made = await call(server, 'POST', '/api/tokens/', { name: ' grafana ' }, admin);
  expect(made).toMatchObject({
    status: 201,
    body: {
      secret: expect.stringMatching(/^rsv_/),
      token: { name: 'grafana', role: 'viewer', expires_at: null },
    },
  });
  const { secret, token } = made.body;
  expect((await call(server, 'GET', '/metrics', undefined, bearer(secret))).status).toBe(200);
  const listed = (await call(server, 'GET', '/api/tokens/', undefined, admin)).body;
  expect(listed.tokens).toContainEqual(expect.objectContaining({ id: token.id, created_by: 'admin' }));
  expect(JSON.stringify(listed)).not.toContain(secret);
  expect((await call(server, 'DELETE', `/api/tokens/${token.id}/`, undefined, admin)).status).toBe(204);
  expect((await call(server, 'GET', '/metrics', undefined, bearer(secret))).status).toBe(401);
  for (const [body, path] of [
    [{ name: 'x', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'x', role: 'root' }, 'role'],
    [{ name: ' ' }, 'name'],
  ] as const)
    expect(await call(server, 'POST', '/api/tokens/', body, admin)).toMatchObject({
      status: 400,
      body: { issues: [{ path }] },
    });
  // Misspelt, it would never end.
  expect(
    await call(server, 'POST', '/api/tokens/', { name: 'x', expires: '2999-01-01T00:00:00Z' }, admin),
  ).toMatchObject({ status: 400, body: { error: expect.stringContaining('expires') } });
});
