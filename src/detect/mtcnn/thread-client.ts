// The service's side of the detector's thread: takes frames, gives faces, and keeps a thread alive come what may.
// Never waits: a busy detector skips frames, a broken one is replaced, and who offers frames does not notice.

import { Worker } from 'node:worker_threads';
import { backoffMs } from '../../base/backoff.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { DetectorOptions } from './detector.ts';
import { checkFrame } from './frame.ts';
import { Load } from './load.ts';
import { Mailbox } from './mailbox.ts';
import {
  BUSY,
  COMMAND,
  type FromThread,
  STOP,
  type ThreadSettings,
  type ToThread,
  WORK,
} from './messages.ts';
import type { DetectorState, DetectorStats, DetectorThreadOptions, OfferedFrame } from './thread-api.ts';

export type * from './thread-api.ts';

const CLOSE_LIMIT = 2_000;

/** V8 would let it grow by over a hundred MB, though what is young here dies within a frame. */
const youngLimitMb = 24;
/** How long an exiting process waits for a thread to leave native code. */
const EXIT_LIMIT = 1_000;

/** Threads given up that have not ended yet. With more, no new one is started: something is wrong with the machine. */
const MOST_ABANDONED = 3;

interface Running {
  readonly worker: Worker;
  readonly control: Int32Array;
  ready: boolean;
  busy: boolean;
  /** What it is busy with, unless the frame's channel has been forgotten. */
  frame: OfferedFrame | undefined;
  cancelLimit: () => void;
}

export class DetectorThread {
  readonly #options: DetectorThreadOptions;
  readonly #detectorOptions: DetectorOptions;
  readonly #clock: Clock;
  readonly #load: Load;
  readonly #mailbox = new Mailbox<OfferedFrame>();
  #state: DetectorState = 'starting';
  #reason: string | undefined;
  #running: Running | undefined;
  #cancelRestart = () => {};
  /** Told to end, but still there. */
  readonly #abandoned = new Set<Running>();
  /** Restarts since a frame was last analysed: a thread that starts well and hangs again still backs off. */
  #attempts = 0;
  #restarts = 0;
  #sent = 0;
  #analysed = 0;
  #skipped = 0;
  #closed = false;
  #shared = new Uint8Array(new SharedArrayBuffer(0));

