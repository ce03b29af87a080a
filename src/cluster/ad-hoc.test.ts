// Who may run an ad-hoc stream, against a real Redis that also hangs, dies and comes back empty.
// That cameras follow it is tested with the whole service.

import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { skipsWithout } from '../../test/support/components.ts';
import { type RedisServer, startRedis } from '../../test/support/redis-server.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { BroadcastHub } from '../base/testing.ts';
import { parseCameraUrl } from '../media/camera-url.ts';
import { AdHocLeases, type AdHocLimits } from './ad-hoc.ts';

const limits: AdHocLimits = { all: 32, each: 8 };
const secretKey = 'a secret for tests only';

describe.skipIf(skipsWithout('redis'))('over a real Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  /** Instances of one service; `stop` leaves one as a crash would. */
  function service(prefix: string) {
    const hub = new BroadcastHub();
    return async (instance: string) => {
      const connection = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
      // That it is away is what the tests bring about.
      connection.on('error', () => undefined);
      onTestFinished(() => connection.disconnect());
      await once(connection, 'ready');
      const bus = { instance, ...hub.join(), onChange: () => () => undefined };
      const leases = new AdHocLeases({
        connection,
        prefix,
        bus,
        secretKey,
        clock: systemClock,
        log: silentLog,
      });
      onTestFinished(() => leases.close());
      return { leases, connection };
    };
  }

  async function held(leases: AdHocLeases, id: string, account: string | null = null) {
    const acquired = await leases.acquire(id, account, limits);
    if (acquired.kind !== 'held') throw new Error(acquired.kind);
    return acquired.lease;
  }

  /** Until it is so; the test's own limit ends it. */
  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  test('of several instances that ask at once one holds the stream, until it lets go', async () => {
    const join = service('one');
    const instances = await Promise.all(['a', 'b', 'c'].map(join));
    const asked = await Promise.all(instances.map(({ leases }) => leases.acquire('cam', 'user x', limits)));
    const holder = asked.findIndex(({ kind }) => kind === 'held');
    const others = asked.filter((_, index) => index !== holder);
    expect(others).toEqual(Array(2).fill({ kind: 'elsewhere', instance: 'abc'[holder] }));
    const lease = await held(instances[holder]!.leases, 'cam');
    expect([lease.fresh, lease.fence.streamId]).toEqual([true, 'cam']);
    expect(asked[holder]).toEqual({ kind: 'held', lease });

    const next = instances[(holder + 1) % 3]!.leases;
    const onFree = vi.fn();
    next.onFree('cam', onFree);
    await lease.release();
    await lease.release();
    expect(onFree).toHaveBeenCalled();
    expect(lease.fresh).toBe(false);
    const { fence } = await held(next, 'cam');
    expect(fence.number).toBeGreaterThan(lease.fence.number);
  });

  test('a lease lives as long as its holder, and not much longer', async () => {
    const join = service('crash');
    const [one, two] = [await join('one'), await join('two')];
    const first = await held(one.leases, 'cam');
    const { number } = first.fence;
    // Longer than an unrenewed lease would last.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(await two.leases.acquire('cam', null, limits)).toEqual({ kind: 'elsewhere', instance: 'one' });
    expect(first.fence.number).toBe(number);

    const onFree = vi.fn();
    two.leases.onFree('cam', onFree);
    one.connection.disconnect();
    await until(() => onFree.mock.calls.length > 0);
    expect((await held(two.leases, 'cam')).fence.number).toBeGreaterThan(number);
    await until(() => !first.fresh);

    // As after SIGSTOP: the former holder comes back and is told.
    const onLost = vi.fn();
    one.leases.onLost('cam', onLost);
    await one.connection.connect();
    await until(() => onLost.mock.calls.length > 0);
    expect(onLost.mock.calls).toEqual([['two']]);
    expect(first.fresh).toBe(false);
    // It must not take the other's lease with it.
    await first.release();
    expect(await one.leases.acquire('cam', null, limits)).toEqual({ kind: 'elsewhere', instance: 'two' });
  });

  test('the limits hold over all instances, in all and for each account', async () => {
    const join = service('limits');
    const [one, two] = [(await join('one')).leases, (await join('two')).leases];
    const few: AdHocLimits = { all: 5, each: 2 };
    const kinds = async (...asked: readonly [AdHocLeases, string, string | null][]) =>
      (await Promise.all(asked.map(([leases, id, account]) => leases.acquire(id, account, few)))).map(
        ({ kind }) => kind,
      );
    const own = await kinds([one, '1', 'anna'], [two, '2', 'anna'], [one, '3', 'anna'], [two, '4', 'anna']);
    expect(own.sort()).toEqual(['held', 'held', 'too_many', 'too_many']);
    const all = await kinds([one, '5', 'bert'], [two, '6', null], [one, '7', null], [two, '8', null]);
    expect(all.sort()).toEqual(['held', 'held', 'held', 'too_many']);
    // What somebody else runs costs nothing more.
    expect(await kinds([one, '6', 'anna'])).toEqual(['elsewhere']);
    await (await held(two, '6')).release();
    expect(await kinds([one, '9', null], [two, '10', null])).toContain('held');
  });

  test('without Redis streams are held at once, and afterwards by one of those who did', async () => {
    const join = service('away');
    const [one, two] = [(await join('one')).leases, (await join('two')).leases];
    const before = (await held(one, 'first')).fence.number;
    await server.kill('SIGSTOP');
    const [left, right] = await Promise.all([held(one, 'cam'), held(two, 'cam')]);
    expect([left.fresh, right.fresh]).toEqual([false, false]);
    expect(left.fence.number).toBeGreaterThan(before);
    expect(await one.acquire('more', null, { all: 2, each: 8 })).toEqual({ kind: 'too_many' });
    const lost = vi.fn();
    one.onLost('cam', () => lost(left));
    two.onLost('cam', () => lost(right));
    await server.restart({ empty: true });
    await until(() => lost.mock.calls.length > 0 && (left.fresh || right.fresh));
    expect(lost).toHaveBeenCalledOnce();
    const [loser, winner] = lost.mock.calls[0]![0] === left ? [left, right] : [right, left];
    expect([loser.fresh, winner.fresh]).toEqual([false, true]);
    // A fence never goes back, also when Redis has forgotten it.
    await winner.release();
    expect((await held(two, 'cam')).fence.number).toBeGreaterThan(winner.fence.number);
  });

  test('neither address nor password can be read from the name of a stream, which differs with each of them', async () => {
    const join = service('names');
    const [one, two] = [(await join('one')).leases, (await join('two')).leases];
    const [a, b] = ['rtsp://u:hunter2@cam.example/live', 'rtsp://u:hunter3@cam.example/live'].map((text) =>
      parseCameraUrl(text),
    );
    expect(one.id(a!)).toBe(two.id(a!));
    expect(one.id(a!)).not.toBe(one.id(b!));
    expect(one.id(a!)).toMatch(/^adhoc-[\w-]{43}$/);
  });
});
