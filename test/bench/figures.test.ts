// The arithmetic and the table of the benchmarks.
// Nothing is measured here.

import { expect, test } from 'vitest';
import {
  comparisonRatio,
  type Figure,
  meetsTarget,
  percentile,
  slope,
  table,
  targetRatio,
} from '../../bench/figures.ts';

const figure: Figure = { section: 'delay', name: 'p50', value: 5, unit: 'ms', target: { atMost: 10 } };

test('a percentile is the nearest value that was measured', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(values, 0.5)).toBe(50);
  expect(percentile(values, 0.99)).toBe(99);
  expect(percentile([7], 0.01)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
});

test('the slope of a noisy line is its trend', () => {
  const points = Array.from({ length: 101 }, (_, x) => ({ x, y: 3 * x + 5 + (x % 2 === 0 ? 1 : -1) }));
  expect(slope(points)).toBeCloseTo(3, 1);
  expect(slope([{ x: 1, y: 1 }])).toBe(0);
  expect(
    slope([
      { x: 1, y: 1 },
      { x: 1, y: 9 },
    ]),
  ).toBe(0);
});

test('ratios above 1 are on the right side of a target, whichever side that is', () => {
  expect(targetRatio(figure)).toBe(2);
  expect(targetRatio({ ...figure, target: { atLeast: 10 } })).toBe(0.5);
  expect(comparisonRatio({ ...figure, comparedWith: { name: 'FFmpeg', value: 65 } })).toBe(13);
  expect(meetsTarget(figure)).toBe(true);
  expect(meetsTarget({ ...figure, value: 10.1 })).toBe(false);
  // Nothing was measured: that is no success.
  expect(meetsTarget({ ...figure, value: Number.NaN })).toBe(false);
});

test('the table has a line for each figure, all equally long, and names what missed', () => {
  const missed: Figure = { ...figure, name: 'p99', value: 20, comparedWith: { name: 'FFmpeg', value: 70 } };
  const lines = table([figure, missed]).split('\n');
  expect(lines).toHaveLength(4);
  expect(new Set(lines.map(({ length }) => length)).size).toBe(1);
  expect(lines[2]).toMatch(/5 ms .*≤ 10 .*2× \| ok/);
  expect(lines[3]).toMatch(/20 ms .*0\.50× \| MISSED .*FFmpeg: 70 .*3\.50×/);
});
