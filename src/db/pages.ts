// What detections and alerts have in common when they are listed: newest first, within a time, from a place on.
// Each repository adds its own conditions.

import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** The last row of a page: the next one begins after it. */
export interface PageEnd {
  /** ms since 1970 */
  readonly time: number;
  readonly id: string;
}

export interface RecordFilter {
  readonly streamId?: string | undefined;
  /** ms since 1970: from this moment on. */
  readonly since?: number | undefined;
  /** ms since 1970: before this moment. */
  readonly until?: number | undefined;
  readonly limit: number;
  readonly after?: PageEnd | undefined;
}

/** The conditions of `filter` on the table that the query knows as `r`. */
export function inFilter({ streamId, since, until, after }: RecordFilter): RawBuilder<SqlBool> {
  const conditions = [sql<SqlBool>`1 = 1`];
  if (streamId !== undefined) conditions.push(sql`r.stream_id = ${streamId}`);
  if (since !== undefined) conditions.push(sql`r.timestamp >= ${since}`);
  if (until !== undefined) conditions.push(sql`r.timestamp < ${until}`);
  if (after !== undefined) conditions.push(sql`(r.timestamp, r.id) < (${after.time}, ${after.id})`);
  return sql.join(conditions, sql` and `);
}
