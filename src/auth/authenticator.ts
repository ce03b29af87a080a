// Who asks: from what a request presents to an identity, looked up anew each time, so that whatever ends, ends at once.
// Decides nothing about what the identity may do.

import type { Credentials } from '../base/accounts.ts';
import { everyone, type Identity } from '../base/identity.ts';
import { type ApiTokens, apiTokenPrefix } from './api-tokens.ts';
import type { Followers } from './followers.ts';
import { invalidToken, type Sessions } from './sessions.ts';

/** With sign-in switched off nobody is asked. */
export type SignInMode = 'required' | 'off';

export interface AuthenticatorOptions {
  readonly mode: SignInMode;
  readonly sessions: Sessions;
  readonly apiTokens: ApiTokens;
  readonly followers: Followers;
}

export class Authenticator {
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * Null when nothing is presented; a cookie that is no longer valid counts as nothing.
   * @throws AppError 401 `invalid_token` for a header or query that is wrong, expired or revoked: what a cookie beside
   *   it would say does not matter then.
   */
  async identify({ bearer, query, cookie }: Credentials): Promise<Identity | null> {
    const { mode, sessions } = this.#options;
    if (mode === 'off') return everyone;
    const token = bearer ?? query;
    if (token === null) return cookie === null ? null : sessions.byCookie(cookie);
    const identity = await this.#byToken(token);
    if (identity === null) throw invalidToken();
    return identity;
  }

  /**
   * Calls `onEnd` once when what the identity stands on ends: signed out, revoked, expired, deleted, or the role
   * changed; within 1 s of what this or another instance does, within 10 s of what else changes the database.
   * @returns ends the following; idempotent.
   */
  follow(identity: Identity, onEnd: () => void): () => void {
    return this.#options.followers.follow(identity, onEnd);
  }

  #byToken(token: string): Promise<Identity | null> {
    const { sessions, apiTokens } = this.#options;
    return token.startsWith(apiTokenPrefix) ? apiTokens.identify(token) : sessions.byAccessToken(token);
  }
}
