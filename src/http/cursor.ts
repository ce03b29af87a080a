// The place in a list where the next page begins, as a text that clients hand back; and reading a list page by page.
// Opaque to clients; what is in it may change.

import { AppError } from '../errors.ts';

/** Each list has its own cursors: those of another one are refused. */
export type List = 'streams' | 'detections' | 'alerts' | 'users' | 'tokens' | 'audit';

export interface Place {
  /** ms since 1970 */
  readonly time: number;
  readonly id: string;
}

const placePattern = /^([a-z]+) (-?\d{1,15}) ([\x21-\x7e]{1,100})$/;

/** @param place without a time in lists whose ids alone tell the order. */
export function cursorOf(
  list: List,
  { time = 0, id }: { readonly time?: number; readonly id: string },
): string {
  return Buffer.from(`${list} ${time} ${id}`).toString('base64url');
}

/** @throws AppError 400 `invalid_cursor` for what is no cursor of this list. */
export function placeOf(list: List, cursor: string): Place {
  const [, name, time, id] = placePattern.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (name !== list || time === undefined || id === undefined) {
    const message = 'is not a cursor of this list';
    throw new AppError(400, 'invalid_cursor', `cursor: ${message}.`, {
      issues: [{ path: 'cursor', message }],
    });
  }
  return { time: Number(time), id };
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface PageOf<Row> {
  readonly rows: Row[];
  readonly next_cursor: string | null;
}

/**
 * Reads one page of a list whose ids tell its order.
 * @param read gives at most `limit` rows of those after the row with id `after`.
 */
export async function pageById<Row extends { readonly id: string }>(
  list: List,
  { limit, cursor }: PageRequest,
  read: (page: { limit: number; after: string | undefined }) => Promise<Row[]>,
): Promise<PageOf<Row>> {
  const after = cursor === undefined ? undefined : placeOf(list, cursor).id;
  return cut(list, limit, await read({ limit: limit + 1, after }));
}

/** Reads one page of a list in order of time. */
export async function pageByTime<Row extends Place>(
  list: List,
  { limit, cursor }: PageRequest,
  read: (page: { limit: number; after: Place | undefined }) => Promise<Row[]>,
): Promise<PageOf<Row>> {
  const after = cursor === undefined ? undefined : placeOf(list, cursor);
  return cut(list, limit, await read({ limit: limit + 1, after }));
}

/** One more than asked for tells whether there is a next page. */
function cut<Row extends { readonly id: string; readonly time?: number }>(
  list: List,
  limit: number,
  found: Row[],
): PageOf<Row> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next_cursor: found.length > limit && last ? cursorOf(list, last) : null };
}
