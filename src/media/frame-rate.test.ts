import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameRateLimiter } from './frame-rate.ts';
import { RateMeter } from './rate-meter.ts';

/** Timestamps of a camera in µs, jittered by at most `jitter` µs in a fixed pattern. */
function camera(fps: number, frames: number, jitter = 0): number[] {
  return Array.from({ length: frames }, (_, i) =>
    Math.round((i * 1e6) / fps + (((i * 7) % 11) / 10 - 0.5) * 2 * jitter),
  );
}

function taken(limit: number, timestamps: readonly number[]): number[] {
  const limiter = new FrameRateLimiter(limit);
  return timestamps.filter((timestamp) => limiter.take(timestamp));
}

describe('FrameRateLimiter', () => {
  it('loses nothing of a camera at the rate itself, even with jitter', () => {
    expect(taken(15, camera(15, 900, 15_000)).length).toBe(900);
  });

  it.each([
    [25, 15],
    [30, 15],
    [30, 10],
    [60, 15],
    [24, 5],
  ])('thins %i to %i frames a second, evenly', (from, to) => {
    const shown = taken(to, camera(from, from * 20));
    expect(shown.length).toBeGreaterThanOrEqual(to * 20 - 1);
    expect(shown.length).toBeLessThanOrEqual(to * 20 + 1);
    const gaps = shown.slice(1).map((timestamp, i) => timestamp - shown[i]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1e6 / to + 1e6 / from);
  });

  it('goes on at once after a gap and after a step back', () => {
    const limiter = new FrameRateLimiter(15);
    expect(limiter.take(0)).toBe(true);
    expect(limiter.take(60_000_000)).toBe(true);
    expect(limiter.take(60_010_000)).toBe(false);
    expect(limiter.take(5_000_000)).toBe(true);
  });

  it('loses nothing to any jitter below a quarter of an interval', () => {
    const jitters = fc.array(fc.integer({ min: -16_000, max: 16_000 }), { minLength: 50, maxLength: 300 });
    fc.assert(
      fc.property(jitters, (jitter) => {
        const times = camera(15, jitter.length).map((timestamp, i) => timestamp + jitter[i]!);
        expect(taken(15, times)).toEqual(times);
      }),
    );
  });

  it('never lets more through than wanted, whatever the times, and leaves late frames out', () => {
    const gaps = fc.array(fc.integer({ min: -100_000, max: 300_000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 60 }), (steps, fps) => {
        let now = 0;
        const shown = taken(
          fps,
          steps.map((step) => (now = Math.max(0, now + step))),
        );
        expect(shown).toEqual(shown.toSorted((a, b) => a - b));
        expect(shown.length).toBeLessThanOrEqual(((shown.at(-1)! - shown[0]!) * fps) / 1e6 + 2);
      }),
    );
  });
});

describe('RateMeter', () => {
  it('tells the rate of the last seconds and 0 when nothing comes any more', () => {
    const meter = new RateMeter();
    for (let i = 0; i < 100; i++) meter.count(1_000 + i * 40);
    expect(meter.perSecond(5_000)).toBeCloseTo(25, 0);
    expect(meter.perSecond(5_000 + 10_000)).toBe(0);
  });

  it('is right from its first second on', () => {
    const meter = new RateMeter();
    for (let i = 0; i < 20; i++) meter.count(i * 50);
    expect(meter.perSecond(1_000)).toBeCloseTo(20, 0);
  });
});
