// Cameras at the edges of what instances share: nobody watches any more, an instance ends, nobody runs the camera.
// What viewers see of them is in cluster-live.test.ts and cluster-ad-hoc.test.ts.

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster, withoutCluster } from './support/cluster.ts';
import { eventually } from './support/parts.ts';
import { Viewer } from './support/viewer.ts';

const saved = ['/one', '/two', '/three'];

describe.skipIf(withoutCluster)('cameras that instances share', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({
      instances: 2,
      // There is never room for the last of three.
      env: { INSTANCE_CAPACITY: '1' },
      cameras: [...saved, '/passing'].map((path) => ({ path, clip: { gopSeconds: 1 } })),
    });
  }, 120_000);

  afterAll(async () => {
    await cluster?.stop();
  });

  it('are let go by whoever runs them when viewers elsewhere have left before, and not taken by those', async () => {
    const sessions = async () => (await cluster.simulator.camera('/passing').stats()).sessions;
    const watch = (instance: number) =>
      new Viewer(cluster.instance(instance).viewerUrl(cluster.simulator.url('/passing')));
    const here = watch(0);
    await here.more(5, 20_000);
    const there = watch(1);
    await there.more(5, 20_000);
    await there.close();
    // Longer than a camera is kept after its last viewer, who is here.
    await sleep(12_000);
    await here.close();
    await eventually('let go', sessions, (count) => count === 0, 30_000);
    await sleep(2_000);
    expect(await sessions()).toBe(0);
    expect((await cluster.simulator.camera('/passing').sessionSpans()).length).toBe(1);
  }, 120_000);

  it('take every report that comes at once for a stopped camera, and raise one alert', async () => {
    const { id } = await cluster.save('/one');
    await cluster.any.api('PATCH', `/api/streams/${id}/status/`, { action: 'stop' });
    const report = (_: unknown, index: number) =>
      cluster
        .instance(0)
        .api('POST', '/api/detections/', { stream_id: id, confidence_score: 0.5 + index / 100 });
    await Promise.all(Array.from({ length: 24 }, report));
    const [counts] = await cluster.rows(
      'select (select count(*) from detections where stream_id = $1)::int as detections, (select count(*) from alerts where stream_id = $1)::int as alerts',
      [id],
    );
    expect(counts).toEqual({ detections: 24, alerts: 1 });
    await cluster.any.api('DELETE', `/api/streams/${id}/`);
  }, 60_000);

  it('still wait to be run when an instance that had no room for them has ended', async () => {
    const ids: string[] = [];
    for (const path of saved) ids.push((await cluster.save(path)).id);
    const redis = new Redis(cluster.redis.url);
    try {
      const jobs = async () => {
        const there = await Promise.all(ids.map((id) => redis.keys(`*:cameras:${id}`)));
        return there.filter((keys) => keys.length > 0).length;
      };
      const held = async () => (await cluster.held()).reduce<number>((sum, count) => sum + (count ?? 0), 0);
      await eventually('as many are run as there is room for', held, (count) => count === 2, 30_000);
      expect(await jobs()).toBe(3);
      await cluster.leave(1);
      expect(await jobs()).toBe(3);
    } finally {
      redis.disconnect();
    }
  }, 60_000);
});
