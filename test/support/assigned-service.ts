// Several instances that share cameras, for tests: streams in a real database, and a record of who held which when.
// What is expected of the record is up to the tests.

import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnershipStore } from '../../src/cluster/ports.ts';
import { openDatabase } from '../../src/db/database.ts';
import { AssignedInstance, type CameraEvent, type InstanceSpec } from './assigned-instance.ts';
import { AssignedProcess } from './assigned-process.ts';

/** One connection to a camera. `to` is null while it lasts. */
export interface Holding {
  readonly instance: string;
  readonly streamId: string;
  readonly from: number;
  readonly to: number | null;
}

type Options = Partial<Omit<InstanceSpec, 'name' | 'redisUrl' | 'databaseUrl'>> & {
  readonly wrap?: (store: OwnershipStore) => OwnershipStore;
};

export class AssignedService {
  readonly streams: readonly string[];
  readonly events: CameraEvent[] = [];
  readonly instances: AssignedInstance[] = [];
  readonly #redisUrl: string;
  readonly #databaseUrl: string;
  readonly #processes: AssignedProcess[] = [];

  /** @param databaseUrl of an empty database. */
  static async create(redisUrl: string, databaseUrl: string, cameras: number): Promise<AssignedService> {
    const { db, close } = await openDatabase(databaseUrl);
    const streams = Array.from({ length: cameras }, (_, index) => `stream-${String(index).padStart(2, '0')}`);
    await db
      .insertInto('streams')
      .values(
        streams.map((id) => ({
          id,
          name: id,
          description: '',
          rtsp_url: 'rtsp://camera.example/',
          rtsp_password: null,
          detection_url: null,
          detection_password: null,
          detection_enabled: 0,
          confidence_threshold: 0.5,
          wanted: 'running' as const,
          last_connected: null,
          created_at: 0,
        })),
      )
      .execute();
    await close();
    return new AssignedService(redisUrl, databaseUrl, streams);
  }

  private constructor(redisUrl: string, databaseUrl: string, streams: readonly string[]) {
    this.#redisUrl = redisUrl;
    this.#databaseUrl = databaseUrl;
    this.streams = streams;
  }

  /** An instance in this process. */
  async start(name: string, { wrap, ...options }: Options = {}): Promise<AssignedInstance> {
    const spec = { name, redisUrl: this.#redisUrl, databaseUrl: this.#databaseUrl, ...options };
    const instance = await AssignedInstance.start(
      spec,
      this.streams,
      (event) => this.events.push(event),
      wrap,
    );
    this.instances.push(instance);
    return instance;
  }

  /** An instance in a process of its own, which can be killed and stopped. */
  async startProcess(name: string, options: Omit<Options, 'wrap'> = {}): Promise<AssignedProcess> {
    const spec = { name, redisUrl: this.#redisUrl, databaseUrl: this.#databaseUrl, ...options };
    const process = await AssignedProcess.start(spec, this.streams, (event) => this.events.push(event));
    this.#processes.push(process);
    return process;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()));
    await Promise.all(this.instances.map((instance) => instance.close()));
  }

  /** All connections there were and are, in the order in which they began. */
  get holdings(): Holding[] {
    const holdings: { -readonly [K in keyof Holding]: Holding[K] }[] = [];
    for (const { what, instance, streamId, at } of this.events) {
      if (what === 'hold') holdings.push({ instance, streamId, from: at, to: null });
      if (what !== 'released') continue;
      const open = holdings.find(
        (one) => one.instance === instance && one.streamId === streamId && one.to === null,
      );
      if (open !== undefined) open.to = at;
    }
    return holdings;
  }

  /** How many cameras each instance is connected to. */
  get counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { instance, to } of this.holdings)
      if (to === null) counts[instance] = (counts[instance] ?? 0) + 1;
    return counts;
  }

  /**
   * Pairs of connections to one camera of which the second began before the first had ended.
   * @param lost instances that were killed or stopped at a time: what they held ends then.
   */
  overlaps(lost: Readonly<Record<string, number>> = {}): string[] {
    const overlaps: string[] = [];
    const last = new Map<string, Holding>();
    for (const holding of this.holdings) {
      const before = last.get(holding.streamId);
      last.set(holding.streamId, holding);
      if (before === undefined) continue;
      const end = Math.min(
        before.to ?? Number.POSITIVE_INFINITY,
        lost[before.instance] ?? Number.POSITIVE_INFINITY,
      );
      if (holding.from < end)
        overlaps.push(
          `${holding.streamId}: ${before.instance} until ${end}, ${holding.instance} from ${holding.from}`,
        );
    }
    return overlaps;
  }
}

/** Waits until it holds. @throws Error with what there is instead. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  state: () => unknown = () => '',
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${JSON.stringify(state())}`);
    await sleep(10);
  }
}
