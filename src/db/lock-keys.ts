// The numbers by which PostgreSQL knows advisory locks: each lock of ours has a name, and all lie in a space of their own.
// No lock is taken here.

import { createHash } from 'node:crypto';

/** Apart from what other programs lock in the same database. */
export const lockSpace = 0x525356;

/** @returns 32 bits, signed. */
export function lockKey(name: string): number {
  return createHash('sha256').update(name).digest().readInt32BE(0);
}
