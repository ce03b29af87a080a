// What waits to be stored of a visit: its start (row and alert) and at most one update; and which pictures are given up first.
// Data and bounds; the writer does the jobs.

import type { Sighting, VisitImages } from './visit-sink.ts';

/** So many images may wait; beyond, better pictures are given up first, then pictures of visits: oldest first. */
export const maxWaitingImages = 200;
/** Rows without images are small; beyond this even visits are lost, and counted. */
export const maxWaitingJobs = 10_000;

export type ImageRequest = Promise<VisitImages | null>;

/** A visit on its way to the sink. Only the writer changes what is not readonly. */
export interface Visit {
  readonly id: string;
  /** ms, monotonic. */
  readonly startedAt: number;
  /** ms since 1970. */
  readonly time: number;
  /** False as long as a picture is wanted, good or bad. */
  pictured: boolean;
  /** Nothing of it will ever be stored. */
  lost: boolean;
  start: StartJob | null;
  update: UpdateJob | null;
}

export interface Caller {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface StartJob {
  readonly kind: 'start';
  readonly visit: Visit;
  sighting: Sighting;
  images: ImageRequest | null;
  /** ms, monotonic; in `UpdateJob` too. */
  lastSeen: number;
  /** The row is stored: what is left is the alert. */
  stored: boolean;
  alertId: string | null;
  /** Who waits for the row and wants no retry, but the truth. */
  readonly caller: Caller | null;
}

export interface UpdateJob {
  readonly kind: 'update';
  readonly visit: Visit;
  better: { readonly sighting: Sighting; readonly images: ImageRequest } | null;
  lastSeen: number;
}

export type Job = StartJob | UpdateJob;

export function newVisit(id: string, startedAt: number, time: number): Visit {
  return { id, startedAt, time, pictured: false, lost: false, start: null, update: null };
}

export function newStart(
  visit: Visit,
  sighting: Sighting,
  more: Partial<Pick<StartJob, 'images' | 'stored' | 'caller'>>,
): StartJob {
  const { startedAt: lastSeen } = visit;
  const nothing = { images: null, stored: false, alertId: null, caller: null };
  return { kind: 'start', visit, sighting, lastSeen, ...nothing, ...more };
}

/** By elapsed monotonic time, so that a jump of the wall clock during a visit does not bend it. */
export function wallTimeOf(visit: Visit, at: number): number {
  return Math.round(visit.time + (at - visit.startedAt));
}

/** Keeps the waiting images within bounds; the visits themselves stay. @returns how many were given up. */
export function giveUpImages(waiting: readonly Job[]): number {
  if (waiting.length <= maxWaitingImages) return 0;
  const updates = waiting.filter((job) => job.kind === 'update' && job.better !== null);
  const starts = waiting.filter((job) => job.kind === 'start' && job.images !== null);
  const tooMany = Math.max(0, updates.length + starts.length - maxWaitingImages);
  for (const job of [...updates, ...starts].slice(0, tooMany)) {
    if (job.kind === 'update') job.better = null;
    else {
      job.images = null;
      job.visit.pictured = false;
    }
  }
  return tooMany;
}
