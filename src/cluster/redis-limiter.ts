// What the instances count and know together of sign-ins: failures, hosts of accounts, the seed of the set-up link.
// In Redis; in memory while Redis is away. Which failures count, and for whom, is decided by sign-in.

import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Clock } from '../base/clock.ts';
import { deriveKey, secretFor } from '../base/derived-key.ts';
import { type Counted, type EventCounter, LimiterCounter, memoryCounter } from '../base/event-counter.ts';
import type { Log } from '../base/log.ts';
import { Reporter } from '../base/reporter.ts';
import { BriefRedis } from './brief-redis.ts';

/** Pairs that are remembered, the latest. */
const mostKnown = 10_000;
/** Instances that start within this time agree on one set-up link, s. */
const seedSeconds = 60 * 60;
const restMs = 2_000;
const tellEveryMs = 60_000;

export interface RedisSignInOptions {
  readonly connection: Redis;
  /** Of the service's keys, without a colon at its end. */
  readonly prefix: string;
  /** Redis sees no name and no address: of unknown names many are passwords typed into the wrong field. */
  readonly secretKey: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Is auth/ports.ts `SharedSignIn`. */
export class RedisSignIn {
  readonly #options: RedisSignInOptions;
  readonly #redis: BriefRedis;
  readonly #key: Buffer;
  readonly #trouble: Reporter;

  constructor(options: RedisSignInOptions) {
    this.#options = options;
    const { connection, clock, log, secretKey } = options;
    this.#redis = new BriefRedis({ connection, clock, restMs });
    this.#key = deriveKey(secretKey, 'names of sign-ins in Redis');
    this.#trouble = new Reporter(clock, tellEveryMs, (count, err) =>
      log.warn({ err, count }, 'failed sign-ins are counted by each instance alone: Redis is away'),
    );
  }

  counter(kind: string, allowed: number, windowSeconds: number): EventCounter {
    const inMemory = memoryCounter(kind, allowed, windowSeconds);
    const inRedis = new LimiterCounter(
      new RateLimiterRedis({
        storeClient: this.#options.connection,
        keyPrefix: this.#name(`failures:${kind}`),
        points: allowed,
        duration: windowSeconds,
      }),
    );
    return {
      count: async (key) => {
        const digest = this.#digest(key);
        const counted = await this.#try(() => inRedis.count(digest));
        return counted === null ? inMemory.count(digest) : this.#takingBackBriefly(counted);
      },
    };
  }

  remember(pair: string): void {
    const key = this.#name('known-hosts');
    void this.#try((connection) =>
      connection
        .multi()
        .zadd(key, this.#options.clock.wallTime(), this.#digest(pair))
        .zremrangebyrank(key, 0, -(mostKnown + 1))
        .exec(),
    );
  }

  async isKnown(pair: string): Promise<boolean> {
    const key = this.#name('known-hosts');
    const score = await this.#try((connection) => connection.zscore(key, this.#digest(pair)));
    return score !== null;
  }

  setUpSeed(own: string): Promise<string | null> {
    const key = this.#name('set-up');
    return this.#try(async (connection) => {
      // In one transaction: what is there is neither replaced nor gone before it is read.
      const results = await connection.multi().set(key, own, 'EX', seedSeconds, 'NX').get(key).exec();
      const seed = results?.[1]?.[1];
      return typeof seed === 'string' ? seed : null;
    });
  }

  forgetSetUp(): void {
    void this.#try((connection) => connection.del(this.#name('set-up')));
  }

  #takingBackBriefly({ waitMs, takeBack }: Counted): Counted {
    return {
      waitMs,
      takeBack: async () => {
        await this.#try(takeBack);
      },
    };
  }

  /** Null also when Redis is away. */
  async #try<T>(command: (connection: Redis) => Promise<T>): Promise<T | null> {
    try {
      return await this.#redis.run(command);
    } catch (error) {
      this.#trouble.add(error);
      return null;
    }
  }

  #digest(text: string): string {
    return secretFor(this.#key, text);
  }

  #name(key: string): string {
    return `${this.#options.prefix}:${key}`;
  }
}
