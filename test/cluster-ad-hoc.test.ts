// Cameras that are not saved, watched on several instances: one connection, whoever opened it, and shared limits.
// Saved ones are in cluster-live.test.ts and cluster-loss.test.ts.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster, withoutCluster } from './support/cluster.ts';
import { eventually } from './support/parts.ts';
import { Viewer } from './support/viewer.ts';

const open = ['/a', '/b', '/c', '/d'];

describe.skipIf(withoutCluster)('cameras that are not saved, on several instances', () => {
  let cluster: Cluster;
  const viewers = new Set<Viewer>();

  beforeAll(async () => {
    cluster = await startCluster({
      instances: 2,
      // With one saved stream there is room for three others.
      env: { MAX_STREAMS: '4' },
      cameras: ['/saved', ...open].map((path) => ({ path, clip: { gopSeconds: 1 } })),
    });
    await cluster.save('/saved');
  }, 120_000);

  afterEach(async () => {
    await Promise.all([...viewers].map((viewer) => viewer.close()));
    viewers.clear();
  });

  afterAll(async () => {
    await cluster?.stop();
  });

  function watch(instance: number, path: string): Viewer {
    const viewer = new Viewer(cluster.instance(instance).viewerUrl(cluster.simulator.url(path)));
    viewers.add(viewer);
    return viewer;
  }

  const sessionsAt = async (path: string) => (await cluster.simulator.camera(path).stats()).sessions;

  it('are connected to once for viewers of both, and let go after the last of them', async () => {
    const here = watch(0, '/a');
    await here.more(5, 20_000);
    const there = watch(1, '/a');
    await there.more(15, 20_000);
    expect(await sessionsAt('/a')).toBe(1);
    // The instance that runs it goes on for those who watch elsewhere.
    await here.close();
    await there.more(165, 30_000);
    expect((await cluster.overlap('/a')).most).toBe(1);
    await there.close();
    await eventually(
      'let go',
      () => sessionsAt('/a'),
      (sessions) => sessions === 0,
      30_000,
    );
  }, 120_000);

  it('are refused over a limit of both together', async () => {
    const [a, b, c] = [watch(1, '/a'), watch(1, '/b'), watch(0, '/c')];
    for (const viewer of [a, b, c]) await viewer.more(3, 20_000);
    const refused = watch(1, '/d');
    const end = await eventually(
      'refused',
      () => refused.closed,
      (closed) => closed !== null,
      10_000,
    );
    expect(end).toMatchObject({ code: 4429 });
    expect(await sessionsAt('/d')).toBe(0);
    // One that is open already may be watched.
    await watch(0, '/a').more(3, 20_000);
  }, 120_000);

  it('run elsewhere when the instance that ran them is lost', async () => {
    // The first instance still runs it for the viewer it had a moment ago.
    const other = watch(1, '/c');
    await other.more(5, 20_000);
    expect(await sessionsAt('/c')).toBe(1);
    await cluster.kill(0);
    await other.more(20, 20_000);
    const { most, longest } = await cluster.overlap('/c');
    expect(most === 1 || longest < 1_000).toBe(true);
  }, 120_000);
});
