import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timeline } from './timeline.ts';

describe('Timeline', () => {
  it('keeps the spacing of the camera within a session, whatever the jitter of arrival', () => {
    const timeline = new Timeline();
    const arrivals = [0, 90, 110, 230, 260];
    const mapped = arrivals.map((at, i) => timeline.map(1_000_000 + i * 66_667, 5000 + at));
    expect(mapped).toEqual([0, 66_667, 133_334, 200_001, 266_668]);
  });

  it('goes on after a reconnect where local time is, never before what was given out', () => {
    const timeline = new Timeline();
    timeline.map(0, 1000);
    timeline.map(1_000_000, 2000);
    timeline.newSession();
    expect(timeline.map(77, 4000)).toBe(3_000_000);
    timeline.newSession();
    expect(timeline.map(5, 4000)).toBe(3_000_001);
  });

  it('lets B-frames step back and treats a jump of the camera clock as a jump', () => {
    const timeline = new Timeline();
    timeline.map(0, 0);
    expect(timeline.map(120_000, 40)).toBe(120_000);
    expect(timeline.map(40_000, 80)).toBe(40_000);
    expect(timeline.map(90_000_000_000, 120)).toBe(120_001);
    expect(timeline.map(90_000_040_000, 160)).toBe(160_001);
    expect(timeline.map(0, 200)).toBe(200_000);
  });

  it('follows local time within the jump limit for any camera clock', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e12, max: 1e12 }), { maxLength: 50 }), (timestamps) => {
        const timeline = new Timeline();
        timestamps.forEach((timestamp, i) => {
          const local = i * 40_000;
          const mapped = timeline.map(timestamp, i * 40);
          expect(mapped).toBeGreaterThanOrEqual(0);
          expect(Math.abs(mapped - local)).toBeLessThanOrEqual(2_000_000 + 50);
        });
      }),
    );
  });
});
