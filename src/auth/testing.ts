// Sign-in on a real database of its own, with cheap password hashes, for the tests of this folder.
// Used by tests only.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials, Origin, SignedIn } from '../base/accounts.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Identity, Role } from '../base/identity.ts';
import { silentLog } from '../base/log.ts';
import { ApiTokenRepository } from '../db/api-tokens.ts';
import { AuditRepository } from '../db/audit.ts';
import { type Database, openDatabase } from '../db/database.ts';
import { SessionRepository } from '../db/sessions.ts';
import { UserRepository } from '../db/users.ts';
import { AppError } from '../errors.ts';
import type { Accounts, AuditTrail, Authenticator } from '../http/auth-ports.ts';
import { type Auth, type AuthOptions, createAuth } from './auth.ts';

export const secretKey = 'a secret for tests only';
export const here: Origin = { address: '192.0.2.7', agent: null };
export const nothing: Credentials = { bearer: null, query: null, cookie: null };
/** A hash in a fraction of a millisecond. */
export const cheap = { logN: 4, r: 1, p: 1 };

export interface World extends AsyncDisposable {
  readonly path: string;
  readonly database: Database;
  readonly auth: Auth;
  /** As the REST side sees them: that they fit is checked by the compiler here. */
  readonly authenticator: Authenticator;
  readonly accounts: Accounts;
  readonly audit: AuditTrail;
  /** The first admin, made with the set-up link. */
  setUp(): Promise<SignedIn>;
  /** Sign-in anew on the same database, as after a restart. */
  restart(change?: Partial<AuthOptions>): Promise<Auth>;
}

export async function startWorld(
  change: Partial<AuthOptions> = {},
  clock: Clock = systemClock,
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-auth-'));
  const path = join(folder, 'test.sqlite');
  const database = await openDatabase(path);
  const { db } = database;
  const started: Auth[] = [];
  const start = async (more: Partial<AuthOptions> = {}) => {
    const auth = await createAuth({
      users: new UserRepository(db),
      sessions: new SessionRepository(db),
      apiTokens: new ApiTokenRepository(db),
      audit: new AuditRepository(db),
      secretKey,
      fallbacks: [],
      clock,
      log: silentLog,
      mode: 'required',
      passwordCost: cheap,
      ...change,
      ...more,
    });
    started.push(auth);
    return auth;
  };
  const auth = await start();
  return {
    path,
    database,
    auth,
    authenticator: auth.authenticator,
    accounts: auth.accounts,
    audit: auth.audit,
    setUp: () =>
      auth.accounts.register(
        { username: 'root', password: 'correct horse', setupToken: auth.setupLinkSecret()! },
        null,
        here,
      ),
    restart: start,
    async [Symbol.asyncDispose]() {
      for (const each of started) await each.close();
      await database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A user of that role, who did not sign anybody out. */
export function addUser(world: World, admin: Identity, username: string, role: Role) {
  return world.accounts.register({ username, password: 'correct horse', role }, admin, here);
}

/** `status code` of the refusal; fails when there is none. */
export async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return `${error.status} ${error.code}`;
    throw error;
  }
  return 'no refusal';
}
