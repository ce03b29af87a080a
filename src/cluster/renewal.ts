// Keeps what this instance has: tells that it lives, renews its locks, and has the database confirm its right in doubt.
// Nothing is taken here.

import type { Clock } from '../base/clock.ts';
import { elapsedMs, moment, within } from './elapsed.ts';
import type { HeldCameras } from './held-cameras.ts';
import type { OwnershipCheck } from './ownership-check.ts';
import type { Peers } from './peers.ts';
import { Repeated } from './repeated.ts';

export interface RenewalOptions {
  readonly cameras: HeldCameras;
  readonly peers: Peers;
  readonly check: OwnershipCheck;
  readonly clock: Clock;
  readonly lockMs: number;
  readonly isReady: () => boolean;
  readonly onTrouble: (error: unknown) => void;
}

const everyMs = 800;
/** So long Redis may take to answer: the database must be asked before the leases grow old. */
const patienceMs = 1000;
/** While the database alone proves who owns what: more often than its word counts. */
const everyAloneMs = 400;
const patienceAloneMs = 300;
const checkEveryMs = 2000;

export class Renewal {
  readonly #options: RenewalOptions;
  readonly #repeated: Repeated;
  #renewedAt;
  /** Redis did not answer the last time. */
  #alone = false;

  constructor(options: RenewalOptions) {
    this.#options = options;
    this.#renewedAt = moment(options.clock);
    this.#repeated = new Repeated(options.clock, () => this.#renew());
  }

  start(): void {
    this.#repeated.start();
  }

  now(): void {
    this.#repeated.now();
  }

  close(): Promise<void> {
    return this.#repeated.close();
  }

  /** @returns ms until the next time. */
  async #renew(): Promise<number> {
    const { clock, cameras, check, lockMs } = this.#options;
    const stoodStill = elapsedMs(clock, this.#renewedAt) > lockMs;
    this.#renewedAt = moment(clock);
    // This process was stopped for a while. Whatever happened meanwhile, the database knows whose the cameras are.
    if (stoodStill || this.#alone) await this.#ask();
    try {
      await this.#tellRedis();
      this.#alone = false;
      if (cameras.anyInDoubt) await this.#resolveDoubts();
      else if (elapsedMs(clock, check.askedAt) > checkEveryMs) await this.#ask();
      return everyMs;
    } catch (error) {
      this.#options.onTrouble(error);
      if (!this.#alone) await this.#ask();
      this.#alone = true;
      return everyAloneMs;
    }
  }

  async #tellRedis(): Promise<void> {
    const { clock, cameras, peers, isReady } = this.#options;
    if (!isReady()) throw new Error('Redis is away');
    // In this order on one connection: an instance that died counts as alive for no longer than its locks last.
    const told = Promise.all([peers.live(), cameras.extend()]);
    await within(clock, this.#alone ? patienceAloneMs : patienceMs, told, 'Redis');
  }

  async #resolveDoubts(): Promise<void> {
    const { clock, cameras } = this.#options;
    await this.#ask();
    await within(clock, patienceMs, cameras.regain(), 'Redis');
    // A lock proves something again when the fence was seen to stand after it was locked.
    await this.#ask();
  }

  /** Nothing is lost by a database that does not answer: leases grow old by themselves. */
  async #ask(): Promise<void> {
    const { cameras, check, onTrouble } = this.#options;
    if (cameras.count === 0) return;
    try {
      await check.ask();
    } catch (error) {
      onTrouble(error);
    }
  }
}
