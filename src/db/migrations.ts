// How the tables came to be, step by step; a step that has been released is never edited, only followed by another.
// In code, so that a start reads nothing else from the disk; each step must work on SQLite and on PostgreSQL.

import { type Kysely, Migrator, sql } from 'kysely';
import { ConfigError } from '../config.ts';
import { isPostgres } from './transactions.ts';

export interface Step {
  up(db: Kysely<unknown>): Promise<void>;
  /**
   * The oldest step that a service must know to work with what this one makes; undefined: this one. Whoever says an
   * older one promises that services of that version find and may write all they know (docs/design/database.md).
   */
  readonly oldest?: string;
}

export type Steps = Readonly<Record<string, Step>>;

export const steps: Steps = {
  '0001_streams': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('streams')
        .addColumn('id', key(db), (column) => column.primaryKey().notNull())
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
  '0002_detections': {
    async up(db: Kysely<unknown>) {
      await createDetections(db);
      await createAlerts(db);
    },
  },
  '0003_accounts': {
    async up(db: Kysely<unknown>) {
      await createUsers(db);
      await createApiTokens(db);
      await createAudit(db);
    },
  },
  '0004_cookie_used': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('sessions')
        .addColumn('cookie_used', 'smallint', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  '0005_several_instances': { up: createStreamOwners },
};

/** Of columns that rows are found or ordered by: as bytes, whatever order of letters a PostgreSQL database has. */
function key(db: Kysely<unknown>) {
  return isPostgres(db) ? sql`text collate "C"` : 'text';
}

async function createDetections(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('detections')
    .addColumn('id', key(db), (column) => column.primaryKey().notNull())
    .addColumn('stream_id', key(db), (column) =>
      column.notNull().references('streams.id').onDelete('cascade'),
    )
    .addColumn('alert_id', key(db))
    .addColumn('timestamp', 'bigint', (column) => column.notNull())
    .addColumn('last_seen', 'bigint', (column) => column.notNull())
    .addColumn('confidence_score', 'double precision', (column) => column.notNull())
    .addColumn('box_x', 'double precision')
    .addColumn('box_y', 'double precision')
    .addColumn('box_width', 'double precision')
    .addColumn('box_height', 'double precision')
    .addColumn('landmarks', 'text')
    .addColumn('frame_width', 'integer')
    .addColumn('frame_height', 'integer')
    .addColumn('frame_image', 'text')
    .addColumn('face_image', 'text')
    .execute();
  // The column at the end is for a filter: what does not pass is left out without its row being read.
  await index(db, 'detections', 'by_time', ['timestamp', 'id', 'confidence_score']);
  await index(db, 'detections', 'by_stream', ['stream_id', 'timestamp', 'id', 'confidence_score']);
  await index(db, 'detections', 'by_alert', ['alert_id', 'timestamp', 'id']);
  await index(db, 'detections', 'by_frame_image', ['frame_image']);
  await index(db, 'detections', 'by_face_image', ['face_image']);
}

async function createAlerts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('alerts')
    .addColumn('id', key(db), (column) => column.primaryKey().notNull())
    .addColumn('stream_id', key(db), (column) =>
      column.notNull().references('streams.id').onDelete('cascade'),
    )
    .addColumn('detection_id', key(db), (column) => column.notNull())
    .addColumn('detections_count', 'integer', (column) => column.notNull())
    .addColumn('confidence_score', 'double precision', (column) => column.notNull())
    .addColumn('timestamp', 'bigint', (column) => column.notNull())
    .addColumn('raised_at', 'bigint', (column) => column.notNull())
    .addColumn('viewed', 'smallint', (column) => column.notNull())
    .addColumn('frame_image', 'text')
    .addColumn('face_image', 'text')
    .execute();
  await index(db, 'alerts', 'by_time', ['timestamp', 'id']);
  await index(db, 'alerts', 'by_stream', ['stream_id', 'timestamp', 'id', 'viewed']);
  await index(db, 'alerts', 'by_viewed', ['viewed', 'timestamp', 'id', 'stream_id']);
  await index(db, 'alerts', 'by_raising', ['stream_id', 'raised_at']);
  await index(db, 'alerts', 'by_frame_image', ['frame_image']);
  await index(db, 'alerts', 'by_face_image', ['face_image']);
}

