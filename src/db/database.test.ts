// The database as the service meets it: opened, locked by others, damaged, newer, killed at any moment.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { lockFolder } from './folder-lock.ts';
import type { StreamTable } from './schema.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-db-'));
  path = join(folder, 'test.sqlite');
});

afterEach(() => rmSync(folder, { recursive: true }));

test('the data folder and what is made in it are closed to other users; a folder that is there stays as it is', async () => {
  const mode = (name: string) => (statSync(join(folder, name)).mode & 0o777).toString(8);
  lockFolder(join(folder, 'locked'))();
  await (await openDatabase(join(folder, 'opened', 'test.sqlite'))).close();
  for (const made of ['locked', 'opened']) expect(Number(mode(made)) % 10, made).toBe(0);
  expect(mode('locked/in-use.lock')).toBe('600');
  expect(mode('opened/test.sqlite')).toBe('600');
  chmodSync(folder, 0o755);
  lockFolder(folder)();
  expect(mode('.')).toBe('755');
});

function row(id: string): StreamTable {
  return {
    id,
    name: id,
    description: '',
    rtsp_url: 'rtsp://camera.local/',
    rtsp_password: null,
    detection_url: null,
    detection_password: null,
    detection_enabled: 1,
    confidence_threshold: 0.8,
    wanted: 'running',
    last_connected: null,
    created_at: 1,
  };
}

test('a missing folder and file are made, and rows are there when it is opened again', async () => {
  const nested = join(folder, 'made', 'on', 'the', 'way', 'test.sqlite');
  const first = await openDatabase(nested);
  await first.db.insertInto('streams').values(row('a')).execute();
  await first.check();
  await first.close();
  const second = await openDatabase(nested);
  expect(await second.db.selectFrom('streams').selectAll().execute()).toEqual([row('a')]);
  await second.close();
});

test('a file that is not a database, or is damaged, is named and said to be damaged', async () => {
  writeFileSync(path, 'this is not a database, but it is long enough to look like one: '.repeat(100));
  await expect(openDatabase(path)).rejects.toThrow(
    /^DATA_DIR: .*test\.sqlite cannot be used: the file is damaged/,
  );
  rmSync(path);
  const good = await openDatabase(path);
  for (let index = 0; index < 200; index++)
    await good.db
      .insertInto('streams')
      .values({ ...row(`${index}`), description: 'x'.repeat(500) })
      .execute();
  await good.close();
  const file = await import('node:fs/promises').then((fs) => fs.open(path, 'r+'));
  await file.write(Buffer.alloc(40_000, 0xaa), 0, 40_000, 8_192);
  await file.close();
  await expect(openDatabase(path)).rejects.toThrow(/the file is damaged/);
});

test('a file held by another program is said to be held', async () => {
  await (await openDatabase(path)).close();
  const other = new DatabaseSync(path);
  other.exec('pragma locking_mode = exclusive; begin exclusive');
  await expect(openDatabase(path)).rejects.toThrow(/another program holds it/);
  other.close();
  await (await openDatabase(path)).close();
});

test('a folder in the place of the file stops the start with one line', async () => {
  await expect(openDatabase(folder)).rejects.toThrow(/^DATA_DIR: the database .* cannot be used: [^\n]+$/);
});

test('a database made by a newer version is left alone', async () => {
  const database = await openDatabase(path);
  await database.db.insertInto('streams').values(row('a')).execute();
  await database.close();
  const newer = new DatabaseSync(path);
  newer.exec("insert into kysely_migration values ('9999_from_the_future', '2030-01-01T00:00:00.000Z')");
  newer.close();
  await expect(openDatabase(path)).rejects.toThrow(/made by a newer version/);
});

test('a database from before there were detections and users keeps its streams and gets the new tables', async () => {
  const database = await openDatabase(path);
  await database.db.insertInto('streams').values(row('a')).execute();
  await database.close();
  const older = new DatabaseSync(path);
  // Children before what they refer to.
  const added = [
    'schema_compatibility',
    'stream_owners',
    'alerts',
    'detections',
    'refresh_tokens',
    'sessions',
    'api_tokens',
    'users',
    'audit',
  ] as const;
  for (const table of added) older.exec(`drop table ${table}`);
  older.exec("delete from kysely_migration where name > '0001_streams'");
  older.close();
  const { db, close } = await openDatabase(path);
  expect(await db.selectFrom('streams').selectAll().execute()).toEqual([row('a')]);
  for (const table of added) expect(await db.selectFrom(table).selectAll().execute()).toEqual([]);
  await close();
});

