// Which cameras run here: joins the queue, the table of owners, the bus and the runner, and does everything in its time.
// What each step means is in the modules of its parts; connecting a camera is the runner's.

import type { RedisAddress } from '../base/backend-urls.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { Reporter } from '../base/reporter.ts';
import { CameraQueue } from './camera-queue.ts';
import { within } from './elapsed.ts';
import { HandingOver } from './handing-over.ts';
import { HeldCameras } from './held-cameras.ts';
import { answerLetGo, askToLetGo } from './letting-go.ts';
import { MoveToken } from './move-token.ts';
import { type Owner, Owners } from './owners.ts';
import { OwnershipCheck } from './ownership-check.ts';
import { Peers } from './peers.ts';
import type { Bus, CameraRunner, InstanceView, OwnershipStore } from './ports.ts';
import { PresenceBoard } from './presence.ts';
import { RedisConnection } from './redis.ts';
import { Renewal } from './renewal.ts';
import { Repeated } from './repeated.ts';
import { Taking } from './taking.ts';

export interface AssignmentOptions {
  readonly redis: RedisAddress;
  readonly bus: Bus;
  /** INSTANCE_NAME */
  readonly name: string;
  /** Cameras that this instance can run at most. */
  readonly capacity: number;
  /** Of the package. */
  readonly version: string;
  readonly ownership: OwnershipStore;
  readonly runner: CameraRunner;
  /** Streams that are to run, as this instance knows. */
  readonly wanted: () => Iterable<string>;
  /** Reads one that is not among them: another instance may just have created or started it. */
  readonly learn?: (streamId: string) => Promise<void>;
  /** Where a camera runs has changed: null when it runs nowhere, as far as is known. */
  readonly onOwner?: (streamId: string, owner: Owner | null) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AssignmentFigures {
  /** Cameras of this instance. */
  readonly held: number;
  readonly capacity: number;
  /** Sum over time of the held cameras, in seconds; only grows. */
  readonly cameraSeconds: number;
  /** Cameras that no instance has taken. */
  readonly waiting: number;
  readonly instances: readonly InstanceView[];
}

/** A lock lapses so long after it was last renewed: then the camera is somebody else's to take. */
const lockMs = 2500;
/** Lapsed locks are looked for so often, by all instances together. */
const sweepMs = 500;
/** What the database says of an owner counts for so long. */
const confirmedMs = 1000;
const turnEveryMs = 200;
const repeatEveryMs = 2000;
const settledMs = 1000;
const patienceMs = 1000;

export class Assignment {
  readonly #options: AssignmentOptions;
  readonly #redis: RedisConnection;
  readonly #queue: CameraQueue;
  readonly #check: OwnershipCheck;
  readonly #owners: Owners;
  readonly #cameras: HeldCameras;
  readonly #peers: Peers;
  readonly #handingOver: HandingOver;
  readonly #taking: Taking;
  readonly #trouble: Reporter;
  readonly #renewal: Renewal;
  readonly #repeating: Repeated;
  #wanted: { readonly ids: ReadonlySet<string>; readonly at: number } | null = null;
  #cameraSeconds = 0;
  #counted = 0;
  #countedAt: number;
  #leaving: Promise<void> | null = null;

