// The table of detections: one row for each visit of a person, with the names of its images.
// Images are stored before the row that names them and deleted after it is gone; both by the caller.

import type { Kysely, Selectable } from 'kysely';
import type { Fence } from '../base/fence.ts';
import type { FractionBox, Point } from '../media/faces.ts';
import type { ImageNames, SavedDetection, SavedSighting } from '../media/saved-detection.ts';
import { keepAlerts, mendAlerts, picture } from './alert-members.ts';
import { keepFence, keepStream } from './fences.ts';
import { imageColumns, imagesOf, knownImages, namesOf, unusedImages } from './images.ts';
import { inFilter, type RecordFilter } from './pages.ts';
import type { DetectionTable, Schema } from './schema.ts';
import { inTransaction, keeping } from './transactions.ts';

export interface NewDetection {
  readonly id: string;
  readonly streamId: string;
  readonly sighting: SavedSighting;
  /** ms since 1970, as is `lastSeen`. */
  readonly time: number;
  readonly lastSeen: number;
  readonly images: ImageNames | null;
}

export interface BetterSighting {
  readonly id: string;
  readonly sighting: SavedSighting;
  readonly images: ImageNames;
  readonly lastSeen: number;
}

export interface DetectionFilter extends RecordFilter {
  readonly alertId?: string | undefined;
  readonly minConfidence?: number | undefined;
}

export interface Removal {
  /** How many detections went. */
  readonly removed: number;
  /** Those that no row has any more. */
  readonly images: readonly string[];
}

/** More are not made up for after a crash. */
const maxWithoutAlert = 1_000;

export class DetectionRepository {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /**
   * @param fence with it, written only while it stands; so are the other two below.
   * @returns anything but `stored`: nothing was changed, and no row names these images.
   * @throws FencedOff when another instance has taken the stream over: nothing was changed.
   */
  insert(detection: NewDetection, fence?: Fence): Promise<'stored' | 'known' | 'stream_gone'> {
    const { id, streamId, sighting, time, lastSeen, images } = detection;
    return inTransaction(this.#db, async (transaction) => {
      if (!(await keepStream(transaction, streamId))) return 'stream_gone';
      await keepFence(transaction, fence);
      const { numInsertedOrUpdatedRows } = await transaction
        .insertInto('detections')
        .values({
          id,
          stream_id: streamId,
          alert_id: null,
          timestamp: Math.round(time),
          last_seen: Math.round(lastSeen),
          ...sightingColumns(sighting),
          ...imageColumns(images),
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows ? 'stored' : 'known';
    });
  }

  /** @returns images that no row has now: those before, or these if the detection is gone. */
  improve({ id, sighting, images, lastSeen }: BetterSighting, fence?: Fence): Promise<readonly string[]> {
    const columns = imageColumns(images);
    return inTransaction(this.#db, async (transaction) => {
      await keepFence(transaction, fence);
      const query = transaction
        .selectFrom('detections')
        .select(['frame_image', 'face_image', 'last_seen', 'alert_id'])
        .where('id', '=', id);
      const before = await keeping(transaction, query, 'mine').executeTakeFirst();
      if (!before) return unusedImages(transaction, namesOf(columns));
      if (before.alert_id !== null) await keepAlerts(transaction, [before.alert_id]);
      const last_seen = Math.max(before.last_seen, Math.round(lastSeen));
      await transaction
        .updateTable('detections')
        .set({ ...sightingColumns(sighting), ...columns, last_seen })
        .where('id', '=', id)
        .execute();
      if (before.alert_id !== null) await picture(transaction, id, before.alert_id, columns);
      return unusedImages(transaction, namesOf(before));
    });
  }

  /** Of a detection that is gone, or was seen later, nothing changes. */
  async seen(
    { id, lastSeen }: { readonly id: string; readonly lastSeen: number },
    fence?: Fence,
  ): Promise<void> {
    const last_seen = Math.round(lastSeen);
    const write = (db: Kysely<Schema>) =>
      db
        .updateTable('detections')
        .set({ last_seen })
        .where('id', '=', id)
        .where('last_seen', '<', last_seen)
        .execute();
    if (fence === undefined) await write(this.#db);
    else
      await inTransaction(this.#db, async (transaction) => {
        await keepFence(transaction, fence);
        await write(transaction);
      });
  }

  /** Detections that a crash left without an alert, oldest first. */
  async withoutAlert(
    streamId: string,
  ): Promise<{ readonly id: string; readonly time: number; readonly confidence: number }[]> {
    const rows = await this.#db
      .selectFrom('detections')
      .select(['id', 'timestamp', 'confidence_score'])
      .where('alert_id', 'is', null)
      .where('stream_id', '=', streamId)
      .orderBy('timestamp')
      .orderBy('id')
      .limit(maxWithoutAlert)
      .execute();
    return rows.map((row) => ({ id: row.id, time: row.timestamp, confidence: row.confidence_score }));
  }

