// Commands to Redis that somebody waits for: answered within half a second, or not at all.
// What is done without Redis is the caller's.

import { once } from 'node:events';
import type { Redis } from 'ioredis';
import type { Clock } from '../base/clock.ts';
import { reasonOf } from './redis.ts';

/** Redis on the same network answers in a millisecond. */
const patienceMs = 500;

export interface BriefRedisOptions {
  /** Not closed here. Whether it keeps commands while it is not connected does not matter: none is given to it then. */
  readonly connection: Redis;
  readonly clock: Clock;
  /** After a command that failed or came late none is tried for so long, so that not everybody waits for a Redis that hangs. */
  readonly restMs: number;
}

export class BriefRedis {
  readonly #options: BriefRedisOptions;
  #restUntil = Number.NEGATIVE_INFINITY;
  #connecting: Promise<unknown> | null = null;

  constructor(options: BriefRedisOptions) {
    this.#options = options;
  }

  /**
   * One command, or a few. A command given up may still be carried out by Redis.
   * @throws Error when Redis is away, does not answer in time, or refuses.
   */
  async run<T>(command: (connection: Redis) => Promise<T>): Promise<T> {
    const { connection, clock, restMs } = this.#options;
    if (clock.now() < this.#restUntil) throw away();
    const late = Promise.withResolvers<never>();
    let isLate = false;
    const cancel = clock.after(patienceMs, () => {
      isLate = true;
      late.reject(new Error(`Redis did not answer within ${patienceMs} ms`));
    });
    const given = async () => {
      await this.#connected();
      if (isLate) throw away();
      return command(connection);
    };
    try {
      return await Promise.race([given(), late.promise]);
    } catch (error) {
      // A connection that is known to be down costs nobody any time.
      if (isLate || connection.status === 'ready') this.#restUntil = clock.now() + restMs;
      // Not with the error itself, which repeats the command and what was to be written.
      throw new Error(reasonOf(error));
    } finally {
      cancel();
    }
  }

  /** At once unless a connection is just being made, as when the service starts. */
  async #connected(): Promise<void> {
    const { connection } = this.#options;
    if (connection.status === 'ready') return;
    if (!['connecting', 'connect'].includes(connection.status)) throw away();
    // One listener, however many wait.
    this.#connecting ??= once(connection, 'ready').finally(() => {
      this.#connecting = null;
    });
    await this.#connecting;
  }
}

function away(): Error {
  return new Error('Redis cannot be reached at the moment');
}
