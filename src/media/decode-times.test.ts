import { describe, expect, it } from 'vitest';
import { DecodeTimes, ReorderDepth } from './decode-times.ts';

const period = 40_000;

/** Presentation times of I B B P…, in decoding order: each P is shown after the two B that follow it. */
function withBFrames(count: number, start: number): number[] {
  const shown = [0];
  for (let p = 3; shown.length < count; p += 3) shown.push(p, p - 2, p - 1);
  return shown.map((index) => start + index * period);
}

describe('the depth of reordering', () => {
  it('is how many pictures come before one that is shown first', () => {
    const depthOf = (times: readonly number[]) => {
      const reorder = new ReorderDepth();
      for (const time of times) reorder.notice(time);
      return reorder.depth;
    };
    expect(depthOf([0, 1, 2, 3])).toBe(0);
    expect(depthOf([0, 3, 1, 2, 6, 4, 5])).toBe(1);
    expect(depthOf([0, 8, 4, 2, 1, 3, 6, 5, 7])).toBe(3);
  });
});

describe('decoding times', () => {
  it('are the presentation times where pictures come in the order they are shown in', () => {
    const times = new DecodeTimes(0, period);
    const shown = [0, 39_000, 81_000, 400_000, 440_001];
    expect(shown.map((time) => times.next(time))).toEqual(shown);
  });

  it('rise evenly and are never after the picture is shown, with B-frames that are known of', () => {
    const times = new DecodeTimes(1, period);
    const shown = withBFrames(31, 5_000_000);
    const decoded = shown.map((time) => times.next(time));
    expect(decoded[0]).toBe(5_000_000 - period);
    decoded.forEach((time, i) => {
      expect(time).toBeLessThanOrEqual(shown[i]!);
      if (i > 0 && i < 29) expect(time - decoded[i - 1]!).toBe(period);
    });
  });

  it('begin anew after a gap, and do not spread it over the pictures that follow', () => {
    const times = new DecodeTimes(1, period);
    const before = withBFrames(31, 0);
    const after = withBFrames(31, 30_000_000);
    const decoded = [...before, ...after].map((time) => times.next(time));
    expect(decoded[31]).toBe(30_000_000 - period);
    expect(decoded[33]! - decoded[32]!).toBe(period);
  });

  it('rise in any case, and are right once B-frames were noticed', () => {
    const times = new DecodeTimes(0, period);
    const shown = withBFrames(31, 0);
    const decoded = shown.map((time) => times.next(time));
    expect(decoded).toEqual([...decoded].sort((a, b) => a - b));
    expect(new Set(decoded).size).toBe(decoded.length);
    decoded.slice(4).forEach((time, i) => {
      expect(time).toBeLessThanOrEqual(shown[i + 4]!);
    });
  });
});
