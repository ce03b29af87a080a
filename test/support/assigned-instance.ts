// One instance's share of the assignment without its cameras: connections are only noted, with when they began and ended.
// Used in the test's own process and, as assigned-process.ts, in one that can be killed or stopped.

import { redisAddress } from '../../src/base/backend-urls.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { Assignment } from '../../src/cluster/assignment.ts';
import { openBus, type RedisBus } from '../../src/cluster/bus.ts';
import type { Lease, OwnershipStore } from '../../src/cluster/ports.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { OwnershipRepository } from '../../src/db/ownership.ts';
import { FencedOff } from '../../src/errors.ts';

export interface CameraEvent {
  /** `told` in its name while the right was fresh, or `confirmed` when the database was asked for it; `fenced` instead. */
  readonly what: 'hold' | 'release' | 'released' | 'told' | 'confirmed' | 'fenced';
  readonly instance: string;
  readonly streamId: string;
  readonly fence: number;
  readonly reason?: string;
  /** Milliseconds since 1970: the processes of a test share one clock. */
  readonly at: number;
}

export interface InstanceSpec {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly name: string;
  readonly capacity?: number;
  /** How long a camera takes to let go of. */
  readonly releaseMs?: number;
  /** Says something in each camera's name so often while it may. */
  readonly tellEveryMs?: number;
  /** Does not ask when it may not: what is told shows how long rights stay fresh by themselves. */
  readonly neverAsks?: boolean;
}

export class AssignedInstance {
  readonly name: string;
  readonly wanted = new Set<string>();
  readonly assignment: Assignment;
  readonly leases = new Map<string, Lease>();
  readonly viewers = new Map<string, number>();
  readonly #bus: RedisBus;
  readonly #database: Database;
  readonly #timer: NodeJS.Timeout | undefined;

  static async start(
    spec: InstanceSpec,
    wanted: Iterable<string>,
    onEvent: (event: CameraEvent) => void,
    wrap: (store: OwnershipStore) => OwnershipStore = (store) => store,
  ): Promise<AssignedInstance> {
    const database = await openDatabase(spec.databaseUrl);
    const address = redisAddress(spec.redisUrl);
    const instance = `${spec.name}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
    const bus = await openBus(address, { instance, clock: systemClock, log: silentLog });
    const ownership = wrap(new OwnershipRepository(database.db));
    const assigned = new AssignedInstance(spec, bus, database, ownership, onEvent);
    for (const id of wanted) assigned.wanted.add(id);
    await assigned.assignment.start();
    return assigned;
  }

  private constructor(
    spec: InstanceSpec,
    bus: RedisBus,
    database: Database,
    ownership: OwnershipStore,
    onEvent: (event: CameraEvent) => void,
  ) {
    this.name = spec.name;
    this.#bus = bus;
    this.#database = database;
    const note = (what: CameraEvent['what'], { fence }: Lease, reason?: string) =>
      onEvent({
        what,
        instance: spec.name,
        streamId: fence.streamId,
        fence: fence.number,
        at: Date.now(),
        ...(reason !== undefined && { reason }),
      });
    this.assignment = new Assignment({
      redis: redisAddress(spec.redisUrl),
      bus,
      name: spec.name,
      capacity: spec.capacity ?? 100,
      version: '1.2.3',
      ownership,
      runner: {
        hold: (streamId, lease) => {
          if (this.leases.has(streamId)) throw new Error(`${streamId} is held already`);
          this.leases.set(streamId, lease);
          note('hold', lease);
        },
        release: async (streamId, reason) => {
          const lease = this.leases.get(streamId);
          if (lease === undefined) throw new Error(`${streamId} is not held`);
          note('release', lease, reason);
          await new Promise((resolve) => setTimeout(resolve, spec.releaseMs ?? 5));
          this.leases.delete(streamId);
          note('released', lease, reason);
        },
        viewers: (streamId) => this.viewers.get(streamId) ?? 0,
      },
      wanted: () => this.wanted,
      clock: systemClock,
      log: silentLog,
    });
    if (spec.tellEveryMs !== undefined)
      this.#timer = setInterval(() => {
        for (const lease of this.leases.values()) void this.#tell(lease, spec.neverAsks ?? false, note);
      }, spec.tellEveryMs);
  }

  async #tell(
    lease: Lease,
    neverAsks: boolean,
    note: (what: 'told' | 'confirmed' | 'fenced', lease: Lease) => void,
  ): Promise<void> {
    try {
      if (lease.fresh) return note('told', lease);
      if (neverAsks) return;
      await lease.confirm();
      note('confirmed', lease);
    } catch (error) {
      // With the database away nothing is told, either.
      if (error instanceof FencedOff) note('fenced', lease);
    }
  }

  get held(): string[] {
    return [...this.leases.keys()];
  }

  want(streamId: string, wanted: boolean): void {
    if (wanted) this.wanted.add(streamId);
    else this.wanted.delete(streamId);
    this.assignment.changed(streamId);
  }

  /** As SIGTERM does. */
  async leave(): Promise<void> {
    await this.assignment.leave();
    await this.close();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.assignment.close();
    this.#bus.close();
    await this.#database.close();
  }
}
