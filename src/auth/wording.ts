// How what is stored is told to the outside: users in their public members, times in ISO 8601, refusals of input.
// No decisions.

import type { User } from '../base/accounts.ts';
import { AppError, type Issue } from '../errors.ts';
import type { StoredUser } from './ports.ts';

/** @param at ms since 1970. */
export function isoOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** Without the hash of the password. */
export function userWords(user: StoredUser): User {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    role: user.role,
    created_at: new Date(user.createdAt).toISOString(),
    last_login: isoOrNull(user.lastLogin),
  };
}

/** @throws AppError 400 `invalid_request` when there is an issue. */
export function refuseIssues(issues: readonly Issue[]): void {
  const [first] = issues;
  if (first)
    throw new AppError(400, 'invalid_request', `${first.path}: ${first.message}.`, { issues: [...issues] });
}
