// What was told is known to whoever comes after, and a Redis that is away only means that it may be told once more.

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skipsWithout } from '../../test/support/components.ts';
import { type RedisServer, startRedis } from '../../test/support/redis-server.ts';
import { systemClock } from '../base/clock.ts';
import { ToldAlerts } from './told-alerts.ts';

describe.skipIf(skipsWithout('redis'))('alerts that were told', () => {
  let redis: RedisServer;
  const connections: Redis[] = [];

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(async () => {
    for (const connection of connections) connection.disconnect();
    await redis?.stop();
  });

  async function instance(prefix: string): Promise<ToldAlerts> {
    const connection = new Redis(redis.url, { enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    connection.on('error', () => {});
    connections.push(connection);
    await new Promise((resolve) => connection.once('ready', resolve));
    return new ToldAlerts(connection, prefix, systemClock);
  }

  it('are known to every instance of the service, and to no other service', async () => {
    const [one, other, stranger] = await Promise.all(['shop', 'shop', 'home'].map(instance));
    await one!.note('a1');
    expect(await other!.has('a1')).toBe(true);
    expect(await other!.has('a2')).toBe(false);
    expect(await stranger!.has('a1')).toBe(false);
  });

  it('are told once more rather than never when Redis cannot say', async () => {
    const one = await instance('away');
    await redis.kill('SIGSTOP');
    try {
      await one.note('a1');
      expect(await one.has('a1')).toBe(false);
    } finally {
      await redis.kill('SIGCONT');
    }
  });
});
