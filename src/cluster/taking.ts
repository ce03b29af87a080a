// Looks after the queue in short turns: puts missing jobs there, takes those that this instance should have, and rests
// when Redis was away. What becomes of a job once taken is up to the held cameras.

import { randomUUID } from 'node:crypto';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { CameraQueue } from './camera-queue.ts';
import type { HeldCameras } from './held-cameras.ts';
import type { Peers } from './peers.ts';
import type { Bus } from './ports.ts';
import { Repeated } from './repeated.ts';

export interface TakingOptions {
  readonly bus: Bus;
  readonly queue: CameraQueue;
  readonly cameras: HeldCameras;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly capacity: number;
  readonly everyMs: number;
  readonly isReady: () => boolean;
  readonly isLeaving: () => boolean;
  readonly wanted: () => ReadonlySet<string>;
  /** Gives a camera away if this instance has too many. */
  readonly even: () => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

/** Time for every instance to come back and lock what it runs, before anybody takes what seems to be nobody's. */
const restMs = 2000;
/** For an instance that has just started and finds Redis empty: as a rule the whole service is new. */
const firstRestMs = 1000;
/** Turns come much more often: without an answer for so long, Redis or this process stood still. */
const gapMs = 1200;
/** Jobs of which so long nobody made anything are taken beyond the share. */
const longWaitMs = 1000;
const beginningAtOnce = 4;
const reconcileEveryMs = 10_000;

export class Taking {
  readonly #options: TakingOptions;
  readonly #turns: Repeated;
  readonly #unsubscribe: () => void;
  readonly #toAdd = new Set<string>();
  #epoch: string | null = null;
  #answeredAt: number;
  #restUntil = Number.NEGATIVE_INFINITY;
  #reconcileAt = Number.NEGATIVE_INFINITY;
  #waiting = 0;
  #waitingSince: number | null = null;
  #failures = 0;
  #acceptsFrom = Number.NEGATIVE_INFINITY;
  #tellFirst = true;

  constructor(options: TakingOptions) {
    this.#options = options;
    const { clock, bus } = options;
    this.#answeredAt = clock.now();
    this.#turns = new Repeated(clock, () => this.#turn());
    this.#unsubscribe = bus.subscribe('nudge', () => this.tellSoon());
  }

  /** Jobs that nobody has, as of the last turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** False while cameras could not begin here. */
  get accepts(): boolean {
    return this.#options.clock.now() >= this.#acceptsFrom;
  }

  /** Nothing is taken, and who seems to be gone may just not be back yet. */
  get isResting(): boolean {
    return this.#options.clock.now() < this.#restUntil;
  }

  start(): void {
    this.#turns.start();
  }

