// The table of who holds which stream: the only place that writes it. The numbers in it only grow.
// What is written under such a number is guarded in fences.ts; who should hold a stream is decided elsewhere.

import { type Kysely, sql } from 'kysely';
import type { Fence } from '../base/fence.ts';
import { keepStream } from './fences.ts';
import type { Schema } from './schema.ts';
import { inTransaction } from './transactions.ts';

export class OwnershipRepository {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /**
   * From now on `instance` holds the stream: waits for what the one before is writing, and lets it write nothing more.
   * @returns its fence: above all before it, also above those that a restored backup has forgotten, since it is no less
   * than the time. Null when there is no such stream.
   */
  claim(streamId: string, instance: string): Promise<Fence | null> {
    return inTransaction(this.#db, async (transaction) => {
      if (!(await keepStream(transaction, streamId))) return null;
      const now = Date.now();
      const next = sql<number>`case when stream_owners.fence < excluded.fence then excluded.fence else stream_owners.fence + 1 end`;
      const { fence } = await transaction
        .insertInto('stream_owners')
        .values({ stream_id: streamId, instance, fence: now, claimed_at: now })
        .onConflict((conflict) =>
          conflict.column('stream_id').doUpdateSet({ instance, fence: next, claimed_at: now }),
        )
        .returning('fence')
        .executeTakeFirstOrThrow();
      return { streamId, number: fence };
    });
  }

  /** What `instance` holds, by stream id: the numbers of its fences. */
  async held(instance: string): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#db
      .selectFrom('stream_owners')
      .select(['stream_id', 'fence'])
      .where('instance', '=', instance)
      .execute();
    return new Map(rows.map(({ stream_id, fence }) => [stream_id, fence]));
  }

  /** Who holds the stream at this moment. */
  async owner(streamId: string): Promise<{ readonly instance: string; readonly fence: number } | null> {
    const row = await this.#db
      .selectFrom('stream_owners')
      .select(['instance', 'fence'])
      .where('stream_id', '=', streamId)
      .executeTakeFirst();
    return row ?? null;
  }
}
