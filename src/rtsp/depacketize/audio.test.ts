import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRtp, createRtpPacket, parseRtp } from '../rtp.ts';
import { parseSdp } from '../sdp.ts';
import { chooseAudio } from '../sdp-audio.ts';
import { createAudioDepacketizer } from './audio.ts';
import { opusDuration } from './opus-duration.ts';

interface Piece {
  readonly payload: Uint8Array;
  readonly marker?: boolean;
  readonly timestamp: number;
  /** Packets before it are missing. */
  readonly gap?: boolean;
}

function receiver(...lines: string[]) {
  const choice = chooseAudio(parseSdp(['m=audio 0 RTP/AVP 96', ...lines].join('\n')));
  if (choice.kind !== 'track') throw new Error('no track');
  const units: { hex: string; timestamp: number; duration: number }[] = [];
  const dropped: string[] = [];
  const depacketizer = createAudioDepacketizer(choice.track, {
    onUnit: (data, timestamp, duration) =>
      void units.push({ hex: Buffer.from(data).toString('hex'), timestamp, duration }),
    onDropped: (reason) => void dropped.push(reason),
  });
  const packet = createRtpPacket();
  const shared = Buffer.alloc(70_000);
  return {
    units,
    dropped,
    depacketizer,
    feed(pieces: readonly Piece[]) {
      for (const { payload, marker = false, timestamp, gap = false } of pieces) {
        // In one buffer that is overwritten each time.
        const header = { payloadType: 96, marker, sequence: 1, timestamp, ssrc: 1 };
        const bytes = buildRtp(header, payload);
        shared.fill(0xee);
        shared.set(bytes);
        if (!parseRtp(shared.subarray(0, bytes.length), packet)) throw new Error('not RTP');
        depacketizer.push(packet, timestamp, timestamp / 1000, gap);
      }
      return units.map(({ hex }) => hex);
    },
  };
}

const aac = () => receiver('a=rtpmap:96 MPEG4-GENERIC/16000/1', 'a=fmtp:96 mode=AAC-hbr;config=1408');
const latm = (config = '400023203fc0') =>
  receiver('a=rtpmap:96 MP4A-LATM/48000/2', `a=fmtp:96 cpresent=0;config=${config}`);

function bytes(...parts: (number | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : part)));
}

/** The AU Header Section of AAC-hbr and what follows it. */
function aacPayload(sizes: readonly number[], body: Uint8Array, deltas = 0): Uint8Array {
  const heads = sizes.map((size, i) => (size << 3) | (i === 0 ? 0 : deltas));
  return bytes(
    (16 * sizes.length) >> 8,
    (16 * sizes.length) & 255,
    ...heads.flatMap((h) => [h >> 8, h & 255]),
    body,
  );
}

function fragments(unit: Uint8Array, room: number, timestamp: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < unit.length; at += room) {
    const payload = aacPayload([unit.length], unit.subarray(at, at + room));
    pieces.push({ payload, timestamp, marker: at + room >= unit.length });
  }
  return pieces;
}

function latmElement(...units: Uint8Array[]): Uint8Array {
  return bytes(
    ...units.flatMap((unit) => [
      ...new Array(Math.floor(unit.length / 255)).fill(255),
      unit.length % 255,
      unit,
    ]),
  );
}

const unit = fc.uint8Array({ minLength: 1, maxLength: 2000 });
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');

describe('AAC in access units', () => {
  it('comes out as it went in, alone, several in a packet, or in fragments', () => {
    const group = fc.tuple(
      fc.array(unit, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 50, max: 1400 }),
    );
    fc.assert(
      fc.property(fc.array(group, { maxLength: 6 }), (groups) => {
        const { feed, dropped } = aac();
        const pieces = groups.flatMap(([units, room], i): Piece[] => {
          const timestamp = i * 1_000_000;
          const only = units[0]!;
          if (units.length === 1 && only.length > room) return fragments(only, room, timestamp);
          return [
            {
              payload: aacPayload(
                units.map((u) => u.length),
                bytes(...units),
              ),
              timestamp,
              marker: true,
            },
          ];
        });
        expect(feed(pieces)).toEqual(groups.flatMap(([units]) => units.map(hex)));
        expect(dropped).toEqual([]);
      }),
    );
  });

  it('is timed unit by unit within a packet', () => {
    const { feed, units } = aac();
    feed([
      { payload: aacPayload([2, 3, 1], Uint8Array.of(1, 2, 3, 4, 5, 6)), timestamp: 1_000_000, marker: true },
    ]);
    expect(units.map(({ timestamp }) => timestamp)).toEqual([1_000_000, 1_064_000, 1_128_000]);
    expect(units.every(({ duration }) => duration === 64_000)).toBe(true);
  });

  it('loses only the unit of which a fragment is missing', () => {
    const whole = Buffer.alloc(1000, 7);
    for (const lost of [0, 1, 2, 3]) {
      const { feed, dropped } = aac();
      const broken = fragments(Buffer.alloc(1000, 9), 250, 64_000).filter((_, i) => i !== lost);
      const pieces = [
        ...fragments(whole, 250, 0),
        ...broken.map((piece, i) => ({ ...piece, gap: i === lost })),
        ...fragments(whole, 250, 128_000).map((piece, i) => ({ ...piece, gap: i === 0 && lost === 3 })),
      ];
      expect(feed(pieces)).toEqual([hex(whole), hex(whole)]);
      expect(dropped.length).toBeGreaterThan(0);
    }
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['no header', Uint8Array.of(0, 0, 1, 2)],
    ['a header that is longer than the packet', Uint8Array.of(0xff, 0xff, 1, 2, 3)],
    ['half a header', bytes(0, 12, 0x01, 0x02, 3)],
    ['interleaving', aacPayload([1, 1], Uint8Array.of(1, 2), 1)],
    ['two units that are longer than the packet', aacPayload([1, 9], Uint8Array.of(1, 2))],
    ['a unit of no bytes', aacPayload([0], Uint8Array.of(1, 2))],
  ])('of %s is dropped, and the next is heard', (_what, payload) => {
    const { feed, dropped } = aac();
    feed([{ payload, timestamp: 0, marker: true }]);
    expect(dropped).toEqual(['broken']);
    expect(feed([{ payload: aacPayload([1], Uint8Array.of(5)), timestamp: 64_000 }]).at(-1)).toBe('05');
  });
});

