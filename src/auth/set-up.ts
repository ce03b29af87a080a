// The set-up link: a secret in memory only, with which whoever reads the terminal makes the first admin, once.
// Makes no user itself; that only one becomes the first is the database's to see to.

import type { Origin } from '../base/accounts.ts';
import { AppError } from '../errors.ts';
import { type FailureLimits, hostOf } from './limits.ts';
import { newSecret, sameSecret } from './opaque.ts';

export class SetUp {
  readonly #limits: FailureLimits;
  #secret: string | null;

  /** @param needed whether there is no user yet. */
  constructor(limits: FailureLimits, needed: boolean) {
    this.#limits = limits;
    this.#secret = needed ? newSecret() : null;
  }

  /** Null once there is a user. */
  get secret(): string | null {
    return this.#secret;
  }

  /** The first user has been made: the link is dead. */
  done(): void {
    this.#secret = null;
  }

  /** @throws AppError 403 `setup_required` for a wrong secret or none, 429 `too_many_attempts`. */
  async check(given: string | undefined, origin: Origin): Promise<void> {
    if (given === undefined) throw setupRequired();
    await this.#limits.run([['token', hostOf(origin.address)]], async () => {
      if (this.#secret === null || !sameSecret(given, this.#secret)) throw setupRequired();
    });
  }
}

function setupRequired(): AppError {
  return new AppError(
    403,
    'setup_required',
    'There is no user yet: open the set-up link that the service printed when it started.',
  );
}
