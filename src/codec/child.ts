// One codec worker as the service sees it: the child process, its messages, its end.
// Knows nothing of what the messages mean; who works where is decided in pool.ts.

import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../base/clock.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const entry = fileURLToPath(new URL('./worker/main.ts', import.meta.url));
const packageFolder = fileURLToPath(new URL('../../', import.meta.url));
/** What a process needs to start at all; nothing that could be a secret. */
const neededVariables = ['LD_LIBRARY_PATH', 'SystemRoot', 'TEMP'];
/** Pictures and units live outside the heap; what is inside is small. MiB. */
const heapLimit = 256;
/** Of each half of the young generation, which V8 would otherwise let grow by over a hundred MiB in some hours. MiB. */
const youngLimit = 8;
/** Kept of what the process says before it dies, characters. */
const lastWordsLength = 2000;
/** How long after the exit unread messages may still come, ms. */
const drainTime = 100;

/**
 * Node's permission model: the worker's JavaScript may load the native libraries and start the detector's thread, and
 * read the code and the models; it may not write files, start processes, open an inspector, or (from Node 25 on) use the
 * network. No wall against native code; see docs/design/codec-processes.md.
 */
function permissions(modelsFolder: string | undefined): string[] {
  const dependencies = createRequire(import.meta.url).resolve('node-av');
  const folders = new Set([
    join(packageFolder, 'src'),
    join(packageFolder, 'models'),
    // As it is named, which may be a link to the folder that is resolved below.
    join(packageFolder, 'node_modules'),
    // Beside this package's own folder when it was installed as a dependency.
    dependencies.slice(0, dependencies.indexOf(`${sep}node_modules${sep}`) + 1 + 'node_modules'.length),
    ...(modelsFolder === undefined ? [] : [modelsFolder]),
  ]);
  return [
    '--permission',
    '--allow-addons',
    '--allow-worker',
    ...[...folders].map((folder) => `--allow-fs-read=${join(folder, '*')}`),
    `--allow-fs-read=${join(packageFolder, 'package.json')}`,
    // That addons and threads are allowed is said above, and would stand in the last words of each worker.
    '--disable-warning=SecurityWarning',
  ];
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  // Few arenas: several decoding threads would otherwise each keep glibc memory of their own.
  const environment: NodeJS.ProcessEnv = { MALLOC_ARENA_MAX: '2' };
  for (const name of neededVariables) {
    if (process.env[name] !== undefined) environment[name] = process.env[name];
  }
  return environment;
}

export interface ChildEvents {
  onMessage(message: FromWorker): void;
  /** Once, after the last message; not after `kill`. */
  onDeath(reason: string): void;
}

export class WorkerChild {
  readonly #process: ChildProcess;
  /** The process is gone; never rejects. */
  readonly ended: Promise<void>;
  #dead = false;
  #lastWords = '';
  ready = false;

  /** @param modelsFolder of the face detector, when not that of the package. */
  constructor(events: ChildEvents, clock: Clock, modelsFolder?: string) {
    const child = fork(entry, [], {
      serialization: 'advanced',
      execPath: process.execPath,
      execArgv: [
        `--max-old-space-size=${heapLimit}`,
        `--max-semi-space-size=${youngLimit}`,
        ...permissions(modelsFolder),
      ],
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process = child;
    let failure = '';
    const die = () => {
      if (this.#dead) return;
      this.#dead = true;
      const { exitCode, signalCode } = child;
      const how = failure || signalCode || (exitCode === null ? 'connection lost' : `exit code ${exitCode}`);
      child.kill('SIGKILL');
      events.onDeath(this.#lastWords ? `${how}: ${this.#lastWords.trim()}` : how);
    };
    child.on('message', (message) => {
      if (this.#dead) return;
      const fromWorker = message as FromWorker;
      if (fromWorker.type === 'ready') this.ready = true;
      events.onMessage(fromWorker);
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-lastWordsLength);
    });
    // The end of the channel comes after everything that was said in it; the exit may overtake messages.
    child.on('disconnect', die);
    this.ended = new Promise((resolve) => {
      child.on('exit', () => {
        clock.after(drainTime, die);
        resolve();
      });
      child.on('error', (error) => {
        failure = error.message;
        // Without a pid it was never started, and there will be no exit.
        if (child.pid === undefined) {
          process.nextTick(die);
          resolve();
        }
      });
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  post(message: ToWorker): void {
    if (this.#dead || !this.#process.connected) return;
    // A failure to write is the end of the process, which is reported on its own.
    this.#process.send(message, () => undefined);
  }

  /** Ends it at once. A worker holds nothing worth an orderly end, and a hung one could not make one. */
  kill(): void {
    this.#dead = true;
    this.#process.kill('SIGKILL');
  }
}
