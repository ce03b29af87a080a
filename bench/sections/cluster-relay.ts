// What it costs a viewer to watch on an instance that does not run the camera: the same message, later.
// Both viewers are in one process and in the same run; what is lost with an instance is in cluster-loss.ts.

import { Arrivals } from '../arrivals.ts';
import { type ClusterSetting, figuresOf, inCluster, longestGap, seeing } from '../cluster-setting.ts';
import { type Figure, percentile } from '../figures.ts';
import { costMeter, pause } from '../setting.ts';
import type { Section } from './section.ts';

const seconds = 15;
/** Their pictures are made on a machine that runs everything else as well. */
const jpegCameras = 6;
const annexbHeader = 16;

export const clusterRelay: Section = {
  name: 'cluster-relay',
  about: '24 cameras on three instances, each watched on its own and on another one',
  onRequest: true,
  run: () =>
    inCluster({}, async (setting) => [
      ...(await relayed(setting, 'annexb', setting.ids)),
      ...(await relayed(setting, 'jpeg', setting.ids.slice(0, jpegCameras))),
    ]),
};

async function relayed(
  { cluster }: ClusterSetting,
  format: 'annexb' | 'jpeg',
  ids: readonly string[],
): Promise<Figure[]> {
  const figure = figuresOf('cluster-relay');
  const header = format === 'annexb' ? annexbHeader : 0;
  let counting = false;
  const pairs = await Promise.all(
    ids.map(async (id) => {
      const watched = (place: number) => {
        const arrivals = new Arrivals();
        const onPicture = (bytes: Buffer, at: number) => {
          if (counting) arrivals.add(bytes, at, header);
        };
        return { arrivals, viewer: cluster.watch(id, place, { format, onPicture }) };
      };
      return {
        near: watched(await cluster.holderOf(id)),
        far: watched(await cluster.strangerTo(id)),
      };
    }),
  );
  const viewers = pairs.flatMap(({ near, far }) => [near.viewer, far.viewer]);
  await seeing(viewers, 30);
  for (const viewer of viewers) viewer.reset();
  counting = true;
  const costs = cluster.running.map((index) => costMeter(cluster.instance(index).pid));
  const redis = costMeter(cluster.redis.pid);
  const before = pairs.map(({ far }) => far.viewer.pictures);
  await pause(seconds * 1_000);
  counting = false;
  const cpu = costs.reduce((sum, cost) => sum + cost().cpuPercent, 0);
  const redisCpu = redis().cpuPercent;
  const rates = pairs.map(({ far }, index) => (far.viewer.pictures - before[index]!) / seconds);
  const later = pairs.flatMap(({ near, far }) => far.arrivals.laterThan(near.arrivals));
  const figures = [
    figure(`${format}, ${ids.length} cameras: extra delay, p50`, percentile(later, 0.5), 'ms', 20),
    figure(`${format}: extra delay, p99`, percentile(later, 0.99), 'ms'),
    figure(
      `${format}: longest gap of a viewer elsewhere`,
      longestGap(pairs.map(({ far }) => far.viewer)),
      'ms',
    ),
    figure(`${format}: fewest pictures of a viewer elsewhere`, Math.min(...rates), 'a second'),
    figure(`${format}: CPU of the instances`, cpu, '% of a core'),
    figure(`${format}: CPU of Redis`, redisCpu, '% of a core'),
  ];
  for (const viewer of viewers) await viewer.close();
  return figures;
}
