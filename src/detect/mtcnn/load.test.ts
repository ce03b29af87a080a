import { expect, test } from 'vitest';
import { Load } from './load.ts';

/** A detector that works `busy` of every 100 ms. */
function worked(load: Load, busy: number, from: number, to: number): void {
  for (let now = from; now < to; now += 100) {
    load.working(true, now);
    load.working(false, now + busy);
    load.took(busy);
  }
}

test('utilisation tells the part of the last seconds spent at work', () => {
  const load = new Load(0);
  expect(load.utilisation(0)).toBe(0);
  worked(load, 30, 0, 20_000);
  expect(load.utilisation(20_000)).toBeCloseTo(0.3, 1);
  expect(load.averageTime).toBeCloseTo(30, 6);
});

test('a detector that hangs looks busy while it hangs', () => {
  const load = new Load(0);
  load.working(true, 0);
  expect(load.utilisation(60_000)).toBeCloseTo(1, 6);
});

test('utilisation fades when the work stops', () => {
  const load = new Load(0);
  worked(load, 90, 0, 20_000);
  expect(load.utilisation(40_000)).toBeLessThan(0.01);
});

test('the sustainable interval grows with the channels that offer frames and with the time of a frame', () => {
  const load = new Load(0);
  expect(load.sustainableInterval(0)).toBe(0);
  load.took(70);
  load.offered(1, 1_000);
  expect(load.sustainableInterval(1_000)).toBeCloseTo(100, 6);
  load.offered(2, 1_000);
  expect(load.sustainableInterval(1_000)).toBeCloseTo(200, 6);
  load.forget(2);
  expect(load.sustainableInterval(1_000)).toBeCloseTo(100, 6);
  expect(load.sustainableInterval(60_000)).toBe(0);
});
