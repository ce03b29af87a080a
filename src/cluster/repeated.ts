// Something done again and again, never twice at once; each time says how long the next may wait.
// Knows nothing of what is done.

import type { Clock } from '../base/clock.ts';

export class Repeated {
  readonly #clock: Clock;
  readonly #task: () => Promise<number>;
  #cancel: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #closed = true;

  /** @param task resolves with the milliseconds until the next time; must not reject. */
  constructor(clock: Clock, task: () => Promise<number>) {
    this.#clock = clock;
    this.#task = task;
  }

  start(): void {
    this.#closed = false;
    this.now();
  }

  /** At once, or once more as soon as the time under way is over. */
  now(): void {
    if (this.#closed) return;
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    this.#cancel?.();
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const waitMs = await this.#task();
    this.#running = null;
    if (this.#closed) return;
    const again = this.#again;
    this.#again = false;
    this.#cancel = this.#clock.after(again ? 0 : waitMs, () => this.now());
  }

  /** Resolves when nothing of it is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#running;
  }
}
