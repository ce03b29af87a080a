import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeH264, h264PpsId, parseH264Sps } from './h264.ts';
import { describeH265, h265PpsId, parseH265Sps } from './h265.ts';
import { jpegSize } from './jpeg.ts';
import { joinAnnexB, splitAnnexB, unescapeNal } from './nal.ts';

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

/** A NAL unit without zeros, so that it holds no start code and loses none at its end. */
const nal = fc.uint8Array({ minLength: 1, maxLength: 200, min: 1 });

describe('Annex B', () => {
  it('splits into the NAL units it was joined from', () => {
    fc.assert(
      fc.property(fc.array(nal, { maxLength: 8 }), (nals) => {
        expect(splitAnnexB(joinAnnexB(nals))).toEqual(nals);
      }),
    );
  });

  it('is split at start codes of three bytes and with trailing zeros too', () => {
    const stream = Uint8Array.of(9, 0, 0, 1, 0x67, 1, 0, 0, 0, 0, 1, 0x68, 2, 0, 0, 1, 0, 0, 1, 0x65);
    expect(splitAnnexB(stream)).toEqual([
      Uint8Array.of(0x67, 1),
      Uint8Array.of(0x68, 2),
      Uint8Array.of(0x65),
    ]);
  });

  it('loses its emulation prevention bytes and nothing else', () => {
    const escaped = Uint8Array.of(1, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 3);
    expect(unescapeNal(escaped)).toEqual(Uint8Array.of(1, 0, 0, 1, 0, 0, 0, 0, 3));
  });
});

describe('parameter sets of real encoders', () => {
  // Written by x264 and x265 for these formats.
  it.each([
    ['Z2QAFKzZRHsBagwMDUoAAAMAAgAAAwA9HihTLA==', 64, 48, 15, 'avc1.640014'],
    ['Z0LAFtkAoD2wFqDAwNSgAAADACAAAAMD0eLFyQ==', 640, 480, 15, 'avc1.42C016'],
    ['Z01AH+ygKALdgLUBAQFAAAADAEAAAA8jxgxlgA==', 1280, 720, 30, 'avc1.4D401F'],
    ['Z2QAKKzZQHgCJ+XAWoCAgKAAAAMAIAAABlHjBjLA', 1920, 1080, 25, 'avc1.640028'],
  ])('H.264 %s is read', (text, width, height, fps, codecString) => {
    const sps = fromBase64(text);
    expect(describeH264([sps])).toEqual({
      codec: 'h264',
      width,
      height,
      fps,
      codecString,
      parameterSets: [sps],
    });
    expect(h264PpsId(fromBase64('aMuMsg=='))).toBe(0);
  });

  it.each([
    ['QgEBBAgAAAMAmAgAAAMAAD+QBBBiKUsrNcmV/+AAIAAtQYGBgQAAAwABAAADAA8I', 64, 48, 15, 'hvc1.4.10.L63.98.8'],
    [
      'QgEBBAgAAAMAmAgAAAMAAF2QAFAQBaIpSys0kmV/+AAIAAtQEBAQQAAAAwBAAAAHgg==',
      1280,
      720,
      30,
      'hvc1.4.10.L93.98.8',
    ],
    [
      'QgEBBAgAAAMAmAgAAAMAAHiQAHgQAhyKUsrNJJlf/gACAALUBAQEEAAAAwAQAAADAZCA',
      1920,
      1080,
      25,
      'hvc1.4.10.L120.98.8',
    ],
  ])('H.265 %s is read', (text, width, height, fps, codecString) => {
    const sps = fromBase64(text);
    expect(describeH265([sps])).toEqual({
      codec: 'h265',
      width,
      height,
      fps,
      codecString,
      parameterSets: [sps],
    });
    expect(h265PpsId(fromBase64('RAHBcrRiQA=='))).toBe(0);
  });

  it('cut short or bent are refused or read, never believed beyond reason', () => {
    const samples = [
      'Z2QAKKzZQHgCJ+XAWoCAgKAAAAMAIAAABlHjBjLA',
      'QgEBBAgAAAMAmAgAAAMAAHiQAHgQAhyKUsrNJJlf/gACAALUBAQEEAAAAwAQAAADAZCA',
    ].map(fromBase64);
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 6 }),
        fc.integer({ min: 0, max: 60 }),
        (sample, changes, length) => {
          const bytes = sample.slice();
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          for (const sps of [
            parseH264Sps(bytes.subarray(0, length)),
            parseH265Sps(bytes.subarray(0, length)),
          ]) {
            if (sps === null) continue;
            expect(sps.width).toBeGreaterThan(0);
            expect(sps.width).toBeLessThanOrEqual(16_384);
            expect(sps.height).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(parseH264Sps(samples[0]!.subarray(0, 6))).toBeNull();
    expect(parseH265Sps(samples[1]!.subarray(0, 16))).toBeNull();
    expect(parseH264Sps(samples[1]!)).toBeNull();
  });
});

describe('JPEG size', () => {
  it('is found behind other segments and refused where there is none', () => {
    const frame = [0xff, 0xc2, 0, 11, 8, 1, 0xe0, 2, 0x80, 1, 1, 0x11, 0];
    const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, ...frame);
    expect(jpegSize(jpeg)).toEqual({ width: 640, height: 480 });
    expect(jpegSize(jpeg.subarray(0, 14))).toBeNull();
    expect(jpegSize(Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xc0))).toBeNull();
    expect(jpegSize(Uint8Array.of(1, 2, 3, 4))).toBeNull();
  });
});
