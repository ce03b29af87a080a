// What the REST side needs from the figures of the last hour; app joins it to performance-history.ts.
// Types only; names and units are those of the public API.

/** Of one saved camera. */
export type CameraSeries =
  | 'fps'
  | 'delay_ms'
  | 'detection_ms'
  | 'bitrate_kbps'
  | 'lost_packets'
  | 'viewers'
  | 'cpu_percent'
  | 'memory_mb';

export type ServiceSeries =
  | 'cpu_percent'
  | 'memory_mb'
  | 'workers_cpu_percent'
  | 'workers_memory_mb'
  | 'viewers';

/** Evenly spaced samples, one array for each figure, all of the same length, oldest first. */
export interface History<Series extends string> {
  readonly interval_s: number;
  /** ISO 8601, of the first sample; null when there is none. */
  readonly start: string | null;
  /** Of the last sample: what to ask with for those that come after it. */
  readonly end: string | null;
  /** Null where nothing was measured. */
  readonly series: Record<Series, (number | null)[]>;
}

export interface PerformanceHistories {
  /**
   * Empty for a camera that is not known, or was saved just now.
   * @param since ms since 1970: only later samples; null: all that are kept.
   */
  camera(id: string, since: number | null): History<CameraSeries>;
  service(since: number | null): History<ServiceSeries>;
}
