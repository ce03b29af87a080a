// What a pool of codec workers can be told, and what it tells.
// Types only; pool.ts acts by them.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Usage } from './usage.ts';

export interface CodecPoolOptions {
  /** Default: the processors this process may use. One spare process comes on top. */
  readonly maxWorkers?: number;
  readonly log: Log;
  readonly clock?: Clock;
  /** A worker with units in flight and nothing done for so long is replaced, ms. Default 5000. */
  readonly hangTimeout?: number;
  /** A worker without channels is ended after so long, ms. Default 30 000. */
  readonly idleTimeout?: number;
  /** A worker with more resident memory is replaced, bytes; looked at about once a second. Default: see limits.ts. */
  readonly memoryLimit?: number;
  /** Where the face detector's files are, when not in the package: a folder that workers may read. */
  readonly modelsFolder?: string;
}

export interface CodecPoolStats {
  /** Serving processes, without the spare. */
  readonly workers: number;
  readonly channels: number;
  /** Process id of the warm spare, null while there is none. */
  readonly spare: number | null;
  /** Workers that died or were killed as unfit. */
  readonly deaths: number;
  /** Channels kept out for the moment because they kill workers. */
  readonly quarantined: number;
  /** What all processes together cost, the spare included, as they reported it within the last seconds. */
  readonly usage: Usage;
}
