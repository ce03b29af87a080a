import { expect, it } from 'vitest';
import { Reporter } from './reporter.ts';

it('tells the first error at once, then at most one line in each interval with the count and the latest', () => {
  let now = 0;
  let due: { at: number; fn: () => void } | null = null;
  const clock = {
    now: () => now,
    wallTime: () => now,
    after: (ms: number, fn: () => void) => {
      due = { at: now + ms, fn };
      return () => {};
    },
  };
  const pass = (ms: number) => {
    now += ms;
    if (due && due.at <= now) {
      const { fn } = due;
      due = null;
      fn();
    }
  };
  const told: [number, string][] = [];
  const reporter = new Reporter<string>(clock, 1_000, (count, latest) => told.push([count, latest]));
  reporter.add('first');
  for (let i = 0; i < 500; i++) reporter.add(`error ${i}`);
  expect(told).toEqual([[1, 'first']]);
  pass(1_000);
  expect(told).toEqual([
    [1, 'first'],
    [500, 'error 499'],
  ]);
  pass(1_000);
  reporter.add('later');
  expect(told.at(-1)).toEqual([1, 'later']);
});
