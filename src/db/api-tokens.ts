// The table of API tokens: the only place that reads and writes it.
// Secrets come hashed; names of makers are read from the users.

import type { Kysely } from 'kysely';
import type { Role } from '../base/identity.ts';
import { newId } from './id.ts';
import type { Schema } from './schema.ts';
import { inTransaction } from './transactions.ts';

/** Times are ms since 1970. */
export interface SavedApiToken {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsed: number | null;
  /** Name of the user who made it; null when that user is gone. */
  readonly createdBy: string | null;
}

/** So many ids in one statement; more are asked for in turns. */
const idsPerStatement = 1_000;

export class ApiTokenRepository {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /**
   * @param draft.createdBy id of a user.
   * @param draft.madeWith id of the API token that asks for it: its maker is the maker of this one, too.
   */
  async create(draft: {
    name: string;
    role: Role;
    hash: string;
    expiresAt: number | null;
    createdBy: string | null;
    madeWith: string | null;
  }): Promise<SavedApiToken> {
    const now = Date.now();
    const id = newId(now);
    await this.#db
      .insertInto('api_tokens')
      .values({
        id,
        name: draft.name,
        role: draft.role,
        hash: draft.hash,
        created_at: now,
        expires_at: draft.expiresAt,
        last_used: null,
        created_by: (query) =>
          draft.madeWith === null
            ? query.val(draft.createdBy)
            : query.selectFrom('api_tokens').select('created_by').where('id', '=', draft.madeWith),
      })
      .execute();
    return this.#tokens().where('api_tokens.id', '=', id).executeTakeFirstOrThrow();
  }

  findByHash(hash: string): Promise<SavedApiToken | undefined> {
    return this.#tokens().where('api_tokens.hash', '=', hash).executeTakeFirst();
  }

  /** In order of creation: at most `limit` of those after the token with id `after`. */
  list(page: { limit: number; after?: string | undefined }): Promise<SavedApiToken[]> {
    const query = this.#tokens().orderBy('api_tokens.id').limit(page.limit);
    return (page.after === undefined ? query : query.where('api_tokens.id', '>', page.after)).execute();
  }

  async touch(id: string, lastUsed: number): Promise<void> {
    await this.#db.updateTable('api_tokens').set({ last_used: lastUsed }).where('id', '=', id).execute();
  }

  /** @returns what is gone. */
  delete(id: string): Promise<SavedApiToken | undefined> {
    return inTransaction(this.#db, async (transaction) => {
      const token = await this.#tokens(transaction).where('api_tokens.id', '=', id).executeTakeFirst();
      await transaction.deleteFrom('api_tokens').where('id', '=', id).execute();
      return token;
    });
  }

  /** Of these, the ones that are there. */
  async standing(ids: readonly string[]): Promise<SavedApiToken[]> {
    const found: SavedApiToken[] = [];
    for (let from = 0; from < ids.length; from += idsPerStatement)
      found.push(
        ...(await this.#tokens()
          .where('api_tokens.id', 'in', ids.slice(from, from + idsPerStatement))
          .execute()),
      );
    return found;
  }

  #tokens(db: Kysely<Schema> = this.#db) {
    return db
      .selectFrom('api_tokens')
      .leftJoin('users', 'users.id', 'api_tokens.created_by')
      .select([
        'api_tokens.id as id',
        'api_tokens.name as name',
        'api_tokens.role as role',
        'api_tokens.created_at as createdAt',
        'api_tokens.expires_at as expiresAt',
        'api_tokens.last_used as lastUsed',
        'users.username as createdBy',
      ]);
  }
}
