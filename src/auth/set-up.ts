// The set-up link: a secret that is kept nowhere, with which whoever reads the terminal makes the first admin, once.
// Makes no user itself; that only one becomes the first is the database's to see to.

import type { Origin } from '../base/accounts.ts';
import { deriveKey, secretFor } from '../base/derived-key.ts';
import { AppError } from '../errors.ts';
import { type FailureLimits, hostOf } from './limits.ts';
import { newSecret, sameSecret } from './opaque.ts';
import type { SharedSignIn } from './ports.ts';

export interface SetUpOptions {
  readonly limits: FailureLimits;
  /** Whether there is no user yet. */
  readonly needed: boolean;
  readonly secretKey: string;
  /** Where instances agree on one link; null: this is the only one. */
  readonly shared: SharedSignIn | null;
}

export class SetUp {
  readonly #options: SetUpOptions;
  readonly #key: Buffer;
  /** The link is made from it and from SECRET_KEY: whoever sees it alone, as in Redis, cannot make the link. */
  #seed: string | null;

  private constructor(options: SetUpOptions, seed: string | null) {
    this.#options = options;
    this.#key = deriveKey(options.secretKey, 'set-up link');
    this.#seed = seed;
  }

  static async open(options: SetUpOptions): Promise<SetUp> {
    if (!options.needed) return new SetUp(options, null);
    const own = newSecret();
    return new SetUp(options, (await options.shared?.setUpSeed(own)) ?? own);
  }

  /** Null once there is a user. */
  get secret(): string | null {
    return this.#seed === null ? null : secretFor(this.#key, this.#seed);
  }

  /** The first user has been made: the link is dead. */
  done(): void {
    this.#seed = null;
    this.#options.shared?.forgetSetUp();
  }

  /** @throws AppError 403 `setup_required` for a wrong secret or none, 429 `too_many_attempts`. */
  async check(given: string | undefined, origin: Origin): Promise<void> {
    if (given === undefined) throw setupRequired();
    await this.#options.limits.run([['token', hostOf(origin.address)]], async () => {
      if (!(await this.#isRight(given))) throw setupRequired();
    });
  }

  async #isRight(given: string): Promise<boolean> {
    if (this.#seed === null) return false;
    if (sameSecret(given, secretFor(this.#key, this.#seed))) return true;
    // Another instance may have printed it, when this one could not ask for the common one as it started.
    const common = (await this.#options.shared?.setUpSeed(this.#seed)) ?? this.#seed;
    return sameSecret(given, secretFor(this.#key, common));
  }
}

function setupRequired(): AppError {
  return new AppError(
    403,
    'setup_required',
    'There is no user yet: open the set-up link that the service printed when it started.',
  );
}
