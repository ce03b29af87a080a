// What instances count and know together of sign-ins, against a real Redis that also hangs, dies and comes back empty.
// What sign-in makes of it is in test/shared-sign-in.test.ts.

import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipsWithout } from '../../test/support/components.ts';
import { type RedisServer, startRedis } from '../../test/support/redis-server.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { RedisSignIn } from './redis-limiter.ts';

const secretKey = 'a secret for tests only';

describe.skipIf(skipsWithout('redis'))('over a real Redis', () => {
  let server: RedisServer;
  const connections: Redis[] = [];
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    for (const each of connections) each.disconnect();
    await server.stop();
  });

  function connecting(): Redis {
    const connection = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    // That it is away is what the tests bring about.
    connection.on('error', () => undefined);
    connections.push(connection);
    return connection;
  }

  async function connect(): Promise<Redis> {
    const connection = connecting();
    await once(connection, 'ready');
    return connection;
  }

  async function instance(prefix: string) {
    return partOf(await connect(), prefix);
  }

  function partOf(connection: Redis, prefix: string) {
    return new RedisSignIn({ connection, prefix, secretKey, clock: systemClock, log: silentLog });
  }

  /** Until it is so; the test's own limit ends it. */
  async function until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  test('failures count over all instances, can be taken back, and end with their window', async () => {
    const [one, two] = [await instance('count'), await instance('count')];
    const [first, second] = [one.counter('account', 3, 900), two.counter('account', 3, 900)];
    const counted = [await first.count('anna'), await second.count('anna'), await first.count('anna')];
    expect(counted.map(({ waitMs }) => waitMs)).toEqual([null, null, null]);
    const over = await second.count('anna');
    expect(over.waitMs).toBeGreaterThan(0);
    expect(over.waitMs).toBeLessThanOrEqual(900_000);
    await over.takeBack();
    await counted[0]!.takeBack();
    expect((await second.count('anna')).waitMs).toBeNull();
    expect((await first.count('anna')).waitMs).not.toBeNull();
    expect((await first.count('bert')).waitMs).toBeNull();
    expect((await one.counter('address', 3, 900).count('anna')).waitMs).toBeNull();
    const [shortly, elsewhere] = [one.counter('short', 1, 1), two.counter('short', 1, 1)];
    await shortly.count('anna');
    await until(async () => (await elsewhere.count('anna')).waitMs !== null);
    await until(async () => (await elsewhere.count('anna')).waitMs === null);
  });

  test('Redis sees neither names nor addresses, and keys of this service only', async () => {
    const [one, other] = [await instance('names'), await instance('other-names')];
    await one.counter('account', 3, 900).count('hunter2hunter2');
    one.remember('192.0.2.7 hunter2hunter2');
    await until(() => one.isKnown('192.0.2.7 hunter2hunter2'));
    expect(await other.isKnown('192.0.2.7 hunter2hunter2')).toBe(false);
    const redis = await connect();
    const keys = await redis.keys('names:*');
    expect(keys.map((key) => key.replace(/:[^:]{43}$/, '')).sort()).toEqual([
      'names:failures:account',
      'names:known-hosts',
    ]);
    const members = await redis.zrange('names:known-hosts', '0', '-1');
    expect([...keys, ...members].join(' ')).not.toMatch(/hunter2|192\.0/);
  });

  test('hosts of accounts are known to all instances, a bounded number of them', async () => {
    const [one, two] = [await instance('hosts'), await instance('hosts')];
    one.remember('first');
    await until(() => two.isKnown('first'));
    const redis = await connect();
    const later = Date.now() + 1_000;
    const names = Array.from({ length: 9_999 }, (_, index) => `x${index}`);
    await Promise.all(names.map((name) => redis.zadd('hosts:known-hosts', later, name)));
    expect(await two.isKnown('first')).toBe(true);
    two.remember('second');
    await until(() => one.isKnown('second'));
    // Of 10,001 the longest known goes.
    expect([await two.isKnown('first'), await redis.zcard('hosts:known-hosts')]).toEqual([false, 10_000]);
  });

  test('all set-up links have one seed, until it is used', async () => {
    const instances = await Promise.all(['a', 'b', 'c'].map(() => instance('set-up')));
    const seeds = await Promise.all(instances.map((each, index) => each.setUpSeed(`own ${index}`)));
    expect(new Set(seeds).size).toBe(1);
    expect(seeds[0]).toMatch(/^own \d$/);
    expect(await instances[2]!.setUpSeed('late')).toBe(seeds[0]);
    // As at the start, when the connection is only just being made.
    await until(async () => (await partOf(connecting(), 'set-up').setUpSeed('mine')) === seeds[0]);
    instances[1]!.forgetSetUp();
    await until(async () => (await instances[0]!.setUpSeed('new')) === 'new');
  });

  test('while Redis hangs or is gone, failures are counted in memory and nobody waits long', async () => {
    const one = await instance('away');
    const counter = one.counter('token', 2, 900);
    expect((await counter.count('x')).waitMs).toBeNull();
    await server.kill('SIGSTOP');
    const hanging = performance.now();
    // One of them finds out, and the others do not wait for it again.
    const inMemory = [await counter.count('x'), await counter.count('x'), await counter.count('x')];
    expect(await one.isKnown('pair')).toBe(false);
    expect(await one.setUpSeed('own')).toBeNull();
    await inMemory[0]!.takeBack();
    expect(performance.now() - hanging).toBeLessThan(2_000);
    expect(inMemory.map(({ waitMs }) => waitMs === null)).toEqual([true, true, false]);
    await server.kill('SIGCONT');
    await server.restart({ empty: true });
    await until(async () => (await one.setUpSeed('own')) === 'own');
    expect([(await counter.count('y')).waitMs, (await counter.count('y')).waitMs]).toEqual([null, null]);
    expect((await counter.count('y')).waitMs).toBeGreaterThan(0);
  });
});
