// The frame counter in the picture: read back from anything that shows the picture.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrames } from './encode.ts';
import { drawStrip, readStrip, stripCounters, stripReaderSource } from './strip.ts';
import { decodeUnits } from './test-support.ts';

const counters = fc.integer({ min: 0, max: stripCounters - 1 });

/** A picture whose content above the strip is noise. */
function noisy(width: number, height: number, counter: number, seed = 1): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  let state = seed;
  for (let i = 0; i < rgb.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    rgb[i] = state >>> 24;
  }
  drawStrip(rgb, width, height, counter);
  return rgb;
}

/** Bilinear, as a viewer would scale. */
function scale(
  luma: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  const out = new Uint8Array(toWidth * toHeight);
  for (let y = 0; y < toHeight; y++) {
    for (let x = 0; x < toWidth; x++) {
      const sx = Math.min(width - 1.001, Math.max(0, ((x + 0.5) * width) / toWidth - 0.5));
      const sy = Math.min(height - 1.001, Math.max(0, ((y + 0.5) * height) / toHeight - 0.5));
      const at = Math.floor(sy) * width + Math.floor(sx);
      const [fx, fy] = [sx % 1, sy % 1];
      const top = luma[at]! * (1 - fx) + luma[at + 1]! * fx;
      const bottom = luma[at + width]! * (1 - fx) + luma[at + width + 1]! * fx;
      out[y * toWidth + x] = top * (1 - fy) + bottom * fy;
    }
  }
  return out;
}

describe('the frame counter strip', () => {
  test('every counter is read back at any size', () => {
    const side = fc.integer({ min: 64, max: 400 });
    fc.assert(
      fc.property(counters, side, side, (counter, width, height) => {
        expect(readStrip(noisy(width, height, counter), width, height)).toBe(counter);
      }),
      { numRuns: 60 },
    );
  });

  test('luma, RGB and RGBA give the same answer', () => {
    const rgb = noisy(320, 240, 4711);
    const luma = new Uint8Array(320 * 240);
    const rgba = new Uint8ClampedArray(320 * 240 * 4);
    for (let i = 0; i < luma.length; i++) {
      luma[i] = rgb[i * 3 + 1]!;
      for (let k = 0; k < 3; k++) rgba[i * 4 + k] = rgb[i * 3 + k]!;
    }
    expect([readStrip(luma, 320, 240), readStrip(rgba, 320, 240)]).toEqual([4711, 4711]);
  });

  test('one wrong block is noticed', () => {
    fc.assert(
      fc.property(counters, fc.integer({ min: 2, max: 29 }), (counter, block) => {
        const rgb = new Uint8Array(320 * 240 * 3);
        drawStrip(rgb, 320, 240, counter);
        for (let y = 230; y < 240; y++)
          for (let x = block * 10; x < block * 10 + 10; x++)
            for (let k = 0; k < 3; k++) rgb[(y * 320 + x) * 3 + k]! ^= 0xff;
        expect(readStrip(rgb, 320, 240)).toBeNull();
      }),
    );
  });

  test('a picture without a strip has no counter', () => {
    expect(readStrip(new Uint8Array(320 * 240), 320, 240)).toBeNull();
    expect(readStrip(new Uint8Array(320 * 240).fill(255), 320, 240)).toBeNull();
    const noise = noisy(320, 480, 1, 99).subarray(0, 320 * 240 * 3);
    expect(readStrip(noise, 320, 240)).toBeNull();
  });

  test('it survives H.264, then JPEG of poor quality, then scaling', async () => {
    const wanted = [0, 1, 449, 524_287, 1_048_575, 699_050];
    const frames = wanted.map((counter, i) => noisy(640, 480, counter, i + 1));
    const size = { width: 640, height: 480, fps: 15 };
    const video = await encodeFrames(frames, { codec: 'h264', ...size, quality: 34 });
    const seen = await decodeUnits(
      'h264',
      video.accessUnits.map(({ data }) => data),
    );
    const grey = seen.map(({ luma }) =>
      Uint8Array.from({ length: luma.length * 3 }, (_, i) => luma[(i / 3) | 0]!),
    );
    const jpegs = await encodeFrames(grey, { codec: 'mjpeg', ...size, quality: 20 });
    const shown = await decodeUnits(
      'mjpeg',
      jpegs.accessUnits.map(({ data }) => data),
    );
    for (const [width, height] of [
      [640, 480],
      [320, 240],
      [960, 720],
      [500, 375],
    ] as const) {
      const read = shown.map(({ luma }) => readStrip(scale(luma, 640, 480, width, height), width, height));
      expect(read).toEqual(wanted);
    }
  });

  test('the source for browsers reads it too', () => {
    const read = new Function(`${stripReaderSource}; return readStrip;`)() as typeof readStrip;
    expect(read(noisy(640, 480, 31_337), 640, 480)).toBe(31_337);
  });
});