  /** Starts the thread; frames may be offered at once. */
  constructor(options: DetectorThreadOptions) {
    const { minFaceSize, thresholds, overlap, maxCandidates, modelsFolder } = options;
    const given = Object.entries({ minFaceSize, thresholds, overlap, maxCandidates, modelsFolder });
    this.#detectorOptions = Object.fromEntries(given.filter(([, value]) => value !== undefined));
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#load = new Load(this.#clock.now());
    process.on('exit', this.#atExit);
    this.#start();
  }

  get state(): DetectorState {
    return this.#state;
  }

  /** Why the state is not `ready`: a sentence that names the file or the fault. */
  get reason(): string | undefined {
    return this.#reason;
  }

  get stats(): DetectorStats {
    const now = this.#clock.now();
    return {
      analysed: this.#analysed,
      skipped: this.#skipped,
      waiting: this.#mailbox.size,
      restarts: this.#restarts,
      averageTime: this.#load.averageTime,
      utilisation: this.#load.utilisation(now),
      sustainableInterval: this.#load.sustainableInterval(now),
    };
  }

  /**
   * Gives a frame to the detector: analysed at once when it is idle, in the channel's turn when it is busy, skipped
   * when a newer one of the channel comes first. @throws RangeError when the bytes do not fit the size.
   */
  offer(frame: OfferedFrame): void {
    checkFrame(frame);
    if (this.#closed) return;
    this.#load.offered(frame.channel, this.#clock.now());
    if (this.#mailbox.offer(frame.channel, frame)) this.#skipped++;
    this.#sendNext();
  }

  /** The channel is gone: its waiting frame is dropped, and no result of it is given any more. */
  forget(channel: number): void {
    this.#load.forget(channel);
    if (this.#mailbox.forget(channel)) this.#skipped++;
    const running = this.#running;
    if (running?.frame?.channel === channel) {
      running.frame = undefined;
      this.#skipped++;
    }
  }

  /**
   * Ends the thread after the frame it works on; no result and no state is given any more.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRestart();
    const running = this.#running;
    this.#running = undefined;
    if (running) this.#abandon(running);
    const ends = [...this.#abandoned].map(
      ({ worker }) => new Promise((resolve) => worker.once('exit', resolve)),
    );
    let cancelLimit = () => {};
    const limit = new Promise<void>((resolve) => {
      cancelLimit = this.#clock.after(CLOSE_LIMIT, resolve);
    });
    await Promise.race([limit, Promise.all(ends)]);
    cancelLimit();
    // What hangs for good must not keep the process.
    for (const { worker } of this.#abandoned) worker.unref();
    process.off('exit', this.#atExit);
  }

  /** The process exits without `close()`: ended inside native code, a thread would abort it. So it is waited for. */
  readonly #atExit = (): void => {
    for (const running of [...this.#abandoned, ...(this.#running ? [this.#running] : [])]) {
      tellToStop(running);
      Atomics.wait(running.control, WORK, BUSY, EXIT_LIMIT);
    }
  };

  #become(state: DetectorState, reason?: string): void {
    if (state === this.#state && reason === this.#reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#options.onState?.(state, reason);
  }

  #start(): void {
    if (this.#abandoned.size >= MOST_ABANDONED) {
      this.#retryLater('restarting', `${this.#abandoned.size} threads of the face detector hang.`);
      return;
    }
    // A thread given up may still read its memory: the next one gets its own.
    this.#shared = new Uint8Array(new SharedArrayBuffer(0));
    const control = new Int32Array(new SharedArrayBuffer(8));
    Atomics.store(control, WORK, BUSY);
    const workerData: ThreadSettings = { options: this.#detectorOptions, control };
    // No environment: the thread needs none, and the service's holds secrets. Nor flags of whoever started the process.
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData,
      env: {},
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: youngLimitMb },
    });
    const running: Running = {
      worker,
      control,
      ready: false,
      busy: false,
      frame: undefined,
      cancelLimit: () => {},
    };
    this.#running = running;
    const startLimit = this.#options.startLimit ?? 30_000;
    this.#limit(running, startLimit, `The face detector was not ready within ${startLimit / 1000} s.`);
    worker.on('message', (message: FromThread) => this.#hear(running, message));
    worker.on('error', (error) => this.#replace(running, 'restarting', crashed(error)));
    worker.on('exit', () => {
      this.#abandoned.delete(running);
      this.#replace(running, 'restarting', 'The face detector’s thread ended.');
    });
  }

  #limit(running: Running, ms: number, reason: string): void {
    running.cancelLimit();
    running.cancelLimit = this.#clock.after(ms, () => this.#replace(running, 'restarting', reason));
  }

  #hear(running: Running, message: FromThread): void {
    if (running !== this.#running) return;
    if (message.type === 'failed') {
      this.#replace(running, running.ready ? 'restarting' : 'failed', message.reason);
      return;
    }
    running.cancelLimit();
    if (message.type === 'ready') {
      running.ready = true;
      this.#become('ready');
    } else {
      this.#answered(running, message);
    }
    this.#sendNext();
  }

  #answered(running: Running, { faces, time }: Extract<FromThread, { type: 'faces' }>): void {
    const { frame } = running;
    running.busy = false;
    this.#load.working(false, this.#clock.now());
    this.#load.took(time);
    this.#attempts = 0;
    running.frame = undefined;
    // Forgotten meanwhile.
    if (!frame) return;
    this.#analysed++;
    const { channel, timestamp, width, height } = frame;
    this.#options.onResult({ channel, timestamp, width, height, faces, detectionTime: time });
  }

  #sendNext(): void {
    const running = this.#running;
    if (!running?.ready || running.busy) return;
    const frame = this.#mailbox.take();
    if (!frame) return;
    running.frame = frame;
    running.busy = true;
    this.#load.working(true, this.#clock.now());
    const message: ToThread = {
      type: 'frame',
      id: this.#sent,
      rgb: this.#share(frame.rgb),
      width: frame.width,
      height: frame.height,
      pause: this.#options.pauseBefore?.(this.#sent) ?? 0,
    };
    this.#sent++;
    Atomics.store(running.control, WORK, BUSY);
    running.worker.postMessage(message);
    const limit = this.#options.answerLimit ?? 5_000;
    this.#limit(running, limit, `The face detector did not answer within ${limit / 1000} s.`);
  }

  /** Copies pixels to where the thread can read them without a second copy; one frame is in work at a time. */
  #share(rgb: Uint8Array): Uint8Array {
    if (this.#shared.length < rgb.length) this.#shared = new Uint8Array(new SharedArrayBuffer(rgb.length));
    const part = this.#shared.subarray(0, rgb.length);
    part.set(rgb);
    return part;
  }

  /** Gives the thread up and starts another one after a while. */
  #replace(running: Running, state: 'failed' | 'restarting', reason: string): void {
    if (running !== this.#running) return;
    this.#running = undefined;
    if (running.frame) this.#skipped++;
    this.#load.working(false, this.#clock.now());
    this.#abandon(running);
    this.#retryLater(state, reason);
  }

  #retryLater(state: 'failed' | 'restarting', reason: string): void {
    const { backoff = { firstMs: 500, maxMs: 30_000 }, random = Math.random } = this.#options;
    this.#cancelRestart = this.#clock.after(backoffMs(this.#attempts++, backoff, random), () => {
      this.#restarts++;
      this.#start();
    });
    this.#become(state, reason);
  }

  /**
   * Asks the thread to end when it next can. Never `terminate()`: it aborts the whole process when the thread is in
   * native code at that moment, and cannot stop native code that hangs.
   */
  #abandon(running: Running): void {
    running.cancelLimit();
    this.#abandoned.add(running);
    tellToStop(running);
    running.worker.postMessage({ type: 'stop' } satisfies ToThread);
  }
}

function tellToStop({ control }: Running): void {
  Atomics.store(control, COMMAND, STOP);
  Atomics.notify(control, COMMAND);
}

function crashed(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `The face detector crashed: ${message}`;
}
