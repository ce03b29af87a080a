// What admins do to users: list, change, delete. Whatever somebody stands on that is taken away, ends at once.
// That the asker is an admin is the caller's to check; that one admin stays is the database's.

import type { Origin, User, UserChange } from '../base/accounts.ts';
import type { Identity } from '../base/identity.ts';
import { AppError } from '../errors.ts';
import type { AuditLog } from './audit.ts';
import type { Followers } from './followers.ts';
import { askersOf } from './limits.ts';
import { type Passwords, passwordIssues } from './passwords.ts';
import type { ChangedUser, StoredUser, UserStore } from './ports.ts';
import { refuseIssues, userWords } from './wording.ts';

export interface UserManagementOptions {
  readonly users: UserStore;
  readonly passwords: Passwords;
  readonly followers: Followers;
  readonly audit: AuditLog;
}

export class UserManagement {
  readonly #options: UserManagementOptions;

  constructor(options: UserManagementOptions) {
    this.#options = options;
  }

  /** In order of creation. */
  async list(page: { limit: number; after?: string | undefined }): Promise<User[]> {
    return (await this.#options.users.list(page)).map(userWords);
  }

  /**
   * A new role or password ends the user's sessions; a lower role also revokes the API tokens of the user's making that
   * may more than it.
   * @throws AppError 404 `user_not_found`, 409 `last_admin`, 400 with issues.
   */
  async change(id: string, change: UserChange, by: Identity, origin: Origin): Promise<User> {
    const { users, passwords, followers, audit } = this.#options;
    const before = await users.get(id);
    if (before === undefined) throw new AppError(404, 'user_not_found', 'There is no user with this id.');
    const { role, email, password } = change;
    if (password !== undefined) refuseIssues(passwordIssues(password, before.username));
    const passwordHash =
      password === undefined ? undefined : await passwords.hash(password, askersOf(origin, by));
    const { user: after, revoked } = await users.change(id, { role, email, passwordHash });
    if (after.role !== before.role || passwordHash !== undefined) followers.endUser(id);
    const detail = whatChanged(before, after);
    if (detail !== '')
      audit.record({ action: 'user_changed', actor: by, subject: after.username, detail, origin });
    this.#endTokens(revoked, `its maker ${after.username} is now ${after.role}`, by, origin);
    return userWords(after);
  }

  /** Revokes the API tokens of the user's making as well. @throws AppError 404 `user_not_found`, 409 `last_admin`. */
  async delete(id: string, by: Identity, origin: Origin): Promise<void> {
    const { users, followers, audit } = this.#options;
    const { user, revoked } = await users.delete(id);
    const { username } = user;
    followers.endUser(id);
    audit.record({ action: 'user_deleted', actor: by, subject: username, origin });
    this.#endTokens(revoked, `its maker ${username} was deleted`, by, origin);
  }

  #endTokens(revoked: ChangedUser['revoked'], detail: string, by: Identity, origin: Origin): void {
    const { followers, audit } = this.#options;
    for (const { id, name } of revoked) {
      followers.end(id);
      audit.record({ action: 'api_token_deleted', actor: by, subject: name, detail, origin });
    }
  }
}

function whatChanged(before: StoredUser, after: StoredUser): string {
  const changes: string[] = [];
  if (before.role !== after.role) changes.push(`role ${before.role} → ${after.role}`);
  if (before.email !== after.email) changes.push('email');
  if (before.passwordHash !== after.passwordHash) changes.push('password');
  return changes.join(', ');
}
