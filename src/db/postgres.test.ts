// PostgreSQL as the service meets it: not up yet, refusing, restarted, full of waiting connections, used by others, newer.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inPostgres, onEachDatabase } from '../../test/support/databases.ts';
import type { ConfigError } from '../config.ts';
import { type Database, type OpenOptions, openDatabase } from './database.ts';
import { UnknownOutcome } from './errors.ts';
import { migrate, type Steps, steps } from './migrations.ts';
import { readablePostgresError } from './postgres-errors.ts';
import { inTransaction } from './transactions.ts';

function row(id: string) {
  return {
    id,
    name: id,
    description: '',
    rtsp_url: 'rtsp://camera.local/',
    detection_enabled: 1,
    confidence_threshold: 0.8,
    wanted: 'running' as const,
    created_at: 1,
  };
}

async function opened(url: string, options?: OpenOptions): Promise<Database> {
  const database = await openDatabase(url, options);
  onTestFinished(() => database.close());
  return database;
}

const insert = ({ db }: Database, id: string) => db.insertInto('streams').values(row(id)).execute();
const names = async ({ db }: Database) =>
  (await db.selectFrom('streams').select('id').orderBy('id').execute()).map(({ id }) => id);

async function refusal(url: string, options?: OpenOptions): Promise<string> {
  const error = await openDatabase(url, { comingUpMs: 0, ...options }).then(
    () => undefined,
    (reason: unknown) => reason as ConfigError,
  );
  expect(error?.name).toBe('ConfigError');
  expect(error?.setting).toBe('DATABASE_URL');
  const { password } = new URL(url);
  if (password) expect(JSON.stringify([error?.message, error?.stack, error])).not.toContain(password);
  return error!.message;
}

async function eventually<T>(look: () => Promise<T> | T, holds: (value: T) => boolean): Promise<T> {
  for (const end = Date.now() + 40_000; ; await sleep(30)) {
    const value = await look();
    if (holds(value) || Date.now() > end) return value;
  }
}

test('a server that does not answer is named without the password', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const url = `postgres://viewer:canary-word@127.0.0.1:${port}/shop`;
  expect(await refusal(url)).toMatch(/^DATABASE_URL: the database shop at 127\.0\.0\.1:\d+ cannot be used: /);
  await new Promise((resolve) => server.close(resolve));
  expect(await refusal(url)).toMatch(/the server cannot be reached \(ECONNREFUSED\)\.$/);
});

test('a row of which an error tells is not in the error', () => {
  const error = Object.assign(new Error('null value in column "name"'), {
    code: '23502',
    severity: 'ERROR',
    detail: 'Failing row contains (canary-hash).',
  });
  expect(JSON.stringify(readablePostgresError(error))).not.toContain('canary');
});

