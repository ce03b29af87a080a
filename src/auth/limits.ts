// How many failures an address, an account or a user is allowed before it has to wait.
// Counts failures only: who succeeds, and who is signed in, is not slowed down. Checks no password.

import ipaddr from 'ipaddr.js';
import type { Origin } from '../base/accounts.ts';
import { type Counted, type EventCounter, memoryCounter } from '../base/event-counter.ts';
import type { Identity } from '../base/identity.ts';
import { AppError } from '../errors.ts';
import type { SharedSignIn } from './ports.ts';

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

type Keys = readonly (readonly [LimitKind, string])[];

export class FailureLimits {
  readonly #shared: SharedSignIn | null;
  readonly #counters: ReadonlyMap<LimitKind, EventCounter>;
  /** Hosts with the accounts that were signed in to from there, the longest ago first. */
  readonly #known = new Set<string>();

  /** @param shared counts and remembers for all instances; null: in memory. */
  constructor(shared: SharedSignIn | null = null) {
    this.#shared = shared;
    const counter = shared === null ? memoryCounter : shared.counter.bind(shared);
    const kinds = Object.keys(failuresAllowed) as LimitKind[];
    this.#counters = new Map(
      kinds.map((kind) => [kind, counter(kind, failuresAllowed[kind], windowSeconds)]),
    );
  }

  /** The account was signed in to from this host: see `keysOf`. */
  remember(account: string, host: string): void {
    const pair = `${host} ${account}`;
    this.#shared?.remember(pair);
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
  async keysOf(account: string | null, host: string): Promise<Keys> {
    const address = ['address', host] as const;
    if (account === null || (await this.#isKnown(`${host} ${account}`))) return [address];
    return [address, ['account', account]];
  }

  /**
   * Runs `attempt`, counted as a failure before it begins, so that many at once get no further than one after the
   * other. The count is taken back unless it throws an AppError 401 or 403: what fails for another reason costs nothing.
   * @param keys of each kind the address, account or user.
   * @throws AppError 429 `too_many_attempts`, with nothing counted; whatever `attempt` throws.
   */
  async run<T>(keys: Keys, attempt: () => Promise<T>): Promise<T> {
    const counted = await this.#count(keys);
    try {
      const result = await attempt();
      await takeBack(counted);
      return result;
    } catch (error) {
      const failed = error instanceof AppError && (error.status === 401 || error.status === 403);
      if (!failed) await takeBack(counted);
      throw error;
    }
  }

  async #count(keys: Keys): Promise<readonly Counted[]> {
    const all: Counted[] = [];
    for (const [kind, key] of keys) {
      const counted = await this.#counters.get(kind)!.count(key);
      all.push(counted);
      if (counted.waitMs === null) continue;
      await takeBack(all);
      throw refusal(kind, counted.waitMs);
    }
    return all;
  }

  async #isKnown(pair: string): Promise<boolean> {
    return this.#known.has(pair) || ((await this.#shared?.isKnown(pair)) ?? false);
  }
}

async function takeBack(counted: readonly Counted[]): Promise<void> {
  for (const each of counted) await each.takeBack();
}

function refusal(kind: LimitKind, waitMs: number): AppError {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1000));
  const seconds = `${retryAfter} ${retryAfter === 1 ? 'second' : 'seconds'}`;
  return new AppError(429, 'too_many_attempts', `${sentences[kind]}: try again in ${seconds}.`, {
    retryAfter,
  });
}
