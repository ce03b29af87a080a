// What a real process holds and what it has let go of: the judgement on leaks rests on telling them apart.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { inspectable, watchLiveMemory } from './live-memory.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Once a line is written to it, the process does `work`. */
async function inspected(work: string) {
  const script = `process.stdin.once('data', () => { ${work}; console.log('done'); }); setInterval(() => 0, 1e6); console.log('ready');`;
  const child = spawn(process.execPath, ['-e', script], { env: { ...process.env, ...inspectable } });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      said += text.toString();
    });
  const until = async (word: string) => {
    while (!said.includes(word)) await once(child.stdout, 'data');
  };
  await until('ready');
  const live = await watchLiveMemory({ pid: child.pid!, logs: () => said });
  const before = await live();
  child.stdin.write('\n');
  await until('done');
  const after = await live();
  return { heap: after.heap - before.heap, external: after.external - before.external };
}

test('what is held counts: objects, and buffers outside the heap', async () => {
  const grown = await inspected(
    'globalThis.kept = [Array.from({ length: 1e5 }, (_, n) => ({ n: [n] })), Buffer.alloc(30e6)]',
  );
  expect(grown.heap).toBeGreaterThan(3e6);
  expect(grown.external).toBeGreaterThan(29e6);
});

test('what was let go of does not count, collected or not', async () => {
  const grown = await inspected(
    'for (let i = 0; i < 3; i++) [Array.from({ length: 1e5 }, (_, n) => ({ n: [n] })), Buffer.alloc(30e6)]',
  );
  expect(grown.heap).toBeLessThan(2e6);
  expect(grown.external).toBeLessThan(2e6);
});
