// Several sign-ins over one database, as in several instances of the service, with cheap password hashes.
// Used by the tests of what they share; what one of them does is tested with src/auth/testing.ts.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Auth, type AuthOptions, createAuth } from '../../src/auth/auth.ts';
import { cheap, here, secretKey } from '../../src/auth/testing.ts';
import type { SignedIn } from '../../src/base/accounts.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { ApiTokenRepository } from '../../src/db/api-tokens.ts';
import { AuditRepository } from '../../src/db/audit.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { SessionRepository } from '../../src/db/sessions.ts';
import { UserRepository } from '../../src/db/users.ts';

/** Another instance's access to one database. */
export type Open = () => Promise<Database>;
export type Change = Partial<AuthOptions>;

export const password = 'correct horse';

/** A file for this test. */
export function sqlite(): Open {
  const folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-shared-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return () => openDatabase(join(folder, 'test.sqlite'));
}

/** Ends with the test. */
export async function instance(open: Open, change: Change = {}, clock: Clock = systemClock): Promise<Auth> {
  const database = await open();
  const { db } = database;
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
  });
  onTestFinished(async () => {
    await auth.close();
    await database.close();
  });
  return auth;
}

export function several(open: Open, changes: readonly Change[], clock?: Clock): Promise<Auth[]> {
  return Promise.all(changes.map((change) => instance(open, change, clock)));
}

/** The first admin, made with the set-up link of this instance. */
export function setUp({ accounts, setupLinkSecret }: Auth): Promise<SignedIn> {
  return accounts.register({ username: 'root', password, setupToken: setupLinkSecret()! }, null, here);
}
