// One of three instances is killed, again and again, or put to sleep; what the viewers of the others, the cameras and
// the alerts notice of it. Redis and PostgreSQL are lost in cluster-neighbours.ts.

import { AlertTruth } from '../../test/support/alert-truth.ts';
import { eventually } from '../../test/support/parts.ts';
import { foreignWrites, notedWrites } from '../../test/support/write-watch.ts';
import {
  type ClusterSetting,
  closeAll,
  figuresOf,
  inCluster,
  longestGap,
  overlap,
  seeing,
  watchElsewhere,
  whole,
} from '../cluster-setting.ts';
import { type Figure, percentile } from '../figures.ts';
import { pause } from '../setting.ts';
import type { Section } from './section.ts';

const kills = Number(process.env.CLUSTER_KILLS ?? 20);
const cooldownMs = 5_000;
const asleepMs = 30_000;
/** Cameras with somebody in view: their owners write all the time. */
const busy = 2;

export const clusterKill: Section = {
  name: 'cluster-kill',
  about: `24 cameras on three instances, of which one is killed ${kills} times`,
  onRequest: true,
  run: () =>
    inCluster({ busy, env: { ALERT_COOLDOWN_SECONDS: String(cooldownMs / 1000) } }, async (setting) => {
      const { cluster, ids } = setting;
      // Those with faces have alerts of their own.
      const truth = await AlertTruth.start(cluster, {
        streams: ids.slice(busy, busy + 6),
        betweenMs: 250,
        cooldownMs,
      });
      const rounds: Round[] = [];
      for (let kill = 0; kill < kills; kill++) {
        const round = await killOne(setting, kill % 3);
        await truth.listen(kill % 3);
        rounds.push(round);
        console.error(
          `  kill ${kill + 1}: ${Math.round(round.gap)} ms without a picture, elsewhere after ${Math.round(round.elsewhereMs)} ms`,
        );
      }
      await truth.end();
      const faults = [...(await truth.faults()), ...(await foreignWrites(cluster)).map(foreign)];
      for (const fault of faults) console.error(`  ${fault}`);
      console.error('  reports not taken:', Object.fromEntries(truth.refusals));
      const alerts = await cluster.rows('select count(*) as n from alerts');
      truth.close();
      return [
        ...figuresOfRounds(rounds),
        ...truthFigures(truth, faults, Number(alerts[0]!.n)),
        await overlapFigure(setting),
      ];
    }),
};

interface Round {
  /** Longest without a picture of a viewer on another instance, ms. */
  readonly gap: number;
  /** From the kill until the last of its cameras had a new owner, ms. */
  readonly elsewhereMs: number;
  readonly cameras: number;
}

async function killOne(setting: ClusterSetting, victim: number): Promise<Round> {
  const { cluster, ids } = setting;
  const cameras = (await cluster.ownerships()).filter(({ instance }) => instance === victim).length;
  const viewers = await watchElsewhere(setting, victim);
  const killedAt = performance.now();
  await cluster.kill(victim);
  await eventually(
    'run by the others',
    () => cluster.ownerships(),
    (all) => all.every(({ instance }) => instance !== victim),
    30_000,
  );
  const elsewhereMs = performance.now() - killedAt;
  await cluster.allOnline(ids.length);
  await seeing(viewers, 30);
  const gap = longestGap(viewers);
  const moved = viewers.find(({ connections }) => connections > 1);
  if (moved) throw new Error(`a viewer of another instance lost its socket: ${moved.story()}`);
  await closeAll(viewers);
  await cluster.start(victim);
  await whole(cluster, ids.length);
  return { gap, elsewhereMs, cameras };
}

function figuresOfRounds(rounds: readonly Round[]): Figure[] {
  const figure = figuresOf('cluster-kill');
  const gaps = rounds.map(({ gap }) => gap);
  const elsewhere = rounds.map(({ elsewhereMs }) => elsewhereMs);
  return [
    figure('kills', rounds.length, ''),
    figure(
      'cameras taken over',
      rounds.reduce((sum, { cameras }) => sum + cameras, 0),
      '',
    ),
    figure('all have a new owner, p50', percentile(elsewhere, 0.5), 'ms'),
    figure('all have a new owner, longest', Math.max(...elsewhere), 'ms'),
    figure('viewers of the others without a picture, p50 of the longest', percentile(gaps, 0.5), 'ms'),
    figure('viewers of the others without a picture, longest', Math.max(...gaps), 'ms', 5_000),
  ];
}

function truthFigures(truth: AlertTruth, faults: readonly string[], alerts: number): Figure[] {
  const figure = figuresOf('cluster-kill');
  return [
    figure('detections acknowledged', truth.acknowledged.size, ''),
    figure(
      'reports not taken',
      [...truth.refusals.values()].reduce((sum, count) => sum + count, 0),
      '',
    ),
    figure('alerts raised', alerts, ''),
    figure('lost or doubled, written by former owners', faults.length, '', 0),
  ];
}

async function overlapFigure(setting: ClusterSetting): Promise<Figure> {
  return figuresOf('cluster-kill')(
    'two sessions at one camera, longest',
    await overlap(setting),
    'ms',
    1_000,
  );
}

function foreign({
  writer,
  owner,
  table,
  streamId,
}: Awaited<ReturnType<typeof foreignWrites>>[number]): string {
  return `${writer} wrote ${table} of ${streamId}, which was ${owner || 'nobody'}’s`;
}

export const clusterSleep: Section = {
  name: 'cluster-sleep',
  about: `24 cameras on three instances, of which one is stopped for ${asleepMs / 1000} s`,
  onRequest: true,
  run: () =>
    inCluster({ busy }, async (setting) => {
      const { cluster, ids, paths } = setting;
      const figure = figuresOf('cluster-sleep');
      const victim = await cluster.holderOf(ids[0]!);
      const viewers = await watchElsewhere(setting, victim);
      cluster.signal(victim, 'SIGSTOP');
      await pause(asleepMs);
      await seeing(viewers, 15);
      const gap = longestGap(viewers);
      const awakeAt = performance.now();
      cluster.signal(victim, 'SIGCONT');
      await Promise.all(
        paths.map((path) =>
          eventually(
            `one session at ${path}`,
            () => cluster.simulator.camera(path).stats(),
            ({ sessions }) => sessions === 1,
          ),
        ),
      );
      const noticedMs = performance.now() - awakeAt;
      await whole(cluster, ids.length);
      const faults = await foreignWrites(cluster);
      const writes = (await notedWrites(cluster)).length;
      await closeAll(viewers);
      return [
        figure('viewers of the others without a picture, longest', gap, 'ms', 6_000),
        figure('it leaves its cameras after waking', noticedMs, 'ms', 1_000),
        figure('rows written', writes, ''),
        figure('of these by a former owner', faults.length, '', 0),
      ];
    }),
};
