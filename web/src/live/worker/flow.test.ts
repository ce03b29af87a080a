import { expect, it } from 'vitest';
import { Flow, unshownMs } from './flow.ts';

it('counts for how long data has come without a picture', () => {
  const flow = new Flow();
  for (let now = 100_000; now <= 105_000; now += 40) flow.take(now);
  expect(flow.unshownMs(null)).toBe(0);
  expect(flow.unshownMs(100_400)).toBe(4_600);
});

it('blames nobody while a camera is silent, nor when it goes on', () => {
  const flow = new Flow();
  for (let now = 100_000; now <= 101_000; now += 40) flow.take(now);
  // The decoder holds the last picture back.
  const heldSince = 101_000;
  expect(flow.unshownMs(heldSince)).toBe(0);
  flow.take(140_000);
  expect(flow.unshownMs(heldSince)).toBe(0);
  for (let now = 140_040; now <= 145_000; now += 40) flow.take(now);
  expect(flow.unshownMs(heldSince)).toBeGreaterThan(unshownMs);
});
