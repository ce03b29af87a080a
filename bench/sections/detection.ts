// What looking for faces costs those who watch: the same viewers with it off and on by turns, which cancels drift.
// Once with the detector as it is, once ten times slower; how fast it tells is in alert-delay.ts.

import { type Figure, percentile } from '../figures.ts';
import { delays, inSetting, pause, type Setting } from '../setting.ts';
import type { Section } from './section.ts';

const count = 8;
const turns = [false, true, false, true];
const seconds = 10;
/** Decoders and detector start, or end, before a turn is measured. */
const settleMs = 2_500;
const slowDown = 10;
const section = 'detection';

interface Watched {
  /** Pictures a second, mean of all viewers. */
  readonly fps: number;
  readonly slowestFps: number;
  readonly delays: readonly number[];
  readonly analysed: number;
  readonly skipped: number;
  readonly analysisMs: number;
}

export const detection: Section = {
  name: section,
  about: `${count} cameras 640×480 at 15 frames a second, one JPEG viewer each, face detection off and on by turns`,
  async run() {
    const usual = await byTurns({});
    const perFrame = sum(usual.on, 'analysisMs') / sum(usual.on, 'analysed');
    const slow = await byTurns({ DETECTION_PAUSE_MS: String(Math.round(perFrame * (slowDown - 1))) });
    return [...figures('as it is', usual), ...figures(`${slowDown} × slower`, slow)];
  },
};

type Turns = Readonly<Record<'off' | 'on', readonly Watched[]>>;

function byTurns(env: NodeJS.ProcessEnv): Promise<Turns> {
  return inSetting({ cameras: count, env }, async (setting) => {
    const { fleet, service, streams } = setting;
    const ids = await fleet.open(streams.map(({ viewerUrl }) => viewerUrl));
    const seen = { off: [] as Watched[], on: [] as Watched[] };
    for (const detection_enabled of turns) {
      for (const { id } of streams) await service.api('PATCH', `/api/streams/${id}/`, { detection_enabled });
      await pause(settleMs);
      seen[detection_enabled ? 'on' : 'off'].push(await watch(setting, ids));
    }
    return seen;
  });
}

async function watch({ cameras, service, fleet }: Setting, ids: readonly number[]): Promise<Watched> {
  const before = await service.metrics();
  await fleet.measure(2, 2_000);
  await pause(seconds * 1_000);
  const log = await cameras.sendings();
  const after = await service.metrics();
  const report = await fleet.report();
  const rates = report.viewers.map(({ pictures }) => (pictures / report.elapsedMs) * 1_000);
  const grown = (name: string) =>
    after(`rtsp_viewer_detection_${name}_total`) - before(`rtsp_viewer_detection_${name}_total`);
  return {
    fps: rates.reduce((total, rate) => total + rate, 0) / rates.length,
    slowestFps: Math.min(...rates),
    delays: report.viewers.flatMap(({ id, seen }) =>
      delays(seen, ({ counter, at }) => log.sentAt(ids.indexOf(id), counter, at)),
    ),
    analysed: grown('frames_analysed'),
    skipped: grown('frames_skipped'),
    analysisMs: grown('analysis_seconds') * 1_000,
  };
}

function sum(of: readonly Watched[], member: 'fps' | 'analysed' | 'skipped' | 'analysisMs'): number {
  return of.reduce((total, watched) => total + watched[member], 0);
}

function figures(kind: string, { off, on }: Turns): Figure[] {
  const p99 = (of: readonly Watched[]) =>
    percentile(
      of.flatMap((watched) => watched.delays),
      0.99,
    );
  const figure = (name: string, value: number, unit: string, more: Partial<Figure> = {}): Figure => ({
    section,
    name: `${kind}: ${name}`,
    value,
    unit,
    ...more,
  });
  const measured = seconds * on.length;
  return [
    figure('frame rate lost', Math.max(0, 1 - sum(on, 'fps') / sum(off, 'fps')) * 100, '%', {
      target: { atMost: 3 },
    }),
    figure('slowest viewer', Math.min(...on.map(({ slowestFps }) => slowestFps)), 'fps'),
    figure('delay p99 beyond that without', Math.max(0, p99(on) - p99(off)), 'ms', {
      target: { atMost: 15 },
    }),
    figure('delay p99', p99(on), 'ms', { comparedWith: { name: 'off', value: p99(off) } }),
    figure('time a frame in the detector', sum(on, 'analysisMs') / sum(on, 'analysed'), 'ms'),
    figure('frames analysed', sum(on, 'analysed') / measured, 'a second'),
    figure('frames skipped', sum(on, 'skipped') / measured, 'a second'),
  ];
}
