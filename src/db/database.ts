// The database of the service, in SQLite or PostgreSQL; opening the file of the former: pragmas, integrity, migrations.
// Queries belong to the repositories, one per table; PostgreSQL's side is in postgres.ts.

import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { ConfigError } from '../config.ts';
import { makeDataFolder } from './data-folder.ts';
import { isBusy, isDamaged, readableError } from './errors.ts';
import { migrate } from './migrations.ts';
import type { Schema } from './schema.ts';
import { type PatienceOptions, sqliteDialect } from './sqlite-driver.ts';

export const databaseFileName = 'rtsp-stream-viewer.sqlite';

const defaultPatience: PatienceOptions = { giveUpMs: 5_000, maxWaiting: 1_000 };
/** Waiting blocks, which is fine before there is anything to serve. */
const openingBusyMs = 2_000;

export interface Database {
  readonly db: Kysely<Schema>;
  /** Rejects when the database does not answer. */
  check(): Promise<void>;
  /**
   * Runs `task` unless one of this name runs already, in this or another instance: for work that one at a time is enough
   * for, and that does no harm when it is done twice. With SQLite there is nobody else.
   * @returns whether it was run. @throws AppError 503 `database_unavailable` when that cannot be found out.
   */
  alone(name: string, task: () => Promise<unknown>): Promise<boolean>;
  /** Finishes what runs and lets the database go. */
  close(): Promise<void>;
}

export interface OpenOptions extends Partial<PatienceOptions> {
  /**
   * Whom a PostgreSQL database is used beside: nobody, or only others that share it as well. Held until it is closed,
   * and taken again when PostgreSQL was away. Undefined: beside anybody, as a command does. A SQLite file is guarded by
   * the lock of its folder.
   */
  readonly use?: 'alone' | 'shared' | undefined;
  /** While PostgreSQL was away somebody else has taken the database: this server must end. Called at most once. */
  readonly onExcluded?: ((reason: ConfigError) => void) | undefined;
  /** How long PostgreSQL may take to answer for the first time, ms. */
  readonly comingUpMs?: number;
}

export function isPostgresUrl(place: string): boolean {
  return /^postgres(ql)?:\/\//i.test(place);
}

/**
 * Opens a database, checked and migrated.
 * @param place an address that begins with `postgres://`, or the path of a SQLite file, which is made when missing.
 * @throws ConfigError with one line when it cannot be used.
 */
export async function openDatabase(place: string, options: OpenOptions = {}): Promise<Database> {
  if (!isPostgresUrl(place)) return openSqlite(place, options);
  const { openPostgres } = await import('./postgres.ts');
  return openPostgres(place, options);
}

/**
 * `synchronous=NORMAL` with WAL: a commit is handed to the operating system before it is acknowledged, so it survives
 * the death of this process at any moment, and the file cannot be corrupted by a power cut either; only the last
 * commits before a power cut may be missing. FULL would wait for the disk at every commit, on the event loop that
 * carries the video: tens of milliseconds on the memory cards many of these machines run from.
 */
async function openSqlite(path: string, { giveUpMs, maxWaiting }: OpenOptions): Promise<Database> {
  const file = openFile(path);
  const patience = {
    giveUpMs: giveUpMs ?? defaultPatience.giveUpMs,
    maxWaiting: maxWaiting ?? defaultPatience.maxWaiting,
  };
  const db = new Kysely<Schema>({ dialect: sqliteDialect(file, patience) });
  try {
    await migrate(db, 'DATA_DIR');
  } catch (error) {
    await db.destroy();
    throw error instanceof ConfigError ? error : unusable(path, error);
  }
  return {
    db,
    async check() {
      await sql`select 1 from streams limit 1`.execute(db);
    },
    async alone(_name, task) {
      await task();
      return true;
    },
    close: () => db.destroy(),
  };
}

function openFile(path: string): DatabaseSync {
  let file: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') makeDataFolder(dirname(path));
    file = new DatabaseSync(path, { timeout: openingBusyMs, enableForeignKeyConstraints: true });
    // It tells who came when; before WAL, whose files get the same rights.
    if (path !== ':memory:') chmodSync(path, 0o600);
    file.exec('pragma journal_mode = wal; pragma synchronous = normal');
    const verdict = file.prepare('pragma quick_check(1)').get() as { quick_check: string };
    if (verdict.quick_check !== 'ok') throw new Error(`damaged: ${verdict.quick_check}`);
    // From here on waiting is done without blocking, by the dialect.
    file.exec('pragma busy_timeout = 0');
    return file;
  } catch (error) {
    file?.close();
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): ConfigError {
  const { message } = readableError(error) as Error;
  let problem = message;
  if (isBusy(error)) problem = 'another program holds it; is the service running already?';
  if (isDamaged(error) || /^damaged/.test(message))
    problem =
      'the file is damaged or not a SQLite database; restore a backup, or move it away to start anew.';
  return new ConfigError('DATA_DIR', `: the database ${path} cannot be used: ${problem}`);
}
