// What is read out of the columns of the last hour: current values, extremes, and which camera is in trouble.
// Pure; fetching is in api/performance.ts, drawing in chart.tsx.

import type { CameraPerformance, Stream } from '../../api/types.ts';
import { formatCount } from '../../format.ts';
import { text } from '../../text.ts';
import type { Tone } from '../../ui/surface.tsx';

export type Column = readonly (number | null)[];
export type Metric = keyof CameraPerformance['series'];

/** In the order of the charts. */
export const charted = [
  'fps',
  'delay_ms',
  'detection_ms',
  'bitrate_kbps',
  'cpu_percent',
  'memory_mb',
] as const satisfies readonly Metric[];

export interface Summary {
  readonly now: number | null;
  readonly lowest: number | null;
  readonly average: number | null;
  readonly highest: number | null;
}

/** A figure that is older than this many samples is no current one. */
const currentSamples = 3;

export function latest(column: Column): number | null {
  return column.slice(-currentSamples).findLast((value) => value !== null) ?? null;
}

export function summarise(column: Column): Summary {
  let [count, sum, lowest, highest] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of column) {
    if (value === null) continue;
    count += 1;
    sum += value;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  if (count === 0) return { now: null, lowest: null, average: null, highest: null };
  return { now: latest(column), lowest, average: sum / count, highest };
}

/** Three figures that count; whole numbers from 100 on. */
export function formatFigure(value: number | null | undefined): string {
  if (value === null || value === undefined) return text.performance.noFigure;
  if (Math.abs(value) >= 99.95 || Number.isInteger(value)) return formatCount(value);
  return value.toFixed(Math.abs(value) >= 9.995 ? 1 : Math.abs(value) >= 0.095 ? 1 : 2);
}

export function withUnit(value: number | null | undefined, unit: string): string {
  if (unit === '' || value === null || value === undefined) return formatFigure(value);
  // Always with a decimal, so that a figure that changes keeps its width.
  const figure = value > 0 && value < 99.95 ? value.toFixed(value < 0.095 ? 2 : 1) : formatFigure(value);
  return `${figure} ${unit}`;
}

export interface Health {
  /** The more, the sooner a person should look; 0: fine, below: stopped on purpose. */
  readonly weight: number;
  readonly tone: Tone;
  readonly sentence: string;
}

const lateMs = 500;
/** Of the usual frame rate. */
const slowBelow = 0.8;
/** Samples of the last minute. */
const minute = 12;

/** Of its last hour, the frame rate that half of the time was reached. */
function medianOf(column: Column): number | null {
  const values = column.filter((value): value is number => value !== null && value > 0).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? null;
}

export function lostLately(history: CameraPerformance | undefined): number | null {
  const values = history?.series.lost_packets.slice(-minute).filter((value) => value !== null) ?? [];
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

export function healthOf(stream: Stream, history: CameraPerformance | undefined): Health {
  const { status, last_error: error, video } = stream;
  const said = error ?? text.camera.status[status];
  if (status === 'error') return { weight: 100, tone: 'bad', sentence: said };
  if (status === 'reconnecting') return { weight: 80, tone: 'warn', sentence: said };
  if (status === 'connecting') return { weight: 60, tone: 'warn', sentence: said };
  if (status === 'offline') return { weight: -1, tone: 'neutral', sentence: said };
  const { trouble } = text.performance;
  if (history) {
    const fps = latest(history.series.fps);
    const usual = video?.fps ?? medianOf(history.series.fps);
    if (fps !== null && usual !== null && fps < usual * slowBelow)
      return { weight: 50, tone: 'warn', sentence: trouble.slow(formatFigure(fps), formatFigure(usual)) };
    const lost = lostLately(history) ?? 0;
    if (lost > 0) return { weight: 30, tone: 'warn', sentence: trouble.loss(formatCount(lost)) };
    const delay = latest(history.series.delay_ms);
    if (delay !== null && delay > lateMs)
      return { weight: 20, tone: 'warn', sentence: trouble.late(withUnit(delay, 'ms')) };
  }
  return { weight: 0, tone: 'good', sentence: trouble.none };
}
