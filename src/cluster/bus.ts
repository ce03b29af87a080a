// Messages between instances over Redis pub/sub: topics, questions to one instance, and what must outlast an outage.
// Knows bytes and JSON; what the messages mean is for those who send and read them.

import type { Redis } from 'ioredis';
import type { RedisAddress } from '../base/backend-urls.ts';
import type { Log } from '../base/log.ts';
import { Reporter } from '../base/reporter.ts';
import { ConfigError } from '../config.ts';
import { Lasting } from './lasting.ts';
import type { BusFigures, BusOptions, MediaBus } from './media-bus.ts';
import { RedisConnection, reasonOf } from './redis.ts';
import { Requests } from './requests.ts';
import { Subscriptions } from './subscriptions.ts';
import { decodeMessage, encodeMessage, noBytes } from './wire.ts';

/** What is not yet taken by Redis: beyond the first, pictures and packets are dropped, beyond the second everything. */
const maxMediaInFlight = 4 * 1024 * 1024;
const maxInFlight = 8 * 1024 * 1024;
const startWithinMs = 15_000;
const reportEveryMs = 10_000;

/** @throws ConfigError when Redis cannot be reached in time, or refuses this service. */
export async function openBus(address: RedisAddress, options: BusOptions): Promise<RedisBus> {
  const bus = new RedisBus(address, options);
  try {
    await bus.started(options.startWithinMs ?? startWithinMs);
    return bus;
  } catch (error) {
    bus.close();
    throw error;
  }
}

export class RedisBus implements MediaBus {
  readonly instance: string;
  readonly #prefix: string;
  readonly #log: Log;
  readonly #publisher: RedisConnection;
  readonly #subscriber: RedisConnection;
  readonly #subscriptions: Subscriptions;
  readonly #requests: Requests;
  readonly #lasting: Lasting<{ readonly channel: string; readonly frame: Buffer }>;
  readonly #changeListeners = new Set<(up: boolean) => void>();
  readonly #roomListeners = new Set<() => void>();
  readonly #malformed: Reporter<string>;
  readonly #failed: Reporter;
  readonly #dropped: Reporter<string>;
  #inFlight = 0;
  #refused = false;
  #up = false;
  #closed = false;
  #trouble = 'it does not answer';
  #onRefused: (() => void) | null = null;
  #counts = { messages: 0, sent: 0, received: 0, dropped: 0, malformed: 0 };

