// Sign-in sessions: what a browser or program gets for its password, how it is recognised, renewed and ended.
// Checks no passwords; who may do what is decided elsewhere.

import { randomUUID } from 'node:crypto';
import type { SignedIn } from '../base/accounts.ts';
import type { Clock } from '../base/clock.ts';
import { deriveKey, secretFor } from '../base/derived-key.ts';
import type { CredentialKind, Identity } from '../base/identity.ts';
import { AppError } from '../errors.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { BackgroundWrites } from './background.ts';
import type { Followers } from './followers.ts';
import { hashSecret, newSecret } from './opaque.ts';
import type { SessionStore, Standing, StoredSession, StoredUser } from './ports.ts';

export const refreshPrefix = 'rsr_';

const dayMs = 24 * 60 * 60_000;
/** A session ends when it is not used for so long. */
export const sessionMs = 30 * dayMs;
/** Its last use is written at most so often. */
const renewEveryMs = 60 * 60_000;
/** Used refresh tokens are kept for so long, to notice a second use. */
const usedTokenMs = 30 * dayMs;
/** A program that signs in for each request must not fill the database, nor sign its user's browser out. */
const mostPerUser = 100;

/** The answer to every token that is wrong, expired or revoked: nothing tells which. */
export function invalidToken(): AppError {
  return new AppError(401, 'invalid_token', 'The token is wrong, has expired or was revoked: sign in again.');
}

export interface SessionsOptions {
  readonly store: SessionStore;
  readonly tokens: AccessTokens;
  readonly followers: Followers;
  readonly secretKey: string;
  readonly clock: Clock;
  readonly writes: BackgroundWrites;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #cookieKey: Buffer;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#cookieKey = deriveKey(options.secretKey, 'session cookies');
  }

  /**
   * A new session for a user whose password was right.
   * @param rehashed the hash to keep from now on, when it is to be another.
   * @returns null when the user or the password has changed meanwhile.
   */
  async start(user: StoredUser, rehashed: string | null = null): Promise<SignedIn | null> {
    const { store, followers, clock } = this.#options;
    const now = clock.wallTime();
    const refresh = newSecret(refreshPrefix);
    const session = { id: randomUUID(), userId: user.id, username: user.username, role: user.role };
    const gone = await store.create(
      {
        id: session.id,
        userId: user.id,
        passwordHash: user.passwordHash,
        newPasswordHash: rehashed,
        cookieHash: hashSecret(this.#cookieOf(session.id)),
        refreshHash: hashSecret(refresh),
        now,
        expiresAt: now + sessionMs,
      },
      mostPerUser,
    );
    if (gone === undefined) return null;
    for (const id of gone) followers.end(id);
    return this.#signedIn(session, refresh);
  }

  /** @returns `reused`, with the session that it ended, for a token that was used before. @throws AppError 401. */
  async refresh(
    token: string,
  ): Promise<{ signedIn: SignedIn; reused: null } | { signedIn: null; reused: StoredSession }> {
    const { store, clock } = this.#options;
    if (!token.startsWith(refreshPrefix) || token.length > 100) throw invalidToken();
    const refresh = newSecret(refreshPrefix);
    const now = clock.wallTime();
    const rotation = await store.rotate({
      from: hashSecret(token),
      to: hashSecret(refresh),
      now,
      expiresAt: now + sessionMs,
    });
    if (rotation.outcome === 'unknown') throw invalidToken();
    const { outcome, session } = rotation;
    if (outcome === 'reused') return { signedIn: null, reused: session };
    // With another SECRET_KEY the session has another cookie.
    const cookieHash = hashSecret(this.#cookieOf(session.id));
    if (cookieHash !== session.cookieHash) await store.setCookie(session.id, cookieHash);
    return { signedIn: await this.#signedIn(session, refresh), reused: null };
  }

  /** Null for whatever is no valid access token of a session that stands. */
  async byAccessToken(token: string): Promise<Identity | null> {
    const { store, tokens, clock } = this.#options;
    const claims = await tokens.read(token, clock.wallTime());
    if (claims === null) return null;
    const session = await store.get(claims.sessionId);
    return session?.userId === claims.userId ? this.#use(session, 'access') : null;
  }

  async byCookie(cookie: string): Promise<Identity | null> {
    if (cookie === '' || cookie.length > 100) return null;
    const { store, writes } = this.#options;
    const session = await store.findByCookie(hashSecret(cookie));
    if (session === undefined) return null;
    const { id, cookieUsed } = session;
    if (cookieUsed === 0) writes.run(`cookie ${id}`, () => store.useCookie(id));
    return this.#use(session, 'cookie');
  }

  /** Notes that the session is in use, at most once an hour. */
  renew({ id, lastUsed, expiresAt }: Pick<Standing, 'id' | 'lastUsed' | 'expiresAt'>): void {
    const { store, clock, writes } = this.#options;
    const now = clock.wallTime();
    if (expiresAt === null || expiresAt <= now || now - (lastUsed ?? 0) < renewEveryMs) return;
    writes.run(`session ${id}`, () => store.touch(id, { lastUsed: now, expiresAt: now + sessionMs }));
  }

  /** Removes what has expired. */
  prune(): Promise<void> {
    const now = this.#options.clock.wallTime();
    return this.#options.store.prune(now, now - usedTokenMs);
  }

  #use(session: StoredSession, kind: CredentialKind): Identity | null {
    if (session.expiresAt <= this.#options.clock.wallTime()) return null;
    this.renew(session);
    return identityOf(session, kind);
  }

  /**
   * The same whenever the session is renewed, so that a browser's requests under way keep their cookie. Neither the
   * database (it has the hash) nor an access token (it has the id) is enough to make it.
   */
  #cookieOf(sessionId: string): string {
    return secretFor(this.#cookieKey, sessionId);
  }

  async #signedIn(session: SessionWords, refresh: string): Promise<SignedIn> {
    const { tokens, clock } = this.#options;
    const claims = { userId: session.userId, sessionId: session.id };
    return {
      access: await tokens.issue(claims, clock.wallTime()),
      refresh,
      cookie: this.#cookieOf(session.id),
      cookieMaxAge: sessionMs / 1000,
      identity: identityOf(session, 'access'),
    };
  }
}

type SessionWords = Pick<StoredSession, 'id' | 'userId' | 'username' | 'role'>;

function identityOf({ id, userId, username, role }: SessionWords, kind: CredentialKind): Identity {
  return { kind, userId, name: username, role, sessionId: id };
}
