import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonAspect, gridShape } from './grid-shape.ts';

const desk = { width: 1040, height: 700, gap: 8, aspect: 16 / 9, leastWidth: 240 };
const phone = { width: 366, height: 700, gap: 8, aspect: 4 / 3, leastWidth: 240 };

describe('the shape of the wall', () => {
  it('has the columns a person would choose, on a desk and on a phone', () => {
    const columns = (room: typeof desk) =>
      [1, 2, 3, 4, 5, 9, 12, 64].map((count) => gridShape({ ...room, count }).columns);
    expect(columns(desk)).toEqual([1, 1, 2, 2, 2, 3, 3, 4]);
    expect(columns(phone)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(gridShape({ ...desk, count: 64 }).scrolls).toBe(true);
    expect(gridShape({ ...desk, width: 2300, height: 1340, count: 64 })).toMatchObject({
      columns: 8,
      scrolls: false,
    });
  });

  it('never reaches beyond its room, and is as large as any other number of columns would make it', () => {
    const rooms = fc.record({
      count: fc.integer({ min: 1, max: 100 }),
      width: fc.integer({ min: 200, max: 4000 }),
      height: fc.integer({ min: 100, max: 2200 }),
      gap: fc.integer({ min: 0, max: 16 }),
      aspect: fc.constantFrom(4 / 3, 16 / 9),
      leastWidth: fc.integer({ min: 120, max: 400 }),
    });
    fc.assert(
      fc.property(rooms, (room) => {
        const { columns, tileWidth, tileHeight, scrolls } = gridShape(room);
        expect(columns * tileWidth + (columns - 1) * room.gap).toBeLessThanOrEqual(room.width);
        if (scrolls) return;
        const rows = Math.ceil(room.count / columns);
        expect(rows * tileHeight + (rows - 1) * room.gap).toBeLessThanOrEqual(room.height);
        for (let other = 1; other <= room.count; other++) {
          const lines = Math.ceil(room.count / other);
          const wide = (room.width - (other - 1) * room.gap) / other;
          const high = (room.height - (lines - 1) * room.gap) / lines;
          expect(Math.min(wide, high * room.aspect)).toBeLessThan(tileWidth + 1);
        }
      }),
    );
  });

  it('follows the shape of most pictures, within reason', () => {
    const wide = { width: 1920, height: 1080 };
    const old = { width: 640, height: 480 };
    expect(commonAspect([])).toBeCloseTo(16 / 9);
    expect(commonAspect([old, null, old, wide])).toBeCloseTo(4 / 3);
    expect(commonAspect([wide, wide, old])).toBeCloseTo(16 / 9);
    expect(commonAspect([{ width: 1080, height: 1920 }])).toBeCloseTo(4 / 3);
    expect(commonAspect([{ width: 5000, height: 1000 }])).toBeCloseTo(16 / 9);
  });
});
