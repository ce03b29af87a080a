// The detector's thread under load and under fire: what is offered never waits, and detection comes back by itself.

import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Frame } from '../src/detect/mtcnn/frame.ts';
import { modelsFolder } from '../src/detect/mtcnn/networks.ts';
import {
  type DetectionResult,
  type DetectorState,
  DetectorThread,
  type DetectorThreadOptions,
} from '../src/detect/mtcnn/thread-client.ts';
import { picture } from './mtcnn-pictures.ts';

let frame: Frame;
beforeAll(async () => {
  frame = await picture(1);
});

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Waiting is for a condition, not for a time: a busy machine only makes it longer. */
const until = (condition: () => boolean) =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 20_000, interval: 5 });

interface Watched {
  readonly thread: DetectorThread;
  readonly results: DetectionResult[];
  readonly states: [DetectorState, string | undefined][];
}

function watched(options: Partial<DetectorThreadOptions> = {}): Watched {
  const results: DetectionResult[] = [];
  const states: [DetectorState, string | undefined][] = [];
  const thread = new DetectorThread({
    backoff: { firstMs: 20, maxMs: 100 },
    onResult: (result) => results.push(result),
    ...options,
    onState: (state, reason) => states.push([state, reason]),
  });
  cleanups.push(() => thread.close());
  return { thread, results, states };
}

const offer = (thread: DetectorThread, channel: number, timestamp: number) =>
  thread.offer({ channel, timestamp, ...frame });

test('a frame offered before the thread is ready comes back with its faces, channel and timestamp', async () => {
  const { thread, results, states } = watched();
  expect(thread.state).toBe('starting');
  offer(thread, 7, 123_456);
  await until(() => results.length === 1);
  expect(results[0]).toMatchObject({ channel: 7, timestamp: 123_456, width: 640, height: 427 });
  expect(results[0]!.faces).toHaveLength(3);
  expect(results[0]!.detectionTime).toBeGreaterThan(0);
  expect(states).toEqual([['ready', undefined]]);
  expect(thread.stats).toMatchObject({ analysed: 1, skipped: 0, waiting: 0, restarts: 0 });
});

test('under overload the newest frame of each channel is analysed, the others are skipped and counted', async () => {
  const { thread, results } = watched({ pauseBefore: (n) => (n === 0 ? 300 : 0) });
  offer(thread, 1, 0);
  await until(() => thread.state === 'ready');
  // While the first frame is in work.
  for (let i = 1; i <= 50; i++) offer(thread, 1, i);
  for (let i = 1; i <= 10; i++) offer(thread, 2, 100 + i);
  expect(thread.stats.waiting).toBe(2);
  await until(() => results.length === 3);
  expect(results.map((r) => r.timestamp)).toEqual([0, 50, 110]);
  expect(thread.stats).toMatchObject({ analysed: 3, skipped: 58, waiting: 0 });
  expect(thread.stats.sustainableInterval).toBeGreaterThan(0);
});

test('a channel that offers without pause does not keep the others waiting', async () => {
  const order: number[] = [];
  const { thread } = watched({
    onResult: ({ channel }) => {
      order.push(channel);
      for (let i = 0; i < 5; i++) offer(thread, 0, i);
      for (const slow of [1, 2]) offer(thread, slow, 0);
    },
  });
  for (const channel of [0, 1, 2]) offer(thread, channel, 0);
  await until(() => order.length >= 15);
  const turns = [0, 1, 2].map((channel) => order.slice(0, 15).filter((c) => c === channel).length);
  expect(turns).toEqual([5, 5, 5]);
});

test('a detector that hangs is replaced, and says so; detection goes on with the newest frame', async () => {
  const { thread, results, states } = watched({
    answerLimit: 1_500,
    pauseBefore: (n) => (n === 1 ? 3_600_000 : 0),
  });
  offer(thread, 1, 1);
  await until(() => results.length === 1);
  offer(thread, 1, 2);
  offer(thread, 1, 3);
  await until(() => results.length === 2);
  expect(results[1]!.timestamp).toBe(3);
  expect(states).toEqual([
    ['ready', undefined],
    ['restarting', 'The face detector did not answer within 1.5 s.'],
    ['ready', undefined],
  ]);
  expect(thread.stats).toMatchObject({ analysed: 2, skipped: 1, restarts: 1 });
  expect(thread.reason).toBeUndefined();
});

test('a missing model file is named, and detection comes back when the file does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mtcnn-thread-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  await cp(modelsFolder, folder, { recursive: true });
  await rm(join(folder, 'rnet.onnx'));
  const { thread, results, states } = watched({ modelsFolder: folder });
  offer(thread, 1, 1);
  await until(() => thread.state === 'failed' && thread.stats.restarts >= 2);
  expect(thread.reason).toBe('The face detector’s file models/rnet.onnx is missing.');
  expect(states).toEqual([['failed', thread.reason]]);
  await cp(join(modelsFolder, 'rnet.onnx'), join(folder, 'rnet.onnx'));
  await until(() => results.length === 1);
  expect(states.at(-1)).toEqual(['ready', undefined]);
});

test('a thread that is not ready in time is replaced', async () => {
  const { thread } = watched({ startLimit: 1 });
  await until(() => thread.state === 'restarting' && thread.stats.restarts >= 2);
  expect(thread.reason).toBe('The face detector was not ready within 0.001 s.');
});

test('a forgotten channel gives no result any more, the others do', async () => {
  const { thread, results } = watched({ pauseBefore: (n) => (n === 0 ? 200 : 0) });
  await until(() => thread.state === 'ready');
  offer(thread, 1, 1);
  offer(thread, 1, 2);
  offer(thread, 2, 3);
  thread.forget(1);
  await until(() => results.length === 1);
  expect(results[0]!.channel).toBe(2);
  expect(thread.stats).toMatchObject({ analysed: 1, skipped: 2, waiting: 0 });
});

test('bytes that do not fit the size are refused at the door, without harm to the thread', async () => {
  const { thread, results } = watched();
  expect(() =>
    thread.offer({ channel: 1, rgb: new Uint8Array(5), width: 640, height: 480, timestamp: 0 }),
  ).toThrow(RangeError);
  offer(thread, 1, 1);
  await until(() => results.length === 1);
  expect(thread.stats.restarts).toBe(0);
});

test('a closed detector, even one that hangs, ends and gives nothing any more', async () => {
  const { thread, results, states } = watched({ pauseBefore: () => 3_600_000 });
  await until(() => thread.state === 'ready');
  offer(thread, 1, 1);
  await thread.close();
  offer(thread, 1, 2);
  expect(results).toEqual([]);
  expect(states).toEqual([['ready', undefined]]);
});

test('a process that exits in the middle of a frame exits, and does not abort in native code', () => {
  const client = JSON.stringify(new URL('../src/detect/mtcnn/thread-client.ts', import.meta.url).href);
  const script = `
    const { DetectorThread } = await import(${client});
    const frame = { channel: 0, rgb: new Uint8Array(1280 * 960 * 3), width: 1280, height: 960, timestamp: 0 };
    let frames = 0;
    const thread = new DetectorThread({
      minFaceSize: 20,
      onResult() {
        thread.offer(frame);
        if (++frames === 2) setTimeout(() => process.exit(7), 5);
      },
    });
    thread.offer(frame);
  `;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(7);
});