  constructor(address: RedisAddress, { instance, clock, log }: BusOptions) {
    this.instance = instance;
    this.#prefix = `${address.prefix}:bus:`;
    this.#log = log;
    const report = <E>(what: string) =>
      new Reporter<E>(clock, reportEveryMs, (count, latest) => log.warn({ count, latest }, what));
    this.#malformed = report('messages of other instances cannot be read');
    this.#dropped = report('messages were dropped: Redis does not take them in time');
    this.#failed = new Reporter(clock, reportEveryMs, (count, err) =>
      log.error({ count, err }, 'a message of another instance could not be handled'),
    );
    const connection = (role: string, onReady: () => void) =>
      new RedisConnection({
        address,
        name: `${address.prefix}-${role}-${instance}`.replaceAll(/[^\w.-]/g, '_'),
        clock,
        onReady,
        onLost: () => this.#lost(),
        onTrouble: (reason) => this.#note(reason),
      });
    this.#publisher = connection('publisher', () => this.#judge());
    this.#subscriber = connection('subscriber', () => void this.#subscriptions.restore());
    this.#subscriptions = new Subscriptions({
      connection: this.#subscriber,
      onMessage: (topic, frame) => this.#read(topic, frame),
      onRestored: () => this.#judge(),
      onTrouble: (error) => this.#note(reasonOf(error)),
      guard: (call) => this.#guard(call),
      channelOf: (topic) => this.#prefix + topic,
    });
    this.#requests = new Requests({
      clock,
      send: async (to, header, bytes) => {
        if (this.#inFlight >= maxInFlight) throw new Error('Redis does not take it in time');
        return this.#send(this.#prefix + inbox(to), this.#encode({ m: header }, bytes));
      },
      onTrouble: (error) => this.#failed.add(error),
    });
    this.#lasting = new Lasting({
      clock,
      send: ({ channel, frame }) => this.#send(channel, frame),
      onDropped: () => {
        this.#counts.dropped += 1;
      },
    });
    this.#subscriptions.add(inbox(instance), {
      onMessage: (message, bytes, from) => this.#requests.take(message, bytes, from),
    });
  }

  get up(): boolean {
    return this.#up;
  }

  /** For commands beside messages: refused at once while Redis is away. */
  get client(): Redis {
    return this.#publisher.client;
  }

  get figures(): BusFigures {
    const { sent, received, ...counts } = this.#counts;
    return { inFlight: this.#inFlight, bytes: { sent, received }, ...counts };
  }

  publish(topic: string, message: object, bytes: Uint8Array = noBytes): void {
    this.#publish(topic, message, bytes, maxInFlight);
  }

  offer(topic: string, message: object, bytes: Uint8Array): boolean {
    const taken = this.#publish(topic, message, bytes, maxMediaInFlight);
    if (!taken) this.#refused = true;
    return taken;
  }

  onRoom(listener: () => void): () => void {
    this.#roomListeners.add(listener);
    return () => {
      this.#roomListeners.delete(listener);
    };
  }

  publishLasting(topic: string, message: object): void {
    this.#lasting.add({ channel: this.#prefix + topic, frame: this.#encode({ m: message }) });
  }

  subscribe(
    topic: string,
    onMessage: (message: unknown, bytes: Uint8Array, from: string) => void,
    onReady?: () => void,
  ): () => void {
    return this.#subscriptions.add(topic, { onMessage, ...(onReady && { onReady }) });
  }

  request(
    instance: string,
    kind: string,
    message: object,
    bytes: Uint8Array,
    timeoutMs: number,
  ): Promise<unknown> {
    return this.#requests.ask(instance, kind, message, bytes, timeoutMs);
  }

  onRequest(kind: string, handler: (message: unknown, bytes: Uint8Array) => Promise<object>): void {
    this.#requests.handle(kind, handler);
  }

  onChange(listener: (up: boolean) => void): () => void {
    this.#changeListeners.add(listener);
    return () => {
      this.#changeListeners.delete(listener);
    };
  }

  /** Resolves when messages can be sent and received. */
  async started(withinMs: number): Promise<void> {
    if (this.#up) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = this.onChange(() => resolve());
    const refuse = () =>
      reject(new ConfigError('REDIS_URL', `cannot be used: ${this.#trouble.replace(/\.+$/, '')}.`));
    // Nothing else keeps the process alive at this time.
    const timer = setTimeout(refuse, withinMs);
    this.#onRefused = refuse;
    try {
      await promise;
    } finally {
      this.#onRefused = null;
      leave();
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#closed = true;
    this.#up = false;
    this.#lasting.pause();
    this.#changeListeners.clear();
    this.#roomListeners.clear();
    this.#requests.close();
    this.#publisher.close();
    this.#subscriber.close();
  }

  #encode(header: object, bytes?: Uint8Array): Buffer {
    return encodeMessage({ i: this.instance, ...header }, bytes);
  }

  #publish(topic: string, message: object, bytes: Uint8Array, most: number): boolean {
    if (!this.#publisher.ready || this.#inFlight >= most) {
      this.#counts.dropped += 1;
      // While Redis is away, that is told once and not with each message.
      if (this.#publisher.ready) this.#dropped.add(topic);
      return false;
    }
    this.#send(this.#prefix + topic, this.#encode({ m: message }, bytes)).catch(() => {
      this.#counts.dropped += 1;
    });
    return true;
  }

  /** @returns how many instances got it. */
  async #send(channel: string, frame: Buffer): Promise<number> {
    const { byteLength } = frame;
    this.#inFlight += byteLength;
    this.#counts.messages += 1;
    this.#counts.sent += byteLength;
    try {
      const receivers = await this.#publisher.client.publish(channel, frame);
      this.#publisher.heard();
      return receivers;
    } finally {
      this.#inFlight -= byteLength;
      if (this.#refused && this.#inFlight < maxMediaInFlight / 2) this.#tellRoom();
    }
  }

  #tellRoom(): void {
    this.#refused = false;
    for (const listener of this.#roomListeners) this.#guard(listener);
  }

  #read(topic: string, frame: Buffer): void {
    this.#subscriber.heard();
    this.#counts.received += frame.byteLength;
    try {
      const { header, payload } = decodeMessage(frame);
      if (header.i === this.instance) return;
      if (typeof header.i !== 'string') throw new Error('it says not from whom');
      const from = header.i;
      for (const { onMessage } of this.#subscriptions.listeners(topic))
        this.#guard(() => onMessage?.(header.m, payload, from));
    } catch (error) {
      this.#counts.malformed += 1;
      this.#malformed.add(`${topic}: ${reasonOf(error)}`);
    }
  }

  /** A listener that fails is a defect, and takes nobody else with it. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#failed.add(error);
    }
  }

  #judge(): void {
    if (this.#closed || this.#up || !this.#publisher.ready || !this.#subscriptions.restored) return;
    this.#up = true;
    this.#trouble = 'the connection was closed';
    this.#log.info('connected to Redis');
    this.#lasting.resume();
    this.#tellChange(true);
  }

  #lost(): void {
    this.#subscriptions.lost();
    if (!this.#up) return;
    this.#up = false;
    this.#lasting.pause();
    this.#log.warn({ reason: this.#trouble }, 'the connection to Redis is lost');
    this.#tellChange(false);
  }

  #tellChange(up: boolean): void {
    for (const listener of this.#changeListeners) this.#guard(() => listener(up));
  }

  #note(reason: string): void {
    this.#trouble = reason;
    // Waiting would not help.
    if (/^(WRONGPASS|NOAUTH|NOPERM|ERR (AUTH|invalid password|DB index))/.test(reason)) this.#onRefused?.();
    if (this.#up) this.#log.warn({ reason }, 'trouble with Redis');
  }
}

/** The channel of one instance, for questions to it and answers. */
function inbox(instance: string): string {
  return `to:${instance}`;
}
