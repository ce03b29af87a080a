// What the detector's thread and its client say to each other; sent by structured clone, pixels in shared memory.
// No behaviour.

import type { DetectorOptions } from './detector.ts';
import type { Face } from './face.ts';

/** The thread's `workerData`. */
export interface ThreadSettings {
  readonly options: DetectorOptions;
  /** Two shared numbers, at COMMAND and at WORK. */
  readonly control: Int32Array;
}

/** RUN, or STOP, which also wakes a thread that sleeps for a test. */
export const COMMAND = 0;
export const RUN = 0;
export const STOP = 1;
/** BUSY from the start until ready, and from a frame's sending until its answer: it may be in native code. */
export const WORK = 1;
export const IDLE = 0;
export const BUSY = 1;

export interface FrameMessage {
  readonly type: 'frame';
  readonly id: number;
  /** In shared memory; the thread reads it until it answers. */
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** ms to sleep before the work; 0 but in tests and benchmarks. */
  readonly pause: number;
}

export type ToThread = FrameMessage | { readonly type: 'stop' };

export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'faces'; readonly id: number; readonly faces: readonly Face[]; readonly time: number }
  /** The detector cannot be loaded, or failed at a frame; the thread ends. */
  | { readonly type: 'failed'; readonly reason: string };
