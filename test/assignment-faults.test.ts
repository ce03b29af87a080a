// What becomes of shared cameras when an instance is killed or stopped, when Redis hangs, is cut off or comes back empty.
// On a real Redis and PostgreSQL, with instances in processes of their own; connections to cameras are only noted.

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AssignedService, until } from './support/assigned-service.ts';
import { skipsWithout } from './support/components.ts';
import { type PostgresServer, startPostgres } from './support/postgres-server.ts';
import { type RedisServer, startRedis } from './support/redis-server.ts';

const skips = skipsWithout('redis') || skipsWithout('postgresql');

describe.skipIf(skips)('the assignment of cameras, when something fails', { timeout: 90_000 }, () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let service: AssignedService;

  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await service.close();
    await redis.stop();
  });

  async function serve(cameras: number): Promise<AssignedService> {
    service = await AssignedService.create(redis.url, await postgres.createDatabase(), cameras);
    return service;
  }

  const balanced = (counts: readonly number[]) =>
    until(
      () => String(Object.values(service.counts).sort()) === String(counts),
      30_000,
      () => service.counts,
    );

  /** From now on the share of each instance is more than there is for it: it takes at once whatever waits. */
  function makeEager(): void {
    for (const instance of service.instances)
      for (let index = 0; index < 10; index += 1) instance.want(`never-saved-${index}`, true);
  }

  /** Whether each camera's job is locked by somebody. */
  async function allLocked(): Promise<boolean> {
    const client = new Redis(redis.url, { lazyConnect: true });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const locks = await client.keys('rtsp-stream-viewer:cameras:stream-*:lock');
      return locks.length === service.streams.length;
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    } finally {
      client.disconnect();
    }
  }

  it('takes over the cameras of an instance that was killed', async () => {
    await serve(9);
    await service.start('a');
    await service.start('b');
    const killed = await service.startProcess('killed');
    await balanced([3, 3, 3]);
    const lost = service.holdings.filter(({ instance, to }) => instance === 'killed' && to === null);
    const at = Date.now();
    await killed.kill();
    const again = () =>
      lost.map(({ streamId }) => service.holdings.find((one) => one.streamId === streamId && one.from > at));
    await until(() => again().every((one) => one !== undefined), 15_000, again);
    const slowest = Math.max(...again().map((one) => one!.from - at));
    // 3.3 s on an idle machine: 2.5 s for the lock, 0.5 s for the sweep, 0.2 s for a turn.
    expect(slowest).toBeLessThan(6000);
    expect(service.overlaps({ killed: at })).toEqual([]);
  });

  it('lets an instance that was stopped for a while say nothing more about cameras that others have taken', async () => {
    await serve(6);
    const stopped = await service.startProcess('stopped', { tellEveryMs: 10 });
    await service.start('b');
    await balanced([3, 3]);
    const its = service.holdings.filter(({ instance, to }) => instance === 'stopped' && to === null);
    const fences = new Map(
      service.events.flatMap(({ what, instance, streamId, fence }) =>
        what === 'hold' && instance === 'stopped' ? [[streamId, fence]] : [],
      ),
    );
    const before = Date.now();
    stopped.signal('SIGSTOP');
    await until(
      () => service.counts.b === 6,
      20_000,
      () => service.counts,
    );
    const takenAt = Date.now();
    await sleep(6000);
    stopped.signal('SIGCONT');
    const released = () =>
      its.filter(({ streamId }) =>
        service.events.some(
          (event) =>
            event.what === 'released' &&
            event.instance === 'stopped' &&
            event.streamId === streamId &&
            event.reason === 'lost' &&
            event.at > takenAt,
        ),
      );
    await until(() => released().length === its.length, 10_000);
    await sleep(500);
    const toldLate = service.events.filter(
      ({ what, instance, streamId, fence, at }) =>
        (what === 'told' || what === 'confirmed') &&
        instance === 'stopped' &&
        fences.get(streamId) === fence &&
        at > takenAt,
    );
    expect(toldLate).toEqual([]);
    // It did speak as long as it might.
    expect(service.events.some(({ what, at }) => what === 'told' && at < before)).toBe(true);
    expect(service.overlaps({ stopped: before })).toEqual([]);
    // And it gets its share again.
    await balanced([3, 3]);
  });

  it('goes on with every camera while Redis is away, and has every job again when it comes back empty', async () => {
    await serve(12);
    await service.start('a', { tellEveryMs: 50, neverAsks: true });
    await service.start('b', { tellEveryMs: 50, neverAsks: true });
    await service.startProcess('c', { tellEveryMs: 50, neverAsks: true });
    await balanced([4, 4, 4]);
    makeEager();
    const connections = () => service.events.filter(({ what }) => what !== 'told' && what !== 'confirmed');
    const before = connections().length;
    await redis.kill('SIGKILL');
    await sleep(5000);
    await expect(service.instances[0]!.assignment.check()).rejects.toThrow();
    await redis.restart({ empty: true });
    const backAt = Date.now();
    await until(allLocked, 10_000);
    await until(
      () => service.instances.every(({ assignment }) => assignment.figures.instances.length === 3),
      10_000,
    );
    await sleep(4000);
    expect(await allLocked()).toBe(true);
    expect(connections().slice(before)).toEqual([]);
    expect(service.counts).toEqual({ a: 4, b: 4, c: 4 });
    await service.instances[0]!.assignment.check();
    // Its owner told of each camera in every second of the outage: the database alone confirms the right.
    for (const streamId of service.streams) {
      const told = service.events.filter((event) => event.what === 'told' && event.streamId === streamId);
      for (let from = backAt - 4500; from < backAt; from += 1500)
        expect(told.some(({ at }) => at >= from && at < from + 1500)).toBe(true);
    }
  });

  it('moves no camera when Redis hangs for so long that all locks lapse', async () => {
    await serve(9);
    for (const name of ['a', 'b', 'c']) await service.start(name);
    await balanced([3, 3, 3]);
    makeEager();
    const before = service.events.length;
    await redis.kill('SIGSTOP');
    await sleep(4000);
    await redis.kill('SIGCONT');
    await until(allLocked, 10_000);
    await sleep(4000);
    expect(await allLocked()).toBe(true);
    expect(service.events.slice(before)).toEqual([]);
  });

  it('moves no camera when Redis is emptied under it', async () => {
    await serve(9);
    for (const name of ['a', 'b', 'c']) await service.start(name);
    await balanced([3, 3, 3]);
    makeEager();
    const before = service.events.length;
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    await until(allLocked, 10_000);
    await sleep(3000);
    expect(service.events.slice(before)).toEqual([]);
  });

  it('waits for a former owner that lives, has lost its job and does not know yet', async () => {
    await serve(1);
    const [streamId] = service.streams as [string];
    const a = await service.start('a', { releaseMs: 300, capacity: 1 });
    await until(() => a.held.length === 1, 10_000);
    const b = await service.start('b');
    makeEager();
    const client = new Redis(redis.url);
    const key = 'rtsp-stream-viewer:cameras';
    try {
      await until(async () => {
        // As if the lock had lapsed: whoever comes first has the job, its owner or the other.
        await client
          .multi()
          .del(`${key}:${streamId}:lock`)
          .lrem(`${key}:active`, 0, streamId)
          .lrem(`${key}:wait`, 0, streamId)
          .rpush(`${key}:wait`, streamId)
          .exec();
        let holder: string | null = null;
        await until(async () => (holder = await client.get(`${key}:${streamId}:lock`)) !== null, 10_000);
        return !String(holder).startsWith('a-');
      }, 30_000);
    } finally {
      client.disconnect();
    }
    await until(() => b.held.length === 1, 10_000);
    const words = service.events.map(({ what, instance, reason }) =>
      `${instance} ${what} ${reason ?? ''}`.trim(),
    );
    expect(words).toEqual(['a hold', 'a release lost', 'a released lost', 'b hold']);
    expect(service.overlaps()).toEqual([]);
  });

  it('lets go of everything at once when it leaves while Redis is away', async () => {
    await serve(6);
    const a = await service.start('a');
    await service.start('b');
    await balanced([3, 3]);
    await redis.kill('SIGKILL');
    const startedAt = Date.now();
    await a.leave();
    service.instances.shift();
    expect(Date.now() - startedAt).toBeLessThan(8000);
    expect(a.held).toEqual([]);
    await redis.restart();
    await until(
      () => service.counts.b === 6,
      20_000,
      () => service.counts,
    );
    expect(service.overlaps()).toEqual([]);
  });

  it('loses no camera when the database restarts', async () => {
    await serve(6);
    await service.start('a');
    await service.start('b');
    await balanced([3, 3]);
    const before = service.events.length;
    await postgres.restart();
    await sleep(4000);
    expect(service.events.slice(before)).toEqual([]);
    await service.start('c');
    await balanced([2, 2, 2]);
    expect(service.overlaps()).toEqual([]);
  });
});
