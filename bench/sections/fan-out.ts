// One camera, many viewers: what each further viewer costs, and what one that stops reading does to the others.
// The camera and the decoder must notice neither.

import { type Figure, percentile } from '../figures.ts';
import { costMeter, delays, inSetting, pause, type Setting } from '../setting.ts';
import type { Section } from './section.ts';

const steps = [1, 100, 300] as const;
const seconds = 8;
const stalled = 10;
const section = 'fan-out';

export const fanOut: Section = {
  name: section,
  about: 'one camera, 1 → 100 → 300 viewers, and viewers that stop reading',
  run: () =>
    inSetting({ cameras: 1 }, async (setting) => {
      const figures: Figure[] = [];
      const cpu = new Map<number, number>();
      for (const viewers of steps) {
        const { service, fleet, streams } = setting;
        await fleet.open(Array(viewers - fleet.size).fill(streams[0]!.viewerUrl));
        await pause(2_000);
        const cost = costMeter(service.pid);
        const { fps, p99 } = await watch(setting, Math.max(1, viewers / 4));
        cpu.set(viewers, cost().cpuPercent);
        const name = `${viewers} ${viewers === 1 ? 'viewer' : 'viewers'}`;
        figures.push(
          { section, name: `${name}: CPU of the service`, value: cpu.get(viewers)!, unit: '% of a core' },
          { section, name: `${name}: slowest`, value: fps, unit: 'fps' },
          { section, name: `${name}: delay p99`, value: p99, unit: 'ms' },
        );
      }
      const [least = 1, , most = 300] = steps;
      const extra = (cpu.get(most)! - cpu.get(least)!) / (most - least);
      figures.push({ section, name: 'CPU a further viewer', value: extra, unit: '% of a core' });
      figures.push(...(await oneOfEach(setting)), ...(await withStalled(setting)));
      return figures;
    }),
};

/** Measures all open viewers for a while; only some of their pictures are read for the delay. */
async function watch(
  { cameras, fleet }: Setting,
  keepEvery: number,
  except: readonly number[] = [],
): Promise<{ readonly fps: number; readonly p99: number }> {
  await fleet.measure(Math.ceil(keepEvery));
  await pause(seconds * 1_000);
  const log = await cameras.sendings();
  const report = await fleet.report();
  const stillReading = report.viewers.filter(({ id, pictures }) => except.includes(id) && pictures > 0);
  if (stillReading.length > 0) throw new Error('viewers that should have stopped reading got pictures');
  const watching = report.viewers.filter(({ id }) => !except.includes(id));
  const seen = watching.flatMap((viewer) => viewer.seen);
  return {
    fps: Math.min(...watching.map(({ pictures }) => (pictures / report.elapsedMs) * 1_000)),
    p99: percentile(
      delays(seen, ({ counter, at }) => log.sentAt(0, counter, at)),
      0.99,
    ),
  };
}

/** Sessions at the camera, decoders and pictures made, while the most viewers watch. */
async function oneOfEach({ cameras, service }: Setting): Promise<Figure[]> {
  const { sessionsTotal } = await cameras.stats(0);
  const before = await service.metrics();
  await pause(5_000);
  const after = await service.metrics();
  const grown = (name: string) => after(name) - before(name);
  const encodes = grown('rtsp_viewer_stream_pictures') / grown('rtsp_viewer_stream_frames');
  const atMost = 1;
  return [
    { section, name: 'RTSP sessions ever at the camera', value: sessionsTotal, unit: '', target: { atMost } },
    { section, name: 'decoders', value: after('rtsp_viewer_stream_decoders'), unit: '', target: { atMost } },
    // The last frame's picture may still be under way at the beginning.
    { section, name: 'JPEG encodes a frame', value: encodes, unit: '', target: { atMost: 1.05 } },
  ];
}

/** Some viewers stop reading: what the service keeps for each, and whether the others notice. */
async function withStalled(setting: Setting): Promise<Figure[]> {
  const { fleet, service, streams } = setting;
  await fleet.close();
  const ids = await fleet.open(Array(3 * stalled).fill(streams[0]!.viewerUrl));
  await pause(3_000);
  const before = await watch(setting, 4);
  const memoryBefore = service.figures().anonymous;
  const silent = ids.slice(0, stalled);
  for (const id of silent) await fleet.stopReading(id);
  // Long enough for the sockets' own buffers to fill, short enough for the service not to have given them up.
  await pause(4_000);
  const during = await watch(setting, 4, silent);
  const memory = (service.figures().anonymous - memoryBefore) / stalled;
  return [
    {
      section,
      name: 'memory a viewer that stops reading',
      value: Math.max(0, memory) / 1e6,
      unit: 'MB',
      target: { atMost: 2 },
    },
    {
      section,
      name: 'delay p99 of the others, beyond that without it',
      value: Math.max(0, during.p99 - before.p99),
      unit: 'ms',
      target: { atMost: 10 },
    },
    { section, name: 'slowest of the others', value: during.fps, unit: 'fps', target: { atLeast: 14.5 } },
  ];
}
