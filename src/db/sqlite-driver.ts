// Kysely's dialect over node:sqlite: one connection, cached statements, retries that never block the event loop.
// Only the translation between the two; opening a file and its pragmas are in database.ts.

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { databaseBusy, isBusy, readableError } from './errors.ts';

export interface PatienceOptions {
  /** How long a statement is tried again while another process holds the database, ms. */
  readonly giveUpMs: number;
  /** Statements that may wait at the same time; one more is refused at once. */
  readonly maxWaiting: number;
}

const maxCachedStatements = 200;
const firstRetryMs = 2;
const maxRetryMs = 100;

/**
 * The one SQLite connection and who may use it. node:sqlite runs a statement within one call, so statements need no
 * lock; only a transaction, which spans several, keeps the others out until it ends. A statement that finds the
 * database locked by another process waits outside, so that reading goes on meanwhile (WAL).
 */
class Gate {
  readonly database: DatabaseSync;
  readonly #patience: PatienceOptions;
  readonly #statements = new Map<
    string,
    { readonly statement: StatementSync; readonly returnsRows: boolean }
  >();
  #owner: Session | undefined;
  #ended: PromiseWithResolvers<void> | undefined;
  #waiting = 0;

  constructor(database: DatabaseSync, patience: PatienceOptions) {
    this.database = database;
    this.#patience = patience;
  }

  /** Runs `sql` as soon as it is `session`'s turn and the database is free. */
  async run<R>(session: Session, sql: string, parameters: readonly unknown[]): Promise<QueryResult<R>> {
    if (this.#mayUse(session)) {
      const result = this.#attempt<R>(session, sql, parameters);
      if (result) return result;
    }
    if (this.#waiting >= this.#patience.maxWaiting) throw databaseBusy();
    this.#waiting += 1;
    try {
      return await this.#runLater<R>(session, sql, parameters);
    } finally {
      this.#waiting -= 1;
    }
  }

  async #runLater<R>(session: Session, sql: string, parameters: readonly unknown[]): Promise<QueryResult<R>> {
    const deadline = performance.now() + this.#patience.giveUpMs;
    for (let pause = firstRetryMs; ; ) {
      if (!this.#mayUse(session)) {
        await this.#ended?.promise;
        continue;
      }
      const result = this.#attempt<R>(session, sql, parameters);
      if (result) return result;
      if (performance.now() >= deadline) throw databaseBusy();
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(maxRetryMs, pause * 2);
    }
  }

  isOwnedBy(session: Session): boolean {
    return this.#owner === session;
  }

  #mayUse(session: Session): boolean {
    return this.#owner === undefined || this.#owner === session;
  }

  /** @returns undefined when another process holds the database; nothing has happened then. */
  #attempt<R>(session: Session, sql: string, parameters: readonly unknown[]): QueryResult<R> | undefined {
    try {
      const { statement, returnsRows } = this.#prepare(sql);
      const values = parameters as readonly SQLInputValue[];
      if (returnsRows) return { rows: statement.all(...values) as R[] };
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      if (isBusy(error)) return undefined;
      throw readableError(error);
    } finally {
      this.#noteOwner(session);
    }
  }

  /** SQLite itself says whether a transaction is open: some errors end one (a full disk, for instance). */
  #noteOwner(session: Session): void {
    if (this.database.isTransaction) {
      this.#owner = session;
      this.#ended ??= Promise.withResolvers();
    } else {
      this.#owner = undefined;
      this.#ended?.resolve();
      this.#ended = undefined;
    }
  }

  #prepare(sql: string): { readonly statement: StatementSync; readonly returnsRows: boolean } {
    let entry = this.#statements.get(sql);
    if (entry) {
      this.#statements.delete(sql);
    } else {
      const statement = this.database.prepare(sql);
      entry = { statement, returnsRows: statement.columns().length > 0 };
    }
    // The last used stand at the end of the map; the first is the one to forget.
    this.#statements.set(sql, entry);
    if (this.#statements.size > maxCachedStatements) {
      const [oldest] = this.#statements.keys();
      this.#statements.delete(oldest!);
    }
    return entry;
  }
}

/** What Kysely takes for a connection: a name under which transactions are told apart. */
class Session implements DatabaseConnection {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return this.#gate.run<R>(this, sql, parameters);
  }

  /** The whole result as one chunk: lists are paged by their repositories. */
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  async run(sql: string): Promise<void> {
    await this.#gate.run(this, sql, []);
  }

  /** Nothing to do when SQLite has ended the transaction by itself. */
  async rollback(): Promise<void> {
    if (this.#gate.isOwnedBy(this)) await this.run('rollback');
  }
}

class SqliteDriver implements Driver {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  async init(): Promise<void> {
    // The file is opened, with its pragmas, before Kysely sees it.
  }

  async acquireConnection(): Promise<Session> {
    return new Session(this.#gate);
  }

  beginTransaction(session: Session): Promise<void> {
    // IMMEDIATE takes the write lock first: a transaction that has begun cannot fail half-way for a lock.
    return session.run('begin immediate');
  }

  commitTransaction(session: Session): Promise<void> {
    return session.run('commit');
  }

  rollbackTransaction(session: Session): Promise<void> {
    return session.rollback();
  }

  savepoint(session: Session, name: string): Promise<void> {
    return session.run(`savepoint "${name}"`);
  }

  rollbackToSavepoint(session: Session, name: string): Promise<void> {
    return session.run(`rollback to "${name}"`);
  }

  releaseSavepoint(session: Session, name: string): Promise<void> {
    return session.run(`release "${name}"`);
  }

  /** A transaction that was left open must not keep the others out. */
  releaseConnection(session: Session): Promise<void> {
    return session.rollback();
  }

  async destroy(): Promise<void> {
    this.#gate.database.close();
  }
}

class TransactionalSqliteAdapter extends SqliteAdapter {
  /** SQLite changes tables within transactions; with this, Kysely runs migrations all or nothing. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** The dialect over an opened database, which it closes when Kysely is destroyed. */
export function sqliteDialect(database: DatabaseSync, patience: PatienceOptions): Dialect {
  const gate = new Gate(database, patience);
  return {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => new SqliteDriver(gate),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
