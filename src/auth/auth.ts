// Joins the parts of sign-in behind three ports: who asks, accounts, the audit trail.
// No behaviour of its own beyond the first admin, the order of opening and closing, and pruning.

import type { Broadcast } from '../base/broadcast.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { ConfigError } from '../config.ts';
import { AccessTokens } from './access-tokens.ts';
import { ApiTokens } from './api-tokens.ts';
import { AuditLog } from './audit.ts';
import { Authenticator, type SignInMode } from './authenticator.ts';
import { BackgroundWrites } from './background.ts';
import { ClockLeaps } from './clock-leaps.ts';
import { Followers } from './followers.ts';
import { FailureLimits } from './limits.ts';
import { type PasswordCost, Passwords, passwordIssues } from './passwords.ts';
import type { ApiTokenStore, AuditStore, SessionStore, SharedSignIn, UserStore } from './ports.ts';
import { Sessions, sessionMs } from './sessions.ts';
import { SetUp } from './set-up.ts';
import { SignIn } from './sign-in.ts';
import { UserManagement } from './user-management.ts';
import { normalUserName, userNameIssues, userNameKey } from './user-names.ts';

const pruneEveryMs = 60 * 60_000;

export interface AuthOptions {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly apiTokens: ApiTokenStore;
  readonly audit: AuditStore;
  /** Signs tokens and makes cookies; tokens of the fallbacks are accepted as well. */
  readonly secretKey: string;
  readonly fallbacks: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** `off`: whoever asks is `everyone`. */
  readonly mode: SignInMode;
  /** ADMIN_USERNAME and ADMIN_PASSWORD: become the first admin when there is no user. */
  readonly firstAdmin?: { readonly username: string; readonly password: string } | undefined;
  /** What the instances of one service count and know together; absent: this is the only one. */
  readonly shared?: SharedSignIn | undefined;
  /** The other instances, which are told what ends and tell it; absent: there are none. */
  readonly others?: Broadcast | undefined;
  /** Of new password hashes; the default unless a test has no time for it. */
  readonly passwordCost?: PasswordCost | undefined;
}

/** The members of http/auth-ports.ts `Accounts`, and nothing else. */
export type Accounts = ReturnType<typeof accountsOf>;

export interface Auth {
  readonly authenticator: Authenticator;
  readonly accounts: Accounts;
  readonly audit: AuditLog;
  /** How long an unused session cookie counts, s. */
  readonly cookieMaxAge: number;
  /** For the set-up link; null when there is a user, or nobody needs to sign in. */
  setupLinkSecret(): string | null;
  /** Password hashes computed since the start. */
  passwordHashes(): number;
  /** Writes what waits. Before the database is closed. */
  close(): Promise<void>;
}

/** @throws ConfigError when ADMIN_USERNAME or ADMIN_PASSWORD cannot be used. */
export async function createAuth(options: AuthOptions): Promise<Auth> {
  const { users, clock, log, mode, shared = null, others = null } = options;
  const writes = new BackgroundWrites(clock, log);
  const passwords = new Passwords(options.passwordCost && { cost: options.passwordCost });
  const limits = new FailureLimits(shared);
  const audit = new AuditLog({ store: options.audit, clock, log });
  const tokens = await AccessTokens.create(options.secretKey, options.fallbacks);
  const followers = new Followers({
    standing: (kind, ids) => (kind === 'session' ? options.sessions : options.apiTokens).standing(ids),
    onUse: (session) => sessions.renew(session),
    clock,
    log,
    others,
  });
  const sessions: Sessions = new Sessions({
    store: options.sessions,
    tokens,
    followers,
    secretKey: options.secretKey,
    clock,
    writes,
  });
  const apiTokens = new ApiTokens({ store: options.apiTokens, followers, audit, clock, writes });
  await makeFirstAdmin(options, passwords, audit);
  const needed = mode === 'required' && !(await users.any());
  const setUp = await SetUp.open({ limits, needed, secretKey: options.secretKey, shared });
  const signIn = new SignIn({
    users,
    sessionStore: options.sessions,
    sessions,
    passwords,
    limits,
    followers,
    setUp,
    audit,
  });
  const management = new UserManagement({ users, passwords, followers, audit });
  const stopPruning = pruneSessions(sessions, clock, log);
  audit.start();
  return {
    authenticator: new Authenticator({ mode, sessions, apiTokens, followers }),
    accounts: accountsOf({ users, mode, signIn, management, apiTokens }),
    audit,
    cookieMaxAge: sessionMs / 1000,
    setupLinkSecret: () => setUp.secret,
    passwordHashes: () => passwords.hashed,
    async close() {
      followers.close();
      await stopPruning();
      await Promise.all([writes.settled(), audit.close()]);
    },
  };
}

function accountsOf(parts: {
  users: UserStore;
  mode: SignInMode;
  signIn: SignIn;
  management: UserManagement;
  apiTokens: ApiTokens;
}) {
  const { users, mode, signIn, management, apiTokens } = parts;
  // Once there is a user there always is one: the last admin stays. Strangers then cost no query.
  let hasUsers = false;
  return {
    /** Whether there is no user yet, so that the set-up link is the only way in. */
    async needsSetup() {
      if (mode === 'off') return false;
      hasUsers ||= await users.any();
      return !hasUsers;
    },
    login: signIn.login.bind(signIn),
    refresh: signIn.refresh.bind(signIn),
    logout: signIn.logout.bind(signIn),
    register: signIn.register.bind(signIn),
    user: signIn.user.bind(signIn),
    changeOwnPassword: signIn.changeOwnPassword.bind(signIn),
    listUsers: management.list.bind(management),
    changeUser: management.change.bind(management),
    deleteUser: management.delete.bind(management),
    listTokens: apiTokens.list.bind(apiTokens),
    createToken: apiTokens.create.bind(apiTokens),
    deleteToken: apiTokens.delete.bind(apiTokens),
  };
}

async function makeFirstAdmin(options: AuthOptions, passwords: Passwords, audit: AuditLog): Promise<void> {
  const { users, firstAdmin } = options;
  if (firstAdmin === undefined || (await users.any())) return;
  const username = normalUserName(firstAdmin.username);
  const [nameIssue] = userNameIssues(username);
  if (nameIssue) throw new ConfigError('ADMIN_USERNAME', `${nameIssue.message}.`);
  const [passwordIssue] = passwordIssues(firstAdmin.password, username);
  if (passwordIssue) throw new ConfigError('ADMIN_PASSWORD', `${passwordIssue.message}.`);
  const user = await users.createFirst({
    username,
    usernameKey: userNameKey(username)!,
    email: null,
    role: 'admin',
    passwordHash: await passwords.hash(firstAdmin.password),
  });
  if (user === undefined) return;
  audit.record({
    action: 'set_up',
    actor: null,
    subject: user.username,
    detail: 'from ADMIN_USERNAME and ADMIN_PASSWORD',
    origin: { address: 'local', agent: null },
  });
}

/** Now and from time to time. @returns stops it, and resolves when none is under way. */
function pruneSessions(sessions: Sessions, clock: Clock, log: Log): () => Promise<void> {
  let cancel = () => {};
  let running = Promise.resolve();
  const leaps = new ClockLeaps(clock);
  const prune = () => {
    if (leaps.believed())
      running = sessions
        .prune()
        .catch((error) => log.warn({ err: error }, 'expired sessions cannot be removed at the moment'));
    cancel = clock.after(pruneEveryMs, prune);
  };
  prune();
  return () => {
    cancel();
    return running;
  };
}
