// What this instance knows of the others, and tells them of itself: who lives, with how much room, since when.
// How shares follow from it is share.ts; what Redis keeps is presence.ts.

import type { Clock } from '../base/clock.ts';
import { elapsedMs, type Moment, moment } from './elapsed.ts';
import type { Presence, PresenceBoard } from './presence.ts';
import { fairShares, type Member, shouldGive } from './share.ts';

export interface PeersOptions {
  readonly board: PresenceBoard;
  readonly clock: Clock;
  /** As it is at the moment. */
  readonly self: () => Presence;
  /** Counts as alive for so long after it has told so. */
  readonly aliveMs: number;
  /** A camera is moved to an instance only when it has been there for so long. */
  readonly settledMs: number;
  readonly onLive: (instances: ReadonlySet<string>) => void;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #firstSeen = new Map<string, Moment>();
  #others: readonly Presence[] = [];
  #livedAt: Moment;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#livedAt = moment(options.clock);
  }

  /** This one first. As of the last look. */
  get all(): readonly Presence[] {
    return [this.#options.self(), ...this.#others];
  }

  isLive(instance: string): boolean {
    return this.all.some((peer) => peer.instance === instance);
  }

  /** Tells that this instance lives, for another `aliveMs`. Rejects when Redis does not answer. */
  async live(): Promise<void> {
    this.#livedAt = moment(this.#options.clock);
    await this.look();
  }

  /**
   * Tells what has changed here and learns of the others. It does not count as alive for any longer by it: so one that
   * died is gone when its locks are, which are renewed together with `live`. Rejects when Redis does not answer.
   */
  async look(): Promise<void> {
    const { board, self, aliveMs, clock, onLive } = this.#options;
    const { instance } = self();
    const leftMs = Math.max(0, Math.round(aliveMs - elapsedMs(clock, this.#livedAt)));
    this.#others = (await board.beat(self(), leftMs)).filter((peer) => peer.instance !== instance);
    const live = new Set([instance, ...this.#others.map((peer) => peer.instance)]);
    for (const name of this.#firstSeen.keys()) if (!live.has(name)) this.#firstSeen.delete(name);
    for (const { instance: name } of this.#others)
      if (!this.#firstSeen.has(name)) this.#firstSeen.set(name, moment(clock));
    onLive(live);
  }

  async goodbye(): Promise<void> {
    await this.#options.board.goodbye(this.#options.self().instance);
  }

  /** How many of `total` cameras this instance should hold. */
  share(total: number): number {
    return fairShares(total, this.#members).get(this.#options.self().instance) ?? 0;
  }

  /** Whether this instance is to give a camera to another one. */
  shouldGive(total: number): boolean {
    const takers = this.#others.filter((peer) => isOpen(peer) && this.#isSettled(peer.instance));
    return shouldGive(
      this.#options.self().instance,
      total,
      this.#members,
      new Set(takers.map(({ instance }) => instance)),
    );
  }

  /** Whether another instance could take a camera at once. */
  get othersHaveRoom(): boolean {
    return this.#others.some((peer) => isOpen(peer) && peer.held < peer.capacity);
  }

  /** Those that take cameras. */
  get #members(): Member[] {
    return this.all.filter(isOpen);
  }

  #isSettled(instance: string): boolean {
    const since = this.#firstSeen.get(instance);
    return since !== undefined && elapsedMs(this.#options.clock, since) >= this.#options.settledMs;
  }
}

function isOpen({ leaving, accepts }: Presence): boolean {
  return accepts && !leaving;
}
