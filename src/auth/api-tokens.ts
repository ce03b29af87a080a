// API tokens: what machines sign in with. Made, recognised, listed, deleted; shown once, kept as hashes.
// Who may make them is decided elsewhere.

import type { ApiToken, Origin } from '../base/accounts.ts';
import type { Clock } from '../base/clock.ts';
import type { Identity, Role } from '../base/identity.ts';
import { AppError } from '../errors.ts';
import type { AuditLog } from './audit.ts';
import type { BackgroundWrites } from './background.ts';
import type { Followers } from './followers.ts';
import { hashSecret, newSecret } from './opaque.ts';
import type { ApiTokenStore, StoredApiToken } from './ports.ts';
import { isoOrNull } from './wording.ts';

export const apiTokenPrefix = 'rsv_';
/** The last use is written at most so often, ms. */
const touchEveryMs = 60_000;

function wordsOf(token: StoredApiToken): ApiToken {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    created_at: new Date(token.createdAt).toISOString(),
    expires_at: isoOrNull(token.expiresAt),
    last_used: isoOrNull(token.lastUsed),
    created_by: token.createdBy,
  };
}

export interface ApiTokensOptions {
  readonly store: ApiTokenStore;
  readonly followers: Followers;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly writes: BackgroundWrites;
}

export class ApiTokens {
  readonly #options: ApiTokensOptions;

  constructor(options: ApiTokensOptions) {
    this.#options = options;
  }

  /** Null for a secret that is wrong, has expired or was deleted. */
  async identify(secret: string): Promise<Identity | null> {
    const { store, clock, writes } = this.#options;
    if (secret.length > 100) return null;
    const token = await store.findByHash(hashSecret(secret));
    const now = clock.wallTime();
    if (token === undefined || (token.expiresAt !== null && token.expiresAt <= now)) return null;
    if (now - (token.lastUsed ?? 0) >= touchEveryMs)
      writes.run(`api token ${token.id}`, () => store.touch(token.id, now));
    return { kind: 'api_token', userId: null, name: token.name, role: token.role, sessionId: token.id };
  }

  async list(page: { limit: number; after?: string | undefined }): Promise<ApiToken[]> {
    return (await this.#options.store.list(page)).map(wordsOf);
  }

  /** @param input.expiresAt ms since 1970. @throws AppError 400 when that is over. */
  async create(
    input: { name: string; role: Role; expiresAt: number | null },
    by: Identity,
    origin: Origin,
  ): Promise<{ token: ApiToken; secret: string }> {
    const { store, audit, clock } = this.#options;
    if (input.expiresAt !== null && input.expiresAt <= clock.wallTime()) {
      const issues = [{ path: 'expires_at', message: 'must be in the future' }];
      throw new AppError(400, 'invalid_request', 'expires_at: must be in the future.', { issues });
    }
    const secret = newSecret(apiTokenPrefix);
    const token = await store.create({
      ...input,
      hash: hashSecret(secret),
      createdBy: by.userId,
      madeWith: by.kind === 'api_token' ? by.sessionId : null,
    });
    audit.record({
      action: 'api_token_created',
      actor: by,
      subject: token.name,
      detail: `role ${token.role}`,
      origin,
    });
    return { token: wordsOf(token), secret };
  }

  /** Its sockets end. @throws AppError 404 `token_not_found`. */
  async delete(id: string, by: Identity, origin: Origin): Promise<void> {
    const { store, followers, audit } = this.#options;
    const token = await store.delete(id);
    if (token === undefined)
      throw new AppError(404, 'token_not_found', 'There is no API token with this id.');
    followers.end(id);
    audit.record({ action: 'api_token_deleted', actor: by, subject: token.name, origin });
  }
}
