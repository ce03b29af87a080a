// The codec workers: which process works on which video, and what happens when one dies, hangs or is not needed.
// Decoding is in worker/, one process in child.ts, one video's flow control in pool-channel.ts.

import { availableParallelism } from 'node:os';
import { backoffMs } from '../base/backoff.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { VideoCodec } from '../media/access-unit.ts';
import type { AudioParameters } from '../media/audio.ts';
import { AudioChannel, type AudioChannelHandlers } from './audio-channel.ts';
import { WorkerChild } from './child.ts';
import { workerMemoryLimit } from './limits.ts';
import type { ChannelOptions, FromWorker, Wants } from './messages.ts';
import { type ChannelHandlers, type CodecChannel, PoolChannel } from './pool-channel.ts';
import type { CodecPoolOptions, CodecPoolStats } from './pool-options.ts';
import { judge, suspects, suspicionTime } from './suspicion.ts';
import { apportion, nothingUsed, sumOfUsage, type Usage } from './usage.ts';
import { looks, type WatchedWorker, whyUnfit } from './watch.ts';
import type { WorkerChannel } from './worker-channel.ts';

export type { AudioChannel, AudioChannelHandlers } from './audio-channel.ts';
export type { ChannelHandlers, ChannelStats, CodecChannel } from './pool-channel.ts';
export type { CodecPoolOptions, CodecPoolStats } from './pool-options.ts';

interface Worker extends WatchedWorker {
  readonly channels: Set<WorkerChannel>;
  idleSince: number;
  usage: Usage;
}

const startBackoff = { firstMs: 200, maxMs: 10_000 };

/** Processes start with the first `open` or `warm`, never before. `close` ends them all. */
export class CodecPool {
  readonly #maxWorkers: number;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #lookEvery: number;
  readonly #idleTimeout: number;
  readonly #memoryLimit: number;
  readonly #modelsFolder: string | undefined;
  readonly #workers = new Set<Worker>();
  readonly #channels = new Map<number, WorkerChannel>();
  /** Every process not yet gone, so that `close` can wait for all. */
  readonly #alive = new Set<Promise<void>>();
  #spare: Worker | null = null;
  #nextChannel = 1;
  #deaths = 0;
  /** In a row, of processes that never got ready. */
  #failedStarts = 0;
  #cancelRetry: (() => void) | null = null;
  #cancelLook: (() => void) | null = null;
  #closed = false;

  constructor(options: CodecPoolOptions) {
    this.#maxWorkers = Math.max(1, options.maxWorkers ?? availableParallelism());
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#lookEvery = (options.hangTimeout ?? 5000) / looks;
    this.#idleTimeout = options.idleTimeout ?? 30_000;
    this.#memoryLimit = options.memoryLimit ?? workerMemoryLimit();
    this.#modelsFolder = options.modelsFolder;
  }

  /** Has a process ready, so that the first viewer does not wait for one to start. */
  warm(): void {
    this.#keepSpare();
  }

  /** Starts decoding a video. Nothing is decoded until a keyframe is sent. */
  open(codec: VideoCodec, options: ChannelOptions, wants: Wants, handlers: ChannelHandlers): CodecChannel {
    return this.#add((id, onClose) => new PoolChannel(id, codec, options, wants, handlers, onClose));
  }

  /** Starts making AAC of a camera's sound. */
  openAudio(audio: AudioParameters, handlers: AudioChannelHandlers): AudioChannel {
    return this.#add((id, onClose) => new AudioChannel(id, audio, handlers, onClose));
  }

