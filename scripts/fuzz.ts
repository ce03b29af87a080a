// Mutated inputs through every parser that reads what a camera sends; fails on a throw, on an input that takes over a
// second, and on memory beyond the parsers' caps. The command line (`--help`) leads to the fuzzers of a running service as well.

import { corpus } from './fuzz-corpus.ts';
import { createRandom } from './fuzz-random.ts';
import { type FuzzTarget, targets } from './fuzz-targets.ts';

export interface FuzzReport {
  readonly inputs: number;
  readonly seed: number;
  readonly seconds: number;
  readonly slowestMs: number;
  readonly slowestTarget: string;
  /** The most that one parser held between two inputs, bytes. */
  readonly retainedBytes: number;
  readonly heapGrowthBytes: number;
  /** Empty when all is well. */
  readonly failure: string;
}

const maxInputMs = 1000;
const maxInputBytes = 8192;
const maxRetainedBytes = 9 * 1024 * 1024;
const maxHeapGrowth = 96 * 1024 * 1024;

/** One input in `scratch`: a valid one, bent a few times; gives its length. */
function mutate(
  scratch: Uint8Array,
  samples: readonly Uint8Array[],
  random: (below: number) => number,
): number {
  const base = samples[random(samples.length)]!;
  let length = Math.min(base.length, scratch.length);
  scratch.set(base.subarray(0, length));
  for (let rounds = random(5); rounds > 0 && length > 0; rounds--) {
    const at = random(length);
    switch (random(6)) {
      case 0:
        scratch[at]! ^= 1 << random(8);
        break;
      case 1:
        scratch[at] = random(256);
        break;
      case 2:
        length = at;
        break;
      case 3: {
        const count = Math.min(random(64), scratch.length - length, length - at);
        scratch.copyWithin(at + count, at, length);
        length += count;
        break;
      }
      case 4: {
        const other = samples[random(samples.length)]!;
        const from = random(other.length);
        const part = other.subarray(from, from + Math.min(scratch.length - at, random(other.length) + 1));
        scratch.set(part, at);
        length = Math.max(length, at + part.length);
        break;
      }
      default:
        scratch[at] = [0, 0xff, 0x7f, 0x80, 0x24][random(5)]!;
    }
  }
  return length;
}

/** Runs `count` inputs, the same ones for the same seed. `onProgress` is called now and then. */
export function fuzz(count: number, seed: number, onProgress: (done: number) => void = () => {}): FuzzReport {
  const random = createRandom(seed);
  const scratch = new Uint8Array(maxInputBytes);
  const started = performance.now();
  const heapBefore = memoryInUse();
  let retainedBytes = 0;
  let heapGrowthBytes = 0;
  let slowestMs = 0;
  let slowestTarget = '';
  const report = (inputs: number, failure: string): FuzzReport => ({
    inputs,
    seed,
    seconds: (performance.now() - started) / 1000,
    slowestMs,
    slowestTarget,
    retainedBytes,
    heapGrowthBytes,
    failure,
  });
  for (let i = 0; i < count; i++) {
    const target: FuzzTarget = targets[i % targets.length]!;
    const length = mutate(scratch, corpus[target.name], random);
    const before = performance.now();
    try {
      target.run(scratch.subarray(0, length), random);
    } catch (error) {
      const hex = Buffer.from(scratch.subarray(0, length)).toString('hex');
      return report(i, `${target.name} threw on input ${i}: ${(error as Error).stack}\n${hex}`);
    }
    const took = performance.now() - before;
    if (took > slowestMs) [slowestMs, slowestTarget] = [took, target.name];
    if (took > maxInputMs) return report(i, `${target.name} took ${Math.round(took)} ms for input ${i}`);
    const retained = target.retained();
    if (retained > retainedBytes) retainedBytes = retained;
    if (retained > maxRetainedBytes)
      return report(i, `${target.name} holds ${retained} bytes after input ${i}`);
    if (i % 100_000 === 99_999) {
      heapGrowthBytes = Math.max(heapGrowthBytes, memoryInUse() - heapBefore);
      if (heapGrowthBytes > maxHeapGrowth) return report(i, `memory grew by ${heapGrowthBytes} bytes`);
      onProgress(i + 1);
    }
  }
  return report(count, '');
}

/** Collected first when the process was started with --expose-gc; else it counts what waits to be collected too. */
function memoryInUse(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const usage = `node bin/launch.mjs scripts/fuzz.ts [parsers|rest|ws] [count] [seed]

  parsers   everything that reads what a camera sends          (10,000,000 inputs)
  rest      a running service: requests over the OpenAPI document (100,000)
  ws        a running service: messages on many WebSockets      (1,000,000)

The same seed gives the same inputs to the parsers; a running service answers in an order of its own.`;

const counts = { parsers: 10_000_000, rest: 100_000, ws: 1_000_000 } as const;

const mb = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);

/** @returns the failure; empty when all is well. */
async function fuzzParsers(count: number, seed: number): Promise<string> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  (globalThis as { gc?: unknown }).gc = runInNewContext('gc');
  const result = fuzz(count, seed, (done) => {
    if (done % 1_000_000 === 0) console.log(`${done / 1e6} million`);
  });
  const rate = Math.round(result.inputs / result.seconds);
  console.log(
    `${result.inputs} inputs in ${result.seconds.toFixed(1)} s (${rate}/s), seed ${result.seed}; ` +
      `slowest ${result.slowestMs.toFixed(1)} ms (${result.slowestTarget}); ` +
      `held by one parser at most ${mb(result.retainedBytes)} MB, heap grew by ${mb(result.heapGrowthBytes)} MB`,
  );
  return result.failure;
}

async function fuzzDoor(door: 'rest' | 'ws', count: number, seed: number): Promise<string> {
  const { fuzzService } = await import('./fuzz-setting.ts');
  const fuzzer =
    door === 'rest'
      ? (await import('./fuzz-rest.ts')).fuzzRest
      : (await import('./fuzz-sockets.ts')).fuzzSockets;
  const { answers, failures, seconds, held } = await fuzzService(fuzzer, count, seed, console.log);
  for (const [answer, times] of [...answers].toSorted()) console.log(`  ${answer}: ${times}`);
  console.log(
    `${count} in ${seconds.toFixed(1)} s (${Math.round(count / seconds)}/s), seed ${seed}; the service holds ` +
      `${held.map(({ live }) => mb(live)).join(' → ')} MB (resident ` +
      `${held.map(({ resident }) => mb(resident)).join(' → ')} MB), descriptors ` +
      held.map(({ descriptors }) => descriptors).join(' → '),
  );
  return failures.join('\n\n');
}

async function main([door = 'parsers', ...rest]: readonly string[]): Promise<void> {
  const known = Object.hasOwn(counts, door) ? (door as keyof typeof counts) : null;
  if (known === null && !/^\d+$/.test(door)) {
    console.log(usage);
    process.exit(door === '--help' || door === '-h' ? 0 : 2);
  }
  const chosen = known ?? 'parsers';
  const [count = counts[chosen], seed = Date.now() % 1_000_000] = (known ? rest : [door, ...rest]).map(
    Number,
  );
  const failure = chosen === 'parsers' ? await fuzzParsers(count, seed) : await fuzzDoor(chosen, count, seed);
  if (failure) {
    console.error(failure);
    process.exit(1);
  }
}

if (import.meta.main) await main(process.argv.slice(2));
