// What the sign-ins of several instances count and know together, with one database and a real Redis that also hangs.
// What Redis keeps of it is tested in src/cluster/redis-limiter.test.ts.

import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Auth } from '../src/auth/auth.ts';
import { failuresAllowed } from '../src/auth/limits.ts';
import { here, refusalOf, secretKey } from '../src/auth/testing.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { RedisSignIn } from '../src/cluster/redis-limiter.ts';
import { skipsWithout } from './support/components.ts';
import { type RedisServer, startRedis } from './support/redis-server.ts';
import { instance, password, setUp, several, sqlite } from './support/sign-in-instances.ts';

describe.skipIf(skipsWithout('redis'))('with a real Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  /** One instance's part of what they know together. */
  async function shared(prefix: string): Promise<RedisSignIn> {
    const connection = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    // That it is away is what the tests bring about.
    connection.on('error', () => undefined);
    onTestFinished(() => connection.disconnect());
    await once(connection, 'ready');
    return new RedisSignIn({ connection, prefix, secretKey, clock: systemClock, log: silentLog });
  }

  test('a set-up link printed by any instance works at any, once', async () => {
    const open = sqlite();
    const parts = await Promise.all([1, 2, 3].map(() => shared('link')));
    const all = await several(
      open,
      parts.map((each) => ({ shared: each })),
    );
    const links = all.map(({ setupLinkSecret }) => setupLinkSecret());
    expect(new Set(links).size).toBe(1);
    const seed = await parts[0]!.setUpSeed('none');
    // Whoever reads Redis cannot make the link.
    expect(links).not.toContain(seed);
    const use = (at: Auth, setupToken: string) =>
      refusalOf(at.accounts.register({ username: 'root', password, setupToken }, null, here));
    expect(await use(all[1]!, seed!)).toBe('403 setup_required');
    expect(await use(all[2]!, links[0]!)).toBe('no refusal');
    for (const each of all) {
      expect(await use(each, links[0]!)).toBe('403 forbidden');
      expect(await each.accounts.needsSetup()).toBe(false);
    }
    expect((await instance(open, { shared: parts[0]! })).setupLinkSecret()).toBeNull();
    await vi.waitFor(async () => expect(await parts[1]!.setUpSeed('next')).toBe('next'), 5_000);
  });

  test('an instance that starts without Redis prints a link of its own, and takes that of the others later', async () => {
    const open = sqlite();
    const [early, late] = [await shared('late'), await shared('late')];
    const one = await instance(open, { shared: early });
    await server.kill('SIGSTOP');
    const began = performance.now();
    const two = await instance(open, { shared: late });
    expect(performance.now() - began).toBeLessThan(3_000);
    await server.kill('SIGCONT');
    expect(two.setupLinkSecret()).not.toBe(one.setupLinkSecret());
    const use = (at: Auth, by: Auth) =>
      refusalOf(
        at.accounts.register({ username: 'root', password, setupToken: by.setupLinkSecret()! }, null, here),
      );
    expect(await use(one, two)).toBe('403 setup_required');
    await vi.waitFor(async () => expect(await late.setUpSeed('other')).not.toBeNull(), 10_000);
    expect(await use(two, one)).toBe('no refusal');
  });

  test('failed sign-ins count over all instances, but not for a host that was let in by any of them', async () => {
    const open = sqlite();
    const changes = await Promise.all([1, 2].map(async () => ({ shared: await shared('limits') })));
    const [one, two] = (await several(open, changes)) as [Auth, Auth];
    await setUp(one);
    const from = (address: string) => ({ address, agent: null });
    const login = (at: Auth, address: string, word = password) =>
      refusalOf(at.accounts.login({ username: 'root', password: word }, from(address)));
    expect(await login(one, '192.0.2.7')).toBe('no refusal');
    for (let index = 0; index < failuresAllowed.account; index++)
      expect(await login(index % 2 ? one : two, `198.51.100.${index % 10}`, 'wrong horse')).toBe(
        '401 wrong_credentials',
      );
    for (const each of [one, two]) expect(await login(each, '203.0.113.1')).toBe('429 too_many_attempts');
    for (const each of [one, two]) expect(await login(each, '192.0.2.7')).toBe('no refusal');
    const { address } = failuresAllowed;
    for (let index = 0; index < address; index++)
      await login(index % 2 ? one : two, '192.0.2.7', 'wrong horse');
    for (const each of [one, two]) expect(await login(each, '192.0.2.7')).toBe('429 too_many_attempts');
  });

  test('a Redis that hangs costs a sign-in no more than about a second', async () => {
    const one = await instance(sqlite(), { shared: await shared('hang') });
    await setUp(one);
    await server.kill('SIGSTOP');
    onTestFinished(() => server.kill('SIGCONT'));
    const began = performance.now();
    expect(await refusalOf(one.accounts.login({ username: 'root', password }, here))).toBe('no refusal');
    // Six commands would wait half a second each, if each of them found out anew.
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
