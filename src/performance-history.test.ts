import { expect, it } from 'vitest';
import { ScriptedClock } from './detect/testing.ts';
import type { CameraReading } from './directory-camera.ts';
import { PerformanceHistory, type ServiceReading } from './performance-history.ts';

const MB = 1e6;

function atRest(): { -readonly [Name in keyof CameraReading]: CameraReading[Name] } {
  return {
    wanted: true,
    units: 0,
    bytes: 0,
    lostPackets: 0,
    pictures: 0,
    latency: 0,
    framesAnalysed: 0,
    detectionTime: 0,
    viewers: 0,
    cpu: 0,
    memory: 0,
  };
}

/** Cameras that send 15 frames and 100 kB a second, and what a test changes in them. */
function begin() {
  const clock = new ScriptedClock();
  const cameras = new Map<string, ReturnType<typeof atRest>>();
  const service: { -readonly [Name in keyof ServiceReading]: ServiceReading[Name] } = {
    cpuMs: 0,
    memory: 100 * MB,
    workers: { cpu: 0.5, memory: 200 * MB },
    viewers: 0,
  };
  const history = new PerformanceHistory({
    clock,
    cameras: () => [...cameras].map(([id, reading]) => [id, { ...reading }] as const),
    service: () => ({ ...service }),
  });
  const runs = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      for (const camera of cameras.values()) {
        if (!camera.wanted) continue;
        camera.units += 15;
        camera.bytes += 100_000;
      }
      service.cpuMs += 100;
      await clock.advance(1000);
    }
  };
  return { clock, cameras, service, history, runs };
}

it('tells rates, averages and moments of each interval', async () => {
  const { cameras, history, runs } = begin();
  cameras.set('a', atRest());
  history.start();
  const camera = cameras.get('a')!;
  Object.assign(camera, {
    pictures: 10,
    latency: 12.5,
    framesAnalysed: 5,
    detectionTime: 33,
    lostPackets: 4,
  });
  Object.assign(camera, { viewers: 2, cpu: 0.25, memory: 80 * MB });
  await runs(11);
  const { series, interval_s, start, end } = history.camera('a', null);
  expect(interval_s).toBe(5);
  expect(Date.parse(end!) - Date.parse(start!)).toBe((series.fps.length - 1) * 5000);
  expect(series.fps).toHaveLength(2);
  for (const fps of series.fps) expect(fps).toBeCloseTo(15, -1);
  expect(series.fps[1]).toBe(15);
  expect(series.bitrate_kbps[1]).toBe(800);
  expect(series.delay_ms).toEqual([12.5, null]);
  expect(series.detection_ms).toEqual([33, null]);
  expect(series.lost_packets).toEqual([4, 0]);
  expect(series.viewers).toEqual([2, 2]);
  expect(series.cpu_percent).toEqual([25, 25]);
  expect(series.memory_mb).toEqual([80, 80]);
});

it('tells what the service itself costs', async () => {
  const { history, runs } = begin();
  history.start();
  await runs(11);
  const { series } = history.service(null);
  expect(series.cpu_percent[1]).toBe(10);
  expect(series).toMatchObject({
    memory_mb: [100, 100],
    workers_cpu_percent: [50, 50],
    workers_memory_mb: [200, 200],
  });
});

it('gives a stopped camera no rate, and a silent one a rate of 0', async () => {
  const { clock, cameras, history } = begin();
  cameras.set('stopped', { ...atRest(), wanted: false });
  cameras.set('silent', atRest());
  history.start();
  await clock.advance(6_000);
  expect(history.camera('stopped', null).series).toMatchObject({
    fps: [null],
    bitrate_kbps: [null],
    viewers: [0],
  });
  expect(history.camera('silent', null).series).toMatchObject({ fps: [0], bitrate_kbps: [0], viewers: [0] });
});

it('keeps one hour, on a grid of time that all cameras have in common', async () => {
  const { clock, cameras, history } = begin();
  cameras.set('old', atRest());
  history.start();
  await clock.advance(3_700_000);
  cameras.set('new', atRest());
  await clock.advance(20_000);
  const [old, fresh] = [history.camera('old', null), history.camera('new', null)];
  expect(old.series.fps).toHaveLength(720);
  expect(fresh.series.fps).toHaveLength(3);
  expect(fresh.end).toBe(old.end);
  expect(Date.parse(old.start!) % 5000).toBe(0);
});

it('gives only what came after the end of the reply before', async () => {
  const { clock, cameras, history } = begin();
  cameras.set('a', atRest());
  history.start();
  await clock.advance(30_000);
  const before = history.camera('a', null);
  expect(history.camera('a', Date.parse(before.end!))).toMatchObject({
    start: null,
    end: null,
    series: { fps: [] },
  });
  await clock.advance(10_000);
  const after = history.camera('a', Date.parse(before.end!));
  expect(after.series.fps).toHaveLength(2);
  expect(Date.parse(after.start!)).toBe(Date.parse(before.end!) + 5000);
});

it('forgets a camera that is deleted', async () => {
  const { clock, cameras, history } = begin();
  cameras.set('a', atRest());
  history.start();
  await clock.advance(20_000);
  expect(history.camera('a', null).series.fps).not.toEqual([]);
  cameras.delete('a');
  await clock.advance(5_000);
  expect(history.camera('a', null).series.fps).toEqual([]);
});

it('shows a gap where the machine slept, and no rate of thousands after it', async () => {
  const { clock, cameras, history, runs } = begin();
  cameras.set('a', atRest());
  history.start();
  await runs(10);
  clock.jumpWall(60_000);
  await runs(10);
  const { fps } = history.camera('a', null).series;
  expect(fps.filter((value) => value === null)).toHaveLength(12);
  for (const value of fps) expect(value ?? 0).toBeLessThan(40);
});

it('waits for a clock that was set back a little, and begins anew when it was set back far', async () => {
  const { clock, cameras, history } = begin();
  cameras.set('a', atRest());
  history.start();
  await clock.advance(60_000);
  const before = history.camera('a', null);
  clock.jumpWall(-15_000);
  await clock.advance(10_000);
  expect(history.camera('a', null)).toEqual(before);
  await clock.advance(20_000);
  expect(history.camera('a', null).series.fps.length).toBeGreaterThan(before.series.fps.length);
  clock.jumpWall(-7_200_000);
  await clock.advance(15_000);
  const anew = history.camera('a', null);
  expect(anew.series.fps.length).toBeLessThan(5);
  expect(Date.parse(anew.end!)).toBeLessThanOrEqual(clock.wallTime() + 2_500);
});

it('samples nothing any more once stopped', async () => {
  const { clock, cameras, history } = begin();
  cameras.set('a', atRest());
  history.start();
  await clock.advance(20_000);
  const before = history.camera('a', null);
  history.stop();
  await clock.advance(60_000);
  expect(history.camera('a', null)).toEqual(before);
});
