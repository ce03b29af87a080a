// Gives cameras to other instances: one at a time to even out the shares, all of them when this instance leaves.
// Letting go and taking is done by the held cameras; who should have how many is known by the peers.

import type { Clock } from '../base/clock.ts';
import { elapsedMs, moment, pause } from './elapsed.ts';
import type { HeldCameras } from './held-cameras.ts';
import type { MoveToken } from './move-token.ts';
import type { Owners } from './owners.ts';
import type { Peers } from './peers.ts';

export interface HandingOverOptions {
  readonly cameras: HeldCameras;
  readonly peers: Peers;
  readonly owners: Owners;
  readonly token: MoveToken;
  readonly clock: Clock;
  readonly viewers: (streamId: string) => number;
  /** Whether Redis is there. */
  readonly isReady: () => boolean;
  /** Of the whole service, that are to run. */
  readonly total: () => number;
  readonly onTrouble: (error: unknown) => void;
}

/** Another instance takes a camera within some milliseconds; what takes longer has gone wrong. */
const takenWithinMs = 3000;
/** From one move of the service to the next: time for a camera to connect. */
const paceMs = 500;
/** Letting go of a camera that does not answer, and waiting for its new owner. */
const longestMoveMs = 15_000;
/** After a camera that nobody took. */
const afterFailureMs = 10_000;

const atOnce = 4;
const leavingWaitMs = 1000;
const leavingInAllMs = 20_000;

export class HandingOver {
  readonly #options: HandingOverOptions;
  #moving = false;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(options: HandingOverOptions) {
    this.#options = options;
  }

  /** Moves one camera if this instance has too many and it is its turn. Never rejects. */
  async even(): Promise<void> {
    const { peers, token, total, clock, onTrouble } = this.#options;
    if (this.#moving || clock.now() < this.#notBefore || !peers.shouldGive(total())) return;
    this.#moving = true;
    try {
      if (!(await token.take(longestMoveMs))) return;
      try {
        await this.#move();
      } finally {
        await token.giveBack();
      }
    } catch (error) {
      onTrouble(error);
    } finally {
      this.#moving = false;
    }
  }

  async #move(): Promise<void> {
    const { peers, cameras, total, viewers, clock } = this.#options;
    // The move before this one has changed what is right.
    await peers.look();
    if (!peers.shouldGive(total())) return;
    const [least] = cameras.running
      .map((streamId) => ({ streamId, viewers: viewers(streamId) }))
      .sort((a, b) => a.viewers - b.viewers);
    if (least === undefined) return;
    const startedAt = clock.now();
    if (!(await this.#give(least.streamId, 'moved', takenWithinMs)))
      this.#notBefore = clock.now() + afterFailureMs;
    await pause(clock, Math.max(0, startedAt + paceMs - clock.now()));
  }

  /** Lets go of everything, some cameras at a time. Never rejects. */
  async leave(): Promise<void> {
    const { cameras, peers, clock, isReady } = this.#options;
    const startedAt = moment(clock);
    const left = cameras.ids;
    const next = async (): Promise<void> => {
      for (;;) {
        const streamId = left.shift();
        if (streamId === undefined) return;
        const inTime = elapsedMs(clock, startedAt) < leavingInAllMs;
        const canBeTaken = isReady() && peers.othersHaveRoom;
        await this.#give(streamId, 'leaving', inTime && canBeTaken ? leavingWaitMs : 0);
      }
    };
    const all = Promise.all(Array.from({ length: atOnce }, next));
    await Promise.race([all, pause(clock, leavingInAllMs)]);
  }

  /** @returns whether another instance has announced it within `waitMs`. */
  async #give(streamId: string, reason: 'moved' | 'leaving', waitMs: number): Promise<boolean> {
    const { cameras, owners, clock } = this.#options;
    const { taken, end } = owners.whenTaken(streamId, cameras.fence(streamId));
    try {
      await cameras.end(streamId, reason);
      return await Promise.race([taken.then(() => true), pause(clock, waitMs).then(() => false)]);
    } finally {
      end();
    }
  }
}
