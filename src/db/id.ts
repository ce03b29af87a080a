// Ids of rows: UUID version 7 (RFC 9562, 5.7), so that ids made later sort later and an index grows at its end.
// Opaque to everyone else; nothing may read a time out of them.

import { randomBytes } from 'node:crypto';

/** @param wallTime ms since 1970. */
export function newId(wallTime: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(wallTime, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
