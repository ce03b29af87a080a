// The Redis, PostgreSQL and bucket that every service of a test run uses when REDIS_URL, DATABASE_URL and STORAGE_URL
// are set for `npm test`, each service apart from all others. What is in them is read in stored-data.ts.

import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type BucketAddress, bucketAddress, redisAddress } from '../../src/base/backend-urls.ts';

/** For a test that is about SQLite, the folder for images, the generated secret or a single process: nothing is shared. */
export const embedded = { REDIS_URL: '', DATABASE_URL: '', STORAGE_URL: '' } as const;

/** What `npm test` was given; empty strings are nothing. */
const { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, STORAGE_URL: storageUrl } = process.env;

export interface BackendSettings {
  readonly REDIS_URL?: string;
  readonly DATABASE_URL?: string;
  readonly STORAGE_URL?: string;
  readonly SECRET_KEY?: string;
}

/**
 * Settings of a service with this data folder. The same folder has the same rows, images and keys whenever it is asked,
 * nobody else has them. Empty when nothing is shared in this run.
 */
export function backendSettings(dataDir: string): BackendSettings {
  const name = nameOf(dataDir);
  return {
    ...(redisUrl && {
      REDIS_URL: withParameter(redisUrl, 'prefix', name),
      SECRET_KEY: `the secret of ${name}`,
    }),
    ...(databaseUrl && { DATABASE_URL: databaseOf(databaseUrl, name) }),
    ...(storageUrl && { STORAGE_URL: below(storageUrl, name) }),
  };
}

/**
 * To be called before the first service starts on the folder, and harmless afterwards.
 * @param env settings that go before these: what has a setting of its own there is not made.
 * @returns settings as `backendSettings` gives them.
 */
export async function makeBackends(dataDir: string, env: NodeJS.ProcessEnv = {}): Promise<BackendSettings> {
  if (databaseUrl && env.DATABASE_URL === undefined)
    await inDatabase(databaseUrl, async (client) => {
      const name = nameOf(dataDir);
      const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
      // template0 is the one that nobody can be connected to.
      if (rowCount === 0) await client.query(`create database ${name} template template0`);
    });
  const { SECRET_KEY, ...settings } = backendSettings(dataDir);
  // One that shares nothing with others makes its own.
  return SECRET_KEY === undefined || env.REDIS_URL === '' ? settings : { ...settings, SECRET_KEY };
}

/** Removes the folder and all that services on it kept elsewhere. They have ended. */
export async function removeData(dataDir: string): Promise<void> {
  rmSync(dataDir, { recursive: true, force: true });
  const name = nameOf(dataDir);
  const { REDIS_URL, STORAGE_URL } = backendSettings(dataDir);
  if (databaseUrl)
    await inDatabase(databaseUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
  if (REDIS_URL)
    await withRedis(REDIS_URL, async (redis, prefix) => {
      const keys = await keysOf(redis, prefix);
      if (keys.length > 0) await redis.unlink(...keys);
    });
  if (STORAGE_URL)
    await withBucket(STORAGE_URL, async (s3, { bucket: Bucket, prefix }) => {
      const objects = (await keysIn(s3, Bucket, `${prefix}/`)).map((Key) => ({ Key }));
      for (let from = 0; from < objects.length; from += 1_000)
        await s3.send(
          new DeleteObjectsCommand({ Bucket, Delete: { Objects: objects.slice(from, from + 1_000) } }),
        );
    });
}

/** Runs `task` on a connection of its own. */
export async function inDatabase<T>(url: string, task: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  // A connection that is lost rejects what waits for it; said here a second time, it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await task(client);
  } finally {
    await client.end();
  }
}

export async function withRedis<T>(
  setting: string,
  task: (redis: Redis, prefix: string) => Promise<T>,
): Promise<T> {
  const { url, prefix } = redisAddress(setting);
  const redis = new Redis(url);
  try {
    return await task(redis, prefix);
  } finally {
    redis.disconnect();
  }
}

/** All keys of the service with this prefix. */
export async function keysOf(redis: Redis, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const some of redis.scanStream({ match: `*${prefix}*`, count: 1_000 })) keys.push(...some);
  return keys;
}

export async function withBucket<T>(
  setting: string,
  task: (s3: S3Client, address: BucketAddress) => Promise<T>,
): Promise<T> {
  const address = bucketAddress(setting);
  const { endpoint, region = 'us-east-1' } = address;
  const s3 = new S3Client({ region, ...(endpoint !== undefined && { endpoint, forcePathStyle: true }) });
  try {
    return await task(s3, address);
  } finally {
    s3.destroy();
  }
}

/** @param prefix with the slash at its end. */
export async function keysIn(s3: S3Client, Bucket: string, Prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken && { ContinuationToken }) }),
    );
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  return keys;
}

/** Fits a database, a prefix of Redis and one of a bucket. */
function nameOf(dataDir: string): string {
  return `test_${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`;
}

function withParameter(url: string, name: string, value: string): string {
  const changed = new URL(url);
  changed.searchParams.set(name, value);
  return changed.href;
}

function databaseOf(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = name;
  return changed.href;
}

function below(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `${changed.pathname.replace(/\/$/, '')}/${name}`;
  return changed.href;
}