describe('AAC in LATM', () => {
  it('comes out as it went in, whole or in fragments', () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 6 }), fc.integer({ min: 30, max: 1400 }), (units, room) => {
        const { feed, dropped } = latm();
        const pieces = units.flatMap((data, i) => {
          const element = latmElement(data);
          return Array.from({ length: Math.ceil(element.length / room) }, (_, k) => ({
            payload: element.subarray(k * room, (k + 1) * room),
            timestamp: i * 21_333,
            marker: (k + 1) * room >= element.length,
          }));
        });
        expect(feed(pieces)).toEqual(units.map(hex));
        expect(dropped).toEqual([]);
      }),
    );
  });

  it('of several units in an element is timed unit by unit', () => {
    // numSubFrames = 1: two of them.
    const { feed, units } = latm('410023203fc0');
    feed([{ payload: latmElement(Uint8Array.of(1, 2), Uint8Array.of(3)), timestamp: 0, marker: true }]);
    expect(units.map(({ hex: data, timestamp }) => [data, timestamp])).toEqual([
      ['0102', 0],
      ['03', 21_333],
    ]);
  });

  it('loses only the element of which a part is missing', () => {
    const { feed, dropped } = latm();
    const element = latmElement(Buffer.alloc(400, 9));
    const good = { payload: latmElement(Uint8Array.of(1)), marker: true };
    const heard = feed([
      { payload: element.subarray(0, 100), timestamp: 0 },
      { payload: element.subarray(200), timestamp: 0, marker: true, gap: true },
      { ...good, timestamp: 1 },
      { payload: element.subarray(0, 100), timestamp: 2 },
      { ...good, timestamp: 3, gap: true },
    ]);
    expect(heard).toEqual(['01', '01']);
    expect(dropped).toHaveLength(2);
  });

  it('that never ends is given up, in bounded memory', () => {
    const { feed, dropped, depacketizer } = latm();
    for (let i = 0; i < 500; i++) feed([{ payload: Buffer.alloc(1400, 255), timestamp: 0 }]);
    expect(depacketizer.retainedBytes).toBeLessThan(70_000);
    feed([{ payload: latmElement(Uint8Array.of(1)), timestamp: 1, marker: true }]);
    expect(dropped).toHaveLength(1);
  });
});

describe('sound of one packet a unit', () => {
  it.each([
    ['PCMU/8000', 160, 20_000],
    ['PCMA/16000/2', 640, 20_000],
    ['L16/44100/2', 1764, 10_000],
  ])('%s lasts as long as its samples', (map, length, duration) => {
    const { feed, units } = receiver(`a=rtpmap:96 ${map}`);
    feed([{ payload: Buffer.alloc(length, 1), timestamp: 5 }]);
    expect(units).toMatchObject([{ timestamp: 5 }]);
    expect(units[0]!.duration).toBeCloseTo(duration, 3);
  });

  it('of half a sample, or none, is dropped', () => {
    const { feed, dropped, units } = receiver('a=rtpmap:96 L16/16000/2');
    feed([
      { payload: Buffer.alloc(7), timestamp: 0 },
      { payload: Buffer.alloc(0), timestamp: 1 },
    ]);
    expect(units).toEqual([]);
    expect(dropped).toEqual(['broken', 'broken']);
  });

  it.each([
    // Configuration 31 is CELT of 20 ms, 16 of 2.5 ms, 3 SILK of 60 ms, 12 hybrid of 10 ms; then the frame count's code.
    [[31 << 3, 1], 20_000],
    [[(31 << 3) | 1, 1], 40_000],
    [[(16 << 3) | 3, 48], 120_000],
    [[3 << 3, 1], 60_000],
    [[12 << 3, 1], 10_000],
    [[(3 << 3) | 3, 3], 0],
    [[(31 << 3) | 3], 0],
    [[], 0],
  ])('Opus %j lasts %i µs', (packet, duration) => {
    expect(opusDuration(Uint8Array.from(packet))).toBe(duration);
  });
});
