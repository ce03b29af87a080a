// Which images rows name: detections and alerts may share one, and it is wanted as long as either has it.
// Names only; the images themselves are in the image store.

import type { Kysely } from 'kysely';
import type { ImageNames } from '../media/saved-detection.ts';
import type { Schema } from './schema.ts';

export interface ImageColumns {
  readonly frame_image: string | null;
  readonly face_image: string | null;
}

export function imageColumns(images: ImageNames | null): ImageColumns {
  return { frame_image: images?.frame ?? null, face_image: images?.face ?? null };
}

export function imagesOf({ frame_image, face_image }: ImageColumns): ImageNames | null {
  return frame_image === null ? null : { frame: frame_image, face: face_image };
}

export function namesOf({ frame_image, face_image }: ImageColumns): string[] {
  return [frame_image, face_image].filter((name) => name !== null);
}

/** Of these names, those that a row has. */
export async function knownImages(
  db: Kysely<Schema>,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  if (names.length === 0) return known;
  for (const table of ['detections', 'alerts'] as const)
    for (const column of ['frame_image', 'face_image'] as const) {
      const rows = await db
        .selectFrom(table)
        .select(`${column} as name`)
        .where(column, 'in', names)
        .execute();
      for (const { name } of rows) if (name !== null) known.add(name);
    }
  return known;
}

/** Within a transaction that took rows away: of their images, those that no other row has. */
export async function unusedImages(
  transaction: Kysely<Schema>,
  names: readonly string[],
): Promise<readonly string[]> {
  const known = await knownImages(transaction, names);
  return [...new Set(names)].filter((name) => !known.has(name));
}

/** Within a transaction that deletes the stream: the images that go with it. */
export async function imagesOfStream(
  transaction: Kysely<Schema>,
  streamId: string,
): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const table of ['detections', 'alerts'] as const) {
    const rows = await transaction
      .selectFrom(table)
      .select(['frame_image', 'face_image'])
      .where('stream_id', '=', streamId)
      .execute();
    for (const name of rows.flatMap(namesOf)) names.add(name);
  }
  return [...names];
}
