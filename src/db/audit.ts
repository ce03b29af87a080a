// The table of the audit trail: the only place that reads and writes it. Rows are added and pruned, never changed.
// What is worth recording, and how long it is kept, is decided by the caller.

import type { Kysely, SelectQueryBuilder } from 'kysely';
import type { AuditAction, AuditRecord } from '../base/accounts.ts';
import type { Role } from '../base/identity.ts';
import { newId } from './id.ts';
import type { Schema } from './schema.ts';

export interface NewAuditRow {
  /** ms since 1970 */
  readonly at: number;
  readonly action: AuditAction;
  readonly actor: string | null;
  readonly actorRole: Role | null;
  readonly subject: string | null;
  readonly detail: string | null;
  readonly address: string;
}

type AuditRows = SelectQueryBuilder<Schema, 'audit', { id: string }>;

export class AuditRepository {
  readonly #db: Kysely<Schema>;
  #lastIdTime = 0;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** In this order, all or none. */
  async add(rows: readonly NewAuditRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#db
      .insertInto('audit')
      .values(
        rows.map((row) => ({
          id: this.#nextId(row.at),
          timestamp: row.at,
          action: row.action,
          actor: row.actor,
          actor_role: row.actorRole,
          subject: row.subject,
          detail: row.detail,
          address: row.address,
        })),
      )
      .execute();
  }

  /** Newest first, after the record with id `after`. Times: from `since` on, before `until`. */
  async list(page: {
    limit: number;
    after?: string | undefined;
    action?: AuditAction | undefined;
    actor?: string | undefined;
    since?: number | undefined;
    until?: number | undefined;
  }): Promise<AuditRecord[]> {
    let query = this.#db.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(page.limit);
    if (page.after !== undefined) query = query.where('id', '<', page.after);
    if (page.action !== undefined) query = query.where('action', '=', page.action);
    if (page.actor !== undefined) query = query.where('actor', '=', page.actor);
    if (page.since !== undefined) query = query.where('timestamp', '>=', page.since);
    if (page.until !== undefined) query = query.where('timestamp', '<', page.until);
    const rows = await query.execute();
    return rows.map(({ timestamp, ...row }) => ({ ...row, timestamp: new Date(timestamp).toISOString() }));
  }

  /**
   * Deletes the oldest, at most about `limit` at a time: those from before `before`; and while there are more than
   * `most`, those of the actions `first`, then any. @returns how many went.
   */
  async prune(limits: {
    before: number;
    most: number;
    first: readonly AuditAction[];
    limit: number;
  }): Promise<number> {
    const { before, most, first, limit } = limits;
    let gone = await this.#delete(limit, (rows) => rows.where('timestamp', '<', before).orderBy('timestamp'));
    const { total } = await this.#db
      .selectFrom('audit')
      .select(({ fn }) => fn.countAll().as('total'))
      .executeTakeFirstOrThrow();
    let surplus = Math.min(limit, Number(total) - most);
    for (const action of [...first, null]) {
      if (surplus <= 0) break;
      const went = await this.#delete(surplus, (rows) =>
        (action === null ? rows : rows.where('action', '=', action)).orderBy('id'),
      );
      surplus -= went;
      gone += went;
    }
    return gone;
  }

  async #delete(most: number, oldest: (rows: AuditRows) => AuditRows): Promise<number> {
    const ids = oldest(this.#db.selectFrom('audit').select('id')).limit(most);
    const { numDeletedRows } = await this.#db.deleteFrom('audit').where('id', 'in', ids).executeTakeFirst();
    return Number(numDeletedRows);
  }

  /** Ids in the order of what happened, also within one millisecond and when the wall clock is set back. */
  #nextId(at: number): string {
    this.#lastIdTime = Math.max(at, this.#lastIdTime + 1);
    return newId(this.#lastIdTime);
  }
}
