// Secrets that mean nothing by themselves: cookies, refresh and API tokens, the set-up link. Made, hashed, compared.
// Where their hashes are kept and what they open is not known here.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 bits of randomness in base64url after `prefix`. */
export function newSecret(prefix = ''): string {
  return prefix + randomBytes(32).toString('base64url');
}

/** Fit for secrets of 256 random bits only, which no one can guess: it is fast. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** In a time that tells nothing of how much of it is right. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
