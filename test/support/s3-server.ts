// A bucket for tests: s3rver, which speaks the protocol of S3 over a temporary folder, in its own process (s3-process.ts).
// Knows how to start, stop and reach it; nothing of the service here.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface S3Server {
  readonly pid: number;
  readonly port: number;
  /** As in `http://127.0.0.1:9000`. */
  readonly endpoint: string;
  readonly bucket: string;
  /** For `STORAGE_URL`. Each prefix is a store of its own. */
  url(prefix: string): string;
  /** The keys, for the environment of what uses the bucket; and nothing is asked of any network for others. */
  readonly env: Readonly<Record<string, string>>;
  /** SIGKILL; what is stored stays. */
  kill(): Promise<void>;
  /** SIGKILL if need be, and started again on the same port, with what is stored, or with nothing, not even the bucket. */
  restart(options?: { readonly empty?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

const bucket = 'viewer-images';
/** The only key that s3rver knows; of a signature it looks at nothing else. */
const key = 'S3RVER';

const program = fileURLToPath(new URL('./s3-process.ts', import.meta.url));

/** @throws Error with the server's own words when it does not listen within 60 s. */
export async function startS3(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 's3-'));
  let child = launch(folder, 0, [bucket]);
  const port = await listening(child);
  const endpoint = `http://127.0.0.1:${port}`;

  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    get pid() {
      return child.pid!;
    },
    port,
    endpoint,
    bucket,
    url: (prefix) => `s3://${bucket}/${prefix}?endpoint=${endpoint}&region=us-east-1`,
    env: { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: key, AWS_EC2_METADATA_DISABLED: 'true' },
    kill,
    async restart({ empty = false } = {}) {
      await kill();
      if (empty) await rm(join(folder, bucket), { recursive: true, force: true });
      child = launch(folder, port, empty ? [] : [bucket]);
      await listening(child);
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function launch(directory: string, port: number, buckets: readonly string[]): ChildProcess {
  const options = {
    directory,
    port,
    address: '127.0.0.1',
    silent: true,
    configureBuckets: buckets.map((name) => ({ name })),
  };
  return spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'pipe'] });
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let words = '';
    const fail = (reason: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`s3rver: ${reason}${words === '' ? '' : `\n${words}`}`));
    };
    const timer = setTimeout(() => fail('does not listen after 60 s'), 60_000);
    const onExit = (code: number | null, signal: string | null) => fail(`ended (${signal ?? code})`);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-4000);
    });
    child.once('error', (error) => fail(error.message));
    child.once('exit', onExit);
    createInterface(child.stdout!).once('line', (line) => {
      clearTimeout(timer);
      child.off('exit', onExit);
      resolve(Number(line));
    });
  });
}
