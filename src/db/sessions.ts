// The tables of sign-in sessions and their refresh tokens: the only place that reads and writes them.
// Secrets come hashed; how long a session lasts is decided by the caller.

import type { Kysely, Transaction } from 'kysely';
import type { Role } from '../base/identity.ts';
import type { Schema } from './schema.ts';
import { inTransaction } from './transactions.ts';

/** A session with what is to be known of its user. Times are ms since 1970. */
export interface SavedSession {
  readonly id: string;
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  readonly cookieHash: string;
  /** 1 once the cookie was presented, else 0. */
  readonly cookieUsed: number;
  readonly lastUsed: number;
  readonly expiresAt: number;
}

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  /** The sign-in was decided on this hash of the user's password. */
  readonly passwordHash: string;
  /** Replaces it; null: it stays. */
  readonly newPasswordHash: string | null;
  readonly cookieHash: string;
  readonly refreshHash: string;
  readonly now: number;
  readonly expiresAt: number;
}

/** So many ids in one statement; more are asked for in turns. */
const idsPerStatement = 1_000;
/** So many used refresh tokens go in one statement. */
const pruneAtOnce = 1_000;

function sessions(db: Kysely<Schema>) {
  return db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select([
      'sessions.id as id',
      'sessions.user_id as userId',
      'users.username as username',
      'users.role as role',
      'sessions.cookie_hash as cookieHash',
      'sessions.cookie_used as cookieUsed',
      'sessions.last_used as lastUsed',
      'sessions.expires_at as expiresAt',
    ]);
}

export class SessionRepository {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /**
   * Also notes the user's sign-in.
   * @param most sessions a user may have: those whose cookie was never presented go first, then those unused for longest.
   * @returns ids of those that went; undefined, with nothing stored, when the user is gone or the password is another.
   */
  create(draft: NewSession, most: number): Promise<readonly string[] | undefined> {
    return inTransaction(this.#db, async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('users')
        .set({ last_login: draft.now, password_hash: draft.newPasswordHash ?? draft.passwordHash })
        .where('id', '=', draft.userId)
        .where('password_hash', '=', draft.passwordHash)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return undefined;
      const surplus = await removeSurplus(transaction, draft.userId, most - 1);
      await transaction
        .insertInto('sessions')
        .values({
          id: draft.id,
          user_id: draft.userId,
          cookie_hash: draft.cookieHash,
          cookie_used: 0,
          created_at: draft.now,
          last_used: draft.now,
          expires_at: draft.expiresAt,
        })
        .execute();
      await addRefreshToken(transaction, draft.refreshHash, draft.id, draft.now);
      return surplus;
    });
  }

  get(id: string): Promise<SavedSession | undefined> {
    return sessions(this.#db).where('sessions.id', '=', id).executeTakeFirst();
  }

  findByCookie(cookieHash: string): Promise<SavedSession | undefined> {
    return sessions(this.#db).where('sessions.cookie_hash', '=', cookieHash).executeTakeFirst();
  }

  /** Later moments only: two that touch at once leave the later one. */
  async touch(id: string, { lastUsed, expiresAt }: { lastUsed: number; expiresAt: number }): Promise<void> {
    await this.#db
      .updateTable('sessions')
      .set({ last_used: lastUsed, expires_at: expiresAt })
      .where('id', '=', id)
      .where('last_used', '<', lastUsed)
      .execute();
  }

  /**
   * Uses up the refresh token `from` and stores `to` in its place, all or nothing: of several with the same token,
   * one succeeds. A token that was used before deletes its session (`reused`); one of an expired session is `unknown`.
   */
  rotate(change: {
    from: string;
    to: string;
    now: number;
    expiresAt: number;
  }): Promise<{ outcome: 'rotated' | 'reused'; session: SavedSession } | { outcome: 'unknown' }> {
    const { from, to, now, expiresAt } = change;
    return inTransaction(this.#db, async (transaction) => {
      const session = await sessions(transaction)
        .innerJoin('refresh_tokens', 'refresh_tokens.session_id', 'sessions.id')
        .where('refresh_tokens.hash', '=', from)
        .where('sessions.expires_at', '>', now)
        .executeTakeFirst();
      if (session === undefined) return { outcome: 'unknown' };
      const { numUpdatedRows } = await transaction
        .updateTable('refresh_tokens')
        .set({ used_at: now })
        .where('hash', '=', from)
        .where('used_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) {
        const { numDeletedRows: ended } = await transaction
          .deleteFrom('sessions')
          .where('id', '=', session.id)
          .executeTakeFirst();
        // Of several that use it again at the same moment one ends the session.
        return ended === 0n ? { outcome: 'unknown' } : { outcome: 'reused', session };
      }
      await addRefreshToken(transaction, to, session.id, now);
      await transaction
        .updateTable('sessions')
        .set({ last_used: now, expires_at: expiresAt })
        .where('id', '=', session.id)
        .execute();
      return { outcome: 'rotated', session: { ...session, lastUsed: now, expiresAt } };
    });
  }

  async setCookie(id: string, cookieHash: string): Promise<void> {
    await this.#db.updateTable('sessions').set({ cookie_hash: cookieHash }).where('id', '=', id).execute();
  }

  /** Its cookie was presented. */
  async useCookie(id: string): Promise<void> {
    await this.#db.updateTable('sessions').set({ cookie_used: 1 }).where('id', '=', id).execute();
  }

  /** Its refresh tokens go too. @returns false when there was none. */
  async delete(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db.deleteFrom('sessions').where('id', '=', id).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** Of these, the ones that are there. */
  async standing(
    ids: readonly string[],
  ): Promise<{ id: string; role: Role; lastUsed: number; expiresAt: number }[]> {
    const found: SavedSession[] = [];
    for (let from = 0; from < ids.length; from += idsPerStatement)
      found.push(
        ...(await sessions(this.#db)
          .where('sessions.id', 'in', ids.slice(from, from + idsPerStatement))
          .execute()),
      );
    return found;
  }

  /** Deletes sessions that have expired, and refresh tokens used before `usedBefore`, a bounded number at a time. */
  async prune(now: number, usedBefore: number): Promise<void> {
    await this.#db.deleteFrom('sessions').where('expires_at', '<=', now).execute();
    const old = this.#db
      .selectFrom('refresh_tokens')
      .select('hash')
      .where('used_at', '<', usedBefore)
      .limit(pruneAtOnce);
    for (let removed = BigInt(pruneAtOnce); removed === BigInt(pruneAtOnce); )
      ({ numDeletedRows: removed } = await this.#db
        .deleteFrom('refresh_tokens')
        .where('hash', 'in', old)
        .executeTakeFirst());
  }
}

async function addRefreshToken(
  transaction: Transaction<Schema>,
  hash: string,
  sessionId: string,
  now: number,
): Promise<void> {
  await transaction
    .insertInto('refresh_tokens')
    .values({ hash, session_id: sessionId, created_at: now, used_at: null })
    .execute();
}

/** Deletes all sessions of the user but `keep`: browsers before programs, then the last used. @returns their ids. */
async function removeSurplus(
  transaction: Transaction<Schema>,
  userId: string,
  keep: number,
): Promise<readonly string[]> {
  const surplus = await transaction
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .orderBy('cookie_used', 'desc')
    .orderBy('last_used', 'desc')
    .orderBy('id')
    // A limit is needed before an offset, and no user has more.
    .limit(1_000_000)
    .offset(keep)
    .execute();
  const ids = surplus.map(({ id }) => id);
  if (ids.length > 0) await transaction.deleteFrom('sessions').where('id', 'in', ids).execute();
  return ids;
}
