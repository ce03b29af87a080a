// Which detections belong to which alert: kept true within the transactions of both repositories.
// No transaction is begun here.

import { type Kysely, sql } from 'kysely';
import type { Schema } from './schema.ts';

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

/** After some of their detections went: alerts without any go too, the others count and show those that are left. */
export async function mendAlerts(transaction: Kysely<Schema>, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction
    .deleteFrom('alerts')
    .where('id', 'in', ids)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('detections').select('detections.id').whereRef('detections.alert_id', '=', 'alerts.id'),
        ),
      ),
    )
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
}
