// Signing in and out with a user name and a password, renewing, registering, and changing one's own password.
// What admins do to other users is in user-management.ts.

import type { NewUser, Origin, SignedIn, User } from '../base/accounts.ts';
import { type Identity, mayAct } from '../base/identity.ts';
import { AppError } from '../errors.ts';
import type { AuditLog } from './audit.ts';
import type { Followers } from './followers.ts';
import { askersOf, type FailureLimits, hostOf } from './limits.ts';
import { type Passwords, passwordIssues } from './passwords.ts';
import type { SessionStore, StoredUser, UserStore } from './ports.ts';
import { invalidToken, type Sessions } from './sessions.ts';
import type { SetUp } from './set-up.ts';
import { normalUserName, userNameIssues, userNameKey } from './user-names.ts';
import { refuseIssues, userWords } from './wording.ts';

export interface SignInOptions {
  readonly users: UserStore;
  readonly sessionStore: Pick<SessionStore, 'delete'>;
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly limits: FailureLimits;
  readonly followers: Followers;
  readonly setUp: SetUp;
  readonly audit: AuditLog;
}

function wrongCredentials(message: string): AppError {
  return new AppError(401, 'wrong_credentials', message);
}

export class SignIn {
  readonly #options: SignInOptions;
  /** Users whose own password is being changed. */
  readonly #changing = new Set<string>();

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  /**
   * Unknown users take as long as known ones and get the same answer.
   * @throws AppError 401 `wrong_credentials`; 429 `too_many_attempts` before any hashing, also for more than a few at
   *   the same time; 503 `sign_in_busy`.
   */
  async login(input: { username: string; password: string }, origin: Origin): Promise<SignedIn> {
    const { passwords, limits, audit } = this.#options;
    const key = userNameKey(input.username);
    // Before it is counted: what is refused here must not fill the memory of the limits.
    passwords.checkRoom(askersOf(origin));
    const host = hostOf(origin.address);
    const keys = await limits.keysOf(key, host);
    const signedIn = await limits.run(keys, () => this.#check(key, input.password, origin));
    const { identity } = signedIn;
    if (key !== null) limits.remember(key, host);
    audit.record({ action: 'signed_in', actor: identity, subject: identity.name, origin });
    return signedIn;
  }

  /** @throws AppError 401 `invalid_token`; a token that was used before ends its whole session. */
  refresh(token: string, origin: Origin): Promise<SignedIn> {
    const { limits, sessions, followers, audit } = this.#options;
    return limits.run([['token', hostOf(origin.address)]], async () => {
      const { signedIn, reused } = await sessions.refresh(token);
      if (signedIn !== null) return signedIn;
      followers.end(reused.id);
      audit.record({
        action: 'token_reused',
        actor: null,
        subject: reused.username,
        detail: 'the session was ended: its refresh token was used a second time',
        origin,
      });
      throw invalidToken();
    });
  }

  /** Ends the session with its cookie, tokens and sockets. @throws AppError 400 for an API token. */
  async logout(identity: Identity, origin: Origin): Promise<void> {
    const { sessionStore, followers, audit } = this.#options;
    if (identity.kind === 'api_token')
      throw new AppError(400, 'not_a_session', 'An API token cannot be signed out: an admin can delete it.');
    if (identity.sessionId === null) return;
    const ended = await sessionStore.delete(identity.sessionId);
    followers.end(identity.sessionId);
    if (ended) audit.record({ action: 'signed_out', actor: identity, subject: identity.name, origin });
  }

  /**
   * By an admin, or while there is no user with the secret of the set-up link; the first user is always an admin.
   * @throws AppError 403 `setup_required` | `forbidden`, 409 `username_taken`, 400 with issues.
   */
  async register(
    input: NewUser & { readonly setupToken?: string | undefined },
    by: Identity | null,
    origin: Origin,
  ): Promise<SignedIn & { readonly user: User }> {
    const { users, sessions, setUp, audit } = this.#options;
    const byAdmin = by !== null && mayAct(by.role, 'admin');
    if (!byAdmin) {
      if (await users.any()) throw adminsOnly();
      await setUp.check(input.setupToken, origin);
    }
    const { user, first } = await this.#create(input, byAdmin, askersOf(origin, by));
    if (first) setUp.done();
    const signedIn = await sessions.start(user);
    if (signedIn === null)
      throw new AppError(409, 'user_changed', 'The user was changed or deleted by someone else meanwhile.');
    audit.record({
      action: first ? 'set_up' : 'user_created',
      actor: first && by === null ? signedIn.identity : by,
      subject: user.username,
      detail: `role ${user.role}`,
      origin,
    });
    return { ...signedIn, user: userWords(user) };
  }

  /** Null for an API token and with sign-in switched off. */
  async user(identity: Identity): Promise<User | null> {
    const user = identity.userId === null ? undefined : await this.#options.users.get(identity.userId);
    return user === undefined ? null : userWords(user);
  }

  /**
   * Every other session of the user ends.
   * @throws AppError 401 `wrong_credentials` when `current` is wrong; 429 `too_many_attempts`, also while another
   *   change of the same user is under way.
   */
  async changeOwnPassword(
    identity: Identity,
    input: { current: string; password: string },
    origin: Origin,
  ): Promise<void> {
    const { userId, sessionId } = identity;
    if (userId === null || sessionId === null) throw noPassword();
    if (this.#changing.has(userId))
      throw new AppError(429, 'too_many_attempts', 'Your password is being changed already: wait for it.', {
        retryAfter: 2,
      });
    this.#changing.add(userId);
    try {
      await this.#changePassword(identity, { userId, sessionId, ...input }, origin);
    } finally {
      this.#changing.delete(userId);
    }
  }

  async #changePassword(
    identity: Identity,
    change: { userId: string; sessionId: string; current: string; password: string },
    origin: Origin,
  ): Promise<void> {
    const { users, passwords, limits, followers, audit } = this.#options;
    const { userId, sessionId, current, password } = change;
    const user = await users.get(userId);
    if (user === undefined) throw noPassword();
    const { username: subject, passwordHash: from } = user;
    refuseIssues(passwordIssues(password, subject));
    const askers = askersOf(origin, identity);
    passwords.checkRoom(askers);
    // Counted apart from sign-ins: strangers who guess must not keep the user from changing it.
    await limits.run([['ownPassword', userId]], async () => {
      if ((await passwords.verify(current, from, askers)).right) return;
      const detail = 'wrong current password';
      audit.record({ action: 'sign_in_failed', actor: identity, subject, detail, origin });
      throw wrongCredentials('The current password is wrong.');
    });
    const to = await passwords.hash(password, askers);
    if (!(await users.replacePassword(userId, { from, to, keepSession: sessionId })))
      throw wrongCredentials('The password was changed by someone else meanwhile.');
    followers.endUser(userId, sessionId);
    audit.record({ action: 'password_changed', actor: identity, subject, origin });
  }

  /** @param key null for what can be nobody's name. @throws AppError 401 `wrong_credentials`. */
  async #check(key: string | null, password: string, origin: Origin): Promise<SignedIn> {
    const { users, passwords, sessions, audit } = this.#options;
    const user = key === null ? undefined : await users.findByKey(key);
    const askers = askersOf(origin);
    const { right, outdated } = await passwords.verify(password, user?.passwordHash ?? null, askers);
    if (user !== undefined && right) {
      const rehashed = outdated && passwords.hasRoom(askers) ? await passwords.hash(password, askers) : null;
      const signedIn = await sessions.start(user, rehashed);
      if (signedIn !== null) return signedIn;
    }
    // Of unknown names nothing is kept: many of them are passwords typed into the wrong field.
    const subject = user?.username ?? null;
    const detail = user === undefined ? 'unknown user name' : 'wrong password';
    audit.record({ action: 'sign_in_failed', actor: null, subject, detail, origin });
    throw wrongCredentials('The user name or the password is wrong.');
  }

  async #create(
    input: NewUser,
    byAdmin: boolean,
    askers: readonly string[],
  ): Promise<{ user: StoredUser; first: boolean }> {
    const { users, passwords } = this.#options;
    const username = normalUserName(input.username);
    refuseIssues([...userNameIssues(username), ...passwordIssues(input.password, username)]);
    const draft = {
      username,
      usernameKey: userNameKey(username)!,
      email: input.email ?? null,
      role: input.role ?? 'viewer',
      passwordHash: await passwords.hash(input.password, askers),
    } as const;
    const user = await users.createFirst({ ...draft, role: 'admin' });
    if (user !== undefined) return { user, first: true };
    // Two came with the set-up link at once, and the other was quicker.
    if (!byAdmin) throw adminsOnly();
    return { user: await users.create(draft), first: false };
  }
}

function noPassword(): AppError {
  return new AppError(400, 'no_password', 'Only a signed-in user has a password to change.');
}

function adminsOnly(): AppError {
  return new AppError(403, 'forbidden', 'Only an admin may add users.');
}
