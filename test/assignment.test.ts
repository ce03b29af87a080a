// Cameras shared by several instances on a real Redis and PostgreSQL: shares, joining, leaving, starting and stopping.
// Connections are only noted; what happens when something fails is in assignment-faults.test.ts.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AssignedService, until } from './support/assigned-service.ts';
import { skipsWithout } from './support/components.ts';
import { type PostgresServer, startPostgres } from './support/postgres-server.ts';
import { type RedisServer, startRedis } from './support/redis-server.ts';

const skips = skipsWithout('redis') || skipsWithout('postgresql');

describe.skipIf(skips)('the assignment of cameras', { timeout: 60_000 }, () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let service: AssignedService;
  let services = 0;

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  });
  afterAll(async () => {
    await Promise.all([redis?.stop(), postgres?.stop()]);
  });
  afterEach(() => service.close());

  async function serve(cameras: number): Promise<AssignedService> {
    services += 1;
    const url = `${redis.url}?prefix=service-${services}`;
    service = await AssignedService.create(url, await postgres.createDatabase(), cameras);
    return service;
  }

  const run = (count: number) =>
    until(
      () => service.holdings.filter(({ to }) => to === null).length === count,
      15_000,
      () => service.counts,
    );
  const balanced = (counts: readonly number[]) =>
    until(
      () => String(Object.values(service.counts).sort()) === String(counts),
      30_000,
      () => service.counts,
    );

  it('gives every camera to one instance, each its share', async () => {
    await serve(12);
    await service.start('a');
    await service.start('b');
    await service.start('c');
    await balanced([4, 4, 4]);
    expect(service.overlaps()).toEqual([]);
    const { figures } = service.instances[0]!.assignment;
    expect(figures).toMatchObject({ held: 4, capacity: 100 });
    // Both are as of each instance's last look.
    await until(
      () =>
        service.instances.every(({ assignment }) => {
          const { instances, waiting } = assignment.figures;
          return instances.length === 3 && waiting === 0;
        }),
      5000,
    );
    expect(figures.cameraSeconds).toBeGreaterThan(0);
    for (const streamId of service.streams) {
      const holding = service.holdings.find((one) => one.streamId === streamId && one.to === null)!;
      await until(
        () =>
          service.instances.every(({ assignment }) =>
            assignment.owner(streamId)?.instance.startsWith(`${holding.instance}-`),
          ),
        5000,
        () => service.instances.map(({ assignment }) => assignment.owner(streamId)),
      );
    }
  });

  it('never gives an instance more than its capacity, and the rest waits for one that has room', async () => {
    await serve(10);
    const a = await service.start('a', { capacity: 3 });
    await service.start('b', { capacity: 4 });
    await run(7);
    await until(() => a.assignment.figures.waiting === 3, 5000);
    await sleep(1500);
    expect(service.counts).toEqual({ a: 3, b: 4 });
    await service.start('c', { capacity: 5 });
    await run(10);
    expect(service.overlaps()).toEqual([]);
  });

  it('moves cameras one at a time to an instance that joins, those without viewers first', async () => {
    await serve(24);
    const first = [await service.start('a'), await service.start('b'), await service.start('c')];
    await balanced([8, 8, 8]);
    const watched = new Set(first.flatMap((instance) => instance.held.slice(0, 5)));
    for (const instance of first)
      for (const streamId of instance.held) instance.viewers.set(streamId, watched.has(streamId) ? 3 : 0);
    const before = service.events.length;
    const startedAt = Date.now();
    await service.start('d');
    await balanced([6, 6, 6, 6]);
    expect(Date.now() - startedAt).toBeLessThan(30_000);
    const since = service.events.slice(before);
    expect(since.filter(({ what }) => what === 'release')).toHaveLength(6);
    // One at a time: each is held again before the next is let go.
    let away = 0;
    for (const { what } of since) {
      if (what === 'release') away += 1;
      if (what === 'hold') away -= 1;
      expect(away).toBeLessThanOrEqual(1);
    }
    for (const { what, streamId } of since) if (what === 'release') expect(watched).not.toContain(streamId);
    expect(service.overlaps()).toEqual([]);
    await sleep(1000);
    expect(service.events).toHaveLength(before + since.length);
  });

  it('hands over all cameras of an instance that leaves, each without a gap', async () => {
    await serve(12);
    const a = await service.start('a', { releaseMs: 50 });
    await service.start('b');
    await service.start('c');
    await balanced([4, 4, 4]);
    const before = service.events.length;
    await a.leave();
    expect(a.held).toEqual([]);
    await balanced([6, 6]);
    expect(service.overlaps()).toEqual([]);
    const since = service.events.slice(before);
    for (const { streamId, what, at } of since) {
      if (what !== 'released') continue;
      const again = since.find((event) => event.what === 'hold' && event.streamId === streamId)!;
      expect(again.at - at).toBeLessThan(1500);
    }
    await until(() => service.instances[1]!.assignment.figures.instances.length === 2, 5000);
    service.instances.shift();
  });

  it('lets go of its cameras without waiting when it leaves alone', async () => {
    await serve(8);
    const a = await service.start('a');
    await run(8);
    const startedAt = Date.now();
    await a.leave();
    expect(Date.now() - startedAt).toBeLessThan(3000);
    expect(service.counts).toEqual({});
    service.instances.shift();
    await service.start('b');
    await run(8);
  });

  it('stops a camera wherever it runs, and starts it again, however quickly both follow', async () => {
    await serve(4);
    const instances = [
      await service.start('a', { releaseMs: 30 }),
      await service.start('b', { releaseMs: 30 }),
    ];
    await balanced([2, 2]);
    const streamId = service.streams[1]!;
    const tell = (wanted: boolean) => {
      for (const instance of instances) instance.want(streamId, wanted);
    };
    tell(false);
    await run(3);
    await until(() => instances.every(({ assignment }) => assignment.owner(streamId) === null), 5000);
    tell(true);
    await run(4);
    for (let round = 0; round < 40; round += 1) {
      // Each instance hears of it at a time of its own.
      const wanted = round % 2 === 1;
      instances[round % 2 === 0 ? 0 : 1]!.want(streamId, wanted);
      await sleep(round % 7);
      instances[round % 2 === 0 ? 1 : 0]!.want(streamId, wanted);
      await sleep((round * 5) % 11);
    }
    await run(4);
    expect(service.overlaps()).toEqual([]);
    tell(false);
    await run(3);
    await sleep(500);
    expect(service.instances[0]!.assignment.figures.waiting).toBe(0);
  });

  it('does not run a stream that is gone, and takes up one that was created', async () => {
    await serve(3);
    const claims: string[] = [];
    const a = await service.start('a', {
      wrap: (store) => ({
        claim: (streamId, instance) => {
          claims.push(streamId);
          return store.claim(streamId, instance);
        },
        held: (instance) => store.held(instance),
        owner: (streamId) => store.owner(streamId),
      }),
    });
    await run(3);
    a.want('never-saved', true);
    await until(() => claims.includes('never-saved'), 5000);
    await sleep(500);
    expect(a.held).toHaveLength(3);
    // It is looked for again only with the next look at all that should be there.
    expect(claims.filter((streamId) => streamId === 'never-saved').length).toBeLessThanOrEqual(2);
    a.want(service.streams[0]!, false);
    await run(2);
  });

  it('goes on trying while the database is away, and takes the cameras when it is back', async () => {
    await serve(6);
    let away = true;
    await service.start('a', {
      wrap: (store) => ({
        claim: (...args) => (away ? Promise.reject(new Error('away')) : store.claim(...args)),
        held: (...args) => (away ? Promise.reject(new Error('away')) : store.held(...args)),
        owner: (...args) => (away ? Promise.reject(new Error('away')) : store.owner(...args)),
      }),
    });
    await sleep(2500);
    expect(service.events).toEqual([]);
    away = false;
    await run(6);
  });
});
