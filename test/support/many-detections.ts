// A database that has been in use for long: many detections of several cameras, written in one go.
// For tests of query plans and for benchmarks; how rows come to be otherwise is in src/db.

import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../src/db/schema.ts';
import { isPostgres } from '../../src/db/transactions.ts';

export interface ManyDetections {
  readonly streams: readonly string[];
  readonly detections: number;
  /** Each alert has so many detections; every tenth alert is not viewed. */
  readonly perAlert: number;
}

/** One detection a minute up to now, of one camera after the other, with names of images that do not exist. */
export async function fillDetections(db: Kysely<Schema>, { streams, detections, perAlert }: ManyDetections) {
  for (const id of streams)
    await sql`insert into streams (id, name, description, rtsp_url, detection_enabled, confidence_threshold, wanted, created_at)
      values (${id}, ${id}, '', 'rtsp://camera.local/', 1, 0.8, 'stopped', 1)`.execute(db);
  const start = Date.now() - detections * 60_000;
  const many = { streams, detections, perAlert, start };
  await (isPostgres(db) ? fillPostgres(db, many) : fillSqlite(db, many));
  await sql`insert into alerts
    select alert_id, min(stream_id), min(id), count(*), max(confidence_score), min(timestamp), min(timestamp),
      case when cast(substr(alert_id, 2) as integer) % 10 = 0 then 0 else 1 end, min(frame_image), min(face_image)
    from detections group by alert_id`.execute(db);
  if (isPostgres(db)) await sql`analyze`.execute(db);
}

type Filling = ManyDetections & { readonly start: number };

async function fillSqlite(db: Kysely<Schema>, { streams, detections, perAlert, start }: Filling) {
  const ids = JSON.stringify(streams);
  // Bound numbers are floating-point for SQLite, and would divide as such.
  const [group, count] = [sql.lit(perAlert), sql.lit(streams.length)];
  await sql`insert into detections
    with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ${detections})
    select printf('d%08d', i), json_extract(${ids}, '$[' || (i / ${group} % ${count}) || ']'),
      printf('a%08d', i / ${group}), ${start} + i * 60000, ${start} + i * 60000 + 5000,
      0.7 + (i * 7919 % 3000) / 10000.0, 0.1, 0.1, 0.2, 0.2,
      '[[0.1,0.2],[0.2,0.2],[0.15,0.25],[0.1,0.3],[0.2,0.3]]', 640, 480,
      printf('%02x/%030x.jpg', i % 256, 2 * i), printf('%02x/%030x.jpg', i % 256, 2 * i + 1) from n`.execute(
    db,
  );
}

async function fillPostgres(db: Kysely<Schema>, { streams, detections, perAlert, start }: Filling) {
  const ids = JSON.stringify(streams);
  const [group, count, begin] = [sql.lit(perAlert), sql.lit(streams.length), sql.lit(start)];
  const name = (n: string) =>
    sql.raw(`lpad(to_hex(i % 256), 2, '0') || '/' || lpad(to_hex(${n}), 30, '0') || '.jpg'`);
  await sql`insert into detections
    select 'd' || lpad(i::text, 8, '0'), ${ids}::json ->> (i / ${group} % ${count}),
      'a' || lpad((i / ${group})::text, 8, '0'), ${begin} + i * 60000::bigint, ${begin} + i * 60000::bigint + 5000,
      0.7 + (i * 7919::bigint % 3000) / 10000.0, 0.1, 0.1, 0.2, 0.2,
      '[[0.1,0.2],[0.2,0.2],[0.15,0.25],[0.1,0.3],[0.2,0.3]]', 640, 480,
      ${name('2 * i')}, ${name('2 * i + 1')} from generate_series(0, ${sql.lit(detections - 1)}) i`.execute(
    db,
  );
}
