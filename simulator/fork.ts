// Simulated cameras in a process of their own, with the same control as those of this process.
// For benchmarks and tests in which the camera must not share the event loop with what is measured.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SentFrame } from './camera.ts';
import type { CallName, CameraControl, FromSimulator, SimulatorSpec, ToSimulator } from './control.ts';

export interface ForkedCamera extends CameraControl {
  readonly url: string;
  /** From now on `listener` hears of every unit sent; a second call replaces the first. */
  watchFrames(listener: (frame: SentFrame) => void): Promise<void>;
}

// Without Omit being distributed over the union, its members would lose what sets them apart.
type Request = ToSimulator extends infer M ? (M extends ToSimulator ? Omit<M, 'id'> : never) : never;

/** Starts a process and waits until its cameras serve. @throws Error with the child's reason. */
export async function forkSimulator(spec: SimulatorSpec): Promise<ForkedSimulator> {
  const entry = fileURLToPath(new URL('./main.ts', import.meta.url));
  // Not the parent's flags: a test runner's loader has no business here.
  const child = fork(entry, ['--forked'], { serialization: 'advanced', execArgv: [] });
  const simulator = new ForkedSimulator(child, spec);
  try {
    await simulator.start();
    return simulator;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

export class ForkedSimulator implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #spec: SimulatorSpec;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (e: Error) => void }>();
  readonly #watchers = new Map<string, (frame: SentFrame) => void>();
  readonly #urls = new Map<string, string>();
  #nextId = 1;
  #port = 0;

  constructor(child: ChildProcess, spec: SimulatorSpec) {
    this.#child = child;
    this.#spec = spec;
    child.on('message', (message: FromSimulator) => this.#hear(message));
    child.on('error', (error) => this.#failAll(error));
    child.on('exit', () => this.#failAll(new Error('The simulator’s process has ended.')));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get port(): number {
    return this.#port;
  }

  /** Called once by `forkSimulator`. */
  async start(): Promise<void> {
    const { port, urls } = (await this.#ask({ type: 'start', spec: this.#spec })) as {
      port: number;
      urls: string[];
    };
    this.#port = port;
    for (const [i, { path }] of this.#spec.cameras.entries()) this.#urls.set(path, urls[i]!);
  }

  /** The camera's address, with user and password if it has them. */
  url(path: string): string {
    const url = this.#urls.get(path);
    if (url === undefined) throw new Error(`The simulator has no camera at ${path}.`);
    return url;
  }

  camera(path: string): ForkedCamera {
    const call =
      <N extends CallName>(name: N) =>
      (...args: Parameters<CameraControl[N]>) =>
        this.#ask({ type: 'call', path, name, args }) as ReturnType<CameraControl[N]>;
    return {
      url: this.url(path),
      die: call('die'),
      comeBack: call('comeBack'),
      stall: call('stall'),
      resume: call('resume'),
      goSilent: call('goSilent'),
      refuse: call('refuse'),
      behave: call('behave'),
      dropSessions: call('dropSessions'),
      bye: call('bye'),
      renewNonce: call('renewNonce'),
      switchClip: call('switchClip'),
      stats: call('stats'),
      sessionSpans: call('sessionSpans'),
      sentTimes: call('sentTimes'),
      watchFrames: async (listener) => {
        this.#watchers.set(path, listener);
        await this.#ask({ type: 'watch', path });
      },
    };
  }

  /** Ends the process with a signal, as a power cut does; resolves when it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#gone()) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exit;
  }

  async close(): Promise<void> {
    if (this.#gone()) return;
    const exit = once(this.#child, 'exit');
    // The answer may be overtaken by the end of the process: either means that it is closed.
    await Promise.allSettled([this.#ask({ type: 'close' }), exit]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #gone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #ask(request: Request): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ ...request, id } as ToSimulator, (error) => {
        if (error) this.#settle(id)?.reject(error);
      });
    });
  }

  #settle(id: number) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #hear(message: FromSimulator): void {
    if (message.type === 'frame') this.#watchers.get(message.path)?.(message.frame);
    else if (message.type === 'reply') this.#settle(message.id)?.resolve(message.result);
    else this.#settle(message.id)?.reject(new Error(message.message));
  }

  #failAll(error: Error): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(error);
  }
}
