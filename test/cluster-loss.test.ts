// What is lost with one of three instances, or with what they share: nothing that was promised, and no picture for long.
// The same with many cameras and repetitions, and with its figures, is bench/cluster/.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AlertTruth } from './support/alert-truth.ts';
import { type Cluster, startCluster, withoutCluster } from './support/cluster.ts';
import { eventually } from './support/parts.ts';
import type { RoamingViewer } from './support/roaming-viewer.ts';
import { foreignWrites, notedWrites, watchWrites } from './support/write-watch.ts';

const plain = ['/one', '/two', '/three', '/four', '/five'];
/** Somebody is in view all the time: the owner writes. */
const busy = '/busy';
const paths = [...plain, busy];
/** Longer than this file takes: each stream has one alert. */
const cooldownMs = 600_000;

describe.skipIf(withoutCluster)('three instances, of which', () => {
  let cluster: Cluster;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    const clip = { gopSeconds: 1 };
    const scene = {
      label: 'BUSY',
      mood: 'day' as const,
      seconds: 12,
      visits: [{ person: 1, from: 0.2, to: 11.8, at: 0.5 }],
    };
    cluster = await startCluster({
      env: { ALERT_COOLDOWN_SECONDS: String(cooldownMs / 1000) },
      cameras: [...plain.map((path) => ({ path, clip })), { path: busy, clip: { scene, ...clip } }],
    });
    await watchWrites(cluster);
    for (const path of paths)
      ids.set(path, (await cluster.save(path, { detection_enabled: path === busy })).id);
    await cluster.allOnline(paths.length);
    await shared();
  }, 120_000);

  afterAll(async () => {
    await cluster?.stop();
  });

  const idOf = (path: string) => ids.get(path)!;

  /** Every instance has its share, so that each of them is worth losing. */
  async function shared(): Promise<void> {
    await eventually(
      'evenly shared',
      () => cluster.held(),
      (counts) => counts.every((count) => count === paths.length / 3),
      40_000,
    );
  }

  /** A viewer of each camera on an instance that does not run it, and is not `victim`. */
  async function watchAll(victim: number | null): Promise<RoamingViewer[]> {
    const viewers = await Promise.all(
      paths.map(async (path) => {
        const holder = await cluster.holderOf(idOf(path));
        const place = cluster.running.find((index) => index !== holder && index !== victim)!;
        return cluster.watch(idOf(path), place, { format: 'annexb' });
      }),
    );
    for (const viewer of viewers) await viewer.more(5);
    for (const viewer of viewers) viewer.reset();
    return viewers;
  }

  async function closeAll(viewers: readonly RoamingViewer[]): Promise<void> {
    await Promise.all(viewers.map((viewer) => viewer.close()));
  }

  const alertsOfBusy = () =>
    cluster.rows('select detections_count from alerts where stream_id = $1', [idOf(busy)]);

  it('one is killed: the others run its cameras, and their viewers, alerts and reports hardly notice', async () => {
    const victim = await cluster.holderOf(idOf(busy));
    await eventually('an alert of the busy camera', alertsOfBusy, ({ length }) => length === 1, 30_000);
    const viewers = await watchAll(victim);
    const truth = await AlertTruth.start(cluster, {
      streams: [idOf('/one'), idOf('/two'), idOf('/three')],
      betweenMs: 150,
      cooldownMs,
    });
    const before = truth.acknowledged.size;
    await cluster.kill(victim);
    await eventually(
      'run by the others',
      () => cluster.ownerships(),
      (all) => all.every(({ instance }) => instance !== victim),
      20_000,
    );
    await cluster.allOnline(paths.length);
    for (const viewer of viewers) await viewer.more(15);
    for (const viewer of viewers) {
      expect(viewer.longestGap, viewer.story()).toBeLessThan(5_000);
      // None of them was on the one that was lost: each kept its socket.
      expect(viewer.connections).toBe(1);
    }
    for (const path of paths) expect((await cluster.overlap(path)).longest, path).toBeLessThan(1_000);
    await eventually(
      'reports answered again',
      () => truth.acknowledged.size,
      (count) => count > before + 10,
      20_000,
    );
    // The new owner sees the same person within the cooldown: one more detection, no other alert.
    await eventually(
      'a detection of the new owner',
      alertsOfBusy,
      (rows) => Number(rows[0]?.detections_count) >= 2,
      40_000,
    );
    await truth.end();
    expect(await truth.faults()).toEqual([]);
    expect(await alertsOfBusy()).toHaveLength(1);
    truth.close();
    await closeAll(viewers);
    await cluster.start(victim);
    await shared();
  }, 150_000);

  it('one is asleep for a while: it finds out before it says or writes a word, and takes part again', async () => {
    const victim = await cluster.holderOf(idOf(busy));
    const viewers = await watchAll(victim);
    const writes = (await notedWrites(cluster)).length;
    cluster.signal(victim, 'SIGSTOP');
    await eventually(
      'run by the others',
      () => cluster.ownerships(),
      (all) => all.every(({ instance }) => instance !== victim),
      20_000,
    );
    for (const viewer of viewers) await viewer.more(15);
    for (const viewer of viewers) expect(viewer.longestGap, viewer.story()).toBeLessThan(6_000);
    cluster.signal(victim, 'SIGCONT');
    // Its sockets to the cameras were open all the time: now it closes them.
    for (const path of paths)
      await eventually(
        `one session at ${path}`,
        () => cluster.simulator.camera(path).stats(),
        ({ sessions }) => sessions === 1,
      );
    await shared();
    // Somebody wrote meanwhile: the watch on writing is awake.
    await eventually(
      'written by the new owner',
      async () => (await notedWrites(cluster)).length,
      (count) => count > writes,
      60_000,
    );
    expect(await foreignWrites(cluster)).toEqual([]);
    expect(await alertsOfBusy()).toHaveLength(1);
    for (const viewer of viewers) expect(viewer.connections, viewer.story()).toBe(1);
    await closeAll(viewers);
  }, 150_000);

  it('Redis is lost and comes back empty: every camera goes on at its owner, and all is whole soon after', async () => {
    const sessions = async () =>
      Promise.all(paths.map(async (path) => (await cluster.simulator.camera(path).stats()).sessionsTotal));
    const before = await sessions();
    const far = await watchAll(null);
    const near = await Promise.all(
      paths.map(async (path) =>
        cluster.watch(idOf(path), await cluster.holderOf(idOf(path)), { format: 'annexb' }),
      ),
    );
    for (const viewer of near) await viewer.more(5);
    for (const viewer of near) viewer.reset();
    await cluster.redis.kill('SIGKILL');
    for (const viewer of near) await viewer.more(45);
    // Far longer than a lock lasts.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    for (const viewer of near) {
      expect(viewer.longestGap, viewer.story()).toBeLessThan(2_000);
      expect(viewer.connections).toBe(1);
    }
    expect(await sessions()).toEqual(before);
    await cluster.redis.restart({ empty: true });
    const back = performance.now();
    await Promise.all(far.map((viewer) => viewer.more(15)));
    expect(performance.now() - back).toBeLessThan(15_000);
    for (const viewer of near) expect(viewer.longestGap, viewer.story()).toBeLessThan(2_000);
    await cluster.allOnline(paths.length);
    expect(await sessions()).toEqual(before);
    expect(await foreignWrites(cluster)).toEqual([]);
    await closeAll([...far, ...near]);
  }, 120_000);

  it('PostgreSQL is restarted under load: no picture is missed, nothing acknowledged is lost', async () => {
    const pids = cluster.running.map((index) => cluster.instance(index).pid);
    const viewers = await watchAll(null);
    const truth = await AlertTruth.start(cluster, {
      streams: [idOf('/one'), idOf('/four')],
      betweenMs: 50,
      cooldownMs,
    });
    await eventually(
      'reports answered',
      () => truth.acknowledged.size,
      (count) => count > 20,
      20_000,
    );
    await cluster.postgres.restart();
    const before = truth.acknowledged.size;
    await eventually(
      'reports answered again',
      () => truth.acknowledged.size,
      (count) => count > before + 20,
      20_000,
    );
    await truth.end();
    for (const viewer of viewers) {
      await viewer.more(5);
      expect(viewer.longestGap, viewer.story()).toBeLessThan(2_000);
      expect(viewer.connections).toBe(1);
    }
    expect(await truth.faults()).toEqual([]);
    expect(await foreignWrites(cluster)).toEqual([]);
    truth.close();
    // The same processes, and no session at a camera was made anew.
    expect(cluster.running.map((index) => cluster.instance(index).exitCode)).toEqual([null, null, null]);
    expect(cluster.running.map((index) => cluster.instance(index).pid)).toEqual(pids);
    await closeAll(viewers);
  }, 120_000);
});
