// The right to run one ad-hoc stream, as its holder sees it: how far it is sure of it, and its fence.
// Renews nothing itself.

import type { Clock } from '../base/clock.ts';
import type { Fence } from '../base/fence.ts';
import type { Lease } from './ports.ts';

/** A lease that was not renewed for so long is gone, ms. */
export const leaseMs = 2_500;

export interface AdHocLease extends Pick<Lease, 'fresh' | 'fence'> {
  /** Lets it go; other instances are told. Idempotent; never rejects. */
  release(): Promise<void>;
}

export class HeldAdHoc implements AdHocLease {
  readonly id: string;
  readonly account: string | null;
  readonly #clock: Clock;
  readonly #release: (held: HeldAdHoc) => Promise<void>;
  #fence: Fence;
  #renewedAt: number;

  constructor(
    {
      id,
      account,
      number,
      renewedAt,
    }: { id: string; account: string | null; number: number; renewedAt: number },
    clock: Clock,
    release: (held: HeldAdHoc) => Promise<void>,
  ) {
    this.id = id;
    this.account = account;
    this.#clock = clock;
    this.#release = release;
    this.#fence = { streamId: id, number };
    this.#renewedAt = renewedAt;
  }

  /** Grows when the lease was made without Redis and others have held the stream meanwhile. */
  get fence(): Fence {
    return this.#fence;
  }

  get fresh(): boolean {
    return this.#clock.now() - this.#renewedAt < leaseMs;
  }

  /** @param at when it was asked for, by the monotonic clock. */
  renewed(number: number, at: number): void {
    if (number !== this.#fence.number) this.#fence = { streamId: this.id, number };
    this.#renewedAt = at;
  }

  ended(): void {
    this.#renewedAt = Number.NEGATIVE_INFINITY;
  }

  release(): Promise<void> {
    return this.#release(this);
  }
}
