// The queue of cameras: a BullMQ queue used by hand, in which each camera that is to run is one long-lived job.
// Jobs and their locks, nothing of who should have them or of what runs.

import { createRedisBackend, Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';

/** A job locked by this instance. The token is new each time the job is locked anew: so a lock says who has it, and since when. */
export interface LockedJob {
  /** The stream's id. */
  readonly id: string;
  readonly token: string;
}

export interface QueueState {
  /** New each time Redis began empty; null when nobody has put one there yet. */
  readonly epoch: string | null;
  /** Jobs that nobody has. */
  readonly waiting: number;
}

export interface CameraQueueOptions {
  /** Without offline queue: a command either goes out or rejects at once. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly instance: string;
  /** How long a job stays locked without `extend`. */
  readonly lockMs: number;
  /** At most so often are lapsed locks looked for, by all instances together. */
  readonly sweepMs: number;
  /** BullMQ's own word on the connection; the commands reject as well. */
  readonly onError: (error: Error) => void;
}

/**
 * Locks jobs by name, which BullMQ cannot: those whose lock nobody has, in `wait` or (lapsed, not yet swept) in `active`.
 * What it leaves behind is what BullMQ's own moveToActive does: the id in `active` and not in `wait`, the lock set.
 * KEYS: wait, active, stalled. ARGV: prefix of the jobs' keys, lock in ms, then ids and tokens in turn.
 */
const lockScript = `
local results = {}
for i = 3, #ARGV, 2 do
  local id, token = ARGV[i], ARGV[i + 1]
  local job = ARGV[1] .. id
  local holder = redis.call('GET', job .. ':lock')
  if redis.call('EXISTS', job) == 0 then results[#results + 1] = 'absent'
  elseif holder and holder ~= token then results[#results + 1] = 'taken'
  else
    redis.call('LREM', KEYS[1], 0, id)
    if not redis.call('LPOS', KEYS[2], id) then redis.call('LPUSH', KEYS[2], id) end
    redis.call('SET', job .. ':lock', token, 'PX', ARGV[2])
    redis.call('SREM', KEYS[3], id)
    results[#results + 1] = 'locked'
  end
end
return results`;

/** ARGV: prefix of the jobs' keys, then ids. Returns those without a job. */
const absentScript = `
local absent = {}
for i = 2, #ARGV do
  if redis.call('EXISTS', ARGV[1] .. ARGV[i]) == 0 then absent[#absent + 1] = ARGV[i] end
end
return absent`;

/** One script call looks at this many jobs at most: Redis does nothing else meanwhile. */
const batch = 1000;

export class CameraQueue {
  readonly #redis: Redis;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #instance: string;
  readonly #lockMs: number;
  readonly #epochKey: string;
  #tokens = 0;

  constructor({ redis, prefix, instance, lockMs, sweepMs, onError }: CameraQueueOptions) {
    this.#redis = redis;
    this.#instance = instance;
    this.#lockMs = lockMs;
    this.#epochKey = `${prefix}:epoch`;
    // One connection for all. BullMQ would wait for the first answer of Redis without end, so it must not wait.
    const options = { connection: redis, prefix, skipVersionCheck: true, skipWaitingForReady: true };
    this.#queue = new Queue('cameras', { ...options, skipMetasUpdate: true });
    this.#worker = new Worker(
      'cameras',
      null,
      {
        ...options,
        autorun: false,
        lockDuration: lockMs,
        stalledInterval: sweepMs,
        // A camera is never given up, however often its instances were lost.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        removeOnComplete: { count: 0 },
      },
      // Without the connection for blocking reads that a worker has otherwise: we never wait within Redis.
      (name, workerOptions) => createRedisBackend(name, workerOptions, {}),
    );
    this.#queue.on('error', onError);
    this.#worker.on('error', onError);
  }

  async look(): Promise<QueueState> {
    const [epoch, waiting] = await Promise.all([
      this.#redis.get(this.#epochKey),
      this.#redis.llen(this.#queue.toKey('wait')),
    ]);
    return { epoch, waiting };
  }

  /** @returns the epoch from now on: `candidate`, or what another instance has put there first. */
  async beginEpoch(candidate: string): Promise<string> {
    await this.#redis.set(this.#epochKey, candidate, 'NX');
    return (await this.#redis.get(this.#epochKey)) ?? candidate;
  }

  /** Adds the jobs that are missing; those that exist stay as they are, whoever has them. @returns how many were added. */
  async add(ids: readonly string[]): Promise<number> {
    let added = 0;
    for (let from = 0; from < ids.length; from += batch) {
      const absent = await this.#absent(ids.slice(from, from + batch));
      // An id that exists by now is no error and changes nothing (addStandardJob: "duplicated").
      if (absent.length > 0)
        await this.#queue.addBulk(
          absent.map((id) => ({
            name: 'camera',
            data: {},
            opts: { jobId: id, removeOnComplete: true, removeOnFail: true },
          })),
        );
      added += absent.length;
    }
    return added;
  }

  async #absent(ids: readonly string[]): Promise<string[]> {
    return (await this.#redis.eval(absentScript, 0, this.#queue.toKey(''), ...ids)) as string[];
  }

  /** Removes a job that nobody has locked; others stay. */
  async remove(id: string): Promise<void> {
    await this.#queue.remove(id);
  }

  /** @returns the job that waits longest (or was put back last), now locked; null when none waits. */
  async take(): Promise<LockedJob | null> {
    const token = this.#newToken();
    const job = await this.#worker.getNextJob(token, { block: false });
    return job?.id === undefined ? null : { id: job.id, token };
  }

  /**
   * Locks jobs that nobody has, by name. @returns for each `locked` with the job, `absent` (there is none) or `taken`
   * (somebody has it), in the order of `ids`.
   */
  async lock(ids: readonly string[]): Promise<(LockedJob | 'absent' | 'taken')[]> {
    const results: (LockedJob | 'absent' | 'taken')[] = [];
    for (let from = 0; from < ids.length; from += batch) {
      const jobs = ids.slice(from, from + batch).map((id) => ({ id, token: this.#newToken() }));
      const keys = ['wait', 'active', 'stalled'].map((type) => this.#queue.toKey(type));
      const args = jobs.flatMap(({ id, token }) => [id, token]);
      const words = (await this.#redis.eval(
        lockScript,
        3,
        ...keys,
        this.#queue.toKey(''),
        this.#lockMs,
        ...args,
      )) as ('locked' | 'absent' | 'taken')[];
      results.push(...words.map((word, index) => (word === 'locked' ? jobs[index]! : word)));
    }
    return results;
  }

  /**
   * Locks the jobs for another `lockMs`, counted from the moment Redis does it.
   *
   * @returns ids of those whose lock is not ours any more: lapsed, taken by somebody else, or gone with the job.
   */
  async extend(jobs: readonly LockedJob[]): Promise<string[]> {
    const lost: string[] = [];
    for (let from = 0; from < jobs.length; from += batch) {
      const some = jobs.slice(from, from + batch);
      const [ids, tokens] = [some.map((job) => job.id), some.map((job) => job.token)];
      // extendLocks compares only the lock with the token: it succeeds if and only if nobody had the job since.
      lost.push(...(await this.#worker.extendJobLocks(ids, tokens, this.#lockMs)));
    }
    return lost;
  }

  /** Gives the job back: it is the next to be taken. @returns false when the lock is not ours any more; the job stays. */
  putBack(job: LockedJob): Promise<boolean> {
    // moveJobFromActiveToWait compares the token, deletes the lock and pushes the id where it is taken first. Nobody is
    // woken by that, since nobody waits within Redis: whoever puts back tells the others.
    return ifOurs(this.#worker.getBackend().moveJobFromActiveToWait(job.id, job.token));
  }

  /** Ends the job: it is gone. @returns false when the lock is not ours any more; the job stays. */
  async complete({ id, token }: LockedJob): Promise<boolean> {
    const job = await Job.fromId(this.#queue, id);
    if (job === undefined) return false;
    return ifOurs(job.moveToCompleted(null, token, false));
  }

  /**
   * Puts jobs back whose lock has lapsed. BullMQ's own timer for this pauses for 5 s after each error, so it is called by
   * hand; a key in Redis keeps all instances together from doing it more often than every `sweepMs`. A job must have been
   * seen without renewal by one sweep and without lock by a later one.
   *
   * @returns how many were put back.
   */
  async sweep(): Promise<number> {
    return (await this.#worker.getBackend().moveStalledJobsToWait()).length;
  }

  /** Ends BullMQ's part; the connection stays. */
  async close(): Promise<void> {
    await Promise.all([this.#worker.close(true), this.#queue.close()]);
  }

  #newToken(): string {
    return `${this.#instance}:${++this.#tokens}`;
  }
}

/** Codes of BullMQ's scripts for a job that is gone (-1), a lock that is missing (-2), not in `active` (-3), not ours (-6). */
const notOurs: readonly unknown[] = [-1, -2, -3, -6];

async function ifOurs(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && notOurs.includes(error.code)) return false;
    throw error;
  }
}
