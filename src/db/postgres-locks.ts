// Who may use a PostgreSQL database, and who does a task that one at a time is enough for: advisory locks of sessions.
// They are the server's own: it frees them when the connection ends, however its process ended.

import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { ConfigError } from '../config.ts';
import { lockKey, lockSpace } from './lock-keys.ts';
import { placeOf, readablePostgresError } from './postgres-errors.ts';
import { lonelyClient } from './postgres-pool.ts';

/** One server with nobody beside it, or one of several that know of each other. */
export type Use = 'alone' | 'shared';

const connectMs = 5_000;
/** A server that is just being replaced has this long to let go. */
const firstPatienceMs = 2_000;
/** Our own former connection may still hold it where the network went away: the server needs as long to notice. */
const laterPatienceMs = 13_000;
const pauseMs = 250;
/** So often it is looked whether the connection still stands. */
const lookMs = 5_000;

async function attempt(client: pg.Client, name: string, use: Use): Promise<boolean> {
  const call = use === 'alone' ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared';
  const { rows } = await client.query(`select ${call}($1, $2) as held`, [lockSpace, lockKey(name)]);
  return (rows[0] as { held: boolean }).held;
}

async function end(client: pg.Client): Promise<void> {
  try {
    await client.end();
  } catch {
    // It is lost already, and the lock with it.
  }
}

/**
 * Runs `task` unless somebody runs one of this name at the moment, here or elsewhere. When the connection is lost
 * meanwhile, another one may begin beside it.
 * @returns whether it was run.
 */
export async function whenFree(url: string, name: string, task: () => Promise<unknown>): Promise<boolean> {
  const client = lonelyClient(url, connectMs);
  try {
    const held = await client
      .connect()
      .then(() => attempt(client, `task ${name}`, 'alone'))
      .catch((error) => Promise.reject(readablePostgresError(error)));
    if (held) await task();
    return held;
  } finally {
    await end(client);
  }
}

interface Connection {
  readonly client: pg.Client;
  /** Resolves when it is, however that came. */
  readonly lost: Promise<void>;
}

/** The right to use the database, taken again by itself after each loss of the connection. */
export class HeldUse {
  readonly #url: string;
  readonly #use: Use;
  readonly #onExcluded: (reason: ConfigError) => void;
  readonly #ended = new AbortController();
  #client: pg.Client | undefined;
  #keeping: Promise<void> | undefined;

  private constructor(url: string, use: Use, onExcluded: (reason: ConfigError) => void) {
    this.#url = url;
    this.#use = use;
    this.#onExcluded = onExcluded;
  }

  /**
   * @param onExcluded called at most once: after a loss of the connection somebody else has the database.
   * @throws ConfigError when somebody else has it now, whatever pg throws when it does not answer.
   */
  static async take(url: string, use: Use, onExcluded: (reason: ConfigError) => void): Promise<HeldUse> {
    const held = new HeldUse(url, use, onExcluded);
    const first = await held.#take(firstPatienceMs);
    held.#keeping = held.#keep(first);
    return held;
  }

  async release(): Promise<void> {
    this.#ended.abort();
    if (this.#client) await end(this.#client);
    await this.#keeping;
  }

  async #take(patienceMs: number): Promise<Connection> {
    const client = lonelyClient(this.#url, connectMs);
    this.#client = client;
    const lost = new Promise<void>((resolve) => client.once('end', () => resolve()));
    try {
      await client.connect();
      const deadline = performance.now() + patienceMs;
      while (!(await attempt(client, 'use', this.#use))) {
        if (performance.now() >= deadline) throw this.#inUse();
        await sleep(pauseMs, undefined, { signal: this.#ended.signal });
      }
      return { client, lost };
    } catch (error) {
      await end(client);
      throw error;
    }
  }

  async #keep(first: Connection): Promise<void> {
    let connection = first;
    while (!this.#ended.signal.aborted) {
      await untilLost(connection);
      try {
        if (!this.#ended.signal.aborted) connection = await this.#take(laterPatienceMs);
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        if (error instanceof ConfigError) return this.#onExcluded(error);
        // The server is away; nobody can use the database meanwhile.
        await sleep(pauseMs);
      }
    }
  }

  #inUse(): ConfigError {
    const advice =
      this.#use === 'alone'
        ? 'stop it, choose another database, or give REDIS_URL to all that are to work together.'
        : 'one without REDIS_URL wants it to itself; stop that one, or give it REDIS_URL too.';
    return new ConfigError(
      'DATABASE_URL',
      `: the database ${placeOf(this.#url)} is in use by another running server; ${advice}`,
    );
  }
}

/** Looks now and then: a way that is broken says nothing by itself. */
async function untilLost({ client, lost }: Connection): Promise<void> {
  const cut = () => client.connection.stream.destroy();
  const look = setInterval(() => {
    const silence = setTimeout(cut, lookMs);
    client
      .query('select 1')
      .catch(cut)
      .finally(() => clearTimeout(silence));
  }, lookMs);
  try {
    await lost;
  } finally {
    clearInterval(look);
  }
}
