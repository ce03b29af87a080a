// The real service as a child process with a data folder of its own, for tests and benchmarks.
// Starting, asking and stopping only; watching is in viewer.ts.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../bin/launch.mjs';
import { openDescriptors, type ProcessFigures, processFigures } from './process-figures.ts';

export interface ServiceOptions {
  /** Settings beside the defaults of a test: any free port, a new data folder, no sign-in. */
  readonly env?: NodeJS.ProcessEnv;
  /** A data folder to use and keep, for starting again on the same data. */
  readonly dataDir?: string;
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
  /** A JSON request to the REST API. @throws Error for a status other than 2xx, with the reply. */
  api<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  /** All metrics of one moment: gives the value of one by name, its series summed; 0 when there is none. */
  metrics(): Promise<(name: string) => number>;
  /** The address of a JPEG viewer of a camera address. */
  viewerUrl(rtspUrl: string): string;
  /** SIGTERM, and SIGKILL when it does not end within 10 s. @returns its exit code, null when killed. */
  stop(): Promise<number | null>;
}

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const keptLogCharacters = 1_000_000;

/** @throws Error with the output when it ends, or is not ready within 30 s. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const ownFolder = options.dataDir === undefined;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'rtsp-stream-viewer-data-'));
  const child = spawn(process.execPath, [...nodeFlags, entry, 'serve'], {
    // Not the repository's folder: a developer's `.env` there is no part of a test.
    cwd: dataDir,
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', DATA_DIR: dataDir, ...options.env },
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
  const removeFolder = () => {
    if (ownFolder) rmSync(dataDir, { recursive: true, force: true });
  };
  let baseUrl: string;
  try {
    baseUrl = await ready(child, () => logs);
  } catch (error) {
    child.kill('SIGKILL');
    removeFolder();
    throw error;
  }

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
    api: (method, path, body) => request(baseUrl, method, path, body),
    async metrics() {
      const response = await fetch(`${baseUrl}/metrics`);
      const text = await response.text();
      return (name) => sumOfMetric(text, name);
    },
    viewerUrl: (rtspUrl) => `${baseUrl.replace(/^http/, 'ws')}/ws/stream/?url=${encodeURIComponent(rtspUrl)}`,
    async stop() {
      await end(child);
      removeFolder();
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

async function request<T>(baseUrl: string, method: string, path: string, body: unknown): Promise<T> {
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
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

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(impatience);
}
