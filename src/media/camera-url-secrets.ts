// Secrets in the path and query of a camera's address: masked, told apart from masks, and put back.
// Pure text; user name and password before the host are in camera-url.ts.

import { maskSecretParameters, replaceSecretParameters, secretMask } from '../base/secret-parameters.ts';

/** `****`, also as forms and clients encode it. */
function isMask(value: string): boolean {
  return value.replace(/%2a/gi, '*') === secretMask;
}

function secretsOf(path: string): { readonly name: string; readonly value: string }[] {
  const found: { name: string; value: string }[] = [];
  replaceSecretParameters(path, (value, before) => {
    found.push({ name: nameIn(before), value });
    return value;
  });
  return found;
}

/** `?password=` and `_password=` name the same secret. */
function nameIn(before: string): string {
  return before.toLowerCase().replace(/^(%[\da-f]{2}|[^a-z\d])+|(=|%3d)$/g, '');
}

/** Who the path signs in as, for those who must not be given another one's password. */
function usersOf(path: string): string {
  const users = /[?&;/_](?:user|username|usr|loginuse|login|account)=((?:(?!_[a-z]+=)[^&#?/])*)/gi;
  return JSON.stringify([...path.matchAll(users)].map((match) => match[1]));
}

/** The path with `****` in the place of each secret; the same for every value of them. */
export function maskPath(path: string): string {
  return maskSecretParameters(path);
}

export function hasSecretInPath(path: string): boolean {
  return secretsOf(path).length > 0;
}

export function hasMaskInPath(path: string): boolean {
  return secretsOf(path).some(({ value }) => isMask(value));
}

/**
 * Puts the secrets of `stored` in the place of the masks, by name and order.
 * @returns null when it has not all of them, or is the path of another user.
 */
export function unmaskPath(path: string, stored: string): string | null {
  if (!hasMaskInPath(path)) return path;
  if (usersOf(path) !== usersOf(stored)) return null;
  const known = secretsOf(stored).filter(({ value }) => !isMask(value));
  let complete = true;
  const unmasked = replaceSecretParameters(path, (value, before) => {
    if (!isMask(value)) return value;
    const at = known.findIndex(({ name }) => name === nameIn(before));
    if (at === -1) complete = false;
    return at === -1 ? value : known.splice(at, 1)[0]!.value;
  });
  return complete ? unmasked : null;
}
