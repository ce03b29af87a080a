import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pacer } from './pacer.ts';

/** Timestamps, µs, of `count` frames at `fps`. */
function frames(fps: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.round((index * 1_000_000) / fps));
}

test('of 25 frames a second 15 are taken, never three apart', () => {
  const pacer = new Pacer(15);
  const taken = frames(25, 251).filter((timestamp) => pacer.take(timestamp));
  expect(Math.abs(taken.length - 150)).toBeLessThanOrEqual(1);
  const gaps = taken.slice(1).map((timestamp, index) => timestamp - taken[index]!);
  expect(Math.max(...gaps)).toBe(80_000);
});

test('of 15 frames a second none is lost to jitter', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -16_000, max: 16_000 }), { minLength: 50, maxLength: 300 }),
      (jitter) => {
        const pacer = new Pacer(15);
        const times = frames(15, jitter.length).map((timestamp, index) => timestamp + jitter[index]!);
        expect(times.filter((timestamp) => pacer.take(timestamp))).toEqual(times);
      },
    ),
  );
});

test('there are never more pictures a second than wanted', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 60 }), (gaps, fps) => {
      const pacer = new Pacer(fps);
      let now = 0;
      const times = gaps.map((gap) => (now += gap));
      const taken = times.filter((timestamp) => pacer.take(timestamp));
      const span = taken.at(-1)! - taken[0]!;
      expect(taken.length).toBeLessThanOrEqual((span * fps) / 1_000_000 + 2);
    }),
  );
});

test('a gap is followed by the next frame at once', () => {
  const pacer = new Pacer(15);
  pacer.take(0);
  expect(pacer.take(10_000_000)).toBe(true);
});

test('a clock that jumps back begins anew, a late frame is left out', () => {
  const pacer = new Pacer(15);
  pacer.take(60_000_000);
  expect(pacer.take(59_950_000)).toBe(false);
  expect(pacer.take(1_000_000)).toBe(true);
  expect(pacer.take(1_066_667)).toBe(true);
});
