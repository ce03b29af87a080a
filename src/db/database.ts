// Opening the database: file, pragmas, integrity, migrations; and asking it whether it is well.
// Queries belong to the repositories, one per table.

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
  /** Finishes what runs and closes the file. */
  close(): Promise<void>;
}

/**
 * Opens the SQLite file, made when missing, checked and migrated.
 *
 * `synchronous=NORMAL` with WAL: a commit is handed to the operating system before it is acknowledged, so it survives
 * the death of this process at any moment, and the file cannot be corrupted by a power cut either; only the last
 * commits before a power cut may be missing. FULL would wait for the disk at every commit, on the event loop that
 * carries the video: tens of milliseconds on the memory cards many of these machines run from.
 * @throws ConfigError with one line when the file cannot be used.
 */
export async function openDatabase(path: string, options: Partial<PatienceOptions> = {}): Promise<Database> {
  const file = openFile(path);
  const db = new Kysely<Schema>({ dialect: sqliteDialect(file, { ...defaultPatience, ...options }) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error instanceof ConfigError ? error : unusable(path, error);
  }
  return {
    db,
    async check() {
      await sql`select 1 from streams limit 1`.execute(db);
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
