// One connection to Redis that keeps itself up: reconnects soon, notices a Redis that hangs, never lets an error escape.
// What is sent over it is its owner's.

import { Redis } from 'ioredis';
import type { RedisAddress } from '../base/backend-urls.ts';
import type { Clock } from '../base/clock.ts';

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  /** As shown by `CLIENT LIST`. */
  readonly name: string;
  readonly clock: Clock;
  /** Commands can be sent from now on. */
  readonly onReady: () => void;
  /** What was on its way is lost. */
  readonly onLost: () => void;
  /** A sentence without any password, at each failure. */
  readonly onTrouble: (reason: string) => void;
}

/** Reconnects within this, jittered. */
const firstRetryMs = 50;
const maxRetryMs = 500;
const pingEveryMs = 1_000;
/** No sign of life for so long, though pings went out: it hangs. */
const silentMs = 3_000;
/** A check this late says more about this process than about Redis. */
const lateMs = 1_000;

export class RedisConnection {
  /** Commands of a connection that is down are refused at once, and those that it takes with it are rejected. */
  readonly client: Redis;
  readonly #options: RedisConnectionOptions;
  #cancelCheck: () => void;
  #checkedAt: number;
  /** Last sign of life, or when the connection began. */
  #heardAt: number;
  #ready = false;
  #closed = false;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    const { address, name, clock, onTrouble } = options;
    this.#checkedAt = clock.now();
    this.#heardAt = this.#checkedAt;
    this.client = new Redis(address.url, {
      connectionName: name,
      connectTimeout: silentMs,
      retryStrategy: (attempts) =>
        Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2),
      // Nothing waits for a connection or is sent twice behind the owner's back.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
    });
    this.client.on('error', (error: Error) => onTrouble(reasonOf(error)));
    this.client.on('connect', () => this.heard());
    this.client.on('ready', () => this.#begin());
    this.client.on('close', () => this.#lose());
    this.#cancelCheck = clock.after(pingEveryMs, () => this.#check());
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Something came from Redis. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
  }

  close(): void {
    this.#closed = true;
    this.#cancelCheck();
    // What was sent last still goes out; a Redis that hangs keeps the socket open for two seconds.
    this.client.disconnect();
  }

  #begin(): void {
    if (this.#closed) return;
    this.heard();
    this.#ready = true;
    this.#options.onReady();
  }

  #lose(): void {
    if (!this.#ready) return;
    this.#ready = false;
    this.#options.onLost();
  }

  #check(): void {
    const { clock } = this.#options;
    const now = clock.now();
    // After a stop of this process, what Redis has sent meanwhile is still to be read.
    if (now - this.#checkedAt > pingEveryMs + lateMs) this.#heardAt = now;
    this.#checkedAt = now;
    const { status } = this.client;
    if (this.#ready)
      this.client.ping().then(
        () => this.heard(),
        (error: Error) => this.#refused(error),
      );
    if ((this.#ready || status === 'connect') && now - this.#heardAt > silentMs) {
      this.#options.onTrouble('it does not answer');
      this.client.stream.destroy();
    }
    this.#cancelCheck = clock.after(pingEveryMs, () => this.#check());
  }

  #refused(error: Error): void {
    if (this.#ready) this.#options.onTrouble(reasonOf(error));
  }
}

/** Of ioredis' errors only these two members are free of the command's arguments, and so of passwords. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code } = error as NodeJS.ErrnoException;
  // The parser's words for an answer in another protocol.
  if (/RESP/.test(error.message)) return 'what answers there is not Redis';
  return error.message || code || error.name;
}
