// Notices a camera that stopped sending although the connection stands.
// Pure judgement over counters; the client counts packets, the Source asks and acts.

import type { CameraErrorCode } from '../errors.ts';

export interface Progress {
  readonly now: number;
  /** When PLAY was accepted. */
  readonly playingSince: number;
  /** ms, monotonic; null when none came yet. Packets, not pictures: a camera that sends damaged video is alive. */
  readonly lastPacketAt: number | null;
  readonly lastUnitAt: number | null;
  readonly sawKeyframe: boolean;
  /** Longest usual time between units of this camera, ms; 0 when not known yet. */
  readonly usualGap: number;
}

const noPacketsMs = 2_500;
const firstPacketMs = 6_000;
const noPictureMs = 10_000;
const noKeyframeMs = 30_000;

/** @returns what is wrong, or null. */
export function judgeProgress(progress: Progress): CameraErrorCode | null {
  const { now, playingSince, lastPacketAt, lastUnitAt } = progress;
  if (lastPacketAt === null) return now - playingSince > firstPacketMs ? 'no_packets' : null;
  // A camera set to one frame in five seconds is not dead after three.
  if (now - lastPacketAt > Math.max(noPacketsMs, 3 * progress.usualGap)) return 'no_packets';
  if (now - Math.max(lastUnitAt ?? 0, playingSince) > Math.max(noPictureMs, 3 * progress.usualGap))
    return 'no_picture';
  if (!progress.sawKeyframe && now - playingSince > noKeyframeMs) return 'no_picture';
  return null;
}

/** The usual gap between units: follows slower rates at once, forgets them slowly, never beyond `capMs`. */
export function nextUsualGap(usualGap: number, gap: number, capMs = 20_000): number {
  const bounded = Math.min(gap, capMs);
  return bounded > usualGap ? usualGap + (bounded - usualGap) * 0.5 : usualGap + (bounded - usualGap) * 0.05;
}
