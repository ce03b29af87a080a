// What sign-in needs from the database, and from the other instances; app joins the real ones to it.
// Types only. Times are ms since 1970; secrets come and go as their hashes.

import type { AuditAction, AuditRecord } from '../base/accounts.ts';
import type { EventCounter } from '../base/event-counter.ts';
import type { Role } from '../base/identity.ts';

export interface StoredUser {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly role: Role;
  readonly passwordHash: string;
  readonly createdAt: number;
  readonly lastLogin: number | null;
}

export interface UserDraft {
  readonly username: string;
  /** What makes the name unique (user-names.ts). */
  readonly usernameKey: string;
  readonly email: string | null;
  readonly role: Role;
  readonly passwordHash: string;
}

/** A user after a change, and the API tokens that went with what the user lost. */
export interface ChangedUser {
  readonly user: StoredUser;
  readonly revoked: readonly { readonly id: string; readonly name: string }[];
}

export interface UserStore {
  /** Whether there is a user at all. */
  any(): Promise<boolean>;
  /** @throws AppError 409 `username_taken`. */
  create(draft: UserDraft): Promise<StoredUser>;
  /** Only while there is no user, also when several try at once. @returns undefined when there is one. */
  createFirst(draft: UserDraft): Promise<StoredUser | undefined>;
  get(id: string): Promise<StoredUser | undefined>;
  findByKey(usernameKey: string): Promise<StoredUser | undefined>;
  /** In order of creation. */
  list(page: { limit: number; after?: string | undefined }): Promise<StoredUser[]>;
  /**
   * A new role or password deletes the user's sessions, and a lower role the API tokens of the user's making that may
   * more than it.
   * @throws AppError 404 `user_not_found`, 409 `last_admin`.
   */
  change(
    id: string,
    change: { role?: Role | undefined; email?: string | null | undefined; passwordHash?: string | undefined },
  ): Promise<ChangedUser>;
  /** Deletes every session of the user but `keepSession`. @returns false when `from` is no longer the user's hash. */
  replacePassword(id: string, change: { from: string; to: string; keepSession: string }): Promise<boolean>;
  /**
   * With sessions and the API tokens of the user's making.
   * @returns who is gone. @throws AppError 404 `user_not_found`, 409 `last_admin`.
   */
  delete(id: string): Promise<ChangedUser>;
}

/** A session with what is to be known of its user. */
export interface StoredSession {
  readonly id: string;
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  readonly cookieHash: string;
  /** 1 once the cookie was presented, else 0. */
  readonly cookieUsed: number;
  readonly lastUsed: number;
  readonly expiresAt: number;
}

export interface SessionDraft {
  readonly id: string;
  readonly userId: string;
  /** The sign-in was decided on this hash of the user's password. */
  readonly passwordHash: string;
  /** Replaces it, when it was made with older parameters. */
  readonly newPasswordHash: string | null;
  readonly cookieHash: string;
  readonly refreshHash: string;
  readonly now: number;
  readonly expiresAt: number;
}

export type Rotation =
  | { readonly outcome: 'rotated' | 'reused'; readonly session: StoredSession }
  | { readonly outcome: 'unknown' };

export interface SessionStore {
  /**
   * Also notes the user's sign-in.
   * @param most sessions a user may have: those whose cookie was never presented go first, then those unused for longest.
   * @returns ids of those that went; undefined, with nothing stored, when the user is gone or the password is another.
   */
  create(draft: SessionDraft, most: number): Promise<readonly string[] | undefined>;
  get(id: string): Promise<StoredSession | undefined>;
  findByCookie(cookieHash: string): Promise<StoredSession | undefined>;
  /** Later moments only: two that touch at once leave the later one. */
  touch(id: string, used: { lastUsed: number; expiresAt: number }): Promise<void>;
  /**
   * Uses up the refresh token `from` and stores `to` in its place, all or nothing: of several with the same token,
   * one succeeds. A token that was used before deletes its session (`reused`).
   */
  rotate(change: { from: string; to: string; now: number; expiresAt: number }): Promise<Rotation>;
  setCookie(id: string, cookieHash: string): Promise<void>;
  /** Its cookie was presented. */
  useCookie(id: string): Promise<void>;
  /** @returns false when there was none. */
  delete(id: string): Promise<boolean>;
  /** Of these, the ones that are there. */
  standing(ids: readonly string[]): Promise<readonly Standing[]>;
  /** Deletes what has expired, and refresh tokens used before `usedBefore`. */
  prune(now: number, usedBefore: number): Promise<void>;
}

/** What is left of something a socket stands on. */
export interface Standing {
  readonly id: string;
  readonly role: Role;
  readonly lastUsed: number | null;
  readonly expiresAt: number | null;
}

export interface StoredApiToken {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsed: number | null;
  /** Name of the user who made it. */
  readonly createdBy: string | null;
}

export interface ApiTokenStore {
  create(draft: {
    name: string;
    role: Role;
    hash: string;
    expiresAt: number | null;
    /** Id of a user. */
    createdBy: string | null;
    /** Id of the API token that asks for it, whose maker is then the maker of this one, too. */
    madeWith: string | null;
  }): Promise<StoredApiToken>;
  findByHash(hash: string): Promise<StoredApiToken | undefined>;
  /** In order of creation. */
  list(page: { limit: number; after?: string | undefined }): Promise<StoredApiToken[]>;
  touch(id: string, lastUsed: number): Promise<void>;
  delete(id: string): Promise<StoredApiToken | undefined>;
  standing(ids: readonly string[]): Promise<readonly Standing[]>;
}

export interface AuditRow {
  readonly at: number;
  readonly action: AuditAction;
  readonly actor: string | null;
  readonly actorRole: Role | null;
  readonly subject: string | null;
  readonly detail: string | null;
  readonly address: string;
}

export interface AuditStore {
  /** In this order, all or none. */
  add(rows: readonly AuditRow[]): Promise<void>;
  /** Newest first. Times: from `since` on, before `until`. */
  list(page: {
    limit: number;
    after?: string | undefined;
    action?: AuditAction | undefined;
    actor?: string | undefined;
    since?: number | undefined;
    until?: number | undefined;
  }): Promise<AuditRecord[]>;
  /**
   * Deletes the oldest, at most about `limit` at a time: those from before `before`; and while there are more than
   * `most`, those of the actions `first`, then any. @returns how many went.
   */
  prune(limits: {
    before: number;
    most: number;
    first: readonly AuditAction[];
    limit: number;
  }): Promise<number>;
}

/** What several instances know in common beside the database. Nothing of it keeps a sign-in waiting for long. */
export interface SharedSignIn {
  /** Counts in memory while the other instances cannot be reached. */
  counter(kind: string, allowed: number, windowSeconds: number): EventCounter;
  /** Kept for all instances, a bounded number, as far as possible at this moment. */
  remember(pair: string): void;
  /** False also when it cannot be found out. */
  isKnown(pair: string): Promise<boolean>;
  /** What all set-up links are made from: `own`, if there is none yet. Null when that cannot be found out. */
  setUpSeed(own: string): Promise<string | null>;
  /** The next set-up link is made anew. */
  forgetSetUp(): void;
}
