// `npm test`: says what this machine lacks, runs vitest with the arguments given, and counts. With `--backends` every
// service that a test starts is one of several that share Redis, PostgreSQL and a bucket.
// In CI (`CI=true`) what is left out counts as failed. How a component is found is in test/support/components.ts.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { absentComponents, absentVariable, components } from '../test/support/components.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { startS3 } from '../test/support/s3-server.ts';

/** The members used of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

const backendsFlag = '--backends';
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const inCi = process.env.CI === 'true';

function announceAbsent(): string[] {
  const absent = absentComponents();
  for (const name of absent) {
    const { usedFor, install } = components[name];
    console.log(`${inCi ? 'FAILED' : 'Skipped'}: ${usedFor}, because ${name} is not on this machine.`);
    console.log(`  To have them: ${install}`);
  }
  return absent;
}

/** Runs vitest to its end, signals passed on. @returns its exit code, 1 when it was killed. */
function vitest(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const packageFile = createRequire(import.meta.url).resolve('vitest/package.json');
  const entry = join(dirname(packageFile), 'vitest.mjs');
  const child = spawn(process.execPath, [entry, 'run', ...args], {
    cwd: root,
    stdio: 'inherit',
    env: environment,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code) => done(code ?? 1));
  });
}

/** Starts what several instances share. @returns what makes every service of a test use it (test/support/backends.ts). */
async function startBackends(stack: AsyncDisposableStack): Promise<NodeJS.ProcessEnv> {
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const postgres = await startPostgres();
  stack.defer(() => postgres.stop());
  const s3 = await startS3();
  stack.defer(() => s3.stop());
  return {
    REDIS_URL: redis.url,
    // As somebody who may make databases.
    DATABASE_URL: postgres.asAdmin(await postgres.createDatabase()),
    STORAGE_URL: s3.url('tests'),
    ...s3.env,
  };
}

/** A test file that cannot even be loaded holds no test, but is a failure all the same. */
function countFailures({ numFailedTests, testResults }: Report): number {
  const notLoaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return numFailedTests + notLoaded.length;
}

const absent = announceAbsent();
const folder = mkdtempSync(join(tmpdir(), 'rtsp-stream-viewer-test-'));
const reportFile = join(folder, 'report.json');
const given = process.argv.slice(2);
await using servers = new AsyncDisposableStack();
try {
  const backends = given.includes(backendsFlag) ? await startBackends(servers) : {};
  const code = await vitest(
    [
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...given.filter((argument) => argument !== backendsFlag),
    ],
    { ...process.env, ...backends, [absentVariable]: absent.join(',') },
  );
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  if (existsSync(reportFile)) {
    const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
    passed = report.numPassedTests;
    failed = countFailures(report);
    skipped = report.numPendingTests + report.numTodoTests;
  }
  if (inCi) {
    // A component that no test asked for yet is still missing from this run of CI.
    failed += Math.max(skipped, absent.length);
    skipped = 0;
  }
  // Vitest also fails for reasons outside of any test: an unhandled rejection, no file found.
  if (code !== 0 && failed === 0) failed = 1;
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
