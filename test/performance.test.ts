import { expect, it } from 'vitest';
import type { CameraSeries, History, ServiceSeries } from '../src/http/performance-ports.ts';
import { eventually, useParts } from './support/parts.ts';

const parts = useParts(['/one', '/two', '/gone']);

const cameraHistory = (id: string, since = '') =>
  parts.service.api<History<CameraSeries>>('GET', `/api/streams/${id}/performance/${since}`);

const serviceHistory = () => parts.service.api<History<ServiceSeries>>('GET', '/api/performance/');

/** Waits until there are so many samples with a picture rate: one each 5 s. */
function samples(id: string, count: number) {
  return eventually(
    `${count} samples`,
    () => cameraHistory(id),
    ({ series }) => series.fps.filter((fps) => fps !== null && fps > 0).length >= count,
    60_000,
  );
}

const newest = (column: readonly (number | null)[]) => column.findLast((value) => value !== null) ?? null;

it('tells of each camera what it sent and what it cost, column by column', async () => {
  const { simulator } = parts;
  const watched = await parts.save(simulator.url('/one'));
  const unwatched = await parts.save(simulator.url('/two'));
  const viewer = parts.watch(watched);
  await viewer.more(3);
  const history = await samples(watched.id, 3);
  const { series, interval_s, start, end } = history;
  expect(interval_s).toBe(5);
  const lengths = new Set(Object.values(series).map((column) => column.length));
  expect([...lengths]).toEqual([(Date.parse(end!) - Date.parse(start!)) / 5000 + 1]);
  // 15 a second; a busy machine may shift some into the next interval.
  expect(newest(series.fps)).toBeGreaterThan(5);
  expect(newest(series.fps)).toBeLessThan(30);
  expect(newest(series.bitrate_kbps)).toBeGreaterThan(10);
  expect(newest(series.delay_ms)).toBeGreaterThan(0);
  expect(newest(series.viewers)).toBe(1);
  expect(newest(series.cpu_percent)).toBeGreaterThan(0);
  expect(newest(series.memory_mb)).toBeGreaterThan(20);
  expect(series.detection_ms.every((value) => value === null)).toBe(true);

  const quiet = await samples(unwatched.id, 2);
  expect(newest(quiet.series.viewers)).toBe(0);
  expect(quiet.series.delay_ms.every((value) => value === null)).toBe(true);
  expect(quiet.series.cpu_percent.every((value) => value === 0)).toBe(true);

  const service = await serviceHistory();
  expect(newest(service.series.cpu_percent)).toBeGreaterThan(0);
  expect(newest(service.series.memory_mb)).toBeGreaterThan(30);
  expect(newest(service.series.workers_cpu_percent)).toBeGreaterThan(0);
  expect(newest(service.series.workers_memory_mb)).toBeGreaterThanOrEqual(newest(series.memory_mb)!);
  expect(newest(service.series.viewers)).toBe(1);

  const since = `?since=${encodeURIComponent(end!)}`;
  const more = await eventually(
    'one more',
    () => cameraHistory(watched.id, since),
    ({ series: { fps } }) => fps.length > 0,
  );
  expect(Date.parse(more.start!)).toBe(Date.parse(end!) + 5000);
  await viewer.close();
}, 120_000);

it('forgets a deleted camera, and knows none that never was', async () => {
  const { service, simulator } = parts;
  const { id } = await parts.save(simulator.url('/gone'));
  expect(await cameraHistory(id)).toMatchObject({ start: null, end: null, series: { fps: [] } });
  await samples(id, 1);
  await service.api('DELETE', `/api/streams/${id}/`);
  for (const unknown of [id, 'never-was']) {
    const response = await service.request('GET', `/api/streams/${unknown}/performance/`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'stream_not_found' });
  }
}, 60_000);

it('refuses a moment that is none', async () => {
  for (const query of ['?since=yesterday', '?from=2026-01-01T00:00:00Z']) {
    const response = await parts.service.request('GET', `/api/performance/${query}`);
    expect(response.status).toBe(400);
  }
});
