// Commands to Redis that somebody waits for: answered within half a second, or not at all.
// What is done without Redis is the caller's.

import type { Redis } from 'ioredis';
import type { Clock } from '../base/clock.ts';
import { reasonOf } from './redis.ts';

/** Redis on the same network answers in a millisecond. */
const patienceMs = 500;

export interface BriefRedisOptions {
  /** Not closed here. Whether it keeps commands while it is not connected does not matter: none is given to it then. */
  readonly connection: Redis;
  readonly clock: Clock;
  /** After a command that failed none is tried for so long, so that not everybody waits for a Redis that hangs. */
  readonly restMs: number;
}

export class BriefRedis {
  readonly #options: BriefRedisOptions;
  #restUntil = Number.NEGATIVE_INFINITY;

  constructor(options: BriefRedisOptions) {
    this.#options = options;
  }

  /**
   * One command, or a few. A command given up may still be carried out by Redis.
   * @throws Error when Redis is away, does not answer in time, or refuses.
   */
  async run<T>(command: (connection: Redis) => Promise<T>): Promise<T> {
    const { connection, clock, restMs } = this.#options;
    if (connection.status !== 'ready' || clock.now() < this.#restUntil)
      throw new Error('Redis cannot be reached at the moment');
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(patienceMs, () =>
      late.reject(new Error(`Redis did not answer within ${patienceMs} ms`)),
    );
    try {
      return await Promise.race([command(connection), late.promise]);
    } catch (error) {
      this.#restUntil = clock.now() + restMs;
      // Not with the error itself, which repeats the command and what was to be written.
      throw new Error(reasonOf(error));
    } finally {
      cancel();
    }
  }
}
