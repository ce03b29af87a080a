// The table of users: the only place that reads and writes it, and that keeps the last admin.
// Passwords come hashed; who may change what is decided by the caller.

import type { Kysely, Selectable, Transaction, Updateable } from 'kysely';
import { type Role, roles } from '../base/identity.ts';
import { AppError } from '../errors.ts';
import { newId } from './id.ts';
import type { Schema, UserTable } from './schema.ts';
import { inTransaction } from './transactions.ts';

export interface SavedUser {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly role: Role;
  readonly passwordHash: string;
  /** ms since 1970, as is `lastLogin`. */
  readonly createdAt: number;
  readonly lastLogin: number | null;
}

/** A user after a change, and the API tokens that went with what the user lost. */
export interface ChangedUser {
  readonly user: SavedUser;
  readonly revoked: readonly { readonly id: string; readonly name: string }[];
}

export interface NewUserRow {
  readonly username: string;
  /** The same for all spellings of a name that count as one. */
  readonly usernameKey: string;
  readonly email: string | null;
  readonly role: Role;
  readonly passwordHash: string;
}

function read(row: Selectable<UserTable>): SavedUser {
  return {
    id: row.id,
    username: row.username,
    email: row.email,
    role: row.role,
    passwordHash: row.password_hash,
    createdAt: row.created_at,
    lastLogin: row.last_login,
  };
}

function rowOf(user: NewUserRow): UserTable {
  const now = Date.now();
  return {
    id: newId(now),
    username: user.username,
    username_key: user.usernameKey,
    email: user.email,
    role: user.role,
    password_hash: user.passwordHash,
    created_at: now,
    last_login: null,
  };
}

function notFound(): AppError {
  return new AppError(404, 'user_not_found', 'There is no user with this id.');
}

export class UserRepository {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** Whether there is a user at all. */
  async any(): Promise<boolean> {
    return (await this.#db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
  }

  /** @throws AppError 409 `username_taken`. */
  async create(user: NewUserRow): Promise<SavedUser> {
    const row = await this.#db
      .insertInto('users')
      .values(rowOf(user))
      .onConflict((conflict) => conflict.column('username_key').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined)
      throw new AppError(409, 'username_taken', `There is already a user named "${user.username}".`);
    return read(row);
  }

  /** Only while there is no user, also when several try at once. @returns undefined when there is one. */
  createFirst(user: NewUserRow): Promise<SavedUser | undefined> {
    return this.#alone(async (transaction) => {
      const other = await transaction.selectFrom('users').select('id').limit(1).executeTakeFirst();
      if (other !== undefined) return undefined;
      const row = rowOf(user);
      await transaction.insertInto('users').values(row).execute();
      return read(row);
    });
  }

  async get(id: string): Promise<SavedUser | undefined> {
    const row = await this.#db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
    return row && read(row);
  }

  async findByKey(usernameKey: string): Promise<SavedUser | undefined> {
    const row = await this.#db
      .selectFrom('users')
      .selectAll()
      .where('username_key', '=', usernameKey)
      .executeTakeFirst();
    return row && read(row);
  }

  /** In order of creation: at most `limit` of those after the user with id `after`. */
  async list(page: { limit?: number | undefined; after?: string | undefined } = {}): Promise<SavedUser[]> {
    let query = this.#db.selectFrom('users').selectAll().orderBy('id');
    if (page.after !== undefined) query = query.where('id', '>', page.after);
    if (page.limit !== undefined) query = query.limit(page.limit);
    return (await query.execute()).map(read);
  }

  /**
   * Changes the given members only. A new role or password deletes the user's sessions, and a lower role the API tokens
   * of the user's making that may more than it.
   * @throws AppError 404 `user_not_found`, 409 `last_admin`.
   */
  change(
    id: string,
    change: { role?: Role | undefined; email?: string | null | undefined; passwordHash?: string | undefined },
  ): Promise<ChangedUser> {
    return this.#alone(async (transaction) => {
      const before = await transaction
        .selectFrom('users')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      if (before === undefined) throw notFound();
      const columns: Updateable<UserTable> = {};
      if (change.email !== undefined) columns.email = change.email;
      if (change.role !== undefined && change.role !== before.role) columns.role = change.role;
      if (change.passwordHash !== undefined) columns.password_hash = change.passwordHash;
      if (Object.keys(columns).length === 0) return { user: read(before), revoked: [] };
      if (columns.role !== undefined && before.role === 'admin') await keepAnAdmin(transaction, id);
      if (columns.role !== undefined || columns.password_hash !== undefined)
        await transaction.deleteFrom('sessions').where('user_id', '=', id).execute();
      const row = await transaction
        .updateTable('users')
        .set(columns)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      const above = roles.slice(roles.indexOf(row.role) + 1);
      return { user: read(row), revoked: await revokeTokens(transaction, id, above) };
    });
  }

  /** Deletes every session of the user but `keepSession`. @returns false when `from` is no longer the user's hash. */
  replacePassword(
    id: string,
    { from, to, keepSession }: { from: string; to: string; keepSession: string },
  ): Promise<boolean> {
    return this.#alone(async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('users')
        .set({ password_hash: to })
        .where('id', '=', id)
        .where('password_hash', '=', from)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      await transaction
        .deleteFrom('sessions')
        .where('user_id', '=', id)
        .where('id', '!=', keepSession)
        .execute();
      return true;
    });
  }

  /**
   * The user's sessions go too, and the API tokens of the user's making.
   * @returns who is gone. @throws AppError 404 `user_not_found`, 409 `last_admin`.
   */
  delete(id: string): Promise<ChangedUser> {
    return this.#alone(async (transaction) => {
      const revoked = await revokeTokens(transaction, id, roles);
      const row = await transaction
        .deleteFrom('users')
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw notFound();
      if (row.role === 'admin') await keepAnAdmin(transaction, id);
      return { user: read(row), revoked };
    });
  }

  /** What is decided on other rows must still be true when it is written, whatever others write meanwhile. */
  #alone<T>(task: (transaction: Transaction<Schema>) => Promise<T>): Promise<T> {
    return inTransaction(this.#db, task, 'serializable');
  }
}

/** Deletes the API tokens that the user has made, of these roles. */
async function revokeTokens(
  transaction: Transaction<Schema>,
  maker: string,
  ofRoles: readonly Role[],
): Promise<{ id: string; name: string }[]> {
  if (ofRoles.length === 0) return [];
  return transaction
    .deleteFrom('api_tokens')
    .where('created_by', '=', maker)
    .where('role', 'in', ofRoles)
    .returning(['id', 'name'])
    .execute();
}

/** @throws AppError 409 `last_admin` when nobody but the user with `id` is admin. */
async function keepAnAdmin(transaction: Transaction<Schema>, id: string): Promise<void> {
  const other = await transaction
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .where('id', '!=', id)
    .limit(1)
    .executeTakeFirst();
  if (other === undefined)
    throw new AppError(
      409,
      'last_admin',
      'This is the only admin: make another user admin first, or nobody could manage the service.',
    );
}
