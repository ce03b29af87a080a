// Which detections belong to which alert: kept true within the transactions of both repositories.
// No transaction is begun here.

import { type Kysely, sql } from 'kysely';
import { type ImageColumns, namesOf } from './images.ts';
import type { Schema } from './schema.ts';
import { isPostgres, keeping } from './transactions.ts';

/** What others do to these alerts waits, or is done: what is counted and decided next stays true. */
export async function keepAlerts(transaction: Kysely<Schema>, ids: readonly string[]): Promise<void> {
  const query = transaction.selectFrom('alerts').select('id').where('id', 'in', ids).orderBy('id');
  if (isPostgres(transaction)) await keeping(transaction, query, 'mine').execute();
}

/** @returns false when the detection is gone, or belongs to an alert already. */
export async function joinAlert(
  transaction: Kysely<Schema>,
  detectionId: string,
  alertId: string,
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('detections')
    .set({ alert_id: alertId })
    .where('id', '=', detectionId)
    .where('alert_id', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** An alert whose first detection had no picture takes the first one that comes. */
export async function picture(
  transaction: Kysely<Schema>,
  detectionId: string,
  alertId: string,
  images: ImageColumns,
): Promise<void> {
  await transaction
    .updateTable('alerts')
    .set(images)
    .where('id', '=', alertId)
    .where('detection_id', '=', detectionId)
    .where('frame_image', 'is', null)
    .execute();
}

/**
 * After some of their detections went: alerts without any go too, the others count those that are left.
 * @returns images of the alerts that went.
 */
export async function mendAlerts(
  transaction: Kysely<Schema>,
  ids: readonly string[],
): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  await keepAlerts(transaction, ids);
  const gone = await transaction
    .deleteFrom('alerts')
    .where('id', 'in', ids)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('detections').select('detections.id').whereRef('detections.alert_id', '=', 'alerts.id'),
        ),
      ),
    )
    .returning(['frame_image', 'face_image'])
    .execute();
  await transaction
    .updateTable('alerts')
    .set({
      detections_count: sql`(select count(*) from detections where detections.alert_id = alerts.id)`,
      detection_id: sql`coalesce(
        (select detections.id from detections where detections.id = alerts.detection_id),
        (select detections.id from detections where detections.alert_id = alerts.id
          order by detections.timestamp, detections.id limit 1)
      )`,
    })
    .where('id', 'in', ids)
    .execute();
  return gone.flatMap(namesOf);
}