test('while another program writes, reading goes on, writing waits without blocking, and then happens', async () => {
  const database = await openDatabase(path);
  const other = new DatabaseSync(path);
  other.exec('begin immediate');
  let written = false;
  const write = database.db
    .insertInto('streams')
    .values(row('a'))
    .execute()
    .then(() => {
      written = true;
    });
  expect(await database.db.selectFrom('streams').selectAll().execute()).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(written).toBe(false);
  other.exec('commit');
  await write;
  expect(await database.db.selectFrom('streams').selectAll().execute()).toHaveLength(1);
  other.close();
  await database.close();
});

test('a lock that outlasts the patience, and one writer too many, are refused as busy', async () => {
  const database = await openDatabase(path, { giveUpMs: 50, maxWaiting: 2 });
  const other = new DatabaseSync(path);
  other.exec('begin immediate');
  const insert = (id: string) => database.db.insertInto('streams').values(row(id)).execute();
  const writes = await Promise.allSettled(['a', 'b', 'c'].map(insert));
  for (const write of writes)
    expect(write).toMatchObject({ status: 'rejected', reason: { code: 'database_busy', status: 503 } });
  other.exec('commit');
  await insert('d');
  expect(await database.db.selectFrom('streams').select('id').execute()).toEqual([{ id: 'd' }]);
  other.close();
  await database.close();
});

test('a transaction is alone: others wait for its end and see all of it or nothing', async () => {
  const database = await openDatabase(path);
  const inside = Promise.withResolvers<void>();
  const failing = database.db.transaction().execute(async (transaction) => {
    await transaction.insertInto('streams').values(row('undone')).execute();
    inside.resolve();
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new Error('on purpose');
  });
  await inside.promise;
  const reading = database.db.selectFrom('streams').selectAll().execute();
  await expect(failing).rejects.toThrow('on purpose');
  expect(await reading).toEqual([]);
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      database.db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('streams')
          .values(row(`${index}-a`))
          .execute();
        await transaction
          .insertInto('streams')
          .values(row(`${index}-b`))
          .execute();
      }),
    ),
  );
  expect(await database.db.selectFrom('streams').selectAll().execute()).toHaveLength(40);
  await database.close();
});

test('more different statements than are kept prepared still give right answers', async () => {
  const database = await openDatabase(path);
  await database.db.insertInto('streams').values(row('a')).execute();
  for (let count = 1; count <= 300; count++) {
    const ids = Array.from({ length: count }, (_, index) => (index === 0 ? 'a' : `${index}`));
    expect(
      await database.db.selectFrom('streams').select('id').where('id', 'in', ids).execute(),
    ).toHaveLength(1);
  }
  await database.close();
});

const writer = `
  import { openDatabase } from ${JSON.stringify(new URL('database.ts', import.meta.url).href)};
  import { StreamRepository } from ${JSON.stringify(new URL('streams.ts', import.meta.url).href)};
  const { db } = await openDatabase(process.argv[1]);
  const streams = new StreamRepository(db, { seal: (text) => text, open: (text) => text, isCurrent: () => true });
  for (;;) {
    const { id } = await streams.create({ name: 'n', description: '', wanted: 'running', detectionAddress: null,
      detectionEnabled: true, confidenceThreshold: 0.8,
      address: { scheme: 'rtsp', host: 'h', port: 554, path: '/', username: undefined, password: undefined } });
    process.stdout.write(id + '\\n');
  }
`;

test('no row that was acknowledged is lost when the process is killed, time and again', async () => {
  const acknowledged: string[] = [];
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let mine = 0;
    for await (const id of createInterface({ input: child.stdout })) {
      // A line cut by the kill was never acknowledged in full.
      if (id.length === 36) acknowledged.push(id);
      if (++mine === 30 + round * 20) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  const database = await openDatabase(path);
  const kept = new Set((await database.db.selectFrom('streams').select('id').execute()).map(({ id }) => id));
  expect(acknowledged.length).toBeGreaterThanOrEqual(5 * 30);
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  await database.close();
  expect(existsSync(`${path}-wal`)).toBe(false);
});
