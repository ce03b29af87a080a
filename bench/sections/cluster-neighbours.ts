// Redis is away for a while and comes back empty; PostgreSQL is restarted under load.
// Instances are lost in cluster-loss.ts.

import { AlertTruth } from '../../test/support/alert-truth.ts';
import { foreignWrites } from '../../test/support/write-watch.ts';
import {
  closeAll,
  figuresOf,
  inCluster,
  longestGap,
  overlap,
  seeing,
  watchElsewhere,
} from '../cluster-setting.ts';
import { pause } from '../setting.ts';
import type { Section } from './section.ts';

const redisAwayMs = 20_000;
const cooldownMs = 5_000;

export const clusterRedis: Section = {
  name: 'cluster-redis',
  about: `24 cameras on three instances, whose Redis is away for ${redisAwayMs / 1000} s and comes back empty`,
  onRequest: true,
  run: () =>
    inCluster({ busy: 2 }, async (setting) => {
      const { cluster, ids, paths } = setting;
      const figure = figuresOf('cluster-redis');
      const sessions = async () => {
        const stats = await Promise.all(paths.map((path) => cluster.simulator.camera(path).stats()));
        return stats.reduce((sum, { sessionsTotal }) => sum + sessionsTotal, 0);
      };
      const before = await sessions();
      const far = await watchElsewhere(setting);
      const near = await Promise.all(
        ids.map(async (id) => cluster.watch(id, await cluster.holderOf(id), { format: 'annexb' })),
      );
      await seeing(near, 5);
      for (const viewer of near) viewer.reset();
      await cluster.redis.kill('SIGKILL');
      await pause(redisAwayMs);
      const nearGap = longestGap(near);
      await cluster.redis.restart({ empty: true });
      const backAt = performance.now();
      await seeing(far, 5);
      const wholeMs = performance.now() - backAt;
      await cluster.allOnline(ids.length);
      await pause(10_000);
      const figures = [
        figure('viewers on the owner without a picture, longest', nearGap, 'ms', 1_000),
        figure('the same while it comes back', longestGap(near), 'ms', 1_000),
        figure('every viewer sees again after', wholeMs, 'ms', 10_000),
        figure('cameras connected anew', (await sessions()) - before, '', 0),
        figure('two sessions at one camera, longest', await overlap(setting), 'ms', 1_000),
        figure('rows written by a former owner', (await foreignWrites(cluster)).length, '', 0),
      ];
      await closeAll([...far, ...near]);
      return figures;
    }),
};

export const clusterPostgres: Section = {
  name: 'cluster-postgres',
  about: '24 cameras on three instances, whose PostgreSQL is restarted under load',
  onRequest: true,
  run: () =>
    inCluster({ busy: 2, env: { ALERT_COOLDOWN_SECONDS: String(cooldownMs / 1000) } }, async (setting) => {
      const { cluster, ids } = setting;
      const figure = figuresOf('cluster-postgres');
      const viewers = await watchElsewhere(setting);
      const truth = await AlertTruth.start(cluster, { streams: ids.slice(2, 10), betweenMs: 50, cooldownMs });
      await pause(5_000);
      for (let restarts = 0; restarts < 3; restarts++) {
        await cluster.postgres.restart();
        await pause(5_000);
      }
      await truth.end();
      const faults = [...(await truth.faults()), ...(await foreignWrites(cluster))];
      for (const fault of faults) console.error(' ', fault);
      console.error('  reports not taken:', Object.fromEntries(truth.refusals));
      const figures = [
        figure('restarts', 3, ''),
        figure('detections acknowledged', truth.acknowledged.size, ''),
        figure(
          'reports not taken',
          [...truth.refusals.values()].reduce((sum, count) => sum + count, 0),
          '',
        ),
        figure('lost or doubled', faults.length, '', 0),
        figure('viewers without a picture, longest', longestGap(viewers), 'ms', 1_000),
        figure(
          'instances that ended',
          3 - cluster.running.filter((index) => cluster.instance(index).exitCode === null).length,
          '',
          0,
        ),
      ];
      truth.close();
      await closeAll(viewers);
      return figures;
    }),
};