async function createUsers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', key(db), (column) => column.primaryKey().notNull())
    .addColumn('username', 'text', (column) => column.notNull())
    .addColumn('username_key', key(db), (column) => column.notNull().unique())
    .addColumn('email', 'text')
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_login', 'bigint')
    .execute();
  await db.schema
    .createTable('sessions')
    .addColumn('id', key(db), (column) => column.primaryKey().notNull())
    .addColumn('user_id', key(db), (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('cookie_hash', key(db), (column) => column.notNull().unique())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute();
  await index(db, 'sessions', 'by_user', ['user_id', 'last_used']);
  await index(db, 'sessions', 'by_expiry', ['expires_at']);
  await db.schema
    .createTable('refresh_tokens')
    .addColumn('hash', key(db), (column) => column.primaryKey().notNull())
    .addColumn('session_id', key(db), (column) =>
      column.notNull().references('sessions.id').onDelete('cascade'),
    )
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('used_at', 'bigint')
    .execute();
  await index(db, 'refresh_tokens', 'by_session', ['session_id']);
  await index(db, 'refresh_tokens', 'by_use', ['used_at']);
}

async function createApiTokens(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('api_tokens')
    .addColumn('id', key(db), (column) => column.primaryKey().notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('hash', key(db), (column) => column.notNull().unique())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('last_used', 'bigint')
    .addColumn('created_by', key(db), (column) => column.references('users.id').onDelete('set null'))
    .execute();
  await index(db, 'api_tokens', 'by_maker', ['created_by']);
}

async function createAudit(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit')
    .addColumn('id', key(db), (column) => column.primaryKey().notNull())
    .addColumn('timestamp', 'bigint', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('actor', 'text')
    .addColumn('actor_role', 'text')
    .addColumn('subject', 'text')
    .addColumn('detail', 'text')
    .addColumn('address', 'text', (column) => column.notNull())
    .execute();
  await index(db, 'audit', 'by_time', ['timestamp']);
  await index(db, 'audit', 'by_action', ['action', 'id']);
  await index(db, 'audit', 'by_actor', ['actor', 'id']);
}

async function createStreamOwners(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stream_owners')
    .addColumn('stream_id', key(db), (column) =>
      column.primaryKey().notNull().references('streams.id').onDelete('cascade'),
    )
    .addColumn('instance', 'text', (column) => column.notNull())
    .addColumn('fence', 'bigint', (column) => column.notNull())
    .addColumn('claimed_at', 'bigint', (column) => column.notNull())
    .execute();
  await index(db, 'stream_owners', 'by_instance', ['instance']);
  await db.schema
    .createTable('schema_compatibility')
    .addColumn('step', key(db), (column) => column.primaryKey().notNull())
    .addColumn('oldest', 'text', (column) => column.notNull())
    .execute();
}

async function index(db: Kysely<unknown>, table: string, name: string, columns: string[]): Promise<void> {
  await db.schema.createIndex(`${table}_${name}`).on(table).columns(columns).execute();
}

/**
 * Brings the tables up to date, all steps or none, also when several instances begin at once. Steps of a later version
 * stay as they are, if they say that this version can work with them.
 * @param setting where the database comes from, for the error.
 * @throws ConfigError when the database was made by a newer version.
 */
// biome-ignore lint/suspicious/noExplicitAny: steps span many schemas; Kysely's own signature
export async function migrate(db: Kysely<any>, setting: string, known: Steps = steps): Promise<void> {
  const provider = { getMigrations: async () => migrationsOf(known) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error === undefined) return;
  if (!(error instanceof Error && /previously executed migration .* is missing/.test(error.message)))
    throw error;
  if (await canWorkWithLaterSteps(db, Object.keys(known))) return;
  throw new ConfigError(
    setting,
    'holds a database made by a newer version of this service; run that version, or restore a backup.',
  );
}

function migrationsOf(known: Steps) {
  return Object.fromEntries(
    Object.entries(known).map(([name, { up, oldest }]) => [
      name,
      {
        // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
        async up(db: Kysely<any>) {
          await up(db);
          if (oldest !== undefined)
            await db.insertInto('schema_compatibility').values({ step: name, oldest }).execute();
        },
      },
    ]),
  );
}

// biome-ignore lint/suspicious/noExplicitAny: the table of the steps is Kysely's
async function canWorkWithLaterSteps(db: Kysely<any>, known: readonly string[]): Promise<boolean> {
  const done = await db.selectFrom('kysely_migration').select('name').execute();
  const names = new Set<string>(done.map(({ name }) => name as string));
  if (known.some((name) => !names.has(name))) return false;
  const allowed = await db.selectFrom('schema_compatibility').selectAll().execute();
  const oldestOf = new Map(allowed.map(({ step, oldest }) => [step as string, oldest as string]));
  return [...names]
    .filter((name) => !known.includes(name))
    .every((name) => known.includes(oldestOf.get(name) ?? ''));
}
