// Opening a PostgreSQL database: waiting for its server, looking at what it is, migrations, and who else may use it.
// Loaded only when there is one: queries belong to the repositories, which know no difference.

import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { ConfigError } from '../config.ts';
import type { Database, OpenOptions } from './database.ts';
import { migrate } from './migrations.ts';
import { mayComeUp, unusablePostgres } from './postgres-errors.ts';
import { HeldUse, whenFree } from './postgres-locks.ts';
import { type ConnectionLimits, GuardedPool, lonelyClient } from './postgres-pool.ts';
import type { Schema } from './schema.ts';

const limits: ConnectionLimits = {
  connections: 10,
  maxWaiting: 1_000,
  connectMs: 5_000,
  statementMs: 15_000,
  idleTransactionMs: 2_000,
};

/** A step may take long where there are many rows, and the other instances wait for it. */
const whileMigrating: ConnectionLimits = { ...limits, connections: 2, statementMs: 0, idleTransactionMs: 0 };

/** Containers start together: the server may need this long. */
const comingUpMs = 15_000;
const pauseMs = 300;
/** The oldest that its makers still mend. */
const oldestVersion = 14;

/** @throws ConfigError with one line when it cannot be used. */
export async function openPostgres(url: string, options: OpenOptions): Promise<Database> {
  const onExcluded = options.onExcluded ?? (() => undefined);
  let use: HeldUse | undefined;
  try {
    await inspect(url, performance.now() + (options.comingUpMs ?? comingUpMs));
    if (options.use !== undefined) use = await HeldUse.take(url, options.use, onExcluded);
    await bringUpToDate(url);
  } catch (error) {
    await use?.release();
    throw error instanceof ConfigError ? error : unusablePostgres(url, error);
  }
  const db = connect(url, limits);
  return {
    db,
    async check() {
      await sql`select 1 from streams limit 1`.execute(db);
    },
    alone: (name, task) => whenFree(url, name, task),
    async close() {
      await db.destroy();
      await use?.release();
    },
  };
}

function connect(url: string, bounds: ConnectionLimits): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: new GuardedPool(url, bounds) }) });
}

async function bringUpToDate(url: string): Promise<void> {
  const db = connect(url, whileMigrating);
  try {
    await migrate(db, 'DATABASE_URL');
  } finally {
    await db.destroy();
  }
}

/** Waits until the server answers. @throws ConfigError, or whatever keeps the connection from being made. */
async function inspect(url: string, deadline: number): Promise<void> {
  for (;;) {
    const client = lonelyClient(url, limits.connectMs);
    try {
      await client.connect();
      const { rows } = await client.query(
        "select current_setting('server_version_num')::int / 10000 as version, current_setting('server_encoding') as encoding",
      );
      const { version, encoding } = rows[0] as { version: number; encoding: string };
      if (version < oldestVersion)
        throw unusablePostgres(url, {
          message: `it is PostgreSQL ${version}; ${oldestVersion} or newer is needed.`,
        });
      if (encoding !== 'UTF8')
        throw unusablePostgres(url, {
          message: `its encoding is ${encoding}; create it with the encoding UTF8.`,
        });
      return;
    } catch (error) {
      if (!mayComeUp(error) || performance.now() >= deadline) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
    await sleep(pauseMs);
  }
}
