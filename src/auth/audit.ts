// The audit trail on its way to the database: a bounded queue, written in batches, pruned by age and number.
// What is worth an entry is decided where it happens.

import type { AuditAction, AuditEntry, AuditRecord } from '../base/accounts.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { type Log, redact } from '../base/log.ts';
import { Reporter } from '../base/reporter.ts';
import { ClockLeaps } from './clock-leaps.ts';
import type { AuditRow, AuditStore } from './ports.ts';

const maxQueued = 1_000;
const batchRows = 50;
/** Entries that come together are written together. */
const gatherMs = 100;
const retry = { firstMs: 1_000, maxMs: 30_000 };
const maxText = 500;

const keep = { ms: 90 * 24 * 60 * 60_000, rows: 200_000 };
/** Over the number these go before all others: with them an operator could push out what else was done. */
const leastWorth = ['alert_viewed', 'alerts_viewed', 'detection_created'] as const;
const pruneEveryMs = 60 * 60_000;
/** Also after so many new entries. */
const pruneEveryRows = 10_000;
const pruneAtOnce = 1_000;

export interface AuditLogOptions {
  readonly store: AuditStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AuditPage {
  readonly limit: number;
  readonly after?: string | undefined;
  readonly action?: AuditAction | undefined;
  readonly actor?: string | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #trouble: Reporter;
  readonly #lost: Reporter<string>;
  readonly #leaps: ClockLeaps;
  #queue: AuditRow[] = [];
  #writing: Promise<void> | null = null;
  #cancelWrite: (() => void) | null = null;
  #pruning: Promise<void> = Promise.resolve();
  #cancelPrune: (() => void) | null = null;
  #failures = 0;
  #sincePruned = 0;
  #closed = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#leaps = new ClockLeaps(clock);
    this.#trouble = new Reporter(clock, 60_000, (count, err) =>
      log.warn({ err, count }, 'the audit trail cannot be written at the moment'),
    );
    this.#lost = new Reporter<string>(clock, 60_000, (count, latest) =>
      log.error({ count, latest }, 'entries of the audit trail were lost: too many wait to be written'),
    );
  }

  /** Never throws and is not waited for. */
  record({ action, actor, subject, detail, origin }: AuditEntry): void {
    if (this.#closed || this.#queue.length >= maxQueued) {
      this.#lost.add(action);
      return;
    }
    this.#queue.push({
      at: this.#options.clock.wallTime(),
      action,
      actor: actor?.name ?? null,
      actorRole: actor?.role ?? null,
      subject: subject === null ? null : shortened(subject),
      detail: detail === undefined ? null : shortened(detail),
      address: shortened(origin.address),
    });
    this.#writeIn(gatherMs);
  }

  /** Newest first, with what still waits to be written. */
  async list(page: AuditPage): Promise<AuditRecord[]> {
    await this.#write();
    return this.#options.store.list(page);
  }

  /** Prunes now and from time to time. */
  start(): void {
    this.#prune();
  }

  /** Writes what waits, as far as that works at the first attempt. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPrune?.();
    await this.#write();
    this.#cancelWrite?.();
    // The database is closed next.
    await this.#pruning;
    if (this.#queue.length > 0)
      this.#options.log.error(
        { count: this.#queue.length },
        'entries of the audit trail were lost: they could not be written before the end',
      );
  }

  #writeIn(ms: number): void {
    this.#cancelWrite ??= this.#options.clock.after(ms, () => {
      this.#cancelWrite = null;
      void this.#write();
    });
  }

  /** Joins a write under way, then writes what came meanwhile. Never rejects. */
  async #write(): Promise<void> {
    await this.#writing;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
    });
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue.slice(0, batchRows);
        await this.#options.store.add(batch);
        this.#queue = this.#queue.slice(batch.length);
        this.#failures = 0;
        this.#sincePruned += batch.length;
      }
    } catch (error) {
      this.#trouble.add(error);
      this.#writeIn(backoffMs(this.#failures++, retry, Math.random));
    }
    if (this.#sincePruned >= pruneEveryRows) this.#prune();
  }

  #prune(): void {
    this.#sincePruned = 0;
    this.#cancelPrune?.();
    if (this.#closed) return;
    this.#cancelPrune = this.#options.clock.after(pruneEveryMs, () => this.#prune());
    this.#pruning = this.#removeOld();
  }

  async #removeOld(): Promise<void> {
    const { store, clock } = this.#options;
    try {
      // A few at a time, with a rest: live video goes first.
      while (!this.#closed) {
        const before = this.#leaps.believed() ? clock.wallTime() - keep.ms : 0;
        const limits = { before, most: keep.rows, first: leastWorth, limit: pruneAtOnce };
        if ((await store.prune(limits)) < pruneAtOnce) return;
        await new Promise<void>((resolve) => clock.after(10, resolve));
      }
    } catch (error) {
      this.#trouble.add(error);
    }
  }
}

/** Secrets that slipped through are masked here as in the log. */
function shortened(text: string): string {
  const clean = redact(text.slice(0, 4 * maxText));
  return clean.length > maxText ? `${clean.slice(0, maxText - 1)}…` : clean;
}
