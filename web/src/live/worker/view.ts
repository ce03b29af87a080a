// What every way of playing has in common, seen from the tile.
// The ways are codec-view.ts, jpeg-view.ts and relay-view.ts.

import type { FallReason } from '../messages.ts';

export interface ViewListener {
  /** A picture is on the screen. @param timestamp its media time, µs; null when it carries none. */
  onShown(timestamp: number | null): void;
  /** This way does not work; the view is to be closed. */
  onFail(reason: FallReason): void;
  /** What was shown is lost: it wants to begin anew with a keyframe. */
  onLost(): void;
}

export interface View {
  /** A binary message. @param now `performance.now()` of its arrival. */
  take(data: ArrayBuffer, now: number): void;
  /** Pictures left out here, since the view was made. */
  readonly dropped: number;
  /** `performance.now()` since which data comes and nothing is shown; null while all is well. */
  readonly unshownSince: number | null;
  close(): void;
}
