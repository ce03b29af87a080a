// The connections to PostgreSQL as Kysely takes them: bounded, with errors of the service, lost ones thrown away.
// No SQL of its own; what opening a database means is in postgres.ts.

import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import { databaseBusy } from './errors.ts';
import { isConnectionLost, readablePostgresError } from './postgres-errors.ts';
import { patiently } from './transactions.ts';

export interface ConnectionLimits {
  /** Statements and transactions under way at the same time; more wait. */
  readonly connections: number;
  /** One more than wait already is refused at once. */
  readonly maxWaiting: number;
  /** How long it takes to get a connection at most, ms. */
  readonly connectMs: number;
  /** How long a statement may take, ms; 0: as long as it needs. */
  readonly statementMs: number;
  /**
   * How long a transaction may do nothing, ms: what it has locked is free again then, also when its process was stopped
   * or its machine is gone. 0: as long as it likes.
   */
  readonly idleTransactionMs: number;
}

/** Beyond what the server allows itself: the way to it is broken, and nothing would ever come back. */
const silenceMs = 5_000;
const { INT8, NUMERIC } = pg.types.builtins;

/** Times and counts are below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 || oid === NUMERIC
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export const applicationName = 'rtsp-stream-viewer';

/** For a connection of its own, outside the pool: it is not ended for being idle, and the server soon notices its loss. */
export function lonelyClient(url: string, connectMs: number): pg.Client {
  const alive = { tcp_keepalives_idle: 5, tcp_keepalives_interval: 2, tcp_keepalives_count: 3 };
  const settings = Object.entries({ ...alive, idle_session_timeout: 0 });
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    options: settings.map(([name, value]) => `-c ${name}=${value}`).join(' '),
  });
  // A loss is noticed by whoever asks next, or listens for `end`; unheard it would end the process.
  client.on('error', () => undefined);
  return client;
}

export class GuardedPool implements PostgresPool {
  readonly #pool: pg.Pool;
  readonly #maxWaiting: number;

  constructor(url: string, limits: ConnectionLimits) {
    this.#maxWaiting = limits.maxWaiting;
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: applicationName,
      max: limits.connections,
      connectionTimeoutMillis: limits.connectMs,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      types,
      statement_timeout: limits.statementMs,
      idle_in_transaction_session_timeout: limits.idleTransactionMs,
      ...(limits.statementMs > 0 && { query_timeout: limits.statementMs + silenceMs }),
    });
    // Idle connections that are lost are out of the pool by now, and those in use say so to their users.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async connect(): Promise<PostgresPoolClient> {
    if (this.#pool.waitingCount >= this.#maxWaiting) throw databaseBusy();
    try {
      return new GuardedClient(await this.#pool.connect());
    } catch (error) {
      throw readablePostgresError(error);
    }
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

type Rows = PostgresQueryResult<unknown>;
/** Of a statement that makes no rows. */
const nothing = { command: 'SELECT', rowCount: 0, rows: [] } satisfies Rows;

class GuardedClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  #inTransaction = false;
  #lost = false;

  readonly query = ((sql: string, parameters: readonly unknown[]) =>
    this.#query(sql, parameters.map(storable))) as PostgresPoolClient['query'];

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  /** Never back into the pool with something unfinished on it. */
  release(): void {
    this.#client.release(this.#lost || this.#inTransaction);
  }

  async #query(sql: string, values: unknown[]): Promise<Rows> {
    if (sql === 'rollback') return this.#rollBack();
    if (sql === 'commit') return this.#commit();
    const begins = /^(begin|start transaction)/.test(sql);
    if (this.#inTransaction || begins) {
      const result = await this.#run(sql, values, false);
      this.#inTransaction = true;
      return result;
    }
    return patiently(() => this.#run(sql, values, true));
  }

  async #commit(): Promise<Rows> {
    const { command } = await this.#run('commit', [], true);
    this.#inTransaction = false;
    // What the server answers when a statement has failed before, and somebody took no notice.
    if ((command as string) !== 'COMMIT') throw new Error('the transaction could not be committed');
    return nothing;
  }

  /** The server rolls back by itself what its client leaves; the error that led here is the one to tell. */
  async #rollBack(): Promise<Rows> {
    if (this.#lost) return nothing;
    try {
      await this.#client.query('rollback');
      this.#inTransaction = false;
    } catch {
      this.#lost = true;
    }
    return nothing;
  }

  /** @param lasting it makes something lasting by itself. */
  async #run(sql: string, values: unknown[], lasting: boolean): Promise<Rows> {
    try {
      return (await this.#client.query(sql, values)) as unknown as Rows;
    } catch (error) {
      this.#lost ||= isConnectionLost(error);
      throw readablePostgresError(error, lasting);
    }
  }
}

/** PostgreSQL's text holds no NUL: another character in its place finds nothing, where an error would end a request. */
function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
}
