// Who runs which ad-hoc stream (a camera that is not saved): one instance each, and a bounded number over all.
// Connects nothing; that viewers elsewhere follow the holder, and that it holds while anybody watches, is the caller's.

import type { Redis } from 'ioredis';
import type { Broadcast } from '../base/broadcast.ts';
import type { Clock } from '../base/clock.ts';
import { deriveKey, secretFor } from '../base/derived-key.ts';
import type { Log } from '../base/log.ts';
import { Reporter } from '../base/reporter.ts';
import { type CameraUrl, formatCameraUrl } from '../media/camera-url.ts';
import { type AdHocLease, HeldAdHoc, leaseMs } from './ad-hoc-lease.ts';
import { type Answer, acquireScript, releaseScript, renewScript } from './ad-hoc-scripts.ts';
import { BriefRedis } from './brief-redis.ts';
import type { Bus } from './ports.ts';

const renewEveryMs = 1_000;
const tellEveryMs = 60_000;
/** To the other instances: `{ id }`, which nobody holds any more. */
const freedTopic = 'ad-hoc.freed';

export interface AdHocLeasesOptions {
  /** Of Redis 6.2 or newer; not closed here. */
  readonly connection: Redis;
  /** Of the service's keys, without a colon at its end. */
  readonly prefix: string;
  readonly bus: Broadcast & Pick<Bus, 'instance' | 'onChange'>;
  readonly secretKey: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AdHocLimits {
  /** Ad-hoc streams of all instances together. */
  readonly all: number;
  /** Of one account. */
  readonly each: number;
}

export type Acquired =
  | { readonly kind: 'held'; readonly lease: AdHocLease }
  | { readonly kind: 'elsewhere'; readonly instance: string }
  | { readonly kind: 'too_many' };

export class AdHocLeases {
  readonly #options: AdHocLeasesOptions;
  readonly #redis: BriefRedis;
  readonly #key: Buffer;
  readonly #keys: readonly [leases: string, fence: string];
  readonly #held = new Map<string, HeldAdHoc>();
  readonly #onLost = new Map<string, Set<(instance: string) => void>>();
  readonly #onFree = new Map<string, Set<() => void>>();
  readonly #trouble: Reporter;
  readonly #leaveBus: readonly (() => void)[];
  #latestFence = 0;
  #cancelRenewal: (() => void) | null = null;
  #renewing = false;
  #closed = false;

