// The guard of what an owner of a stream writes: within the transaction, before anything else of the stream is touched.
// Who owns what is decided in ownership.ts.

import type { Transaction } from 'kysely';
import type { Fence } from '../base/fence.ts';
import { FencedOff } from '../errors.ts';
import type { Schema } from './schema.ts';
import { keeping } from './transactions.ts';

/**
 * The stream stays as long as the transaction lasts: whoever deletes it waits. Taken before all other locks, so that no
 * two transactions wait for each other.
 * @returns false when it is gone.
 */
export async function keepStream(transaction: Transaction<Schema>, streamId: string): Promise<boolean> {
  const query = transaction.selectFrom('streams').select('id').where('id', '=', streamId);
  return (await keeping(transaction, query, 'exists').executeTakeFirst()) !== undefined;
}

/**
 * Nobody else takes the stream over until the transaction ends: a claim waits. Nothing to guard when the stream is gone,
 * and all that is written for it with it.
 * @throws FencedOff when somebody else has it.
 */
export async function keepFence(transaction: Transaction<Schema>, fence: Fence | undefined): Promise<void> {
  if (fence === undefined || !(await keepStream(transaction, fence.streamId))) return;
  const query = transaction
    .selectFrom('stream_owners')
    .select('fence')
    .where('stream_id', '=', fence.streamId);
  const owner = await keeping(transaction, query, 'same').executeTakeFirst();
  if (owner?.fence !== fence.number) throw new FencedOff(fence.streamId);
}
