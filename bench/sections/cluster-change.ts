// Instances are replaced one after the other, and a fourth one joins: what viewers and cameras notice.
// Instances that are lost without a word are in cluster-loss.ts.

import { eventually } from '../../test/support/parts.ts';
import {
  closeAll,
  figuresOf,
  inCluster,
  longestGap,
  overlap,
  seeing,
  watchElsewhere,
  whole,
} from '../cluster-setting.ts';
import { pause } from '../setting.ts';
import type { Section } from './section.ts';

export const clusterRolling: Section = {
  name: 'cluster-rolling',
  about: '24 cameras on three instances, which are restarted one after the other',
  onRequest: true,
  run: () =>
    inCluster({}, async (setting) => {
      const { cluster, ids } = setting;
      const figure = figuresOf('cluster-rolling');
      const viewers = await watchElsewhere(setting);
      const leaving: number[] = [];
      for (const index of [0, 1, 2]) {
        const askedAt = performance.now();
        const code = await cluster.leave(index);
        if (code !== 0) throw new Error(`instance ${index} ended with ${code}`);
        leaving.push(performance.now() - askedAt);
        await cluster.start(index);
        // As an orchestrator does: the next one when this one is ready, and has been for a moment.
        await pause(2_000);
      }
      await whole(cluster, ids.length);
      await seeing(viewers, 15);
      const figures = [
        figure('viewers without a picture, longest', longestGap(viewers), 'ms', 3_000),
        figure(
          'connections of a viewer, most',
          Math.max(...viewers.map(({ connections }) => connections)),
          '',
        ),
        figure('an instance takes to leave, longest', Math.max(...leaving), 'ms'),
        figure('two sessions at one camera, longest', await overlap(setting), 'ms', 1_000),
      ];
      await closeAll(viewers);
      return figures;
    }),
};

export const clusterJoin: Section = {
  name: 'cluster-join',
  about: '24 cameras on three instances, to which a fourth one comes',
  onRequest: true,
  run: () =>
    inCluster({}, async (setting) => {
      const { cluster, ids, paths } = setting;
      const figure = figuresOf('cluster-join');
      const viewers = await watchElsewhere(setting);
      const share = ids.length / 4;
      const fourth = await cluster.add();
      const joinedAt = performance.now();
      let away = 0;
      await eventually(
        'its share',
        async () => {
          const stats = await Promise.all(paths.map((path) => cluster.simulator.camera(path).stats()));
          away = Math.max(away, stats.filter(({ sessions }) => sessions === 0).length);
          return (await cluster.held())[fourth] ?? 0;
        },
        (held) => held >= share,
        60_000,
      );
      const sharedMs = performance.now() - joinedAt;
      await cluster.allOnline(ids.length);
      await seeing(viewers, 15);
      const figures = [
        figure('it has its share after', sharedMs, 'ms', 30_000),
        figure('cameras without a session at once, most', away, '', 1),
        figure('viewers without a picture, longest', longestGap(viewers), 'ms', 3_000),
        figure('two sessions at one camera, longest', await overlap(setting), 'ms', 1_000),
      ];
      await closeAll(viewers);
      return figures;
    }),
};
