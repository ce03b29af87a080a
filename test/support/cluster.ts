// Several instances as one service, with the Redis, PostgreSQL and bucket they share and simulated cameras.
// Starting, losing and restarting them, and the truth about who holds what; watching is in roaming-viewer.ts.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CameraSpec } from '../../simulator/control.ts';
import { type ForkedSimulator, forkSimulator } from '../../simulator/fork.ts';
import { overlapOf } from '../../simulator/session-log.ts';
import { inDatabase } from './backends.ts';
import { skipsWithout } from './components.ts';
import { eventually, type SavedStreamReply } from './parts.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { RoamingViewer, type RoamingViewerOptions } from './roaming-viewer.ts';
import { type S3Server, startS3 } from './s3-server.ts';
import { type Account, newAccount, type Service, startService } from './service.ts';
import { epochNow } from './viewer.ts';

/** For `describe.skipIf`: this machine cannot run several instances. */
export const withoutCluster = skipsWithout('redis') || skipsWithout('postgresql');

export interface ClusterOptions {
  /** Default 3. */
  readonly instances?: number;
  readonly cameras: readonly CameraSpec[];
  /** Settings of every instance. */
  readonly env?: NodeJS.ProcessEnv;
  /** With sign-in; without it everybody is admin. */
  readonly admin?: true;
}

/** One place of the service: the instance in it may end and another one take its place. */
interface Seat {
  readonly name: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  service: Service | null;
}

export interface Ownership {
  readonly streamId: string;
  /** Number of the instance. */
  readonly instance: number;
  readonly fence: number;
}

/** @throws Error with what the instances said when they do not become one service. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  // Where one does not start, what starts later goes with the test process.
  const [redis, postgres, s3, simulator] = await Promise.all([
    startRedis().then((server) => later(stack, server)),
    startPostgres().then((server) => later(stack, server)),
    startS3().then((server) => later(stack, server)),
    forkSimulator({ cameras: options.cameras }).then((cameras) => {
      stack.defer(() => cameras.kill());
      return cameras;
    }),
  ]);
  const databaseUrl = await postgres.createDatabase();
  const cluster = new Cluster({ redis, postgres, s3, simulator, databaseUrl }, options);
  stack.defer(() => cluster.closeInstances());
  // All at once: whoever comes first makes the tables.
  await Promise.all(Array.from({ length: options.instances ?? 3 }, () => cluster.add()));
  cluster.own(stack.move());
  return cluster;
}

/** `INSTANCE_NAME` within what an instance calls itself; '' for one that was not started here. */
export function nameOf(instance: string): string {
  return /^instance-\d+/.exec(instance)?.[0] ?? '';
}

function later<S extends { stop(): Promise<void> }>(stack: AsyncDisposableStack, server: S): S {
  stack.defer(() => server.stop());
  return server;
}

interface Shared {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
  readonly simulator: ForkedSimulator;
  readonly databaseUrl: string;
}

