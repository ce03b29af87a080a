// What the pool knows of anything a worker works on for the service: where it is, what is in flight, what it has done wrong.
// What is sent and what comes back is pool-channel.ts's (video) and audio-channel.ts's (sound).

import type { WorkerChild } from './child.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { nothingUsed, type Usage } from './usage.ts';

export interface WorkerChannelHandlers {
  /** A sentence for people; at most about one a second. */
  onTrouble(message: string): void;
  /** The worker died or was replaced and the channel is empty. */
  onReset(): void;
}

export interface WorkerChannelStats {
  /** Times the channel had to begin anew because its worker died. */
  restarts: number;
  /** Its part of what the worker costs, as of the worker's last report; see usage.ts. */
  usage: Usage;
}

/** Of what belongs to a channel. */
export type ChannelMessage = Extract<FromWorker, { channel: number }>;

export abstract class WorkerChannel {
  readonly id: number;
  abstract readonly stats: WorkerChannelStats;
  abstract readonly handlers: WorkerChannelHandlers;
  /** ms that the worker spent on it since the worker's last report. */
  worked = 0;
  /** A unit was announced and is not done. */
  begun = false;
  /** Looks at the hang watch without anything done in between. */
  looksWithoutProgress = 0;
  /** When it killed a worker, clock ms; only what is recent. */
  strikes: number[] = [];
  /** Times in a row that it was kept out of the workers. */
  quarantines = 0;
  /** Ends what waits for this channel to come back. */
  cancelReturn: (() => void) | null = null;
  #worker: WorkerChild | null = null;
  /** Sizes of the units in flight, oldest first. */
  #sizes: number[] = [];
  #bytes = 0;
  #closed = false;
  readonly #onClose: (channel: WorkerChannel) => void;

  constructor(id: number, onClose: (channel: WorkerChannel) => void) {
    this.id = id;
    this.#onClose = onClose;
  }

  get worker(): WorkerChild | null {
    return this.#worker;
  }

  /** Units. */
  get inFlight(): number {
    return this.#sizes.length;
  }

  get bytesInFlight(): number {
    return this.#bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.cancelReturn?.();
    this.#worker?.post({ type: 'close', channel: this.id });
    this.#onClose(this);
    this.detach();
  }

  /** Begins, empty, in `worker`. */
  attach(worker: WorkerChild, carefulFor: number): void {
    this.#worker = worker;
    worker.post(this.opening(carefulFor));
  }

  /** Has no worker any more; what was in flight is lost. */
  detach(): void {
    this.#worker = null;
    this.#sizes = [];
    this.#bytes = 0;
    this.begun = false;
    this.looksWithoutProgress = 0;
    this.worked = 0;
    this.stats.usage = nothingUsed;
  }

  abstract receive(message: ChannelMessage): void;

  /** What opens it in a worker. */
  protected abstract opening(carefulFor: number): ToWorker;

  /** Only while there is a worker. @param size bytes of the unit that the message carries. */
  protected post(message: ToWorker, size: number): void {
    this.#sizes.push(size);
    this.#bytes += size;
    this.#worker!.post(message);
  }

  /** The oldest unit in flight is done. @param worked ms spent on it. */
  protected done(worked: number): void {
    this.worked += worked;
    this.begun = false;
    this.looksWithoutProgress = 0;
    this.#bytes -= this.#sizes.shift() ?? 0;
  }
}