  /** Ends every process; the channels give nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#cancelLook?.();
    for (const channel of [...this.#channels.values()]) channel.close();
    for (const worker of this.#workers) worker.child.kill();
    this.#workers.clear();
    this.#spare?.child.kill();
    this.#spare = null;
    await Promise.all(this.#alive);
  }

  get workers(): { pid: number; channels: number }[] {
    return [...this.#workers].map(({ child, channels }) => ({ pid: child.pid, channels: channels.size }));
  }

  /** Whether any process has come up and can work; false before the first one, and while none starts. */
  get ready(): boolean {
    return [...this.#workers, this.#spare].some((worker) => worker?.child.ready === true);
  }

  get stats(): CodecPoolStats {
    return {
      workers: this.#workers.size,
      channels: this.#channels.size,
      spare: this.#spare?.child.ready ? this.#spare.child.pid : null,
      deaths: this.#deaths,
      quarantined: [...this.#channels.values()].filter((channel) => channel.cancelReturn).length,
      usage: sumOfUsage([...this.#workers, ...(this.#spare ? [this.#spare] : [])]),
    };
  }

  #add<T extends WorkerChannel>(make: (id: number, onClose: (channel: WorkerChannel) => void) => T): T {
    if (this.#closed) throw new Error('The codec pool is closed');
    const channel = make(this.#nextChannel++, (closed) => this.#forget(closed));
    this.#channels.set(channel.id, channel);
    this.#place(channel, 0);
    return channel;
  }

  #place(channel: WorkerChannel, carefulFor: number): void {
    const worker = this.#chooseWorker();
    if (worker) this.#attach(channel, worker, carefulFor);
  }

  #attach(channel: WorkerChannel, worker: Worker, carefulFor: number): void {
    worker.channels.add(channel);
    channel.attach(worker.child, carefulFor);
  }

  /** One without work, else a further one while there may be more, else the one with the fewest channels. */
  #chooseWorker(): Worker | null {
    let least: Worker | null = null;
    for (const worker of this.#workers) {
      if (!least || worker.channels.size < least.channels.size) least = worker;
    }
    if (least && (least.channels.size === 0 || this.#workers.size >= this.#maxWorkers)) return least;
    return this.#promote() ?? least;
  }

  /** The spare, or a new process, as a serving worker; null while starting fails. */
  #promote(): Worker | null {
    const worker = this.#spare ?? (this.#cancelRetry ? null : this.#start());
    if (!worker) return null;
    this.#spare = null;
    worker.idleSince = this.#clock.now();
    this.#workers.add(worker);
    if (worker.child.ready) this.#keepSpare();
    return worker;
  }

  #start(): Worker {
    const child = new WorkerChild(
      {
        onMessage: (message) => this.#receive(worker, message),
        onDeath: (reason) => this.#replace(worker, reason),
      },
      this.#clock,
      this.#modelsFolder,
    );
    const worker: Worker = {
      child,
      channels: new Set(),
      idleSince: this.#clock.now(),
      looksBeforeReady: 0,
      usage: nothingUsed,
    };
    this.#alive.add(child.ended);
    void child.ended.then(() => this.#alive.delete(child.ended));
    this.#cancelLook ??= this.#clock.after(this.#lookEvery, () => this.#look());
    return worker;
  }

  #keepSpare(): void {
    if (!this.#closed && !this.#spare && !this.#cancelRetry) this.#spare = this.#start();
  }

  #receive(worker: Worker, message: FromWorker): void {
    if (message.type === 'usage') {
      worker.usage = { cpu: message.cpu, memory: message.memory };
      apportion(worker.usage, worker.channels);
      return;
    }
    if (message.type !== 'ready') {
      const channel = this.#channels.get(message.channel);
      if (channel?.worker === worker.child) channel.receive(message);
      return;
    }
    this.#failedStarts = 0;
    // Only now, so that the first picture does not wait for two processes that start at once.
    if (worker !== this.#spare) this.#keepSpare();
  }

  #forget(channel: WorkerChannel): void {
    this.#channels.delete(channel.id);
    for (const worker of this.#workers) {
      if (worker.channels.delete(channel) && worker.channels.size === 0) worker.idleSince = this.#clock.now();
    }
  }

  /** Notices what hangs, what takes too much memory and what is idle. Runs while there is anything to look at. */
  #look(): void {
    this.#cancelLook = null;
    const now = this.#clock.now();
    for (const worker of [...this.#workers]) {
      const unfit = whyUnfit(worker, this.#memoryLimit);
      if (unfit) {
        worker.child.kill();
        this.#replace(worker, unfit);
      } else if (worker.channels.size === 0 && now - worker.idleSince >= this.#idleTimeout) {
        this.#workers.delete(worker);
        worker.child.kill();
      }
    }
    const spare = this.#spare;
    const unfitSpare = spare && whyUnfit(spare, this.#memoryLimit);
    if (spare && unfitSpare) {
      spare.child.kill();
      this.#replace(spare, unfitSpare);
    }
    if (this.#workers.size > 0 || (this.#spare && !this.#spare.child.ready)) {
      this.#cancelLook ??= this.#clock.after(this.#lookEvery, () => this.#look());
    }
  }

  /** A worker is gone: the spare takes over its channels at once. */
  #replace(worker: Worker, reason: string): void {
    if (this.#closed) return;
    this.#deaths += 1;
    const wasSpare = worker === this.#spare;
    if (wasSpare) this.#spare = null;
    this.#workers.delete(worker);
    const { pid, ready } = worker.child;
    this.#log.warn({ pid, reason, channels: worker.channels.size }, 'a codec worker died and is replaced');
    if (!ready) this.#retryLater();
    const channels = [...worker.channels];
    const culprits = ready ? suspects(channels, looks) : [];
    for (const channel of channels) {
      channel.detach();
      channel.stats.restarts += 1;
    }
    const kept = channels.filter((channel) => !(culprits.includes(channel) && this.#keepOut(channel)));
    if (wasSpare) this.#keepSpare();
    else this.#resume(kept);
  }

  /** Opens the channels in one further worker, then tells their owners, who feed them from a keyframe. */
  #resume(channels: readonly WorkerChannel[]): void {
    if (channels.length === 0) {
      this.#keepSpare();
      return;
    }
    const worker = this.#promote();
    if (!worker) return;
    for (const channel of channels) this.#attach(channel, worker, suspicionTime);
    for (const channel of channels) if (!channel.closed) channel.handlers.onReset();
  }

  /** A process that dies before it is ready will do so again: not in a tight loop. */
  #retryLater(): void {
    const wait = backoffMs(this.#failedStarts++, startBackoff, Math.random);
    this.#cancelRetry ??= this.#clock.after(wait, () => {
      this.#cancelRetry = null;
      const waiting = [...this.#channels.values()].filter(
        (channel) => !channel.worker && !channel.cancelReturn,
      );
      if (waiting.length > 0) this.#resume(waiting);
      else if (this.#workers.size > 0) this.#keepSpare();
    });
    for (const channel of this.#channels.values()) {
      if (!channel.worker?.ready) channel.handlers.onTrouble('The decoder process does not start.');
    }
  }

  /** @returns whether it is kept out of the workers for a while. */
  #keepOut(channel: WorkerChannel): boolean {
    const wait = judge(channel, this.#clock.now());
    if (wait === null) return false;
    channel.cancelReturn = this.#clock.after(wait, () => {
      channel.cancelReturn = null;
      this.#place(channel, suspicionTime);
      if (channel.worker) channel.handlers.onReset();
    });
    const seconds = Math.round(wait / 1000);
    channel.handlers.onTrouble(`This video crashes the decoder; it is tried again in ${seconds} s.`);
    return true;
  }
}