export class Cluster implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
  readonly simulator: ForkedSimulator;
  readonly databaseUrl: string;
  readonly admin: Account | null;
  readonly #env: NodeJS.ProcessEnv;
  readonly #seats: Seat[] = [];
  readonly #viewers = new Set<RoamingViewer>();
  #stack: AsyncDisposableStack | null = null;

  constructor(shared: Shared, options: ClusterOptions) {
    this.redis = shared.redis;
    this.postgres = shared.postgres;
    this.s3 = shared.s3;
    this.simulator = shared.simulator;
    this.databaseUrl = shared.databaseUrl;
    this.admin = options.admin ? newAccount('admin') : null;
    this.#env = {
      REDIS_URL: shared.redis.url,
      STORAGE_URL: shared.s3.url('cluster'),
      SECRET_KEY: 'the one secret of these instances',
      ...shared.s3.env,
      ...options.env,
    };
  }

  /** `stop` ends what is in it. */
  own(stack: AsyncDisposableStack): void {
    this.#stack = stack;
  }

  /** Starts one more. @returns its number. */
  async add(env: NodeJS.ProcessEnv = {}): Promise<number> {
    const index = this.#seats.length;
    const dataDir = mkdtempSync(join(tmpdir(), 'rtsp-stream-viewer-instance-'));
    this.#seats.push({ name: `instance-${index}`, dataDir, env, service: null });
    await this.start(index);
    return index;
  }

  /** @throws Error when it has ended. */
  instance(index: number): Service {
    const service = this.#seats[index]?.service;
    if (!service) throw new Error(`instance ${index} does not run`);
    return service;
  }

  /** Numbers of those that were not ended; a stopped one counts. */
  get running(): number[] {
    return [...this.#seats.keys()].filter((index) => this.#seats[index]!.service !== null);
  }

  async start(index: number): Promise<void> {
    const seat = this.#seats[index]!;
    seat.service = await startService({
      dataDir: seat.dataDir,
      env: {
        ...this.#env,
        // So that the database knows who writes (write-watch.ts).
        DATABASE_URL: `${this.databaseUrl}?application_name=${seat.name}`,
        INSTANCE_NAME: seat.name,
        ...seat.env,
      },
      ...(this.admin && { admin: this.admin }),
    });
  }

  /** SIGSTOP, SIGCONT and the like. */
  signal(index: number, signal: NodeJS.Signals): void {
    process.kill(this.instance(index).pid, signal);
  }

  /** As when the machine goes. Resolves when it is gone. */
  async kill(index: number): Promise<void> {
    const service = this.instance(index);
    this.#seats[index]!.service = null;
    process.kill(service.pid, 'SIGKILL');
    await service.stop();
  }

  /** As an operator ends it. @returns its exit code. */
  async leave(index: number): Promise<number | null> {
    const service = this.instance(index);
    const ended = service.stop();
    // New viewers go elsewhere from now on, as with a load balancer that asks /readyz.
    this.#seats[index]!.service = null;
    return ended;
  }

  async restart(index: number): Promise<void> {
    await this.leave(index);
    await this.start(index);
  }

  /** Any that runs: the last one, unless told otherwise. */
  get any(): Service {
    return this.instance(this.running.at(-1)!);
  }

  /** Saves the simulated camera at this path, without face detection unless `more` says so. */
  save(path: string, more: Record<string, unknown> = {}, by = this.any): Promise<SavedStreamReply> {
    return by.api<SavedStreamReply>('POST', '/api/streams/', {
      name: path.slice(1),
      rtsp_url: this.simulator.url(path),
      detection_enabled: false,
      ...more,
    });
  }

  async streams(by = this.any): Promise<SavedStreamReply[]> {
    return (await by.api<{ streams: SavedStreamReply[] }>('GET', '/api/streams/')).streams;
  }

  /** Waits until every instance says that so many cameras are online. */
  async allOnline(count: number, timeoutMs = 40_000): Promise<void> {
    for (const index of this.running)
      await eventually(
        `${count} cameras online for instance ${index}`,
        async () => (await this.streams(this.instance(index))).map(({ status }) => status),
        (all) => all.filter((status) => status === 'online').length === count,
        timeoutMs,
      );
  }

  /** Who holds which stream, by the database: it has the last word. */
  async ownerships(): Promise<Ownership[]> {
    const rows = await this.rows('select stream_id, instance, fence from stream_owners order by stream_id');
    return rows.map(({ stream_id, instance, fence }) => ({
      streamId: String(stream_id),
      instance: this.#seats.findIndex(({ name }) => name === nameOf(String(instance))),
      fence: Number(fence),
    }));
  }

  /** The number of the instance that holds it. @throws Error when none does. */
  async holderOf(streamId: string): Promise<number> {
    const found = (await this.ownerships()).find((row) => row.streamId === streamId);
    if (!found) throw new Error(`nobody holds ${streamId}`);
    return found.instance;
  }

  /** An instance that runs and does not hold it. */
  async strangerTo(streamId: string): Promise<number> {
    const holder = await this.holderOf(streamId);
    return this.running.find((index) => index !== holder)!;
  }

  /** How many cameras each place holds, as its instance says; null where none runs. */
  held(): Promise<(number | null)[]> {
    return Promise.all(
      this.#seats.map(
        async ({ service }) => service && (await service.metrics())('rtsp_viewer_cameras_held'),
      ),
    );
  }

  rows(sql: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return inDatabase(this.databaseUrl, async (client) => (await client.query(sql, [...values])).rows);
  }

  /**
   * Watches on the instance `first`; when that leaves or is lost, on another one, as behind a load balancer.
   * Closed with the cluster.
   */
  watch(streamId: string, first: number, options: RoamingViewerOptions = {}): RoamingViewer {
    let at = first;
    const next = () => {
      const running = this.running;
      at = running.find((index) => index >= at) ?? running[0] ?? first;
      const service = this.#seats[at]?.service;
      const url = service?.socketUrl(`/ws/stream/?stream_id=${streamId}&format=${options.format ?? 'jpeg'}`);
      const place = at;
      // Where it was refused or lost, the next time begins behind.
      at = place + 1;
      return url === undefined ? null : { url, place };
    };
    const viewer = new RoamingViewer(next, { ...options, headers: () => this.any.headers });
    this.#viewers.add(viewer);
    return viewer;
  }

  /** For how long a camera had more than one session at a stretch, ms, and how many at most. */
  async overlap(path: string): Promise<{ longest: number; most: number }> {
    return overlapOf(await this.simulator.camera(path).sessionSpans(), epochNow());
  }

  /** What the instances that run said last, for the message of a failed test. */
  story(): string {
    return this.#seats
      .map(({ name, service }) => `--- ${name}\n${service?.logs().slice(-2_000) ?? 'does not run'}`)
      .join('\n');
  }

  async stop(): Promise<void> {
    await this.#stack?.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Of `stop`: viewers first, then all instances. */
  async closeInstances(): Promise<void> {
    await Promise.all([...this.#viewers].map((viewer) => viewer.close()));
    await Promise.all(
      this.#seats.map(async (seat) => {
        // A stopped process does not hear that it is to end.
        if (seat.service?.exitCode === null) process.kill(seat.service.pid, 'SIGCONT');
        await seat.service?.stop();
        rmSync(seat.dataDir, { recursive: true, force: true });
      }),
    );
  }
}
