// A real PostgreSQL for tests: a cluster of its own in a temporary folder, on a free loopback port, gone with the test process.
// Finding, starting, restarting and ending it; what is in the databases is up to the tests.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.ts';

export interface PostgresServer {
  readonly port: number;
  /** Of a database that nothing is in yet, as the role that owns it (no superuser). */
  createDatabase(): Promise<string>;
  /** Superuser's access to it: for looking at locks, plans and sizes, and for cutting connections. */
  asAdmin(url: string): string;
  /** Shuts it down as an operator does (connections are cut) and starts it on the same port, with what it held. */
  restart(): Promise<void>;
  /** Shuts it down; `start` brings it back. */
  shutDown(): Promise<void>;
  start(): Promise<void>;
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>;
}

const startingMs = 30_000;
/** As which program versions install it beside each other. */
const debianFolder = '/usr/lib/postgresql';

/** Folder of the programs `initdb` and `postgres`: Debian's, the newest first, then PATH. */
export function findPostgres(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return [...debianVersions(), ...folders].find((folder) => isExecutable(join(folder, 'initdb')));
}

function debianVersions(): string[] {
  try {
    const versions = readdirSync(debianFolder).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(debianFolder, version, 'bin'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
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

/** PostgreSQL refuses to run as root: undefined when we are not, else some user that can do nothing else. */
function otherUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const number = (flag: string) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: number('-u'), gid: number('-g') };
    } catch (error) {
      if (!(error instanceof Error && 'status' in error)) throw error;
    }
  }
  throw new Error('neither the user "postgres" nor "nobody" exists, and PostgreSQL refuses to run as root');
}

/**
 * Runs `postgres` until its standard input ends, which it also does when the test process is killed; SIGQUIT ends it at
 * once, whatever goes on. The folder is removed by whoever ends last.
 */
const keeper = `
  "$1/postgres" -D "$2" & server=$!
  read -r order
  case "$order" in
    down) kill -INT $server; wait $server ;;
    *) kill -QUIT $server; wait $server; cd /; rm -rf "$3" ;;
  esac
`;

class RunningPostgres implements PostgresServer {
  readonly port: number;
  readonly #programs: string;
  readonly #folder: string;
  readonly #password: string;
  readonly #user = otherUser();
  #process: ChildProcess | undefined;
  #databases = 0;

  constructor(programs: string, port: number) {
    this.port = port;
    this.#programs = programs;
    this.#password = randomBytes(9).toString('base64url');
    this.#folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-postgres-'));
    try {
      this.#initialize();
    } catch (error) {
      rmSync(this.#folder, { recursive: true, force: true });
      throw error;
    }
  }

  #initialize(): void {
    if (this.#user) chownSync(this.#folder, this.#user.uid, this.#user.gid);
    const passwordFile = join(this.#folder, '.password');
    writeFileSync(passwordFile, this.#password);
    if (this.#user) chownSync(passwordFile, this.#user.uid, this.#user.gid);
    const data = join(this.#folder, 'data');
    // A language's order of letters, as in most installations: what relies on the order of bytes must say so.
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US'];
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    execFileSync(join(this.#programs, 'initdb'), ['-D', data, '--no-sync', ...locale, ...access], {
      ...this.#user,
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    rmSync(passwordFile);
    const settings = {
      port: this.port,
      listen_addresses: "'127.0.0.1'",
      unix_socket_directories: "''",
      fsync: 'off',
      full_page_writes: 'off',
      synchronous_commit: 'off',
      shared_buffers: '64MB',
      max_connections: 200,
      log_min_messages: 'fatal',
      autovacuum_naptime: '10min',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
    writeFileSync(join(data, 'postgresql.auto.conf'), lines.join(''));
  }

  async start(): Promise<void> {
    const data = join(this.#folder, 'data');
    this.#process = spawn('sh', ['-c', keeper, 'keeper', this.#programs, data, this.#folder], {
      ...this.#user,
      cwd: this.#folder,
      // Ctrl+C in the terminal is for the tests, which then end it.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#process.unref();
    const deadline = Date.now() + startingMs;
    for (;;) {
      try {
        await this.#asAdmin((client) => client.query('select 1'));
        return;
      } catch (error) {
        if (Date.now() > deadline || this.#process.exitCode !== null)
          throw new Error('PostgreSQL does not start', { cause: error });
        await sleep(30);
      }
    }
  }

  async createDatabase(): Promise<string> {
    const name = `test_${process.pid}_${++this.#databases}`;
    await this.#asAdmin(async (client) => {
      await client.query(`create role ${name} login password '${this.#password}'`);
      await client.query(`create database ${name} owner ${name}`);
    });
    return this.#url(name, name);
  }

  asAdmin(url: string): string {
    return this.#url('postgres', new URL(url).pathname.slice(1));
  }

  #url(role: string, database: string): string {
    return `postgres://${role}:${this.#password}@127.0.0.1:${this.port}/${database}`;
  }

  async #asAdmin(task: (client: pg.Client) => Promise<unknown>): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url('postgres', 'postgres') });
    // A connection that is lost rejects what waits for it; said here a second time, it would end the process.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await task(client);
    } finally {
      await client.end();
    }
  }

  async restart(): Promise<void> {
    await this.shutDown();
    await this.start();
  }

  shutDown(): Promise<void> {
    return this.#end('down\n');
  }

  async stop(): Promise<void> {
    await this.#end('');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(order: string): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.ref();
    running.stdin!.end(order);
    await ended;
  }
}

/** Takes some seconds, so once for a test file, with a database for each test. @throws Error when there is none here. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = findPostgres();
  if (programs === undefined) throw new Error('PostgreSQL is not installed');
  const server = new RunningPostgres(programs, await freePort());
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