  constructor(options: AssignmentOptions) {
    this.#options = options;
    const { redis, bus, ownership, clock, log, runner } = options;
    const { instance } = bus;
    this.#countedAt = clock.now();
    this.#trouble = new Reporter(clock, 30_000, (count, error) =>
      log.warn({ err: error, count }, 'the assignment of cameras meets trouble'),
    );
    const onTrouble = (error: unknown) => this.#trouble.add(error);
    this.#redis = new RedisConnection({
      address: redis,
      name: `${instance}:assignment`,
      clock,
      onReady: () => {
        this.#taking.reconnected();
        this.#renewal.now();
      },
      onLost: () => this.#renewal.now(),
      onTrouble,
    });
    const { client } = this.#redis;
    const { prefix } = redis;
    this.#queue = new CameraQueue({
      redis: client,
      prefix,
      instance,
      lockMs,
      sweepMs,
      // Each command that fails says the same to whoever sent it.
      onError: () => undefined,
    });
    this.#check = new OwnershipCheck(ownership, instance, clock, (held, askedAt) => {
      this.#cameras.judge(held, askedAt);
    });
    this.#owners = new Owners(bus, {
      onOwner: (streamId, owner) => options.onOwner?.(streamId, owner),
      onClaim: (streamId, fence) => void this.#cameras.claimedElsewhere(streamId, fence),
    });
    this.#peers = new Peers({
      board: new PresenceBoard(client, prefix),
      clock,
      self: () => ({
        instance,
        name: options.name,
        version: options.version,
        capacity: options.capacity,
        held: this.#cameras.count,
        leaving: this.#leaving !== null,
        accepts: this.#taking.accepts,
      }),
      aliveMs: lockMs,
      settledMs,
      onLive: (live) => {
        this.#taking.answered();
        if (!this.#taking.isResting) this.#owners.onlyLive(live);
      },
    });
    this.#cameras = new HeldCameras({
      instance,
      queue: this.#queue,
      ownership,
      check: this.#check,
      owners: this.#owners,
      runner,
      clock,
      log,
      lockMs,
      confirmedMs,
      isWanted: (streamId) => this.#wantedIds.has(streamId),
      learn: options.learn ?? (async () => {}),
      isLeaving: () => this.#leaving !== null,
      untilFree: (former, streamId, fence) =>
        askToLetGo({ bus, peers: this.#peers, clock }, former.instance, streamId, fence),
      onCount: () => this.#countChanged(),
      onQueued: (streamId) => this.#taking.add(streamId),
      onTrouble,
    });
    this.#taking = new Taking({
      bus,
      queue: this.#queue,
      cameras: this.#cameras,
      peers: this.#peers,
      clock,
      capacity: options.capacity,
      everyMs: turnEveryMs,
      isReady: () => this.#redis.ready,
      isLeaving: () => this.#leaving !== null,
      wanted: () => this.#wantedIds,
      even: () => this.#handingOver.even(),
      onTrouble,
    });
    this.#handingOver = new HandingOver({
      cameras: this.#cameras,
      peers: this.#peers,
      owners: this.#owners,
      token: new MoveToken(client, prefix, instance),
      clock,
      viewers: (streamId) => runner.viewers(streamId),
      isReady: () => this.#redis.ready,
      total: () => this.#wantedIds.size,
      onTrouble,
    });
    this.#renewal = new Renewal({
      cameras: this.#cameras,
      peers: this.#peers,
      check: this.#check,
      clock,
      lockMs,
      isReady: () => this.#redis.ready,
      onTrouble,
    });
    this.#repeating = new Repeated(clock, async () => {
      this.#owners.repeat();
      this.#owners.prune((streamId) => this.#wantedIds.has(streamId));
      return repeatEveryMs;
    });
    answerLetGo(bus, this.#cameras);
  }

  /** Takes part from now on. Resolves at once also while Redis is away: it begins when Redis is there. */
  async start(): Promise<void> {
    this.#renewal.start();
    this.#repeating.start();
    this.#taking.start();
    this.#owners.introduce();
  }

  /** The stream was created, started, stopped or deleted, by anybody; `wanted` says so already. */
  changed(streamId: string): void {
    this.#wanted = null;
    if (this.#wantedIds.has(streamId)) this.#taking.add(streamId);
    else if (this.#cameras.has(streamId)) void this.#cameras.end(streamId, 'stopped');
    else this.#taking.remove(streamId);
  }

  /** Where the camera runs, as far as is known; also before `onOwner` has told so. */
  owner(streamId: string): Owner | null {
    return this.#owners.get(streamId);
  }

  /**
   * Takes nothing any more and gives its cameras to the others, a few at a time; resolves when they have them or 20 s are
   * over. Without others that have room, it only lets go of them.
   */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    try {
      // After this call has returned: from then on this instance says of itself that it leaves.
      await Promise.resolve();
      await within(this.#options.clock, patienceMs, this.#peers.look(), 'Redis');
    } catch (error) {
      this.#trouble.add(error);
    }
    await this.#handingOver.leave();
    // From now on it must not tell that it lives.
    await Promise.all([this.#renewal.close(), this.#taking.close()]);
    try {
      await within(this.#options.clock, patienceMs, this.#peers.goodbye(), 'Redis');
    } catch (error) {
      this.#trouble.add(error);
    }
  }

  /** Ends at once: what is still held is taken over by others when its locks lapse. The runner is told nothing. */
  async close(): Promise<void> {
    await Promise.all([this.#renewal.close(), this.#repeating.close(), this.#taking.close()]);
    this.#owners.close();
    await this.#queue.close();
    this.#redis.close();
  }

  get figures(): AssignmentFigures {
    this.#countSeconds();
    return {
      held: this.#cameras.count,
      capacity: this.#options.capacity,
      cameraSeconds: this.#cameraSeconds,
      waiting: this.#taking.waiting,
      instances: this.#peers.all.map(({ accepts: _, ...view }) => view),
    };
  }

  /** Rejects when Redis does not answer. */
  async check(): Promise<void> {
    await within(this.#options.clock, patienceMs, this.#redis.client.ping(), 'Redis');
  }

  get #wantedIds(): ReadonlySet<string> {
    const now = this.#options.clock.now();
    // The app calls `changed` after each change; the second is for one that it missed.
    if (this.#wanted === null || now - this.#wanted.at > 1000)
      this.#wanted = { ids: new Set(this.#options.wanted()), at: now };
    return this.#wanted.ids;
  }

  #countChanged(): void {
    this.#countSeconds();
    this.#taking.tellSoon();
  }

  #countSeconds(): void {
    const now = this.#options.clock.now();
    this.#cameraSeconds += ((now - this.#countedAt) / 1000) * this.#counted;
    this.#countedAt = now;
    this.#counted = this.#cameras.count;
  }
}