  /** Redis is there (again). */
  reconnected(): void {
    if (this.#epoch !== null) this.rest();
    this.#turns.now();
  }

  /** Tells the others of this instance, learns of them, and has a turn. */
  tellSoon(): void {
    this.#tellFirst = true;
    this.#turns.now();
  }

  /** A job is to be there. */
  add(streamId: string): void {
    this.#toAdd.add(streamId);
    this.#turns.now();
  }

  /** A job that nobody has is to go. One that stays is ended by whoever takes it. */
  remove(streamId: string): void {
    this.#toAdd.delete(streamId);
    if (this.#options.isReady()) this.#options.queue.remove(streamId).catch(this.#options.onTrouble);
  }

  /** Takes nothing for a while: others may still be on their way back. */
  rest(forMs = restMs): void {
    this.#restUntil = Math.max(this.#restUntil, this.#options.clock.now() + forMs);
    this.#reconcileAt = Number.NEGATIVE_INFINITY;
  }

  /** Redis has answered just now. */
  answered(): void {
    const now = this.#options.clock.now();
    if (now - this.#answeredAt > gapMs && this.#epoch !== null) this.rest();
    this.#answeredAt = now;
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#turns.close();
  }

  async #turn(): Promise<number> {
    const { isReady, isLeaving, onTrouble, everyMs, even } = this.#options;
    if (!isReady()) return everyMs;
    try {
      await this.#tell();
      await this.#look();
      if (this.isResting) return everyMs;
      await this.#fill();
      if ((await this.#options.queue.sweep()) > 0) {
        this.#nudge();
        // Whoever had them is gone: the shares of the others are larger now.
        await Promise.all([this.#options.peers.look(), this.#look()]);
      }
      if (isLeaving()) return everyMs;
      await this.#take();
      if (this.#waiting === 0) void even();
    } catch (error) {
      onTrouble(error);
    }
    return everyMs;
  }

  async #tell(): Promise<void> {
    if (!this.#tellFirst) return;
    await this.#options.peers.look();
    this.#tellFirst = false;
  }

  async #look(): Promise<void> {
    const { queue, clock, cameras, peers } = this.#options;
    const { epoch, waiting } = await queue.look();
    this.answered();
    this.#waiting = waiting;
    if (waiting === 0) this.#waitingSince = null;
    else this.#waitingSince ??= clock.now();
    if (epoch !== null && epoch === this.#epoch) return;
    // Redis holds nothing of ours, or begins anew: what runs goes on, and its jobs are put there before anything is taken.
    const begun = epoch ?? (await queue.beginEpoch(randomUUID()));
    const isNew = this.#epoch === null && peers.all.length === 1;
    if (epoch === null || this.#epoch !== null) this.rest(isNew ? firstRestMs : restMs);
    this.#epoch = begun;
    await cameras.extend();
    await cameras.regain();
  }

  /** Adds what is missing: what was told, and now and then whatever else should be there. */
  async #fill(): Promise<void> {
    const { queue, clock, wanted, cameras } = this.#options;
    const all = clock.now() >= this.#reconcileAt;
    const ids = [...(all ? wanted() : this.#toAdd)];
    if (all) {
      this.#reconcileAt = clock.now() + reconcileEveryMs * (0.75 + Math.random() / 2);
      cameras.endUnwanted();
    }
    if (ids.length === 0) return;
    const asked = [...this.#toAdd];
    if ((await queue.add(ids)) > 0 || asked.length > 0) this.#nudge();
    for (const id of asked) this.#toAdd.delete(id);
  }

  async #take(): Promise<void> {
    const { queue, cameras } = this.#options;
    let beyond = this.#waitedLong() ? 1 : 0;
    while (cameras.beginning < beginningAtOnce && this.accepts) {
      if (!this.#isBelowShare()) {
        if (beyond === 0 || !this.#hasRoom()) return;
        beyond -= 1;
      }
      const job = await queue.take();
      if (job === null) return;
      // Emptied between the look and the taking: then it may run elsewhere, and its owner is about to lock it.
      if ((await queue.look()).epoch !== this.#epoch) {
        await queue.putBack(job);
        return;
      }
      void this.#begin(() => cameras.receive(job));
    }
  }

  async #begin(receive: () => Promise<boolean>): Promise<void> {
    const { clock } = this.#options;
    if (await receive()) this.#failures = 0;
    else {
      const waitMs = backoffMs(this.#failures, { firstMs: 250, maxMs: 2000 }, Math.random);
      this.#failures += 1;
      this.#acceptsFrom = Math.max(this.#acceptsFrom, clock.now() + waitMs);
    }
    this.#turns.now();
  }

  #isBelowShare(): boolean {
    const { peers, wanted, cameras } = this.#options;
    return this.#hasRoom() && cameras.count < peers.share(wanted().size);
  }

  #hasRoom(): boolean {
    return this.#options.cameras.count < this.#options.capacity;
  }

  #waitedLong(): boolean {
    return this.#waitingSince !== null && this.#options.clock.now() - this.#waitingSince > longWaitMs;
  }

  #nudge(): void {
    this.#options.bus.publish('nudge', {});
  }
}
