// How many rows the repositories read for what they give, in both databases with 100,000 detections in them.
// What they give is tested beside each of them.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { inPostgres } from '../../test/support/databases.ts';
import { fillDetections } from '../../test/support/many-detections.ts';
import { AlertRepository } from './alerts.ts';
import { openDatabase } from './database.ts';
import { DetectionRepository } from './detections.ts';
import { GuardedPool } from './postgres-pool.ts';
import type { Schema } from './schema.ts';
import { sqliteDialect } from './sqlite-driver.ts';

const detections = 100_000;
const sighting = { confidence: 0.9, box: null, landmarks: null, frame: { width: 640, height: 480 } };

async function fill(place: string): Promise<void> {
  const database = await openDatabase(place);
  await fillDetections(database.db, { streams: ['one', 'two', 'three'], detections, perAlert: 5 });
  await database.close();
}

/** Everything that is asked of many rows. */
async function askAll(db: Kysely<Schema>): Promise<void> {
  const [watched, watchedAlerts] = [new DetectionRepository(db), new AlertRepository(db)];
  const [newest] = await watched.list({ limit: 1 });
  const place = { after: newest, limit: 50 };
  expect(await watched.list({ alertId: newest!.alertId!, limit: 50 })).toHaveLength(5);
  const time = newest!.time;
  for (const streamId of [undefined, 'two'])
    for (const since of [undefined, time - 1e9])
      for (const until of [undefined, time - 1e6]) {
        const filter = { ...place, streamId, since, until };
        expect(await watched.list(filter)).toHaveLength(50);
        expect((await watched.list({ ...filter, minConfidence: 0.9998 })).length).toBeLessThanOrEqual(50);
        for (const viewed of [undefined, true, false])
          expect((await watchedAlerts.list({ ...filter, viewed })).length).toBe(50);
      }
  expect(await watchedAlerts.unviewed()).toBe(2_000);
  expect(await watchedAlerts.unviewed('two')).toBeGreaterThan(0);
  expect(await watchedAlerts.markAllViewed('two')).toBeGreaterThan(0);
  expect(await watchedAlerts.markAllViewed()).toBeGreaterThan(0);
  expect(await watchedAlerts.last('two')).not.toBeNull();
  expect(await watched.withoutAlert('two')).toEqual([]);
  expect(await watched.removeOldest(100, null)).toMatchObject({ removed: 100 });
  expect(await watched.removeOldest(100, time)).toMatchObject({ removed: 100 });
  expect(await watched.removeOfStream('one', 100)).toMatchObject({ removed: 100 });
  expect((await watched.knownImages(Object.values(newest!.images!) as string[])).size).toBe(2);
  const images = { frame: 'ff/new.jpg', face: 'ff/face.jpg' };
  expect(await watched.improve({ id: newest!.id, sighting, images, lastSeen: time })).toHaveLength(2);
  await watched.delete(newest!.id);
  const [alert] = await watchedAlerts.list({ limit: 1 });
  await watchedAlerts.delete(alert!.id);
  await watchedAlerts.raise({ ...alert!, raisedAt: time });
}

/** Each different statement once. */
function statementsOf(asked: readonly CompiledQuery[]): CompiledQuery[] {
  const statements = [...new Map(asked.map((query) => [query.sql, query])).values()].filter(({ sql }) =>
    /^(select|update|delete)/.test(sql),
  );
  expect(statements.length).toBeGreaterThan(25);
  return statements;
}

test('in SQLite no statement reads a table from end to end or sorts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-plans-'));
  const path = join(folder, 'test.sqlite');
  await fill(path);
  const asked: CompiledQuery[] = [];
  const file = new DatabaseSync(path);
  const dialect = sqliteDialect(file, { giveUpMs: 5_000, maxWaiting: 10 });
  const db = new Kysely<Schema>({ dialect, log: ({ query }) => void asked.push(query) });
  await askAll(db);
  for (const { sql, parameters } of statementsOf(asked)) {
    const plan = file.prepare(`explain query plan ${sql}`).all(...(parameters as string[]));
    for (const { detail } of plan as { detail: string }[]) {
      if (/^SCAN/.test(detail)) expect(detail, sql).toMatch(/USING (COVERING )?INDEX/);
      expect(detail, sql).not.toContain('TEMP B-TREE');
    }
    if (/stream_id" =|r\.stream_id =/.test(sql))
      expect(JSON.stringify(plan), sql).toMatch(
        /SEARCH \w+ USING (COVERING )?INDEX \w+_by_(stream|raising|alert|viewed)/,
      );
  }
  await db.destroy();
  rmSync(folder, { recursive: true });
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

inPostgres((server) => {
  test('no statement reads a table from end to end, or more rows than it needs', async () => {
    const url = await server().createDatabase();
    await fill(url);
    const asked: CompiledQuery[] = [];
    const limits = {
      connections: 2,
      maxWaiting: 10,
      connectMs: 5_000,
      statementMs: 30_000,
      idleTransactionMs: 30_000,
    };
    const db = new Kysely<Schema>({
      dialect: new PostgresDialect({ pool: new GuardedPool(url, limits) }),
      log: ({ query }) => void asked.push(query),
    });
    onTestFinished(() => db.destroy());
    await askAll(db);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    onTestFinished(() => client.end());
    // For hundreds of rows at once PostgreSQL may as well read the whole table of alerts, and rightly does.
    const small = statementsOf(asked).filter(
      ({ sql, parameters }) => parameters.length < 100 && !/^update "alerts" set "viewed" = .* in /.test(sql),
    );
    expect(small.length).toBeGreaterThan(20);
    for (const { sql, parameters } of small) {
      // It is run in truth, and undone.
      await client.query('begin');
      const { rows } = await client.query(`explain (analyze, format json) ${sql}`, [...parameters]);
      await client.query('rollback');
      const nodes = nodesOf((rows[0] as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN'][0].Plan);
      for (const node of nodes) {
        if (node['Relation Name'] !== 'streams') expect(node['Node Type'], sql).not.toBe('Seq Scan');
        const read = (node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 1);
        expect(read + (node['Rows Removed by Filter'] ?? 0), sql).toBeLessThanOrEqual(2_000);
      }
      if (/^select "r"/.test(sql)) expect(JSON.stringify(nodes), sql).not.toMatch(/"(Incremental )?Sort"/);
    }
  });
});
