// The real service as a child process with a data folder of its own, for tests and benchmarks.
// Starting, asking and stopping only; watching is in viewer.ts.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../bin/launch.mjs';
import { makeBackends, removeData } from './backends.ts';
import { openDescriptors, type ProcessFigures, processFigures } from './process-figures.ts';

export interface ServiceOptions {
  /**
   * Settings beside the defaults of a test: any free port, a new data folder, no sign-in (`AUTH=off`), and what this run
   * of the tests shares (see backends.ts).
   */
  readonly env?: NodeJS.ProcessEnv;
  /** With sign-in: a first admin with a password of this run, or that of an earlier run on the same data. */
  readonly admin?: true | Account;
  /** A data folder to use and keep, for starting again on the same data; for `removeData` at the end. */
  readonly dataDir?: string;
}

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** What a request presents, such as `bearer(token)` or a cookie; `{}` for a stranger. */
export type Headers = Readonly<Record<string, string>>;

export const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

export interface SignedIn {
  readonly access: string;
  readonly refresh: string;
  /** As a browser sends it back: `name=value`. */
  readonly cookie: string;
}

export interface Service {
  /** As in `http://127.0.0.1:41234`. */
  readonly baseUrl: string;
  readonly pid: number;
  readonly dataDir: string;
  /** The newest output (at most 1 MB), both streams. */
  logs(): string;
  /** Null while it runs. */
  readonly exitCode: number | null;
  figures(): ProcessFigures;
  fds(): number;
  /** With `options.admin`. */
  readonly admin: Account | null;
  /** What requests present unless told otherwise: the admin's token, or nothing where there is no admin. */
  readonly headers: Headers;
  /** A JSON request to the REST API. @throws Error for a status other than 2xx, with the reply. */
  api<T = unknown>(method: string, path: string, body?: unknown, headers?: Headers): Promise<T>;
  /** The same with whatever comes back. */
  request(method: string, path: string, body?: unknown, headers?: Headers): Promise<Response>;
  /** @param account by default the admin. @throws Error when it is refused. */
  signIn(account?: Account): Promise<SignedIn>;
  /** The link for the first user as it was printed; null when none was. */
  setupLink(): string | null;
  /** All metrics of one moment: gives the value of one by name, its series summed; 0 when there is none. */
  metrics(): Promise<(name: string) => number>;
  /** The address of a JPEG viewer of a camera address. */
  viewerUrl(rtspUrl: string, token?: string): string;
  /** That of any WebSocket, as in `/ws/events/`. */
  socketUrl(path: string): string;
  /** SIGTERM, and SIGKILL when it does not end within 10 s. @returns its exit code, null when killed. */
  stop(): Promise<number | null>;
}

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const keptLogCharacters = 1_000_000;

/** @throws Error with the output when it ends, or is not ready within 30 s. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const ownFolder = options.dataDir === undefined;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'rtsp-stream-viewer-data-'));
  const admin = options.admin === true ? newAccount('admin') : (options.admin ?? null);
  const backends = await makeBackends(dataDir, options.env);
  const child = spawn(process.execPath, [...nodeFlags, entry, 'serve'], {
    // Not the repository's folder: a developer's `.env` there is no part of a test.
    cwd: dataDir,
    env: {
      ...process.env,
      ...backends,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      AUTH: admin ? 'required' : 'off',
      ...(admin && { ADMIN_USERNAME: admin.username, ADMIN_PASSWORD: admin.password }),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Whatever ends this process ends the service: none is left behind by a test that was broken off.
  const killIt = () => child.kill('SIGKILL');
  process.once('exit', killIt);
  child.once('exit', () => process.off('exit', killIt));
  let logs = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      logs = (logs + text).slice(-keptLogCharacters);
    });
  const removeFolder = async () => {
    if (ownFolder) await removeData(dataDir);
  };
  let baseUrl: string;
  let headers: Headers = {};
  try {
    baseUrl = await ready(child, () => logs);
    if (admin) headers = bearer((await signIn(baseUrl, admin)).access);
  } catch (error) {
    await end(child, 'SIGKILL');
    await removeFolder();
    throw error;
  }

  const sockets = baseUrl.replace(/^http/, 'ws');
  return {
    baseUrl,
    pid: child.pid!,
    dataDir,
    logs: () => logs,
    get exitCode() {
      return child.exitCode;
    },
    figures: () => processFigures(child.pid!),
    fds: () => openDescriptors(child.pid!),
    admin,
    headers,
    async api<T>(method: string, path: string, body?: unknown, presented = headers) {
      return json<T>(await request(baseUrl, method, path, body, presented), `${method} ${path}`);
    },
    request: (method, path, body, presented = headers) => request(baseUrl, method, path, body, presented),
    signIn(account = admin ?? undefined) {
      if (!account) throw new Error('This service was started without an admin.');
      return signIn(baseUrl, account);
    },
    setupLink: () => /https?:\S+\/#setup=[\w-]+/.exec(logs)?.[0] ?? null,
    async metrics() {
      const response = await request(baseUrl, 'GET', '/metrics', undefined, headers);
      const text = await response.text();
      return (name) => sumOfMetric(text, name);
    },
    viewerUrl: (rtspUrl, token) =>
      `${sockets}/ws/stream/?url=${encodeURIComponent(rtspUrl)}${token === undefined ? '' : `&token=${token}`}`,
    socketUrl: (path) => `${sockets}${path}`,
    async stop() {
      await end(child);
      await removeFolder();
      return child.exitCode;
    },
  };
}

async function ready(child: ChildProcess, logs: () => string): Promise<string> {
  const deadline = performance.now() + 30_000;
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure = error;
  });
  while (performance.now() < deadline) {
    if (failure) throw failure;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the service ended (${child.signalCode ?? child.exitCode}):\n${logs()}`);
    const address = /https?:\/\/(?:[\w.-]+|\[[\da-f:]+\]):\d+/.exec(logs())?.[0];
    if (address !== undefined && (await isReady(address))) return address;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the service is not ready after 30 s:\n${logs()}`);
}

async function isReady(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/readyz`);
    await response.arrayBuffer();
    return response.ok;
  } catch (error) {
    // Not listening yet.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function request(
  baseUrl: string,
  method: string,
  path: string,
  body: unknown,
  headers: Headers,
): Promise<Response> {
  return fetch(`${baseUrl}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function json<T>(response: Response, what: string): Promise<T> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${what}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function signIn(baseUrl: string, account: Account): Promise<SignedIn> {
  const response = await request(baseUrl, 'POST', '/api/login/', account, {});
  const [cookie = ''] = response.headers.getSetCookie().map((header) => header.split(';', 1)[0]!);
  return { ...(await json<{ access: string; refresh: string }>(response, 'sign-in')), cookie };
}

/** A user name with a password that nobody knows but this run. */
export function newAccount(username: string): Account {
  return { username, password: randomBytes(18).toString('base64url') };
}

/** Prometheus text: lines of `name{labels} value`. */
export function sumOfMetric(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)/.exec(line);
    if (match?.[1] === name) sum += Number(match[2]);
  }
  return sum;
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  // Without a number it was never started.
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(impatience);
}
