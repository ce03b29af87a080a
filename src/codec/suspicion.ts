// Which video killed a worker, and how long it is kept out when it does so again and again.
// Decides only; pool.ts moves the channels.

import { backoffMs } from '../base/backoff.ts';
import type { WorkerChannel } from './worker-channel.ts';

/** How long after a death the culprit is sought, and how long a strike counts, ms. */
export const suspicionTime = 30_000;
const strikesAllowed = 3;
const quarantine = { firstMs: 5_000, maxMs: 60_000 };
/** A channel that behaved for so long after its last strike starts with a clean slate, ms. */
const forgiveAfter = 600_000;

/**
 * Whose unit the dead worker was working on. Channels under suspicion announce that; else only a single one that hung
 * or had units in flight can be blamed, and with several the search begins: all are announced from now on.
 * @param looksAllowed looks without progress after which a channel counts as hung.
 */
export function suspects(channels: readonly WorkerChannel[], looksAllowed: number): readonly WorkerChannel[] {
  const begun = channels.filter((channel) => channel.begun);
  if (begun.length > 0) return begun;
  const hung = channels.filter((channel) => channel.looksWithoutProgress > looksAllowed);
  if (hung.length === 1) return hung;
  const busy = channels.filter((channel) => channel.inFlight > 0);
  return busy.length === 1 ? busy : [];
}

/** Counts a death against a channel. @returns how long to keep it out of the workers, ms, or null for not at all. */
export function judge(channel: WorkerChannel, now: number): number | null {
  const last = channel.strikes.at(-1);
  if (last !== undefined && now - last > forgiveAfter) channel.quarantines = 0;
  channel.strikes = channel.strikes.filter((at) => now - at < suspicionTime);
  channel.strikes.push(now);
  // Who comes from quarantine and kills again has shown enough.
  if (channel.strikes.length < strikesAllowed && channel.quarantines === 0) return null;
  const wait = backoffMs(channel.quarantines, quarantine, Math.random);
  channel.quarantines += 1;
  return wait;
}
