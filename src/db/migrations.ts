// How the tables came to be, step by step; a step that has been released is never edited, only followed by another.
// In code, so that a start reads nothing else from the disk; each step must work on SQLite and on PostgreSQL.

import { type Kysely, type Migration, type MigrationProvider, Migrator } from 'kysely';
import { ConfigError } from '../config.ts';

const steps: Record<string, Migration> = {
  '0001_streams': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('streams')
        .addColumn('id', 'text', (column) => column.primaryKey().notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('rtsp_url', 'text', (column) => column.notNull())
        .addColumn('rtsp_password', 'text')
        .addColumn('detection_url', 'text')
        .addColumn('detection_password', 'text')
        .addColumn('detection_enabled', 'smallint', (column) => column.notNull())
        .addColumn('confidence_threshold', 'double precision', (column) => column.notNull())
        .addColumn('wanted', 'text', (column) => column.notNull())
        .addColumn('last_connected', 'bigint')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
    },
  },
};

const provider: MigrationProvider = { getMigrations: async () => steps };

/**
 * Brings the tables up to date, all steps or none.
 * @throws ConfigError when the database was made by a newer version.
 */
// biome-ignore lint/suspicious/noExplicitAny: steps span many schemas; Kysely's own signature
export async function migrate(db: Kysely<any>): Promise<void> {
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error === undefined) return;
  if (error instanceof Error && /previously executed migration .* is missing/.test(error.message))
    throw new ConfigError(
      'DATA_DIR',
      'holds a database made by a newer version of this service; run that version, or restore a backup.',
    );
  throw error;
}