  constructor(options: AdHocLeasesOptions) {
    this.#options = options;
    const { connection, prefix, bus, secretKey, clock, log } = options;
    this.#redis = new BriefRedis({ connection, clock, restMs: 0 });
    this.#key = deriveKey(secretKey, 'names of ad-hoc streams');
    this.#keys = [`${prefix}:ad-hoc`, `${prefix}:ad-hoc-fence`];
    this.#trouble = new Reporter(clock, tellEveryMs, (count, err) =>
      log.warn({ err, count }, 'streams that are not saved may be connected to twice: Redis is away'),
    );
    this.#leaveBus = [
      bus.subscribe(freedTopic, (message) => {
        const { id } = (message ?? {}) as { id?: unknown };
        if (typeof id === 'string') this.#tellFree(id);
      }),
      bus.onChange((up) => {
        if (up) void this.#renew();
      }),
    ];
  }

  /** The stream's name between instances: the same for the very address, secrets included, which it does not tell. */
  id(address: CameraUrl): string {
    return `adhoc-${secretFor(this.#key, formatCameraUrl(address, 'keep'))}`;
  }

  /**
   * The right to run the stream, for `account` (null: for nobody in particular), unless another instance has it. The
   * same lease again while it is held here. Without Redis it is held at once, not `fresh`, and the limits are those of
   * this instance alone.
   */
  async acquire(id: string, account: string | null, limits: AdHocLimits): Promise<Acquired> {
    const known = this.#held.get(id);
    if (known) return { kind: 'held', lease: known };
    const askedAt = this.#options.clock.now();
    const answer = await this.#ask<Answer>((connection, keys) =>
      connection.eval(
        acquireScript,
        keys.length,
        ...keys,
        this.#options.bus.instance,
        leaseMs,
        id,
        account ?? '',
        limits.all,
        limits.each,
      ),
    );
    // Somebody else here may have asked for it at the same time.
    const meanwhile = this.#held.get(id);
    if (meanwhile) return { kind: 'held', lease: meanwhile };
    if (answer === null) return this.#acquireAlone(id, account, limits);
    const [kind, more] = answer;
    if (kind === 'elsewhere') return { kind, instance: String(more) };
    if (kind === 'too_many') return { kind };
    return { kind: 'held', lease: this.#hold({ id, account, number: Number(more), renewedAt: askedAt }) };
  }

  /** Another instance holds a stream that was held here: it is to be disconnected. @returns ends it. */
  onLost(id: string, listener: (instance: string) => void): () => void {
    return listen(this.#onLost, id, listener);
  }

  /**
   * Nobody holds the stream any more that another instance held: it can be acquired. Told within 4 s when that instance
   * has died, at once when it has let go; perhaps more than once. @returns ends it.
   */
  onFree(id: string, listener: () => void): () => void {
    const leave = listen(this.#onFree, id, listener);
    this.#renewLater();
    return leave;
  }

  /** Lets all go. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRenewal?.();
    for (const leave of this.#leaveBus) leave();
    await Promise.all([...this.#held.values()].map((held) => held.release()));
  }

  #acquireAlone(id: string, account: string | null, limits: AdHocLimits): Acquired {
    const own = [...this.#held.values()].filter((held) => held.account === account);
    if (this.#held.size >= limits.all || (account !== null && own.length >= limits.each))
      return { kind: 'too_many' };
    const number = Math.max(this.#latestFence + 1, this.#options.clock.wallTime());
    const renewedAt = Number.NEGATIVE_INFINITY;
    return { kind: 'held', lease: this.#hold({ id, account, number, renewedAt }) };
  }

  #hold(lease: { id: string; account: string | null; number: number; renewedAt: number }): HeldAdHoc {
    const held = new HeldAdHoc(lease, this.#options.clock, (each) => this.#release(each));
    this.#latestFence = Math.max(this.#latestFence, lease.number);
    this.#held.set(lease.id, held);
    this.#renewLater();
    return held;
  }

  async #release(held: HeldAdHoc): Promise<void> {
    const { id } = held;
    if (this.#held.get(id) !== held) return;
    this.#held.delete(id);
    held.ended();
    await this.#ask((connection, keys) =>
      connection.eval(releaseScript, keys.length, ...keys, this.#options.bus.instance, id),
    );
    this.#options.bus.publish(freedTopic, { id });
  }

  #renewLater(): void {
    if (this.#closed || this.#renewing) return;
    this.#cancelRenewal ??= this.#options.clock.after(renewEveryMs, () => void this.#renew());
  }

  /** Renews what is held, and looks after what is wanted free; goes on as long as there is either. */
  async #renew(): Promise<void> {
    this.#cancelRenewal?.();
    this.#cancelRenewal = null;
    if (this.#renewing || this.#closed || (this.#held.size === 0 && this.#onFree.size === 0)) return;
    this.#renewing = true;
    try {
      await this.#renewAll();
    } finally {
      this.#renewing = false;
      if (this.#held.size > 0 || this.#onFree.size > 0) this.#renewLater();
    }
  }

  async #renewAll(): Promise<void> {
    const askedAt = this.#options.clock.now();
    const held = [...this.#held.values()];
    const wanted = [...this.#onFree.keys()].filter((id) => !this.#held.has(id));
    const leases = held.flatMap(({ id, account, fence }) => [id, account ?? '', fence.number]);
    const answers = await this.#ask<readonly Answer[]>((connection, keys) =>
      connection.eval(
        renewScript,
        keys.length,
        ...keys,
        this.#options.bus.instance,
        leaseMs,
        held.length,
        ...leases,
        ...wanted,
      ),
    );
    if (answers === null) return;
    for (const [index, each] of held.entries()) this.#settle(each, answers[index]!, askedAt);
    for (const [index, id] of wanted.entries())
      if (answers[held.length + index]![0] === 'free') this.#tellFree(id);
  }

  #settle(held: HeldAdHoc, [kind, more]: Answer, askedAt: number): void {
    if (this.#held.get(held.id) !== held) return;
    if (kind === 'held') {
      held.renewed(Number(more), askedAt);
      this.#latestFence = Math.max(this.#latestFence, Number(more));
      return;
    }
    this.#held.delete(held.id);
    held.ended();
    for (const listener of this.#onLost.get(held.id) ?? []) this.#call(() => listener(String(more)));
  }

  #tellFree(id: string): void {
    if (this.#held.has(id)) return;
    for (const listener of this.#onFree.get(id) ?? []) this.#call(listener);
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (err) {
      this.#options.log.error({ err }, 'the change of a stream that is not saved could not be followed');
    }
  }

  /** Null when Redis is away. */
  async #ask<T>(
    command: (connection: Redis, keys: readonly string[]) => Promise<unknown>,
  ): Promise<T | null> {
    try {
      return (await this.#redis.run((connection) => command(connection, this.#keys))) as T;
    } catch (error) {
      this.#trouble.add(error);
      return null;
    }
  }
}

function listen<T>(all: Map<string, Set<T>>, id: string, listener: T): () => void {
  const listeners = all.get(id) ?? new Set();
  all.set(id, listeners.add(listener));
  return () => {
    if (listeners.delete(listener) && listeners.size === 0 && all.get(id) === listeners) all.delete(id);
  };
}
