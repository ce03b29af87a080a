// What the service has stored, looked at from outside: rows and images wherever they are kept, and whether they agree.
// Reading only, SQLite on a copy: looking must not repair what the next start has to.

import { cp, mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { Redis } from 'ioredis';
import { databaseFileName } from '../../src/db/database.ts';
import { backendSettings, inDatabase, keysIn, keysOf, withBucket, withRedis } from './backends.ts';

/** So old that the sweep at the next start takes them for what they are. */
const agedMs = 3_600_000;

type Row = Readonly<Record<string, unknown>>;
/** Reads rows with SQL that both databases understand. */
type Look = (sql: string) => Promise<readonly Row[]>;

interface ImageRow {
  readonly id: string;
  readonly frame_image: string | null;
  readonly face_image: string | null;
}

/** Sentences; none when the database is whole and every row has its images. */
export async function dataFaults(dataDir: string): Promise<string[]> {
  const files = new Set(await imageNames(dataDir));
  return withDatabase(dataDir, async (look, kind) => {
    const faults: string[] = [];
    if (kind === 'sqlite') {
      // PostgreSQL has no such check, and a process that is killed does not touch its files.
      const [check] = await look('pragma integrity_check');
      if (check?.integrity_check !== 'ok') faults.push(`integrity_check: ${check?.integrity_check}`);
    }
    for (const { id, frame_image, face_image } of await imageRows(look)) {
      if (frame_image === null) faults.push(`the row ${id} has no image`);
      for (const name of [frame_image, face_image])
        if (name !== null && !files.has(name)) faults.push(`the image ${name} of the row ${id} is lost`);
    }
    return faults;
  });
}

/** Images that no row names. */
export async function orphans(dataDir: string): Promise<string[]> {
  const named = await withDatabase(
    dataDir,
    async (look) =>
      new Set((await imageRows(look)).flatMap(({ frame_image, face_image }) => [frame_image, face_image])),
  );
  return (await imageNames(dataDir)).filter((name) => !named.has(name));
}

export async function countRows(dataDir: string) {
  return withDatabase(dataDir, async (look) => {
    const count = async (rows: string) => Number((await look(`select count(*) as n from ${rows}`))[0]!.n);
    return {
      detections: await count('detections'),
      alerts: await count('alerts'),
      withoutAlert: await count('detections where alert_id is null'),
    };
  });
}

/**
 * Makes every image look as if it had been there for long.
 * @returns false in a bucket, which lets nobody say when something was written.
 */
export async function ageImages(dataDir: string): Promise<boolean> {
  if (backendSettings(dataDir).STORAGE_URL) return false;
  const old = new Date(Date.now() - agedMs);
  for (const file of await imageNames(dataDir)) await utimes(join(dataDir, 'media', file), old, old);
  return true;
}

/**
 * Everything that is kept of a service, by where it is: the files of its folder, and what it has in a database, in Redis
 * and in a bucket.
 */
export async function everythingStored(dataDir: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const name of await filesBelow(dataDir)) found.set(name, await readFile(join(dataDir, name)));
  const { DATABASE_URL, REDIS_URL, STORAGE_URL } = backendSettings(dataDir);
  if (DATABASE_URL)
    await inDatabase(DATABASE_URL, async (client) => {
      const tables = await client.query("select tablename from pg_tables where schemaname = 'public'");
      for (const { tablename } of tables.rows) {
        const { rows } = await client.query(`select * from "${tablename}"`);
        found.set(`table ${tablename}`, Buffer.from(JSON.stringify(rows)));
      }
    });
  if (REDIS_URL)
    await withRedis(REDIS_URL, async (redis, prefix) => {
      for (const key of await keysOf(redis, prefix))
        found.set(`Redis ${key}`, Buffer.from(JSON.stringify(await kept(redis, key)) ?? ''));
    });
  if (STORAGE_URL)
    await withBucket(STORAGE_URL, async (s3, { bucket: Bucket, prefix }) => {
      for (const Key of await keysIn(s3, Bucket, `${prefix}/`)) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        found.set(`object ${Key}`, Buffer.from(await Body!.transformToByteArray()));
      }
    });
  return found;
}

async function kept(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      // Gone meanwhile.
      return null;
  }
}

/** Names of all images, halves of interrupted writes included. */
async function imageNames(dataDir: string): Promise<string[]> {
  const { STORAGE_URL } = backendSettings(dataDir);
  if (!STORAGE_URL) return filesBelow(join(dataDir, 'media'));
  return withBucket(STORAGE_URL, async (s3, { bucket, prefix }) => {
    const keys = await keysIn(s3, bucket, `${prefix}/`);
    return keys.map((key) => key.slice(prefix.length + 1));
  });
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** Detections and alerts: each keeps images of its own. */
async function imageRows(look: Look): Promise<readonly ImageRow[]> {
  const columns = 'id, frame_image, face_image';
  const rows = await look(`select ${columns} from detections union all select ${columns} from alerts`);
  return rows as unknown as readonly ImageRow[];
}

async function withDatabase<T>(
  dataDir: string,
  task: (look: Look, kind: 'sqlite' | 'postgres') => Promise<T>,
): Promise<T> {
  const { DATABASE_URL } = backendSettings(dataDir);
  if (DATABASE_URL)
    return inDatabase(DATABASE_URL, (client) =>
      task(async (sql) => (await client.query(sql)).rows, 'postgres'),
    );
  const copy = await mkdtemp(join(tmpdir(), 'rtsp-stream-viewer-look-'));
  try {
    // The shared index is made anew from the log, as after the death of everyone who had it open.
    for (const file of [databaseFileName, `${databaseFileName}-wal`])
      await cp(join(dataDir, file), join(copy, file)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    using database = new DatabaseSync(join(copy, databaseFileName));
    return await task(async (sql) => database.prepare(sql).all(), 'sqlite');
  } finally {
    await rm(copy, { recursive: true });
  }
}
