// What goes into the detector's thread and what comes out of it, as its client's users see it.
// Types only; how it is done is in thread-client.ts.

import type { BackoffOptions } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { DetectorOptions } from './detector.ts';
import type { Face } from './face.ts';

/** A picture of a channel (a camera), RGB8, rows × columns × 3. `timestamp` is the caller's own, in µs. */
export interface OfferedFrame {
  readonly channel: number;
  /** Belongs to the detector from now on: must not be changed. */
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly timestamp: number;
}

export interface DetectionResult {
  readonly channel: number;
  readonly timestamp: number;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly Face[];
  /** ms in the thread. */
  readonly detectionTime: number;
}

/** `failed`: the detector cannot be loaded; `restarting`: it crashed or hung. Both are tried again by themselves. */
export type DetectorState = 'starting' | 'ready' | 'failed' | 'restarting';

export interface DetectorStats {
  /** Frames offered since the start: analysed + skipped + waiting + the one in work. */
  readonly analysed: number;
  /** For a newer frame of their channel, or lost with a thread. */
  readonly skipped: number;
  /** Channels with a frame waiting, at most one each. */
  readonly waiting: number;
  readonly restarts: number;
  /** ms per frame, moving average; 0 before the first. */
  readonly averageTime: number;
  /** Part of the last seconds that the thread was at work, 0–1. */
  readonly utilisation: number;
  /** ms between frames of each channel that the thread can keep up with; who offers faster will see skips. */
  readonly sustainableInterval: number;
}

export interface DetectorThreadOptions extends DetectorOptions {
  readonly onResult: (result: DetectionResult) => void;
  /** @param reason a sentence, for every state but `starting` and `ready`. */
  readonly onState?: (state: DetectorState, reason: string | undefined) => void;
  /** A thread that does not answer for so long is replaced, ms. */
  readonly answerLimit?: number;
  /** A thread that is not ready after so long is replaced, ms. */
  readonly startLimit?: number;
  readonly backoff?: BackoffOptions;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** For tests and benchmarks: ms that the thread sleeps before its nth frame (0, 1, …), counted over restarts. */
  readonly pauseBefore?: (frame: number) => number;
}
