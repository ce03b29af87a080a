// The table of alerts: raised once, extended by later detections, viewed by people.
// When an alert is due is decided by the alert policy; what becomes of it when its detections go, in alert-members.ts.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Kysely, Selectable } from 'kysely';
import type { Fence } from '../base/fence.ts';
import type { SavedAlert } from '../media/saved-detection.ts';
import { joinAlert, keepAlerts } from './alert-members.ts';
import { keepFence, keepStream } from './fences.ts';
import { imagesOf, namesOf, unusedImages } from './images.ts';
import { inFilter, type RecordFilter } from './pages.ts';
import type { AlertTable, Schema } from './schema.ts';
import { inTransaction } from './transactions.ts';

export interface NewAlert {
  readonly id: string;
  readonly streamId: string;
  /** Its first detection; stored already. */
  readonly detectionId: string;
  readonly confidence: number;
  /** When the person was noticed, and when the alert is stored: ms since 1970. */
  readonly time: number;
  readonly raisedAt: number;
}

export interface AlertFilter extends RecordFilter {
  readonly viewed?: boolean | undefined;
}

/** Rows changed in one go: some milliseconds, during which nothing else happens. */
const rowsPerStep = 1_000;

export class AlertRepository {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /**
   * Stores the alert with the images its first detection has now, and gives that to it, together. An alert that is
   * stored already is left as it is.
   * @param fence with it, written only while it stands.
   * @returns null when there is nothing to be alerted of any more: the detection, its stream or the alert was deleted.
   * @throws FencedOff when another instance has taken the stream over: nothing was changed.
   */
  async raise(alert: NewAlert, fence?: Fence): Promise<SavedAlert | null> {
    const { id, streamId, detectionId, confidence, time, raisedAt } = alert;
    await inTransaction(this.#db, async (transaction) => {
      if (!(await keepStream(transaction, streamId))) return;
      await keepFence(transaction, fence);
      if (!(await joinAlert(transaction, detectionId, id))) return;
      const { frame_image, face_image } = await transaction
        .selectFrom('detections')
        .select(['frame_image', 'face_image'])
        .where('id', '=', detectionId)
        .executeTakeFirstOrThrow();
      await transaction
        .insertInto('alerts')
        .values({
          id,
          stream_id: streamId,
          detection_id: detectionId,
          detections_count: 1,
          confidence_score: confidence,
          timestamp: Math.round(time),
          raised_at: Math.round(raisedAt),
          viewed: 0,
          frame_image,
          face_image,
        })
        .execute();
    });
    return (await this.get(id)) ?? null;
  }

  /**
   * One more detection; the same one twice counts once. Of an alert that is gone nothing is counted.
   * @param fence with it, written only while it stands. @throws FencedOff.
   */
  async extend(
    { alertId, detectionId }: { readonly alertId: string; readonly detectionId: string },
    fence?: Fence,
  ): Promise<void> {
    await inTransaction(this.#db, async (transaction) => {
      await keepFence(transaction, fence);
      // Before its detections: who is just taking the others away still finds the alert with this one.
      await keepAlerts(transaction, [alertId]);
      if (!(await joinAlert(transaction, detectionId, alertId))) return;
      await transaction
        .updateTable('alerts')
        .set(({ eb }) => ({ detections_count: eb('detections_count', '+', 1) }))
        .where('id', '=', alertId)
        .execute();
    });
  }

  /** The newest alert of a stream, by when it was stored. */
  async last(streamId: string): Promise<{ readonly id: string; readonly raisedAt: number } | null> {
    const row = await this.#db
      .selectFrom('alerts')
      .select(['id', 'raised_at'])
      .where('stream_id', '=', streamId)
      .orderBy('raised_at', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row ? { id: row.id, raisedAt: row.raised_at } : null;
  }

  async get(id: string): Promise<SavedAlert | undefined> {
    const row = await this.#select().where('r.id', '=', id).executeTakeFirst();
    return row && read(row);
  }

  /** Newest first. */
  async list(filter: AlertFilter): Promise<SavedAlert[]> {
    let query = this.#select().where(inFilter(filter));
    if (filter.viewed !== undefined) query = query.where('r.viewed', '=', Number(filter.viewed));
    const rows = await query
      .orderBy('r.timestamp', 'desc')
      .orderBy('r.id', 'desc')
      .limit(filter.limit)
      .execute();
    return rows.map(read);
  }

  /** How many nobody has viewed yet, of one stream or of all. */
  async unviewed(streamId?: string): Promise<number> {
    let query = this.#db
      .selectFrom('alerts')
      .select((build) => build.fn.countAll<number | string>().as('rows'))
      .where('viewed', '=', 0);
    if (streamId !== undefined) query = query.where('stream_id', '=', streamId);
    const { rows } = await query.executeTakeFirstOrThrow();
    return Number(rows);
  }

  /** @returns undefined when there is no such alert. */
  async setViewed(id: string, viewed: boolean): Promise<SavedAlert | undefined> {
    await this.#db
      .updateTable('alerts')
      .set({ viewed: Number(viewed) })
      .where('id', '=', id)
      .execute();
    return this.get(id);
  }

  /** All there are now, of one stream or of all, a few at a time. @returns how many were not viewed before. */
  async markAllViewed(streamId?: string): Promise<number> {
    let total = 0;
    for (;;) {
      const { numUpdatedRows } = await this.#db
        .updateTable('alerts')
        .set({ viewed: 1 })
        .where('id', 'in', ({ selectFrom }) => {
          const some = selectFrom('alerts').select('id').where('viewed', '=', 0).limit(rowsPerStep);
          return streamId === undefined ? some : some.where('stream_id', '=', streamId);
        })
        .executeTakeFirst();
      total += Number(numUpdatedRows);
      if (numUpdatedRows < rowsPerStep) return total;
      await nextTurn();
    }
  }

  /** Its detections stay. @returns images that no row has now; undefined when there is no such alert. */
  delete(id: string): Promise<readonly string[] | undefined> {
    return inTransaction(this.#db, async (transaction) => {
      const gone = await transaction
        .deleteFrom('alerts')
        .where('id', '=', id)
        .returning(['frame_image', 'face_image'])
        .executeTakeFirst();
      return gone && unusedImages(transaction, namesOf(gone));
    });
  }

  #select() {
    // A left join, so that the database begins with the alerts, in their order.
    return this.#db
      .selectFrom('alerts as r')
      .leftJoin('streams', 'streams.id', 'r.stream_id')
      .selectAll('r')
      .select('streams.name as stream_name');
  }
}

function read(row: Selectable<AlertTable> & { readonly stream_name: string | null }): SavedAlert {
  return {
    id: row.id,
    streamId: row.stream_id,
    streamName: row.stream_name ?? '',
    detectionId: row.detection_id,
    detectionsCount: row.detections_count,
    confidence: row.confidence_score,
    time: row.timestamp,
    viewed: row.viewed !== 0,
    images: imagesOf(row),
  };
}
