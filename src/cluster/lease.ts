// The right to run one camera, and for how long it counts without another look.
// Who renews it and who asks the database is told to it; what is written under its fence is checked by the database.

import type { Clock } from '../base/clock.ts';
import type { Fence } from '../base/fence.ts';
import { FencedOff } from '../errors.ts';
import { elapsedMs, type Moment } from './elapsed.ts';
import type { Lease } from './ports.ts';

/** Between asking the database and its answer the process may have been stopped: then the answer is old, and is asked for anew. */
const attempts = 3;

export class HeldLease implements Lease {
  readonly fence: Fence;
  readonly #clock: Clock;
  readonly #ask: () => Promise<void>;
  #proof: { readonly at: Moment; readonly forMs: number } | null = null;
  #lost = false;

  /** @param ask asks the database; before it resolves it has called `proven` or `lose`. Rejects with the database's error. */
  constructor(fence: Fence, clock: Clock, ask: () => Promise<void>) {
    this.fence = fence;
    this.#clock = clock;
    this.#ask = ask;
  }

  get lost(): boolean {
    return this.#lost;
  }

  get fresh(): boolean {
    return !this.#lost && this.#proof !== null && elapsedMs(this.#clock, this.#proof.at) < this.#proof.forMs;
  }

  /** @param at when it was asked for, not when the answer came: it is known to have stood then. */
  proven(at: Moment, forMs: number): void {
    const before = this.#proof;
    if (before === null || at.monotonic + forMs > before.at.monotonic + before.forMs)
      this.#proof = { at, forMs };
  }

  /** For good. */
  lose(): void {
    this.#lost = true;
  }

  async confirm(): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      if (this.#lost) throw new FencedOff(this.fence.streamId);
      if (this.fresh) return;
      await this.#ask();
    }
    if (this.#lost) throw new FencedOff(this.fence.streamId);
    if (!this.fresh) throw new Error('the database answers too late to tell who holds the stream');
  }
}
