// How many failures an address, an account or a user is allowed before it has to wait.
// Counts failures only: who succeeds, and who is signed in, is not slowed down. Checks no password.

import ipaddr from 'ipaddr.js';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Origin } from '../base/accounts.ts';
import type { Identity } from '../base/identity.ts';
import { AppError } from '../errors.ts';

const windowSeconds = 15 * 60;

/**
 * An account allows more than an address, so that one address alone cannot lock somebody else out; together they leave
 * a guesser who has many addresses a few thousand guesses a day at one account.
 */
export const failuresAllowed = { address: 20, account: 60, ownPassword: 10, token: 30 } as const;

export type LimitKind = keyof typeof failuresAllowed;

/** Accounts with their hosts that are remembered, over all. */
const mostKnown = 1_000;

/** One host: an IPv4 address, also when written as IPv6; of IPv6 the /64, since a host has all of its addresses. */
export function hostOf(address: string): string {
  if (!ipaddr.isValid(address)) return address.slice(0, 64);
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':');
}

/** For whom passwords are hashed: the host, and whoever is signed in there; each gets its part (passwords.ts). */
export function askersOf({ address }: Origin, by: Identity | null = null): readonly string[] {
  const account = by?.userId ?? by?.sessionId ?? null;
  const host = `host ${hostOf(address)}`;
  return account === null ? [host] : [host, `account ${account}`];
}

const sentences: Record<LimitKind, string> = {
  address: 'Too many failed sign-ins from this address',
  account: 'Too many failed sign-ins to this account',
  ownPassword: 'Too many wrong passwords',
  token: 'Too many wrong tokens from this address',
};

export class FailureLimits {
  readonly #limiters = new Map<LimitKind, RateLimiterAbstract>(
    Object.entries(failuresAllowed).map(([kind, points]) => [
      kind as LimitKind,
      new RateLimiterMemory({ keyPrefix: kind, points, duration: windowSeconds }),
    ]),
  );

  /** Hosts with the accounts that were signed in to from there, the longest ago first. */
  readonly #known = new Set<string>();

  /** The account was signed in to from this host: see `keysOf`. */
  remember(account: string, host: string): void {
    const pair = `${host} ${account}`;
    this.#known.delete(pair);
    this.#known.add(pair);
    if (this.#known.size <= mostKnown) return;
    const [oldest] = this.#known;
    this.#known.delete(oldest!);
  }

  /**
   * What a sign-in counts for. From a host that the account was signed in to from before, the failures of others do not
   * count: with a few addresses, guessers could otherwise keep everybody out of an account for as long as they like.
   * @param account null for what can be nobody's name.
   */
  keysOf(account: string | null, host: string): readonly (readonly [LimitKind, string])[] {
    const address = ['address', host] as const;
    if (account === null || this.#known.has(`${host} ${account}`)) return [address];
    return [address, ['account', account]];
  }

  /**
   * Runs `attempt`, counted as a failure before it begins, so that many at once get no further than one after the
   * other. The count is taken back unless it throws an AppError 401 or 403: what fails for another reason costs nothing.
   * @param keys of each kind the address, account or user.
   * @throws AppError 429 `too_many_attempts`, with nothing counted; whatever `attempt` throws.
   */
  async run<T>(keys: readonly (readonly [LimitKind, string])[], attempt: () => Promise<T>): Promise<T> {
    await this.#count(keys);
    try {
      const result = await attempt();
      await this.#takeBack(keys);
      return result;
    } catch (error) {
      const failed = error instanceof AppError && (error.status === 401 || error.status === 403);
      if (!failed) await this.#takeBack(keys);
      throw error;
    }
  }

  async #count(keys: readonly (readonly [LimitKind, string])[]): Promise<void> {
    for (const [index, [kind, key]] of keys.entries()) {
      try {
        await this.#of(kind).consume(key);
      } catch (error) {
        await this.#takeBack(keys.slice(0, index + 1));
        throw error instanceof RateLimiterRes ? refusal(kind, error) : error;
      }
    }
  }

  async #takeBack(keys: readonly (readonly [LimitKind, string])[]): Promise<void> {
    for (const [kind, key] of keys) await this.#of(kind).reward(key);
  }

  #of(kind: LimitKind): RateLimiterAbstract {
    return this.#limiters.get(kind)!;
  }
}

function refusal(kind: LimitKind, { msBeforeNext }: RateLimiterRes): AppError {
  const retryAfter = Math.max(1, Math.ceil(msBeforeNext / 1000));
  const seconds = `${retryAfter} ${retryAfter === 1 ? 'second' : 'seconds'}`;
  return new AppError(429, 'too_many_attempts', `${sentences[kind]}: try again in ${seconds}.`, {
    retryAfter,
  });
}
