// Jobs done strictly one after another; one that fails is tried again, with backoff, before the next has its turn.
// Knows nothing of what the jobs are, nor how many may wait: its owner bounds it.

import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';

const wait = { firstMs: 250, maxMs: 10_000 };

export interface RetryQueueOptions<Job> {
  readonly clock: Clock;
  readonly random: () => number;
  readonly perform: (job: Job) => Promise<void>;
  /** @returns whether to try again. `failures` of this job so far, ≥ 1. */
  readonly failed: (job: Job, error: unknown, failures: number) => boolean;
}

export class RetryQueue<Job extends object> {
  readonly #options: RetryQueueOptions<Job>;
  #waiting: Job[] = [];
  #current: Job | null = null;
  #failures = 0;
  #stopped = false;
  #wake: (() => void) | null = null;
  #idle: (() => void)[] = [];

  constructor(options: RetryQueueOptions<Job>) {
    this.#options = options;
  }

  /** Those not begun, oldest first. */
  get waiting(): readonly Job[] {
    return this.#waiting;
  }
  get size(): number {
    return this.#waiting.length + (this.#current === null ? 0 : 1);
  }
  /** The job whose turn it is has failed and will be tried again. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** Ignored once stopped. */
  push(job: Job): void {
    if (this.#stopped) return;
    this.#waiting.push(job);
    if (this.#current === null) void this.#run();
  }

  /** Takes back jobs that were not begun. */
  remove(which: (job: Job) => boolean): Job[] {
    const removed = this.#waiting.filter(which);
    if (removed.length > 0) this.#waiting = this.#waiting.filter((job) => !removed.includes(job));
    return removed;
  }

  /** Resolves with true when nothing waits any more, with false after `withinMs`. */
  idle(withinMs: number): Promise<boolean> {
    if (this.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(withinMs, () => resolve(false));
      this.#idle.push(() => {
        cancel();
        resolve(true);
      });
    });
  }

  /** Begins nothing any more. @returns the jobs that were not done; the one under way among them. */
  stop(): Job[] {
    const left = this.#current === null ? this.#waiting : [this.#current, ...this.#waiting];
    this.#stopped = true;
    this.#waiting = [];
    this.#wake?.();
    return left;
  }

  async #run(): Promise<void> {
    while ((this.#current = this.#waiting.shift() ?? null) !== null) {
      this.#failures = 0;
      while (!(await this.#attempt(this.#current))) await this.#pause();
    }
    this.#failures = 0;
    for (const tell of this.#idle.splice(0)) tell();
  }

  /** @returns whether the job is over. */
  async #attempt(job: Job): Promise<boolean> {
    if (this.#stopped) return true;
    try {
      await this.#options.perform(job);
      return true;
    } catch (error) {
      this.#failures += 1;
      return !this.#options.failed(job, error, this.#failures);
    }
  }

  #pause(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const ms = backoffMs(this.#failures - 1, wait, this.#options.random);
      const cancel = this.#options.clock.after(ms, () => this.#wake?.());
      this.#wake = () => {
        cancel();
        this.#wake = null;
        resolve();
      };
    });
  }
}
