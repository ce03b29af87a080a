// Which user names there may be, and which spellings count as one.
// Whether a name is taken is the database's to say.

import type { Issue } from '../errors.ts';

const allowed = /^[\p{L}\p{M}\p{N}._@-]{1,64}$/u;

/** The name as it is kept: in Unicode's composed form, so that what looks the same is the same (NFKC, UAX #15). */
export function normalUserName(name: string): string {
  // Whatever is longer is refused anyway and need not be worked on.
  return name.length > 256 ? name : name.normalize('NFKC');
}

/** What makes a name unique: upper and lower case count as one. Null for what can be nobody's name. */
export function userNameKey(name: string): string | null {
  const normal = normalUserName(name);
  return allowed.test(normal) ? normal.toLowerCase() : null;
}

export function userNameIssues(name: string): Issue[] {
  if (userNameKey(name) !== null) return [];
  const message = 'must be 1 to 64 letters, digits or any of . _ @ - (no spaces)';
  return [{ path: 'username', message }];
}
