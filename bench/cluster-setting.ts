// The setting of the cluster's measurements: three instances and what they share, cameras, a viewer of each camera elsewhere.
// What is measured is in sections/cluster-*.ts.

import { type Cluster, type ClusterOptions, startCluster } from '../test/support/cluster.ts';
import { eventually } from '../test/support/parts.ts';
import type { RoamingViewer } from '../test/support/roaming-viewer.ts';
import { watchWrites } from '../test/support/write-watch.ts';
import type { Figure } from './figures.ts';

export interface ClusterSetting {
  readonly cluster: Cluster;
  readonly paths: readonly string[];
  /** Of the streams, in the order of `paths`. */
  readonly ids: readonly string[];
}

export interface ClusterSettingOptions {
  /** How many cameras; default 24, H.264 640×480 at 15 frames a second, a keyframe a second. */
  readonly cameras?: number;
  /** Somebody is in view of so many of them all the time, and looked for; default 0. */
  readonly busy?: number;
  readonly env?: NodeJS.ProcessEnv;
}

const busyScene = {
  label: 'BUSY',
  mood: 'day' as const,
  seconds: 12,
  visits: [{ person: 1, from: 0.2, to: 11.8, at: 0.5 }],
};

/** Starts everything, waits until each instance has its share and all cameras are online, measures, stops everything. */
export async function inCluster<T>(
  options: ClusterSettingOptions,
  measure: (setting: ClusterSetting) => Promise<T>,
): Promise<T> {
  const { cameras = 24, busy = 0, env = {} } = options;
  const paths = Array.from({ length: cameras }, (_, index) => `/cam${index}`);
  const clipOf = (index: number) => ({ gopSeconds: 1, ...(index < busy && { scene: busyScene }) });
  const settings: ClusterOptions = {
    env,
    cameras: paths.map((path, index) => ({ path, clip: clipOf(index) })),
  };
  await using cluster = await startCluster(settings);
  try {
    await watchWrites(cluster);
    const ids: string[] = [];
    for (const [index, path] of paths.entries())
      ids.push((await cluster.save(path, { detection_enabled: index < busy })).id);
    await whole(cluster, cameras);
    return await measure({ cluster, paths, ids });
  } catch (error) {
    throw new Error(`${(error as Error).message}; the instances said:\n${cluster.story()}`, { cause: error });
  }
}

/** Every camera is online for everybody, and shared as evenly as may be. */
export async function whole(cluster: Cluster, cameras: number, timeoutMs = 60_000): Promise<void> {
  const share = cameras / cluster.running.length;
  await eventually(
    'evenly shared',
    async () => (await cluster.held()).filter((count) => count !== null),
    (counts) => counts.every((count) => count >= Math.floor(share) && count <= Math.ceil(share)),
    timeoutMs,
  );
  await cluster.allOnline(cameras);
}

/** A viewer of each camera on an instance that does not run it, and is not `avoided`; all of them see it. */
export async function watchElsewhere(
  { cluster, ids }: ClusterSetting,
  avoided: number | null = null,
  format: 'annexb' | 'jpeg' = 'annexb',
): Promise<RoamingViewer[]> {
  const holders = new Map((await cluster.ownerships()).map(({ streamId, instance }) => [streamId, instance]));
  const viewers = ids.map((id, turn) => {
    const places = cluster.running.filter((index) => index !== holders.get(id) && index !== avoided);
    return cluster.watch(id, places[turn % places.length]!, { format });
  });
  await seeing(viewers, 5);
  for (const viewer of viewers) viewer.reset();
  return viewers;
}

export async function seeing(viewers: readonly RoamingViewer[], pictures: number): Promise<void> {
  await Promise.all(viewers.map((viewer) => viewer.more(pictures, 40_000)));
}

export async function closeAll(viewers: readonly RoamingViewer[]): Promise<void> {
  await Promise.all(viewers.map((viewer) => viewer.close()));
}

export function longestGap(viewers: readonly RoamingViewer[]): number {
  return Math.max(...viewers.map((viewer) => viewer.longestGap));
}

/** The worst of all cameras. */
export async function overlap({ cluster, paths }: ClusterSetting): Promise<number> {
  const all = await Promise.all(paths.map((path) => cluster.overlap(path)));
  return Math.max(...all.map(({ longest }) => longest));
}

/** Figures of one section, most of which must not pass something. */
export function figuresOf(section: string) {
  return (name: string, value: number, unit: string, atMost?: number): Figure => ({
    section,
    name,
    value,
    unit,
    ...(atMost !== undefined && { target: { atMost } }),
  });
}
