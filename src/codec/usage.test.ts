import { expect, it } from 'vitest';
import { apportion, nothingUsed, type Usage } from './usage.ts';

function sharers(...worked: readonly number[]) {
  return worked.map((ms) => ({ worked: ms, stats: { usage: nothingUsed as Usage } }));
}

it('gives each video the part of the worker that its share of the working time is', () => {
  const [busy, quiet] = sharers(750, 250);
  apportion({ cpu: 0.8, memory: 200 }, new Set([busy!, quiet!]));
  expect(busy!.stats.usage).toEqual({ cpu: expect.closeTo(0.6, 9), memory: 150 });
  expect(quiet!.stats.usage).toEqual({ cpu: expect.closeTo(0.2, 9), memory: 50 });
});

it('counts the working time anew after each report', () => {
  const [one, other] = sharers(500, 0);
  const both = new Set([one!, other!]);
  apportion({ cpu: 1, memory: 100 }, both);
  other!.worked = 10;
  apportion({ cpu: 0.1, memory: 100 }, both);
  expect(one!.stats.usage).toEqual(nothingUsed);
  expect(other!.stats.usage).toEqual({ cpu: 0.1, memory: 100 });
});

it('divides equally what a worker costs that has done nothing', () => {
  const [one, other] = sharers(0, 0);
  apportion({ cpu: 0.02, memory: 100 }, new Set([one!, other!]));
  expect(one!.stats.usage).toEqual({ cpu: 0.01, memory: 50 });
  expect(other!.stats.usage).toEqual(one!.stats.usage);
});