inPostgres((server) => {
  test('wrong passwords, users and names of databases are told apart', async () => {
    const url = await server().createDatabase();
    const change = (members: Partial<URL>) => Object.assign(new URL(url), members).href;
    expect(await refusal(change({ password: 'canary-word' }))).toMatch(
      /refuses the user "test_.*": wrong user name or password/,
    );
    expect(await refusal(change({ username: 'nobody-here' }))).toMatch(/refuses the user "nobody-here"/);
    expect(await refusal(change({ password: '' }))).toMatch(/asks for a password/);
    expect(await refusal(change({ pathname: '/missing' }))).toMatch(/no such database; create it first/);
    expect(await refusal(change({ search: '?sslmode=require' }))).toMatch(/the encrypted connection fails/);
  });

  test('a database in another encoding, and one that the user may not change, are refused', async () => {
    const url = await server().createDatabase();
    const admin = new pg.Client({ connectionString: server().asAdmin(url) });
    await admin.connect();
    onTestFinished(() => admin.end());
    const name = new URL(url).pathname.slice(1);
    await admin.query(
      `create database ${name}_latin encoding 'SQL_ASCII' locale_provider libc locale 'C' template template0`,
    );
    await admin.query(`alter schema public owner to postgres`);
    expect(await refusal(url)).toMatch(/may not do what is needed there; make it the owner/);
    const latin = Object.assign(new URL(url), { pathname: `/${name}_latin` }).href;
    expect(await refusal(latin)).toMatch(/its encoding is SQL_ASCII/);
  });

  test('a server that comes up a little later is waited for', async () => {
    const url = await server().createDatabase();
    await server().shutDown();
    const opening = opened(url);
    await sleep(700);
    await server().start();
    await (await opening).check();
  });

  test('many instances that start at once migrate once', async () => {
    const url = await server().createDatabase();
    const databases = await Promise.all(Array.from({ length: 8 }, () => opened(url, { use: 'shared' })));
    for (const database of databases) await database.check();
    const done = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(
      databases[0]!.db,
    );
    expect(done.rows.map(({ name }) => name)).toEqual(Object.keys(steps));
  });

  test('one process after the other, killed at any moment, loses no row that was acknowledged', async () => {
    const url = await server().createDatabase();
    const acknowledged: string[] = [];
    const writer = `
      import { openDatabase } from ${JSON.stringify(new URL('database.ts', import.meta.url).href)};
      const { db } = await openDatabase(process.argv[1], { use: 'alone' });
      for (let n = 0; ; n++) {
        const id = process.pid + '-' + n;
        await db.insertInto('streams').values({ ...${JSON.stringify(row(''))}, id }).execute();
        process.stdout.write(id + '\\n');
      }`;
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', writer, url], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      for await (const chunk of child.stdout) {
        text += chunk;
        if (text.split('\n').length > 30) child.kill('SIGKILL');
      }
      acknowledged.push(...text.split('\n').slice(0, -1));
    }
    const kept = new Set(await names(await opened(url, { use: 'alone' })));
    expect(acknowledged.length).toBeGreaterThanOrEqual(90);
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  });

  describe('a restart of the server', () => {
    test('is an error to those who ask meanwhile, and forgotten afterwards', async () => {
      const database = await opened(await server().createDatabase());
      await insert(database, 'before');
      // Connections that are idle when it goes.
      await Promise.all(Array.from({ length: 10 }, () => database.check()));
      await server().shutDown();
      await expect(database.check()).rejects.toMatchObject({ status: 503, code: 'database_unavailable' });
      await expect(insert(database, 'meanwhile')).rejects.toMatchObject({ code: 'database_unavailable' });
      await server().start();
      await insert(database, 'after');
      expect(await names(database)).toEqual(['after', 'before']);
    });

    test('undoes a transaction under way, which says that nothing was written', async () => {
      const database = await opened(await server().createDatabase());
      const begun = Promise.withResolvers<void>();
      const restarted = Promise.withResolvers<void>();
      const transaction = inTransaction(database.db, async (inside) => {
        await inside.insertInto('streams').values(row('undone')).execute();
        begun.resolve();
        await restarted.promise;
        await inside.insertInto('streams').values(row('never')).execute();
      });
      await begun.promise;
      await server().restart();
      restarted.resolve();
      const error = await transaction.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ status: 503, code: 'database_unavailable' });
      expect(error).not.toBeInstanceOf(UnknownOutcome);
      expect(await names(database)).toEqual([]);
    });

    test('loses and doubles nothing that is repeated until it succeeds', async () => {
      const database = await opened(await server().createDatabase());
      let going = true;
      const written: string[] = [];
      const write = async (id: string) => {
        for (;;) {
          try {
            await inTransaction(database.db, (inside) =>
              inside
                .insertInto('streams')
                .values(row(id))
                .onConflict((conflict) => conflict.column('id').doNothing())
                .execute(),
            );
            return;
          } catch (error) {
            expect(error).toMatchObject({ code: 'database_unavailable' });
            await sleep(20);
          }
        }
      };
      const writers = Array.from({ length: 6 }, async (_, writer) => {
        for (let n = 0; going; n++) {
          await write(`${writer}-${n}`);
          written.push(`${writer}-${n}`);
        }
      });
      for (let round = 0; round < 3; round++) {
        await sleep(150);
        await server().restart();
      }
      await sleep(150);
      going = false;
      await Promise.all(writers);
      expect(await names(database)).toEqual(written.toSorted());
      expect(written.length).toBeGreaterThan(6);
    });
  });

  test('a statement that takes too long, and one more than may wait, are refused in words', async () => {
    const url = await server().createDatabase();
    await opened(url);
    const { Kysely, PostgresDialect } = await import('kysely');
    const { GuardedPool } = await import('./postgres-pool.ts');
    const limits = {
      connections: 1,
      maxWaiting: 1,
      connectMs: 5_000,
      statementMs: 300,
      idleTransactionMs: 200,
    };
    const db = new Kysely({ dialect: new PostgresDialect({ pool: new GuardedPool(url, limits) }) });
    onTestFinished(() => db.destroy());
    const slow = () => sql`select pg_sleep(20)`.execute(db);
    const results = await Promise.allSettled([slow(), sql`select 1`.execute(db), slow()]);
    expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual([
      'database_unavailable',
      false,
      'database_busy',
    ]);
    expect(results[0]).toMatchObject({ reason: { message: expect.stringMatching(/took too long/) } });
    // A transaction in which nothing happens does not hold on to what it has locked.
    await expect(
      db.transaction().execute(async (inside) => {
        await sql`select 1`.execute(inside);
        await sleep(600);
        await sql`select 1`.execute(inside);
      }),
    ).rejects.toMatchObject({ code: 'database_unavailable' });
    await sql`select 1`.execute(db);
  });

  test('transactions that would wait for each other for ever are repeated, and both happen', async () => {
    const database = await opened(await server().createDatabase());
    for (const id of ['a', 'b']) await insert(database, id);
    const met = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const change = (first: string, second: string, mine: number) =>
      inTransaction(database.db, async (inside) => {
        const set = (id: string) =>
          inside
            .updateTable('streams')
            .set(({ eb }) => ({ created_at: eb('created_at', '+', 1) }))
            .where('id', '=', id)
            .execute();
        await set(first);
        met[mine]!.resolve();
        await met[1 - mine]!.promise;
        await set(second);
      });
    await Promise.all([change('a', 'b', 0), change('b', 'a', 1)]);
    const rows = await database.db.selectFrom('streams').select('created_at').execute();
    expect(rows).toEqual([{ created_at: 3 }, { created_at: 3 }]);
  });

  describe('who may use it', () => {
    test('one without others is alone, those that share it are among themselves, commands are beside anybody', async () => {
      const url = await server().createDatabase();
      const lone = await openDatabase(url, { use: 'alone' });
      for (const use of ['alone', 'shared'] as const)
        expect(await refusal(url, { use })).toMatch(/is in use by another running server/);
      await (await openDatabase(url)).close();
      await lone.close();
      await opened(url, { use: 'shared' });
      await opened(url, { use: 'shared' });
      expect(await refusal(url, { use: 'alone' })).toMatch(/REDIS_URL/);
    });

    test('the right is taken again when the server was away, and nobody else gets it', async () => {
      const url = await server().createDatabase();
      await opened(url, { use: 'alone', onExcluded: (reason) => expect.fail(reason.message) });
      await server().restart();
      const held = async () => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        const { rows } = await client.query(
          "select count(*)::int as n from pg_locks where locktype = 'advisory'",
        );
        await client.end();
        return (rows[0] as { n: number }).n;
      };
      expect(await eventually(held, (n) => n === 1)).toBe(1);
      expect(await refusal(url, { use: 'alone' })).toMatch(/is in use by another/);
    });

    test('whoever lost the right to somebody else meanwhile is told', { timeout: 60_000 }, async () => {
      const url = await server().createDatabase();
      const reasons: ConfigError[] = [];
      await opened(url, { use: 'alone', onExcluded: (reason) => reasons.push(reason) });
      const admin = new pg.Client({ connectionString: server().asAdmin(url) });
      await admin.connect();
      onTestFinished(() => admin.end());
      // Another one waits for the lock, and gets it when the first one's connection is cut.
      const { rows } = await admin.query(
        "select pid, classid, objid from pg_locks where locktype = 'advisory'",
      );
      const { pid, classid, objid } = rows[0] as { pid: number; classid: number; objid: number };
      const other = new pg.Client({ connectionString: url });
      await other.connect();
      onTestFinished(() => other.end());
      const taken = other.query('select pg_advisory_lock($1, $2)', [classid, objid | 0]);
      await admin.query('select pg_terminate_backend($1)', [pid]);
      await taken;
      await eventually(
        () => reasons.length,
        (n) => n > 0,
      );
      expect(reasons.map(String)).toEqual([expect.stringMatching(/in use by another running server/)]);
    });

    test('a task runs in one place at a time, and again as soon as the first is done', async () => {
      const url = await server().createDatabase();
      const [one, two] = [await opened(url, { use: 'shared' }), await opened(url, { use: 'shared' })];
      const running = Promise.withResolvers<void>();
      const end = Promise.withResolvers<void>();
      const first = one.alone('sweep', async () => {
        running.resolve();
        await end.promise;
      });
      await running.promise;
      let ran = 0;
      const task = async () => void ran++;
      expect(await two.alone('sweep', task)).toBe(false);
      expect(await two.alone('retention', task)).toBe(true);
      end.resolve();
      expect(await first).toBe(true);
      expect(await two.alone('sweep', task)).toBe(true);
      expect(ran).toBe(2);
      await expect(one.alone('sweep', () => Promise.reject(new Error('on purpose')))).rejects.toThrow(
        'on purpose',
      );
      expect(await two.alone('sweep', task)).toBe(true);
    });
  });
});

