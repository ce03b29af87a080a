// Joining what is new to the figures that are there.

import { expect, test } from 'vitest';
import { joined } from './performance.ts';
import type { ServicePerformance } from './types.ts';

const first = Date.parse('2026-01-01T12:00:00.000Z');
const at = (slot: number) => new Date(first + slot * 5_000).toISOString();

/** Samples of the slots from…to, each with its slot as its value. */
function samples(from: number, to: number): ServicePerformance {
  const values = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  const [cpu_percent, memory_mb, workers_cpu_percent, workers_memory_mb, viewers] = Array(5).fill(values);
  return {
    interval_s: 5,
    start: values.length > 0 ? at(from) : null,
    end: values.length > 0 ? at(to) : null,
    series: { cpu_percent, memory_mb, workers_cpu_percent, workers_memory_mb, viewers },
  };
}

test('new samples follow those before, and the first of them says when it was', () => {
  expect(joined(samples(0, 9), samples(10, 11))).toEqual(samples(0, 11));
});

test('no news changes nothing', () => {
  expect(joined(samples(0, 9), samples(1, 0))).toEqual(samples(0, 9));
});

test('no more than an hour is kept', () => {
  expect(joined(samples(0, 719), samples(720, 724))).toEqual(samples(5, 724));
});

test('samples of a service that was away begin anew instead of lying at the wrong time', () => {
  expect(joined(samples(0, 9), samples(30, 31))).toEqual(samples(30, 31));
});

test('without anything before, all is news', () => {
  expect(joined(undefined, samples(3, 4))).toEqual(samples(3, 4));
});
