// Messages that outlast an outage of Redis: kept while it is away, and told again until every instance can be back.
// Counts and times only; sending is the bus's.

import type { Clock } from '../base/clock.ts';

export interface LastingOptions<M> {
  readonly clock: Clock;
  /** Rejects when it did not get out. */
  readonly send: (message: M) => Promise<unknown>;
  /** Too many were kept: the oldest is gone. */
  readonly onDropped: () => void;
}

const maxKept = 1_000;
/** Other instances reconnect at other moments than this one: what was kept is told again after these, ms. */
const repeatAfterMs = [1_000, 4_000] as const;

export class Lasting<M> {
  readonly #options: LastingOptions<M>;
  readonly #cancels: (() => void)[] = [];
  #kept: M[] = [];
  #up = false;
  /** Since the connection is back, others may still be away. */
  #settled = false;

  constructor(options: LastingOptions<M>) {
    this.#options = options;
  }

  add(message: M): void {
    if (!this.#up || !this.#settled) this.#keep(message);
    if (this.#up) this.#send(message);
  }

  /** The connection is back. */
  resume(): void {
    this.#up = true;
    this.#settled = false;
    this.#sendKept();
    for (const ms of repeatAfterMs)
      this.#cancels.push(this.#options.clock.after(ms, () => this.#repeat(ms === repeatAfterMs.at(-1))));
  }

  pause(): void {
    this.#up = false;
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  #repeat(last: boolean): void {
    this.#sendKept();
    if (!last) return;
    this.#settled = true;
    this.#kept = [];
  }

  #sendKept(): void {
    for (const message of this.#kept) this.#send(message);
  }

  #send(message: M): void {
    this.#options.send(message).catch(() => {
      if (!this.#kept.includes(message)) this.#keep(message);
    });
  }

  #keep(message: M): void {
    this.#kept.push(message);
    if (this.#kept.length <= maxKept) return;
    this.#kept.shift();
    this.#options.onDropped();
  }
}
