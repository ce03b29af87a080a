import { describe, expect, it } from 'vitest';
import { Ladder } from './ladder.ts';

const steps = ['webcodecs', 'mse', 'jpeg'] as const;
const minute = 60_000;

describe('the ladder of ways to play', () => {
  it('goes down a step at a time and not below the last', () => {
    const ladder = new Ladder(steps);
    expect(ladder.current).toBe('webcodecs');
    expect(ladder.fall).toBeNull();
    expect(ladder.down('failed', 0)).toBe(true);
    expect(ladder.current).toBe('mse');
    expect(ladder.down('slow', 0)).toBe(true);
    expect(ladder.current).toBe('jpeg');
    expect(ladder.down('failed', 0)).toBe(false);
    expect(ladder.current).toBe('jpeg');
    expect(ladder.fall).toEqual({ step: 'webcodecs', reason: 'failed' });
  });

  it('climbs after a pause that grows with each fall, and gives up at last', () => {
    const ladder = new Ladder(steps);
    let now = 0;
    let before = 0;
    for (let fall = 1; fall <= 5; fall++) {
      ladder.down('failed', now);
      const from = now;
      if (fall === 5) break;
      while (!ladder.up(now)) now += 1_000;
      expect(now - from).toBeGreaterThan(before);
      before = now - from;
      expect(ladder.current).toBe('webcodecs');
    }
    expect(ladder.up(now + 1e9)).toBe(false);
    expect(ladder.current).toBe('mse');
  });

  it('steps over a way that is known not to work', () => {
    const ladder = new Ladder(steps);
    ladder.down('failed', 0);
    ladder.down('unsupported', 0);
    expect(ladder.up(minute)).toBe(true);
    expect(ladder.current).toBe('webcodecs');
    ladder.down('failed', minute);
    expect(ladder.current).toBe('jpeg');
  });

  it('never tries what the browser cannot play again, until the camera sends something else', () => {
    const ladder = new Ladder(steps);
    ladder.down('unsupported', 0);
    ladder.down('unsupported', 0);
    expect(ladder.up(1e12)).toBe(false);
    expect(ladder.reset(1e12)).toBe(true);
    expect(ladder.current).toBe('webcodecs');
    expect(ladder.fall).toBeNull();
    expect(ladder.reset(1e12)).toBe(false);
  });

  it('forgets falls of a way that has played well for long', () => {
    const ladder = new Ladder(steps);
    let now = 0;
    for (let fall = 0; fall < 20; fall++) {
      ladder.down('failed', now);
      while (!ladder.up(now)) now += 1_000;
      now += 6 * minute;
      ladder.up(now);
    }
    expect(ladder.current).toBe('webcodecs');
  });
});
