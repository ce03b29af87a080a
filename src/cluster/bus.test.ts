import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { skipsWithout } from '../../test/support/components.ts';
import { type RedisServer, startRedis } from '../../test/support/redis-server.ts';
import { systemClock } from '../base/clock.ts';
import { createLog, silentLog } from '../base/log.ts';
import { ConfigError } from '../config.ts';
import { AppError } from '../errors.ts';
import { openBus, type RedisBus } from './bus.ts';
import { until } from './testing.ts';
import { encodeMessage } from './wire.ts';

describe.skipIf(skipsWithout('redis'))('the bus', () => {
  let redis: RedisServer;
  let tests = 0;
  const opened: RedisBus[] = [];

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  afterEach(() => {
    tests += 1;
    for (const bus of opened.splice(0)) bus.close();
  });

  async function open(instance: string): Promise<RedisBus> {
    const address = { url: redis.url, prefix: `test-${tests}` };
    const bus = await openBus(address, { instance, clock: systemClock, log: silentLog });
    opened.push(bus);
    return bus;
  }

  /** What `bus` gets on a topic, from when it is subscribed to. */
  async function listen(bus: RedisBus, topic: string) {
    const messages: { message: unknown; bytes: string; from: string }[] = [];
    const leave = await new Promise<() => void>((resolve) => {
      const leaving = bus.subscribe(
        topic,
        (message, bytes, from) => messages.push({ message, bytes: Buffer.from(bytes).toString(), from }),
        () => resolve(leaving),
      );
    });
    return { messages, leave };
  }

  test('what is published reaches every other instance in order, with its bytes, and not the one it is from', async () => {
    const [a, b, c] = [await open('a'), await open('b'), await open('c')];
    const heard = await Promise.all([a, b, c].map((bus) => listen(bus, 'topic')));
    for (let i = 0; i < 200; i++) a.publish('topic', { i }, Buffer.from(`bytes ${i}`));
    const expected = Array.from({ length: 200 }, (_, i) => ({
      message: { i },
      bytes: `bytes ${i}`,
      from: 'a',
    }));
    await until('both have all', () => heard.slice(1).every(({ messages }) => messages.length === 200));
    expect(heard.map(({ messages }) => messages)).toEqual([[], expected, expected]);
  });

  test('a question is answered, refused, or found to be without an answer', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const none = new Uint8Array();
    b.onRequest('double', async (message, bytes) => ({
      twice: (message as { n: number }).n * 2,
      bytes: bytes.length,
    }));
    b.onRequest('refuse', async () => {
      throw new AppError(409, 'not_now', 'Not now.', { detail: 'later', retryAfter: 3 });
    });
    b.onRequest('fail', async () => {
      throw new Error('secret of the inside');
    });
    b.onRequest('sleep', () => new Promise(() => {}));
    const ask = (to: string, kind: string, ms = 10_000) => a.request(to, kind, { n: 21 }, none, ms);
    expect(await a.request('b', 'double', { n: 21 }, Buffer.from('four'), 10_000)).toEqual({
      twice: 42,
      bytes: 4,
    });
    await expect(ask('b', 'refuse')).rejects.toMatchObject({
      status: 409,
      code: 'not_now',
      message: 'Not now.',
      detail: 'later',
      retryAfter: 3,
    });
    await expect(ask('b', 'fail')).rejects.toMatchObject({ status: 500, code: 'internal_error' });
    await expect(ask('b', 'fail')).rejects.not.toThrow(/secret/);
    for (const [to, kind, ms] of [
      ['b', 'unknown', 10_000],
      ['nobody', 'double', 10_000],
      ['b', 'sleep', 100],
    ] as const)
      await expect(ask(to, kind, ms)).rejects.toMatchObject({ status: 503, code: 'instance_unavailable' });
  });

  test('messages of other versions, and what is none, do no harm', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const { messages } = await listen(b, 'topic');
    const channel = `test-${tests}:bus:topic`;
    const other = new Redis(redis.url);
    try {
      const newer = encodeMessage({ i: 'z', m: { known: 1, unknown: 2 }, unknown: true });
      const nextMajor = Buffer.from(newer);
      nextMajor[0] = 2;
      for (const frame of [
        Buffer.from('nonsense'),
        Buffer.alloc(0),
        nextMajor,
        encodeMessage({ m: 'of nobody' }),
        newer,
      ])
        await other.publish(channel, frame);
    } finally {
      other.disconnect();
    }
    a.publish('topic', { after: true });
    await until('the last one is there', () => messages.length === 2);
    expect(messages.map(({ message }) => message)).toEqual([{ known: 1, unknown: 2 }, { after: true }]);
    expect(b.figures.malformed).toBe(4);
  });

  test('a Redis that restarts is found again, subscriptions and lasting messages with it', async () => {
    const own = await startRedis();
    const address = { url: own.url, prefix: 'restart' };
    const options = { clock: systemClock, log: silentLog };
    const a = await openBus(address, { instance: 'a', ...options });
    const b = await openBus(address, { instance: 'b', ...options });
    try {
      const { messages } = await listen(b, 'topic');
      const changes: boolean[] = [];
      b.onChange((up) => changes.push(up));
      await own.kill('SIGKILL');
      await until('the loss is noticed', () => !a.up && !b.up);
      for (let i = 0; i < 3; i++) a.publishLasting('topic', { i });
      a.publish('topic', { lost: true });
      await own.restart({ empty: true });
      await until('the lasting ones are there', () => messages.length >= 3);
      expect(new Set(messages.map(({ message }) => JSON.stringify(message)))).toEqual(
        new Set(['{"i":0}', '{"i":1}', '{"i":2}']),
      );
      await until('that is told', () => changes.length === 2);
      expect(changes).toEqual([false, true]);
    } finally {
      a.close();
      b.close();
      await own.stop();
    }
  });

  test('a Redis that hangs is noticed, what waits for it is bounded, and all goes on when it does', async () => {
    const own = await startRedis();
    const address = { url: own.url, prefix: 'hang' };
    const options = { clock: systemClock, log: silentLog };
    const a = await openBus(address, { instance: 'a', ...options });
    const b = await openBus(address, { instance: 'b', ...options });
    try {
      const { messages } = await listen(b, 'topic');
      await own.kill('SIGSTOP');
      const megabyte = new Uint8Array(1024 * 1024);
      let taken = 0;
      for (let i = 0; i < 40; i++) if (a.offer('topic', { i }, megabyte)) taken += 1;
      // As much as may wait, and the one that goes over it.
      expect(taken).toBeLessThanOrEqual(5);
      for (let i = 0; i < 40; i++) a.publish('topic', { i }, megabyte);
      expect(a.figures.inFlight).toBeLessThan(10 * 1024 * 1024);
      await until('it is noticed', () => !a.up && !b.up);
      expect(a.figures.inFlight).toBe(0);
      await own.kill('SIGCONT');
      await until('both are back', () => a.up && b.up);
      a.publish('topic', { back: true });
      await until('it is there', () =>
        messages.some(({ message }) => JSON.stringify(message) === '{"back":true}'),
      );
    } finally {
      await own.kill('SIGCONT');
      a.close();
      b.close();
      await own.stop();
    }
  });

  test('who comes and goes leaves no subscription behind', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const [one, two] = [await listen(b, 'topic'), await listen(b, 'topic')];
    const counts = async () => (await a.client.pubsub('NUMSUB', `test-${tests}:bus:topic`))[1];
    expect(await counts()).toBe(1);
    one.leave();
    a.publish('topic', { n: 1 });
    await until('the other still hears', () => two.messages.length === 1);
    two.leave();
    await until('nothing is subscribed', async () => (await counts()) === 0);
    const again = await listen(b, 'topic');
    a.publish('topic', { n: 2 });
    await until('it hears again', () => again.messages.length === 1);
    expect(one.messages).toEqual([]);
  });

  test('a listener that throws takes nobody else with it', async () => {
    const [a, b] = [await open('a'), await open('b')];
    b.subscribe('topic', () => {
      throw new Error('a defect');
    });
    const { messages } = await listen(b, 'topic');
    a.publish('topic', { n: 1 });
    await until('the other one hears', () => messages.length === 1);
  });

  test('a Redis that cannot be used stops the start with the reason and without the password', async () => {
    const lines: string[] = [];
    const log = createLog(true, { write: (line) => void lines.push(line) });
    const options = { instance: 'a', clock: systemClock, log, startWithinMs: 300 };
    const nobody = openBus({ url: 'redis://user:pa55word@127.0.0.1:1', prefix: 'x' }, options);
    await expect(nobody).rejects.toThrow(/^REDIS_URL cannot be used: .*ECONNREFUSED/);
    const wrong = openBus(
      { url: `redis://user:pa55word@127.0.0.1:${redis.port}`, prefix: 'x' },
      { ...options, startWithinMs: 20_000 },
    );
    const refusal = await wrong.catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(String(refusal)).toMatch(/^ConfigError: REDIS_URL cannot be used: WRONGPASS/);
    expect(lines.join('') + String(refusal)).not.toContain('pa55word');
  });
});
