import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Candidate, corrected, overSmaller, overUnion, squared, suppress } from './boxes.ts';

const coordinate = fc.double({ min: -500, max: 1000, noNaN: true });
const side = fc.double({ min: 0.5, max: 400, noNaN: true });
const candidate: fc.Arbitrary<Candidate> = fc
  .tuple(coordinate, coordinate, side, side, fc.double({ min: -20, max: 20, noNaN: true }))
  .map(([x1, y1, width, height, score]) => ({ x1, y1, x2: x1 + width, y2: y1 + height, score }));
const limit = fc.double({ min: 0.05, max: 0.95, noNaN: true });

describe('overlap', () => {
  test('is symmetric, between 0 and 1, and never larger over the union than over the smaller box', () => {
    fc.assert(
      fc.property(candidate, candidate, (a, b) => {
        for (const overlap of [overUnion, overSmaller]) {
          expect(overlap(a, b)).toBeCloseTo(overlap(b, a), 12);
          expect(overlap(a, b)).toBeGreaterThanOrEqual(0);
          expect(overlap(a, b)).toBeLessThanOrEqual(1 + 1e-9);
        }
        expect(overUnion(a, b)).toBeLessThanOrEqual(overSmaller(a, b) + 1e-12);
      }),
    );
  });

  test('of a box with itself is 1, with a box beside it 0, with an empty box 0', () => {
    fc.assert(
      fc.property(candidate, (a) => {
        const beside = { ...a, x1: a.x2, x2: a.x2 + 10 };
        const empty = { ...a, x2: a.x1 };
        for (const overlap of [overUnion, overSmaller]) {
          expect(overlap(a, a)).toBeCloseTo(1, 9);
          expect(overlap(a, beside)).toBe(0);
          expect(overlap(a, empty)).toBe(0);
        }
      }),
    );
  });

  test('of a quarter inside a box is 1/4 of the union and all of the smaller', () => {
    const whole = { x1: 0, y1: 0, x2: 10, y2: 10, score: 0 };
    const quarter = { x1: 5, y1: 5, x2: 10, y2: 10, score: 0 };
    expect(overUnion(whole, quarter)).toBe(0.25);
    expect(overSmaller(whole, quarter)).toBe(1);
  });
});

describe('suppression', () => {
  test('keeps candidates that do not overlap, and explains every dropped one by a likelier kept one', () => {
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 40 }), limit, (all, most) => {
        const kept = suppress(all, most);
        for (const [index, a] of kept.entries())
          for (const b of kept.slice(index + 1)) expect(overUnion(a, b)).toBeLessThanOrEqual(most);
        for (const dropped of all.filter((c) => !kept.includes(c)))
          expect(kept.some((k) => k.score >= dropped.score && overUnion(k, dropped) > most)).toBe(true);
      }),
    );
  });

  test('gives the likeliest first, changes nothing a second time, and does not touch its input', () => {
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 40 }), limit, (all, most) => {
        const before = structuredClone(all);
        const kept = suppress(all, most);
        expect(all).toEqual(before);
        expect(suppress(kept, most)).toEqual(kept);
        for (const [index, c] of kept.entries())
          if (index > 0) expect(c.score).toBeLessThanOrEqual(kept[index - 1]!.score);
      }),
    );
  });

  test('with a limit of 1 keeps all', () => {
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 20 }), (all) => {
        const distinct = all.map((c, index) => ({ ...c, x2: c.x1 + 1 + index }));
        expect(suppress(distinct, 1)).toHaveLength(distinct.length);
      }),
    );
  });
});

describe('correction', () => {
  test('moves each corner by its part of the box', () => {
    const box = { x1: 100, y1: 200, x2: 120, y2: 240, score: 1 };
    expect(corrected(box, 0.1, -0.1, 0.5, 0.25, 7)).toEqual({ x1: 102, y1: 196, x2: 130, y2: 250, score: 7 });
  });

  test('of nothing leaves the box where it is', () => {
    fc.assert(
      fc.property(candidate, (c) => {
        // + 0: of no interest whether it is −0.
        const { x1, y1, x2, y2 } = corrected(c, 0, 0, 0, 0, c.score);
        expect([x1, y1, x2, y2].map((v) => v + 0)).toEqual([c.x1, c.y1, c.x2, c.y2].map((v) => v + 0));
      }),
    );
  });
});

test('a squared box has the same centre and the longer side', () => {
  fc.assert(
    fc.property(candidate, (c) => {
      const s = squared(c);
      expect(s.x2 - s.x1).toBeCloseTo(s.y2 - s.y1, 9);
      expect(s.x2 - s.x1).toBeCloseTo(Math.max(c.x2 - c.x1, c.y2 - c.y1), 9);
      expect(s.x1 + s.x2).toBeCloseTo(c.x1 + c.x2, 9);
      expect(s.y1 + s.y2).toBeCloseTo(c.y1 + c.y2, 9);
    }),
  );
});
