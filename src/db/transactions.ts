// Transactions that both databases run alike: repeated when others were in the way, with rows locked where that is needed.
// What is read and written in them belongs to the repositories.

import { setTimeout as sleep } from 'node:timers/promises';
import { type IsolationLevel, type Kysely, PostgresAdapter, sql, type Transaction } from 'kysely';
import { RowsContended } from './errors.ts';
import { lockKey, lockSpace } from './lock-keys.ts';

/** Whoever loses every time against so many others is told that the database is busy. */
const attempts = 12;
const firstPauseMs = 4;
const longestPauseMs = 250;

/** Runs it again when others were changing the same rows: it must leave nothing behind when it fails. */
export async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof RowsContended) || attempt === attempts) throw error;
      const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
      // By chance, so that two do not meet again.
      await sleep(Math.random() * longest);
    }
  }
}

/** `task` may be run several times; only the last one is kept. */
export function inTransaction<DB, T>(
  db: Kysely<DB>,
  task: (transaction: Transaction<DB>) => Promise<T>,
  level?: IsolationLevel,
): Promise<T> {
  return patiently(() => {
    const transaction = db.transaction();
    return (level === undefined ? transaction : transaction.setIsolationLevel(level)).execute(task);
  });
}

export function isPostgres<DB>(db: Kysely<DB>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** Others that say the same name wait until this transaction ends. In SQLite a transaction is alone anyway. */
export async function oneAtATime<DB>(transaction: Transaction<DB>, name: string): Promise<void> {
  if (isPostgres(transaction))
    await sql`select pg_advisory_xact_lock(${lockSpace}::int, ${lockKey(name)}::int)`.execute(transaction);
}

interface Lockable<Query> {
  forKeyShare(): Query;
  forShare(): Query;
  forUpdate(): Query;
}

/**
 * The rows that `query` finds stay as they are until the transaction ends: `exists` as rows with this key, `same` in
 * every column, `mine` for this transaction to change. In SQLite a transaction is alone anyway.
 */
export function keeping<DB, Query extends Lockable<Query>>(
  db: Kysely<DB>,
  query: Query,
  what: 'exists' | 'same' | 'mine',
): Query {
  if (!isPostgres(db)) return query;
  if (what === 'exists') return query.forKeyShare();
  return what === 'same' ? query.forShare() : query.forUpdate();
}
