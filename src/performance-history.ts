// The figures of the last hour, of each saved camera and of the service, sampled by one timer.
// Sampling and keeping; counting is done by the parts, and what goes out is http/performance.ts's.

import type { Clock } from './base/clock.ts';
import { SampleRing, type Samples } from './base/sample-ring.ts';
import type { CodecPool } from './codec/pool.ts';
import type { CameraReading, DirectoryCamera } from './directory-camera.ts';
import type { CameraSeries, History, PerformanceHistories, ServiceSeries } from './http/performance-ports.ts';

export interface ServiceReading {
  /** Processor time that this process has used, ms. */
  readonly cpuMs: number;
  /** Bytes. */
  readonly memory: number;
  /** Cores and bytes, all codec workers together. */
  readonly workers: { readonly cpu: number; readonly memory: number };
  readonly viewers: number;
}

export interface PerformanceHistoryOptions {
  readonly clock: Clock;
  /** Those that are saved now, by id. */
  readonly cameras: () => Iterable<readonly [string, CameraReading]>;
  readonly service: () => ServiceReading;
}

interface Kept<Series extends string, Reading> {
  readonly ring: SampleRing<Series>;
  before: Reading;
}

/** Slots of the grid begin at whole multiples of it since 1970, so that the columns of all cameras lie side by side. */
const intervalMs = 5_000;
const slotsKept = 3_600_000 / intervalMs;
/** A clock that was set back by less is waited for; by more, what was kept would be of the future. */
const patienceSlots = 12;

const cameraSeries: readonly CameraSeries[] = [
  'fps',
  'delay_ms',
  'detection_ms',
  'bitrate_kbps',
  'lost_packets',
  'viewers',
  'cpu_percent',
  'memory_mb',
];
const serviceSeries: readonly ServiceSeries[] = [
  'cpu_percent',
  'memory_mb',
  'workers_cpu_percent',
  'workers_memory_mb',
  'viewers',
];

export class PerformanceHistory implements PerformanceHistories {
  readonly #options: PerformanceHistoryOptions;
  readonly #cameras = new Map<string, Kept<CameraSeries, CameraReading>>();
  #service: Kept<ServiceSeries, ServiceReading> | null = null;
  /** Of the last sample. */
  #slot = Number.NEGATIVE_INFINITY;
  /** When it was taken, ms, monotonic. */
  #sampledAt = 0;
  #cancel: (() => void) | null = null;

  constructor(options: PerformanceHistoryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#sample();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  camera(id: string, since: number | null): History<CameraSeries> {
    const ring = this.#cameras.get(id)?.ring ?? new SampleRing(cameraSeries, 0);
    return historyOf(ring.after(slotBefore(since)));
  }

  service(since: number | null): History<ServiceSeries> {
    const ring = this.#service?.ring ?? new SampleRing(serviceSeries, 0);
    return historyOf(ring.after(slotBefore(since)));
  }

  #sample(): void {
    const { clock } = this.#options;
    const now = clock.now();
    const wallTime = clock.wallTime();
    // A timer may be early by a moment, and is late when the machine is busy.
    const slot = Math.round(wallTime / intervalMs);
    this.#cancel = clock.after(Math.max(intervalMs / 2, (slot + 1) * intervalMs - wallTime), () =>
      this.#sample(),
    );
    if (slot <= this.#slot) {
      if (this.#slot - slot < patienceSlots) return;
      this.#cameras.clear();
      this.#service = null;
    }
    const seconds = (now - this.#sampledAt) / 1000;
    this.#slot = slot;
    this.#sampledAt = now;
    this.#sampleService(slot, seconds);
    this.#sampleCameras(slot, seconds);
  }

  #sampleService(slot: number, seconds: number): void {
    const reading = this.#options.service();
    if (this.#service) {
      const { ring, before } = this.#service;
      ring.put(slot, serviceSample(before, reading, seconds));
      this.#service.before = reading;
    } else this.#service = { ring: new SampleRing(serviceSeries, slotsKept), before: reading };
  }

  #sampleCameras(slot: number, seconds: number): void {
    const saved = new Set<string>();
    for (const [id, reading] of this.#options.cameras()) {
      saved.add(id);
      const kept = this.#cameras.get(id);
      if (kept) {
        kept.ring.put(slot, cameraSample(kept.before, reading, seconds));
        kept.before = reading;
      } else this.#cameras.set(id, { ring: new SampleRing(cameraSeries, slotsKept), before: reading });
    }
    for (const id of this.#cameras.keys()) if (!saved.has(id)) this.#cameras.delete(id);
  }
}

function cameraSample(
  before: CameraReading,
  reading: CameraReading,
  seconds: number,
): Record<CameraSeries, number | null> {
  const since = (name: 'units' | 'bytes' | 'lostPackets') => Math.max(0, reading[name] - before[name]);
  const { wanted } = reading;
  return {
    fps: wanted ? since('units') / seconds : null,
    // Averages of what is not made at the moment would be of the past.
    delay_ms: reading.pictures > before.pictures ? reading.latency : null,
    detection_ms: reading.framesAnalysed > before.framesAnalysed ? reading.detectionTime : null,
    bitrate_kbps: wanted ? (since('bytes') * 8) / 1000 / seconds : null,
    lost_packets: wanted ? since('lostPackets') : null,
    viewers: reading.viewers,
    cpu_percent: reading.cpu * 100,
    memory_mb: reading.memory / 1e6,
  };
}

function serviceSample(
  before: ServiceReading,
  reading: ServiceReading,
  seconds: number,
): Record<ServiceSeries, number | null> {
  return {
    cpu_percent: (reading.cpuMs - before.cpuMs) / 10 / seconds,
    memory_mb: reading.memory / 1e6,
    workers_cpu_percent: reading.workers.cpu * 100,
    workers_memory_mb: reading.workers.memory / 1e6,
    viewers: reading.viewers,
  };
}

/** @param since ms since 1970; the slot that it is in was seen already. */
function slotBefore(since: number | null): number {
  return since === null ? Number.NEGATIVE_INFINITY : Math.floor(since / intervalMs);
}

function historyOf<Series extends string>({ first, count, columns }: Samples<Series>): History<Series> {
  const timeOf = (slot: number) => new Date(slot * intervalMs).toISOString();
  return {
    interval_s: intervalMs / 1000,
    start: count > 0 ? timeOf(first) : null,
    end: count > 0 ? timeOf(first + count - 1) : null,
    series: columns,
  };
}

/** Of saved cameras. */
export function* readCameras(
  cameras: Iterable<DirectoryCamera>,
): Generator<readonly [string, CameraReading]> {
  for (const { id, reading } of cameras) if (id !== null) yield [id, reading];
}

/** @param viewers over all cameras. */
export function readService(pool: CodecPool, viewers: number): ServiceReading {
  const { user, system } = process.cpuUsage();
  return {
    cpuMs: (user + system) / 1000,
    memory: process.memoryUsage.rss(),
    workers: pool.stats.usage,
    viewers,
  };
}
