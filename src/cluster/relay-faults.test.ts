import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clip } from '../../simulator/clip.ts';
import { sceneClip } from '../../simulator/clips.ts';
import { skipsWithout } from '../../test/support/components.ts';
import { type RedisServer, startRedis } from '../../test/support/redis-server.ts';
import type { AccessUnit } from '../media/access-unit.ts';
import type { RaisedAlert } from '../stream/live-camera.ts';
import { HandCamera, leaseOf, openInstance, type TestInstance, until } from './testing.ts';

/** What the relay does when Redis or an instance fails. Each test has a Redis of its own to lose. */
describe.skipIf(skipsWithout('redis'))('the relay', () => {
  let redis: RedisServer;
  let clip: Clip;
  const opened: TestInstance[] = [];

  beforeEach(async () => {
    redis = await startRedis();
    clip = await sceneClip();
  });
  afterEach(async () => {
    for (const instance of opened.splice(0)) instance.close();
    await redis.kill('SIGCONT');
    await redis.stop();
  });

  async function watched() {
    const [a, b] = (await Promise.all(['a', 'b'].map((name) => openInstance(redis.url, 'faults', name)))) as [
      TestInstance,
      TestInstance,
    ];
    opened.push(a, b);
    const camera = new HandCamera('s1');
    camera.begin(clip);
    const relayed = a.sender.serve(camera, {
      streamId: 's1',
      lease: leaseOf('s1', 1),
      details: () => ({}),
    });
    const followed = b.receiver.follow('s1');
    const units: AccessUnit[] = [];
    followed.stream.subscribe({ onUnit: (unit) => units.push(unit) });
    followed.wantUnits();
    followed.join();
    await until('units come', () => {
      camera.send(clip);
      return units.length > 0;
    });
    return { a, b, camera, relayed, followed, units };
  }

  const numberOf = ({ timestamp }: AccessUnit) => Math.round((timestamp * clip.fps) / 1_000_000);

  /** Sends until a unit of that number or a later one is there. */
  async function unitsFrom(camera: HandCamera, units: readonly AccessUnit[], number: number): Promise<void> {
    await until('units come again', () => {
      camera.send(clip);
      return numberOf(units.at(-1)!) >= number;
    });
  }

  /** Between two keyframes there is no gap, and where there is one, the unit after it is a keyframe that says so. */
  function expectDecodable(units: readonly AccessUnit[]): void {
    units.forEach((unit, i) => {
      const before = units[i - 1];
      const follows = before !== undefined && numberOf(unit) === numberOf(before) + 1;
      if (!follows) expect(unit.keyframe, `unit ${i}`).toBe(true);
      expect(unit.lossBefore, `unit ${i}`).toBe(before !== undefined && !follows);
    });
  }

  test('goes on after a restart of Redis, and the alerts of that time come once', async () => {
    const { a, camera, followed, units } = await watched();
    const alerts: string[] = [];
    followed.faces.subscribe({ onAlert: ({ alertId }) => alerts.push(alertId) });
    await redis.kill('SIGKILL');
    await until('the loss is shown', () => followed.stream.status === 'reconnecting');
    expect(followed.stream.message).toBe(
      'The connection between the servers is lost; coming back by itself.',
    );
    const alert: RaisedAlert = {
      alertId: 'during',
      detectionId: 'd',
      streamId: 's1',
      time: 1,
      confidence: 1,
      snapshot: null,
    };
    a.sender.tellAlert(alert);
    camera.send(clip, 10);
    await redis.restart({ empty: true });
    await until('it is online again', () => followed.stream.status === 'online');
    await unitsFrom(camera, units, camera.sent);
    expectDecodable(units);
    await until('the alert is there', () => alerts.length > 0);
    // Those who get it twice, or five times, tell it once.
    a.sender.tellAlert({ ...alert, alertId: 'after' });
    await until('the next alert is there', () => alerts.includes('after'));
    expect(alerts).toEqual(['during', 'after']);
  });

  test('keeps nothing for a Redis that hangs, and begins anew with a keyframe', async () => {
    const { a, camera, relayed, units } = await watched();
    await redis.kill('SIGSTOP');
    const round = clip.accessUnits.reduce((sum, { data }) => sum + data.byteLength, 0);
    camera.send(clip, clip.accessUnits.length * Math.ceil((12 * 1024 * 1024) / round));
    expect(a.bus.figures.inFlight).toBeLessThan(6 * 1024 * 1024);
    expect(relayed.dropped).toBeGreaterThan(0);
    await redis.kill('SIGCONT');
    await unitsFrom(camera, units, camera.sent);
    expectDecodable(units);
    expect(units.length).toBeLessThan(camera.sent);
  });

  test('sends the newest picture once a connection that was behind has room', async () => {
    const { a, camera, followed } = await watched();
    const seen: number[] = [];
    followed.pictures.subscribe(({ timestamp }) => seen.push(timestamp));
    await until('pictures are asked for', () => camera.pictureReaders.listeners.size === 1);
    await redis.kill('SIGSTOP');
    const data = new Uint8Array(200_000);
    for (let i = 1; i <= 100; i++) camera.sendPicture({ data, width: 1, height: 1, timestamp: i });
    expect(a.bus.figures.inFlight).toBeLessThan(6 * 1024 * 1024);
    await redis.kill('SIGCONT');
    await until('the newest is there', () => seen.at(-1) === 100);
    expect(seen.length).toBeLessThan(60);
    expect(a.bus.up).toBe(true);
  });

  test('survives that Redis throws an instance out that does not read', async () => {
    const { a, b, camera, followed, units } = await watched();
    const { client } = a.bus;
    // As `client-output-buffer-limit` does with one whose event loop is blocked.
    const clients = String(await client.client('LIST'));
    const line = clients.split('\n').find((text) => text.includes('name=faults-subscriber-b'));
    const id = /\bid=(\d+)/.exec(line ?? '')?.[1];
    const lost: boolean[] = [];
    b.bus.onChange((up) => lost.push(up));
    expect(await client.client('KILL', 'ID', Number(id))).toBe(1);
    await until('it is back', () => lost.includes(true));
    await unitsFrom(camera, units, camera.sent);
    expectDecodable(units);
    expect(followed.stream.status).toBe('online');
    expect(lost).toEqual([false, true]);
  });

  test('an instance whose event loop stands still for ten seconds sees live pictures again', async () => {
    const { camera } = await watched();
    const follower = fileURLToPath(new URL('../../test/support/relay-blocked-follower.ts', import.meta.url));
    const sending = setInterval(() => camera.send(clip), 10);
    try {
      const run = promisify(execFile)(process.execPath, [follower, redis.url]);
      const { stdout } = await run;
      const told = JSON.parse(stdout) as { rss: number; seen: number; ageMs: number; gaps: number };
      expect(told.seen).toBeGreaterThan(0);
      expect(told.gaps).toBe(0);
      expect(told.ageMs).toBeLessThan(5_000);
    } finally {
      clearInterval(sending);
    }
  });
});
