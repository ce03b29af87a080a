import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitInside } from './fit.ts';

test('a picture is fitted inside the box with its aspect kept', () => {
  const box = { width: 640, height: 480 };
  expect(fitInside({ width: 1920, height: 1080 }, 1, box)).toEqual({ width: 640, height: 360 });
  expect(fitInside({ width: 1280, height: 960 }, 1, box)).toEqual({ width: 640, height: 480 });
  expect(fitInside({ width: 1080, height: 1920 }, 1, box)).toEqual({ width: 270, height: 480 });
});

test('a small picture is not enlarged', () => {
  expect(fitInside({ width: 320, height: 240 }, 1, { width: 640, height: 480 })).toEqual({
    width: 320,
    height: 240,
  });
});

test('pixels that are not square are made square without enlarging', () => {
  // PAL 16:9: 720×576 with pixels of 64:45 is shown as 16:9.
  expect(fitInside({ width: 720, height: 576 }, 64 / 45, { width: 1920, height: 1080 })).toEqual({
    width: 720,
    height: 406,
  });
  // D1 with narrow pixels loses columns.
  expect(fitInside({ width: 720, height: 480 }, 8 / 9, { width: 1920, height: 1080 })).toEqual({
    width: 640,
    height: 480,
  });
});

test('every size comes out even, inside the box and never larger than the source', () => {
  const side = fc.integer({ min: 2, max: 8192 });
  fc.assert(
    fc.property(
      side,
      side,
      side,
      side,
      fc.double({ noNaN: true, min: 0, max: 8 }),
      (w, h, bw, bh, aspect) => {
        const { width, height } = fitInside({ width: w, height: h }, aspect, { width: bw, height: bh });
        expect([width % 2, height % 2]).toEqual([0, 0]);
        expect(width).toBeGreaterThanOrEqual(2);
        expect(height).toBeGreaterThanOrEqual(2);
        expect(width).toBeLessThanOrEqual(Math.min(w, bw));
        expect(height).toBeLessThanOrEqual(Math.min(h, bh));
      },
    ),
  );
});
