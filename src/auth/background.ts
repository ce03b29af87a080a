// Writes that nobody waits for: when something was last used. One at a time for each thing; failures are told, rarely.
// What is written is the caller's.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { Reporter } from '../base/reporter.ts';

const tellEveryMs = 60_000;

export class BackgroundWrites {
  readonly #running = new Map<string, Promise<void>>();
  readonly #reporter: Reporter;

  constructor(clock: Clock, log: Log) {
    this.#reporter = new Reporter(clock, tellEveryMs, (count, err) =>
      log.warn({ err, count }, 'when sign-ins and tokens were last used cannot be stored at the moment'),
    );
  }

  /** Left out while one with the same key is under way. */
  run(key: string, write: () => Promise<void>): void {
    if (this.#running.has(key)) return;
    const done = write()
      .catch((error) => this.#reporter.add(error))
      .finally(() => this.#running.delete(key));
    this.#running.set(key, done);
  }

  /** Resolves when none is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }
}
