// Which channels this instance listens to, one subscription each whatever the number of listeners, renewed after each loss.
// Bytes only; what a message is, is the bus's.

import type { RedisConnection } from './redis.ts';

export interface Listener {
  readonly onMessage?: (message: unknown, bytes: Uint8Array, from: string) => void;
  /** Called each time the subscription is in force. */
  readonly onReady?: () => void;
}

export interface SubscriptionsOptions {
  readonly connection: RedisConnection;
  readonly onMessage: (topic: string, frame: Buffer) => void;
  /** All subscriptions are in force (again). */
  readonly onRestored: () => void;
  readonly onTrouble: (error: unknown) => void;
  /** Calls a listener; nothing is thrown. */
  readonly guard: (call: () => void) => void;
  readonly channelOf: (topic: string) => string;
}

interface Topic {
  readonly name: string;
  readonly channel: string;
  readonly listeners: Set<Listener>;
  inForce: boolean;
}

/** Channels of one SUBSCRIBE. */
const atOnce = 500;

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #topics = new Map<string, Topic>();
  #restored = false;
  /** Topics that are added are subscribed to at once. */
  #connected = false;
  /** Counts connections: an answer of a former one says nothing. */
  #connections = 0;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    options.connection.client.on('messageBuffer', (channel: Buffer, frame: Buffer) => {
      const topic = this.#topics.get(channel.toString());
      if (topic) options.onMessage(topic.name, frame);
    });
  }

  /** Whether every topic that was there when the connection began is subscribed to. */
  get restored(): boolean {
    return this.#restored;
  }

  listeners(topic: string): Iterable<Listener> {
    return this.#topics.get(this.#options.channelOf(topic))?.listeners ?? [];
  }

  add(name: string, listener: Listener): () => void {
    const channel = this.#options.channelOf(name);
    const topic = this.#topics.get(channel) ?? this.#open(name, channel);
    topic.listeners.add(listener);
    if (topic.inForce && listener.onReady) queueMicrotask(() => this.#options.guard(listener.onReady!));
    return () => {
      if (!topic.listeners.delete(listener) || topic.listeners.size > 0) return;
      this.#topics.delete(channel);
      if (this.#connected)
        this.#options.connection.client.unsubscribe(channel).catch(this.#options.onTrouble);
    };
  }

  /** A new connection: everything anew. */
  async restore(): Promise<void> {
    const connection = ++this.#connections;
    this.#connected = true;
    const topics = [...this.#topics.values()];
    const parts: Promise<boolean>[] = [];
    for (let i = 0; i < topics.length; i += atOnce) parts.push(this.#subscribe(topics.slice(i, i + atOnce)));
    const all = await Promise.all(parts);
    if (connection !== this.#connections) return;
    if (all.includes(false)) {
      // Half a connection is none: once more from the beginning.
      this.#options.connection.client.stream.destroy();
      return;
    }
    this.#restored = true;
    this.#options.onRestored();
  }

  lost(): void {
    if (this.#options.connection.ready) return;
    this.#connections += 1;
    this.#connected = false;
    this.#restored = false;
    for (const topic of this.#topics.values()) topic.inForce = false;
  }

  #open(name: string, channel: string): Topic {
    const topic: Topic = { name, channel, listeners: new Set(), inForce: false };
    this.#topics.set(channel, topic);
    if (this.#connected) void this.#subscribe([topic]);
    return topic;
  }

  async #subscribe(topics: readonly Topic[]): Promise<boolean> {
    const connection = this.#connections;
    try {
      await this.#options.connection.client.subscribe(...topics.map(({ channel }) => channel));
    } catch (error) {
      // A connection that is lost subscribes to all of them when it is back.
      this.#options.onTrouble(error);
      return false;
    }
    if (connection !== this.#connections) return false;
    for (const topic of topics) this.#ready(topic);
    return true;
  }

  #ready(topic: Topic): void {
    // It may have been left, and come to anew, meanwhile: then its own SUBSCRIBE is still to be answered.
    if (this.#topics.get(topic.channel) !== topic) return;
    topic.inForce = true;
    for (const { onReady } of topic.listeners) if (onReady) this.#options.guard(onReady);
  }
}
