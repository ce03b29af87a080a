// What the service has stored, looked at from outside: rows and image files of a data folder, and whether they agree.
// Reading only, on a copy of the database: looking must not repair what the next start has to.

import { cp, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { databaseFileName } from '../../src/db/database.ts';

/** So old that the sweep at the next start takes them for what they are. */
const agedMs = 3_600_000;

interface ImageRow {
  readonly id: string;
  readonly frame_image: string | null;
  readonly face_image: string | null;
}

/** Sentences; none when the database is whole and every row has its images. */
export async function dataFaults(dataDir: string): Promise<string[]> {
  const files = new Set(await imageFiles(dataDir));
  return withDatabase(dataDir, (database) => {
    const check = database.prepare('pragma integrity_check').get() as { integrity_check: string };
    const faults = check.integrity_check === 'ok' ? [] : [`integrity_check: ${check.integrity_check}`];
    for (const { id, frame_image, face_image } of imageRows(database)) {
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
    (database) => new Set(imageRows(database).flatMap((row) => [row.frame_image, row.face_image])),
  );
  return (await imageFiles(dataDir)).filter((file) => !named.has(file));
}

export async function countRows(dataDir: string) {
  return withDatabase(dataDir, (database) => {
    const count = (rows: string) =>
      (database.prepare(`select count(*) as n from ${rows}`).get() as { n: number }).n;
    return {
      detections: count('detections'),
      alerts: count('alerts'),
      withoutAlert: count('detections where alert_id is null'),
    };
  });
}

/** Makes every image file look as if it had been there for long. */
export async function ageImages(dataDir: string): Promise<void> {
  const old = new Date(Date.now() - agedMs);
  for (const file of await imageFiles(dataDir)) await utimes(join(dataDir, 'media', file), old, old);
}

/** Names of all files in the folder for images, halves of interrupted writes included. */
async function imageFiles(dataDir: string): Promise<string[]> {
  const media = join(dataDir, 'media');
  const entries = await readdir(media, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(media.length + 1));
}

/** Detections and alerts: each keeps images of its own. */
function imageRows(database: DatabaseSync): ImageRow[] {
  const columns = 'id, frame_image, face_image';
  return database
    .prepare(`select ${columns} from detections union all select ${columns} from alerts`)
    .all() as unknown as ImageRow[];
}

async function withDatabase<T>(dataDir: string, look: (database: DatabaseSync) => T): Promise<T> {
  const copy = await mkdtemp(join(tmpdir(), 'rtsp-stream-viewer-look-'));
  try {
    // The shared index is made anew from the log, as after the death of everyone who had it open.
    for (const file of [databaseFileName, `${databaseFileName}-wal`])
      await cp(join(dataDir, file), join(copy, file)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    using database = new DatabaseSync(join(copy, databaseFileName));
    return look(database);
  } finally {
    await rm(copy, { recursive: true });
  }
}
