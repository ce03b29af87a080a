// What the REST side needs from sign-in: who asks, accounts, API tokens, the audit trail; app joins the ports to auth/.
// Types only. Every refusal is an AppError with its status and code.

import type {
  ApiToken,
  AuditAction,
  AuditEntry,
  AuditRecord,
  Credentials,
  NewUser,
  Origin,
  SignedIn,
  User,
  UserChange,
} from '../base/accounts.ts';
import type { CredentialKind, Identity, Role } from '../base/identity.ts';

export type {
  ApiToken,
  AuditAction,
  AuditEntry,
  AuditRecord,
  CredentialKind,
  Credentials,
  Identity,
  NewUser,
  Origin,
  Role,
  SignedIn,
  User,
  UserChange,
};

export interface Authenticator {
  /**
   * Null when nothing is presented.
   * @throws AppError 401 `invalid_token` for anything presented that is wrong, expired or revoked. A cookie that is
   *   no longer valid counts as nothing presented, so that the sign-in page of a browser with an old cookie works.
   */
  identify(credentials: Credentials): Promise<Identity | null>;
  /**
   * Calls `onEnd` once when what the identity stands on ends: signed out, revoked, expired, deleted, or the role changed.
   * @returns ends the following; idempotent.
   */
  follow(identity: Identity, onEnd: () => void): () => void;
}

export interface Accounts {
  /** Whether there is no user yet, so that the set-up link is the only way in. */
  needsSetup(): Promise<boolean>;
  /** @throws AppError 401 `wrong_credentials`, 429 `too_many_attempts` with `retryAfter` (s) before any hashing. */
  login(input: { username: string; password: string }, origin: Origin): Promise<SignedIn>;
  /** @throws AppError 401 `invalid_token`; a token that was used before ends its whole session. */
  refresh(token: string, origin: Origin): Promise<SignedIn>;
  /** Ends the session with its cookie, tokens and sockets. An API token cannot be signed out: 400. */
  logout(identity: Identity, origin: Origin): Promise<void>;
  /**
   * By an admin, or while there is no user with the secret of the set-up link (then always an admin, whatever `role`).
   * Role is `viewer` when not given.
   * @throws AppError 403 `setup_required` | `forbidden`, 409 `username_taken`, 400 with issues.
   */
  register(
    input: NewUser & { readonly setupToken?: string | undefined },
    by: Identity | null,
    origin: Origin,
  ): Promise<SignedIn & { readonly user: User }>;
  /** The signed-in user; null for an API token and with sign-in switched off. */
  user(identity: Identity): Promise<User | null>;
  /** @throws AppError 401 `wrong_credentials` when `current` is wrong. Every other session of the user ends. */
  changeOwnPassword(
    identity: Identity,
    input: { current: string; password: string },
    origin: Origin,
  ): Promise<void>;
  listUsers(page: { limit: number; after?: string | undefined }): Promise<User[]>;
  /**
   * A new role or password ends the user's sessions; a lower role also revokes API tokens of the user's making that may
   * more than it. @throws AppError 404 `user_not_found`, 409 `last_admin`.
   */
  changeUser(id: string, change: UserChange, by: Identity, origin: Origin): Promise<User>;
  /** And the API tokens of the user's making. @throws AppError 404 `user_not_found`, 409 `last_admin`. */
  deleteUser(id: string, by: Identity, origin: Origin): Promise<void>;
  listTokens(page: { limit: number; after?: string | undefined }): Promise<ApiToken[]>;
  /** @param expiresAt ms since 1970. The secret is shown this once. */
  createToken(
    input: { name: string; role: Role; expiresAt: number | null },
    by: Identity,
    origin: Origin,
  ): Promise<{ token: ApiToken; secret: string }>;
  /** @throws AppError 404 `token_not_found`. */
  deleteToken(id: string, by: Identity, origin: Origin): Promise<void>;
}

export interface AuditTrail {
  /** Never throws and is not waited for: bounded in memory; what cannot be stored is told in the log. */
  record(entry: AuditEntry): void;
  /** Newest first. */
  list(page: {
    limit: number;
    after?: string | undefined;
    action?: AuditAction | undefined;
    actor?: string | undefined;
    since?: number | undefined;
    until?: number | undefined;
  }): Promise<AuditRecord[]>;
}
