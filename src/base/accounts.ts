// Users, tokens and the audit trail as words: shared by sign-in, REST and the database.
// Types only; the ports that speak in them are http/auth-ports.ts and auth/ports.ts.

import type { Identity, Role } from './identity.ts';

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
