import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Frame, Mipmap } from './frame.ts';
import { Pyramid } from './pyramid.ts';

const size = fc.integer({ min: 1, max: 900 });
const minFaceSize = fc.integer({ min: 12, max: 120 });

function painted(width: number, height: number, paint: (x: number, y: number) => number[]): Frame {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rgb.set(paint(x, y), (y * width + x) * 3);
  return { rgb, width, height };
}

function drawn(frame: Frame, smallestFace: number): Pyramid {
  const mipmap = new Mipmap(frame.width, frame.height);
  const pyramid = new Pyramid(frame.width, frame.height, smallestFace);
  mipmap.load(frame);
  pyramid.draw(mipmap);
  return pyramid;
}

describe('the levels', () => {
  test('lie on the sheet at even places with even sizes, apart from each other, for any frame', () => {
    fc.assert(
      fc.property(size, size, minFaceSize, (width, height, smallest) => {
        const { levels, ...sheet } = new Pyramid(width, height, smallest);
        const covered = new Uint8Array(sheet.width * sheet.height);
        for (const level of levels) {
          expect([level.x, level.y, level.width, level.height].map((v) => v % 2)).toEqual([0, 0, 0, 0]);
          expect(Math.min(level.width, level.height)).toBeGreaterThanOrEqual(12);
          expect(level.x + level.width).toBeLessThanOrEqual(sheet.width);
          expect(level.y + level.height).toBeLessThanOrEqual(sheet.height);
          for (let y = level.y; y < level.y + level.height; y++) {
            const row = covered.subarray(y * sheet.width + level.x, y * sheet.width + level.x + level.width);
            expect(row.every((used) => used === 0)).toBe(true);
            row.fill(1);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('waste little of the sheet at usual frame sizes', () => {
    for (const [width, height] of [
      [640, 480],
      [640, 360],
      [480, 640],
      [320, 240],
    ] as const)
      for (const smallest of [20, 40, 60]) {
        const pyramid = new Pyramid(width, height, smallest);
        const used = pyramid.levels.reduce((sum, level) => sum + level.width * level.height, 0);
        expect(used / (pyramid.width * pyramid.height)).toBeGreaterThan(0.8);
      }
  });

  test('reach from the smallest face to the whole frame', () => {
    const { levels } = new Pyramid(640, 480, 40);
    expect(levels[0]).toMatchObject({ width: 192, height: 144 });
    expect(levels.at(-1)!.height).toBeLessThan(12 / 0.709);
  });

  test('are none for a frame smaller than the smallest face', () => {
    expect(new Pyramid(30, 30, 40).levels).toEqual([]);
    expect(new Pyramid(2000, 8, 40).levels).toEqual([]);
  });
});

describe('a drawn pyramid', () => {
  test('shows one colour as the same colour at every level', () => {
    const pyramid = drawn(
      painted(333, 251, () => [10, 120, 250]),
      20,
    );
    for (const level of pyramid.levels)
      for (const [index, value] of [10, 120, 250].entries()) {
        const row = (y: number) => {
          const at = (index * pyramid.height + level.y + y) * pyramid.width + level.x;
          return pyramid.sheet.subarray(at, at + level.width);
        };
        for (let y = 0; y < level.height; y++) {
          expect(Math.min(...row(y))).toBeCloseTo(value, 3);
          expect(Math.max(...row(y))).toBeCloseTo(value, 3);
        }
      }
  });

  test('keeps a ramp a ramp: what is at x in the frame is at x in every level', () => {
    const width = 512;
    const pyramid = drawn(
      painted(width, 384, (x, y) => [x / 2, y / 2, 0]),
      40,
    );
    const plane = pyramid.width * pyramid.height;
    for (const level of pyramid.levels) {
      const column = level.x + level.width / 2 - 1;
      const row = level.y + level.height / 2 - 1;
      const at = row * pyramid.width + column;
      const centreX = (level.width / 2 - 0.5) * level.scaleX - 0.5;
      const centreY = (level.height / 2 - 0.5) * level.scaleY - 0.5;
      expect(Math.abs(pyramid.sheet[at]! - centreX / 2)).toBeLessThan(0.8);
      expect(Math.abs(pyramid.sheet[at + plane]! - centreY / 2)).toBeLessThan(0.8);
    }
  });

  test('averages fine stripes instead of picking some of them', () => {
    const pyramid = drawn(
      painted(640, 480, (x) => (x % 2 ? [255, 255, 255] : [0, 0, 0])),
      40,
    );
    const [level] = pyramid.levels;
    for (let x = 0; x < level!.width; x++) expect(Math.abs(pyramid.sheet[x]! - 127.5)).toBeLessThan(1);
  });
});
