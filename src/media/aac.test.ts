import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aacOf, buildAacConfig, parseAacConfig } from './aac.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('an AudioSpecificConfig', () => {
  it.each([
    ['1408', { objectType: 2, sampleRate: 16_000, channels: 1, unitDuration: 64_000 }],
    ['1190', { objectType: 2, sampleRate: 48_000, channels: 2 }],
    ['1210', { objectType: 2, sampleRate: 44_100, channels: 2 }],
    ['1588', { objectType: 2, sampleRate: 8000, channels: 1, unitDuration: 128_000 }],
    // HE-AAC: 24 kHz that become 48; with parametric stereo two channels of one.
    ['2b118800', { objectType: 5, sampleRate: 48_000, channels: 2 }],
    ['eb098800', { objectType: 29, sampleRate: 48_000, channels: 2 }],
    // A frequency written out: 12345 Hz.
    [Buffer.from(buildAacConfig(12_345, 1)).toString('hex'), { sampleRate: 12_345, channels: 1 }],
  ])('%s is read', (hex, expected) => {
    expect(parseAacConfig(bytes(hex))).toMatchObject(expected);
  });

  it.each([
    ['the backward-compatible extension behind it', '118856e500'],
    ['zeros behind it', '11880000'],
  ])('is cut to itself: %s', (_what, hex) => {
    expect(Buffer.from(parseAacConfig(bytes(hex))!.bytes).toString('hex')).toBe('1188');
  });

  it.each([
    ['nothing', ''],
    ['one byte', '12'],
    ['a reserved frequency', '1690'],
    ['another codec (CELP)', '4408'],
    ['0 Hz', '178000000800'],
  ])('of %s is none', (_what, hex) => {
    expect(parseAacConfig(bytes(hex))).toBeNull();
  });

  it('comes back as it was written', () => {
    const rate = fc.oneof(
      fc.constantFrom(8000, 16_000, 44_100, 48_000),
      fc.integer({ min: 7350, max: 192_000 }),
    );
    fc.assert(
      fc.property(rate, fc.constantFrom(1, 2, 3, 4, 5, 6, 8), (sampleRate, channels) => {
        const config = buildAacConfig(sampleRate, channels);
        const parsed = parseAacConfig(config)!;
        expect(parsed).toMatchObject({ objectType: 2, sampleRate, channels });
        expect(Buffer.from(parsed.bytes)).toEqual(Buffer.from(config));
      }),
    );
  });

  it('of sound that is made here is that of its own description', () => {
    const made = aacOf({ codec: 'l16', sampleRate: 44_100, channels: 6, config: bytes(''), codecString: '' });
    expect(made).toMatchObject({ codec: 'aac', channels: 2, codecString: 'mp4a.40.2' });
    expect(parseAacConfig(made.config)).toMatchObject({ sampleRate: made.sampleRate, channels: 2 });
  });
});