  async get(id: string): Promise<SavedDetection | undefined> {
    const row = await this.#select().where('r.id', '=', id).executeTakeFirst();
    return row && read(row);
  }

  /** Newest first. */
  async list(filter: DetectionFilter): Promise<SavedDetection[]> {
    let query = this.#select().where(inFilter(filter));
    if (filter.alertId !== undefined) query = query.where('r.alert_id', '=', filter.alertId);
    if (filter.minConfidence !== undefined)
      query = query.where('r.confidence_score', '>=', filter.minConfidence);
    const rows = await query
      .orderBy('r.timestamp', 'desc')
      .orderBy('r.id', 'desc')
      .limit(filter.limit)
      .execute();
    return rows.map(read);
  }

  /** @returns the names of its images; undefined when there is no such detection. */
  async delete(id: string): Promise<readonly string[] | undefined> {
    const { removed, images } = await this.#remove((query) => query.where('id', '=', id));
    return removed === 0 ? undefined : images;
  }

  /** @param before only detections made before this moment, ms since 1970; null: any. */
  removeOldest(limit: number, before: number | null): Promise<Removal> {
    return this.#remove((query) => {
      const oldest = query.orderBy('timestamp').orderBy('id').limit(limit);
      return before === null ? oldest : oldest.where('timestamp', '<', Math.ceil(before));
    });
  }

  removeOfStream(streamId: string, limit: number): Promise<Removal> {
    return this.#remove((query) =>
      query.where('stream_id', '=', streamId).orderBy('timestamp').orderBy('id').limit(limit),
    );
  }

  /** Of these names, those that a detection or an alert has. */
  knownImages(names: readonly string[]): Promise<ReadonlySet<string>> {
    return knownImages(this.#db, names);
  }

  #select() {
    // The name may come from a left join only: an inner one would let the database begin with the streams.
    return this.#db
      .selectFrom('detections as r')
      .leftJoin('streams', 'streams.id', 'r.stream_id')
      .selectAll('r')
      .select('streams.name as stream_name');
  }

  /** A few rows and what depends on them, in one transaction. */
  #remove(choose: (query: RemovalQuery) => RemovalQuery): Promise<Removal> {
    return inTransaction(this.#db, async (transaction) => {
      // An alert that is just being raised or extended with one of them is seen, after a wait.
      const rows = await keeping(transaction, choose(removalQuery(transaction)), 'mine').execute();
      if (rows.length === 0) return { removed: 0, images: [] };
      await transaction
        .deleteFrom('detections')
        .where(
          'id',
          'in',
          rows.map(({ id }) => id),
        )
        .execute();
      const alerts = new Set(rows.flatMap(({ alert_id }) => (alert_id === null ? [] : [alert_id])));
      const theirs = await mendAlerts(transaction, [...alerts]);
      const images = await unusedImages(transaction, [...rows.flatMap(namesOf), ...theirs]);
      return { removed: rows.length, images };
    });
  }
}

type RemovalQuery = ReturnType<typeof removalQuery>;
function removalQuery(db: Kysely<Schema>) {
  return db.selectFrom('detections').select(['id', 'alert_id', 'frame_image', 'face_image']);
}

function sightingColumns({ confidence, box, landmarks, frame }: SavedSighting): SightingColumns {
  return {
    confidence_score: confidence,
    box_x: box?.x ?? null,
    box_y: box?.y ?? null,
    box_width: box?.width ?? null,
    box_height: box?.height ?? null,
    landmarks: landmarks && JSON.stringify(landmarks.map(({ x, y }) => [x, y])),
    frame_width: frame?.width ?? null,
    frame_height: frame?.height ?? null,
  };
}

type SightingColumns = Omit<
  DetectionTable,
  'id' | 'stream_id' | 'alert_id' | 'timestamp' | 'last_seen' | 'frame_image' | 'face_image'
>;

function read(row: Selectable<DetectionTable> & { readonly stream_name: string | null }): SavedDetection {
  return {
    id: row.id,
    streamId: row.stream_id,
    streamName: row.stream_name ?? '',
    time: row.timestamp,
    lastSeen: row.last_seen,
    alertId: row.alert_id,
    confidence: row.confidence_score,
    box: boxOf(row),
    landmarks: row.landmarks === null ? null : readPoints(row.landmarks),
    frame:
      row.frame_width === null || row.frame_height === null
        ? null
        : { width: row.frame_width, height: row.frame_height },
    images: imagesOf(row),
  };
}

function boxOf({ box_x: x, box_y: y, box_width: width, box_height: height }: Selectable<DetectionTable>) {
  const box = { x, y, width, height };
  return Object.values(box).includes(null) ? null : (box as FractionBox);
}

function readPoints(text: string): Point[] {
  return (JSON.parse(text) as [number, number][]).map(([x, y]) => ({ x, y }));
}
