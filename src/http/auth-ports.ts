// What the REST side needs from sign-in: who asks, accounts, API tokens, the audit trail; app joins the ports to auth/.
// Types only. Every refusal is an AppError with its status and code.

import type { CredentialKind, Identity, Role } from '../base/identity.ts';

export type { CredentialKind, Identity, Role };

/** What a request presents; at most one of them counts: the header before the query before the cookie. */
export interface Credentials {
  /** After `Bearer `: an access token or an API token. */
  readonly bearer: string | null;
  /** `?token=`, on WebSockets only. */
  readonly query: string | null;
  readonly cookie: string | null;
}

/** Where a request came from, for rate limits and the audit trail. */
export interface Origin {
  /** The peer's IP address, or that which a trusted proxy names. */
  readonly address: string;
  /** `User-Agent`, cut to 200 characters; null when there is none. */
  readonly agent: string | null;
}

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

export interface SignedIn {
  /** JWT, valid some minutes. */
  readonly access: string;
  /** Opaque, valid once. */
  readonly refresh: string;
  /** Secret of the session cookie, to be kept by browsers; valid while it is used at least every `cookieMaxAge` s. */
  readonly cookie: string;
  readonly cookieMaxAge: number;
  readonly identity: Identity;
}

export interface User {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly role: Role;
  /** ISO 8601, as is `last_login`. */
  readonly created_at: string;
  readonly last_login: string | null;
}

export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly email?: string | undefined;
  readonly role?: Role | undefined;
}

export interface UserChange {
  readonly role?: Role | undefined;
  readonly email?: string | null | undefined;
  readonly password?: string | undefined;
}

export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly created_at: string;
  /** Null: it does not expire. */
  readonly expires_at: string | null;
  readonly last_used: string | null;
  /** Name of the user who made it; null when that user is gone. */
  readonly created_by: string | null;
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
  /** A new role or password ends the user's sessions. @throws AppError 404 `user_not_found`, 409 `last_admin`. */
  changeUser(id: string, change: UserChange, by: Identity, origin: Origin): Promise<User>;
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

/** What happened, as in `signed_in`, `stream_deleted`. */
export type AuditAction =
  | 'set_up'
  | 'signed_in'
  | 'sign_in_failed'
  | 'signed_out'
  | 'token_reused'
  | 'user_created'
  | 'user_changed'
  | 'user_deleted'
  | 'password_changed'
  | 'api_token_created'
  | 'api_token_deleted'
  | 'stream_created'
  | 'stream_changed'
  | 'stream_started'
  | 'stream_stopped'
  | 'detection_paused'
  | 'detection_resumed'
  | 'stream_deleted'
  | 'detection_created'
  | 'detection_deleted'
  | 'alert_viewed'
  | 'alerts_viewed'
  | 'alert_deleted'
  | 'watched_ad_hoc';

export interface AuditEntry {
  readonly action: AuditAction;
  readonly actor: Identity | null;
  /** What it was done to: an id, a user name, a camera address without its secrets; null for nothing. */
  readonly subject: string | null;
  readonly detail?: string | undefined;
  readonly origin: Origin;
}

export interface AuditRecord {
  readonly id: string;
  /** ISO 8601 */
  readonly timestamp: string;
  readonly action: AuditAction;
  readonly actor: string | null;
  readonly actor_role: Role | null;
  readonly subject: string | null;
  readonly detail: string | null;
  readonly address: string;
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
