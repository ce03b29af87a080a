// A real Redis for tests: a process of its own with its folder, on a free loopback port, gone with the test process.
// Starting, stopping, losing and restarting it; what is kept in it is up to the tests.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

export interface RedisServer {
  /** As in `redis://127.0.0.1:6379`; another database or prefix is added by the test. */
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** Resolves when it has ended, or at once for a signal that does not end it (SIGSTOP, SIGCONT). */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** On the same port; ends it first if it still runs. It keeps what it held (also after SIGKILL) unless `empty`. */
  restart(how?: { readonly empty?: boolean }): Promise<void>;
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>;
}

const startingMs = 20_000;

/** `redis-server` in `PATH` or in the usual places. */
export function findRedis(): string | undefined {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    '/usr/bin',
    '/usr/local/bin',
  ];
  return folders.map((folder) => join(folder, 'redis-server')).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** Ends Redis and removes its folder when this process is gone, however it went: then its standard input ends. */
function startGuard(pid: number, folder: string): ChildProcess {
  const guard = spawn('sh', ['-c', 'read -r _; kill -9 "$1"; rm -rf "$2"', 'guard', String(pid), folder], {
    // Ctrl+C in the terminal is for the tests, which then end it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  return guard;
}

class RunningRedis implements RedisServer {
  readonly port: number;
  readonly #program: string;
  #folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-redis-'));
  #process: ChildProcess | undefined;
  #guard: ChildProcess | undefined;

  constructor(program: string, port: number) {
    this.#program = program;
    this.port = port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  async start(): Promise<void> {
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.#folder,
      // Each write reaches the file (not the disk) before it is answered: what it held outlives SIGKILL.
      appendonly: 'yes',
      appendfsync: 'no',
      save: '',
      'repl-diskless-sync': 'no',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(this.#program, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = child;
    await listening(child);
    this.#guard = startGuard(child.pid!, this.#folder);
    child.unref();
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || hasEnded(child)) return;
    const ends = !['SIGSTOP', 'SIGCONT'].includes(signal);
    if (ends) this.#guard?.kill('SIGKILL');
    const ended = once(child, 'exit');
    child.kill(signal);
    if (!ends) return;
    child.ref();
    await ended;
  }

  async restart({ empty = false }: { readonly empty?: boolean } = {}): Promise<void> {
    await this.kill('SIGKILL');
    if (empty) {
      rmSync(this.#folder, { recursive: true, force: true });
      this.#folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-redis-'));
    }
    await this.start();
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Resolves when it accepts connections; its further words are thrown away. */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const words: string[] = [];
    const fail = (reason: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`redis-server: ${reason}\n${words.join('\n')}`));
    };
    const timer = setTimeout(() => fail('does not start'), startingMs);
    child.once('error', (error) => fail(error.message));
    child.once('exit', () => fail('has ended'));
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => {
      if (words.length < 50) words.push(line);
      if (!/ready to accept connections/i.test(line)) return;
      clearTimeout(timer);
      child.removeAllListeners('exit').removeAllListeners('error');
      // Killing it fails when it is gone already, which is no news.
      child.on('error', () => undefined);
      (child.stdout as unknown as { unref(): void }).unref();
      resolve();
    });
  });
}

/** @throws Error when there is none on this machine. */
export async function startRedis(): Promise<RedisServer> {
  const program = findRedis();
  if (program === undefined) throw new Error('Redis is not installed');
  const server = new RunningRedis(program, await freePort());
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