onEachDatabase((databases) => {
  const next: Steps = {
    ...steps,
    '0006_next': {
      oldest: '0005_several_instances',
      async up(db) {
        await db.schema.alterTable('streams').addColumn('colour', 'text').execute();
      },
    },
  };
  const nextButOne: Steps = { ...next, '0007_next_but_one': { async up() {} } };
  const setting = 'DATABASE_URL';

  test('a database that the next version has migrated is used, if that version says that this one can', async () => {
    const place = await databases.place();
    const newer = await databases.open(place);
    await migrate(newer.db, setting, next);
    const older = await databases.open(place);
    await insert(older, 'a');
    expect(await names(newer)).toEqual(['a']);
    await migrate(newer.db, setting, next);
  });

  test('a later step that says nothing, or wants more than this version knows, stops the start', async () => {
    const place = await databases.place();
    const newer = await databases.open(place);
    await migrate(newer.db, setting, nextButOne);
    await expect(databases.open(place)).rejects.toThrow(/made by a newer version/);
    await expect(migrate(newer.db, setting, next)).rejects.toThrow(/made by a newer version/);
    await newer.db
      .insertInto('schema_compatibility')
      .values({ step: '0007_next_but_one', oldest: '0006_next' })
      .execute();
    await migrate(newer.db, setting, next);
    await expect(databases.open(place)).rejects.toThrow(/made by a newer version/);
  });
});
