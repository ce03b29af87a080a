// Keys for one purpose each out of SECRET_KEY, and names that only its holders can make.
// What they protect is not known here.

import { createHmac, hkdfSync } from 'node:crypto';

/** A key for one purpose out of SECRET_KEY (HKDF, RFC 5869). */
export function deriveKey(secretKey: string, purpose: string, bytes = 32): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', `rtsp-stream-viewer ${purpose}`, bytes));
}

/** The same secret for the same name whenever it is asked for, so that it need not be kept (HMAC-SHA-256, base64url). */
export function secretFor(key: Buffer, name: string): string {
  return createHmac('sha256', key).update(name).digest('base64url');
}
