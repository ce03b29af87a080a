// Asks the database what this instance holds: one query at a time for everybody who wants to know.
// What the answer means for each camera is told to the listener.

import type { Clock } from '../base/clock.ts';
import { type Moment, moment, within } from './elapsed.ts';
import type { OwnershipStore } from './ports.ts';

/** A database that does not answer for so long counts as away. */
const patienceMs = 5000;

export class OwnershipCheck {
  readonly #ownership: OwnershipStore;
  readonly #instance: string;
  readonly #clock: Clock;
  readonly #onAnswer: (held: ReadonlyMap<string, number>, askedAt: Moment) => void;
  #asking: Promise<void> | null = null;
  #askedAt: Moment;

  constructor(
    ownership: OwnershipStore,
    instance: string,
    clock: Clock,
    onAnswer: (held: ReadonlyMap<string, number>, askedAt: Moment) => void,
  ) {
    this.#ownership = ownership;
    this.#instance = instance;
    this.#clock = clock;
    this.#onAnswer = onAnswer;
    this.#askedAt = moment(clock);
  }

  /** Of the last answer; at the beginning, when this was made. */
  get askedAt(): Moment {
    return this.#askedAt;
  }

  /** Resolves after `onAnswer`; joins a question that is on its way. Rejects when the database does not answer. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const askedAt = moment(this.#clock);
    const asked = this.#ownership.held(this.#instance);
    const held = await within(this.#clock, patienceMs, asked, 'the database');
    this.#askedAt = askedAt;
    this.#onAnswer(held, askedAt);
  }
}
