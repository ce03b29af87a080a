// What /proc says about real processes: the figures of tests and benchmarks rest on it.
// Rough bounds only: the machine may be busy.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { cpuPercent, processFigures, processTree } from './process-figures.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Runs a script until killed; resolves once it has printed something, with what it printed. */
async function running(script: string): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, said: said.toString() };
}

test('a process that works for half a second has used about that much processor time', async () => {
  const { child } = await running(
    'const end = process.cpuUsage().user + 5e5; while (process.cpuUsage().user < end); console.log(1); setInterval(() => 0, 1e6);',
  );
  const figures = processFigures(child.pid!);
  expect(figures.cpuMs).toBeGreaterThanOrEqual(490);
  expect(figures.processes).toBe(1);
  expect(figures.rss).toBeGreaterThan(10e6);
  expect(figures.pss).toBeGreaterThan(5e6);
  expect(figures.pss).toBeLessThanOrEqual(figures.rss);
  expect(figures.anonymous).toBeGreaterThan(5e6);
  expect(figures.anonymous).toBeLessThanOrEqual(figures.pss);
  expect(cpuPercent({ ...figures, cpuMs: figures.cpuMs - 500 }, figures, 1_000)).toBe(50);
});

test('children count with their parent, also after their end', async () => {
  const work = 'const end = process.cpuUsage().user + 4e5; while (process.cpuUsage().user < end);';
  const { child, said } = await running(
    `const { spawn } = require('node:child_process');
     const idle = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6)']);
     const busy = spawn(process.execPath, ['-e', ${JSON.stringify(work)}]);
     process.on('SIGTERM', () => { idle.kill(); process.exit(); });
     busy.on('exit', () => console.log(idle.pid));`,
  );
  const idle = Number(said);
  expect(processTree(child.pid!)).toEqual([child.pid, idle]);
  expect(processFigures(child.pid!).cpuMs).toBeGreaterThanOrEqual(390);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
});

test('open files are counted', async () => {
  const { child } = await running(
    `const { openSync } = require('node:fs');
     for (let i = 0; i < 50; i++) openSync('/dev/null'); console.log(1); setInterval(() => 0, 1e6);`,
  );
  const { fds } = processFigures(child.pid!);
  expect(fds).toBeGreaterThanOrEqual(53);
  expect(fds).toBeLessThan(103);
});

test('a process that is gone costs nothing', async () => {
  const { child } = await running('console.log(1)');
  if (child.exitCode === null) await once(child, 'exit');
  expect(processFigures(child.pid!)).toMatchObject({ cpuMs: 0, rss: 0, pss: 0, fds: 0 });
});
