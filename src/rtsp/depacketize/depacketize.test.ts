import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessUnit, VideoParameters } from '../../media/access-unit.ts';
import { jpegSize } from '../../media/jpeg.ts';
import { joinAnnexB } from '../../media/nal.ts';
import { buildRtp, createRtpPacket, parseRtp } from '../rtp.ts';
import { type Depacketizer, type DropReason, maxAccessUnitBytes } from './depacketizer.ts';
import { H264Depacketizer } from './h264.ts';
import { H265Depacketizer } from './h265.ts';
import { MjpegDepacketizer } from './mjpeg.ts';

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

const sps = fromBase64('Z0LAFtkAoD2wFqDAwNSgAAADACAAAAMD0eLFyQ==');
const largerSps = fromBase64('Z2QAKKzZQHgCJ+XAWoCAgKAAAAMAIAAABlHjBjLA');
const pps = fromBase64('aMuMsg==');
const h265Sets = [
  'QAEMAf//BAgAAAMAmAgAAAMAAFqVmAk=',
  'QgEBBAgAAAMAmAgAAAMAAFqQAKBAPCKUsrNJJlf/gACAALUGBgYEAAADAAQAAAMAPCA=',
  'RAHBcrRiQA==',
].map(fromBase64);

class Sink {
  readonly units: AccessUnit[] = [];
  readonly videos: VideoParameters[] = [];
  readonly dropped: DropReason[] = [];
  onVideo = (video: VideoParameters) => void this.videos.push(video);
  onAccessUnit = (unit: AccessUnit) => void this.units.push(unit);
  onDropped = (reason: DropReason) => void this.dropped.push(reason);
  get bytes(): string[] {
    return this.units.map((unit) => Buffer.from(unit.data).toString('hex'));
  }
}

interface Piece {
  readonly payload: Uint8Array;
  readonly marker: boolean;
  /** Which access unit it belongs to. */
  readonly unit: number;
}

/** Feeds the pieces, leaving out those whose index `lost` holds; in one buffer that is overwritten each time. */
function feed(
  depacketizer: Depacketizer,
  pieces: readonly Piece[],
  lost: ReadonlySet<number> = new Set(),
): void {
  const packet = createRtpPacket();
  const shared = Buffer.alloc(70_000);
  let gap = false;
  pieces.forEach(({ payload, marker, unit }, i) => {
    if (lost.has(i)) {
      gap = true;
      return;
    }
    const header = { payloadType: 96, marker, sequence: i & 0xffff, timestamp: unit * 3000, ssrc: 1 };
    const bytes = buildRtp(header, payload);
    shared.fill(0xee);
    shared.set(bytes);
    if (!parseRtp(shared.subarray(0, bytes.length), packet)) throw new Error('not RTP');
    depacketizer.push(packet, unit * 33_333, unit, gap);
    gap = false;
  });
}

function bytes(...parts: (number | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : part)));
}

function hex(...nals: Uint8Array[]): string {
  return Buffer.from(joinAnnexB(nals)).toString('hex');
}

/** Payloads of one unit: small NAL units aggregated or alone, large ones in fragments. */
function packetize(
  codec: 'h264' | 'h265',
  nals: readonly Uint8Array[],
  size: number,
  aggregate: boolean,
): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  const head = codec === 'h264' ? 1 : 2;
  for (const nal of nals) {
    if (nal.length <= size) {
      const sized = bytes(nal.length >> 8, nal.length & 255, nal);
      const aggregateHead = codec === 'h264' ? [0x78] : [48 << 1, 1];
      payloads.push(aggregate ? bytes(...aggregateHead, sized) : nal);
      continue;
    }
    for (let at = head; at < nal.length; at += size) {
      const flags = (at === head ? 0x80 : 0) | (at + size >= nal.length ? 0x40 : 0);
      const fragment = nal.subarray(at, at + size);
      payloads.push(
        codec === 'h264'
          ? bytes((nal[0]! & 0xe0) | 28, flags | (nal[0]! & 0x1f), fragment)
          : bytes((nal[0]! & 0x81) | (49 << 1), nal[1]!, flags | ((nal[0]! >> 1) & 0x3f), fragment),
      );
    }
  }
  return payloads;
}

function pieces(units: readonly (readonly Uint8Array[])[], markers = true): Piece[] {
  return units.flatMap((payloads, unit) =>
    payloads.map((payload, i) => ({ payload, unit, marker: markers && i === payloads.length - 1 })),
  );
}

const body = fc.uint8Array({ minLength: 1, maxLength: 4000, min: 4 });

/** After the NAL header the first slice of a picture has its highest bit set, the others not. */
function slice(first: number, rest: Uint8Array, index = 0): Uint8Array {
  return bytes(first, index === 0 ? 0x88 : 0x48, rest);
}

const idr = slice(0x65, Buffer.alloc(3000, 7));
const delta = slice(0x41, Buffer.alloc(2500, 9));
const small = slice(0x41, Uint8Array.of(5));

describe.each(['h264', 'h265'] as const)('%s', (codec) => {
  const sets = codec === 'h264' ? [sps, pps] : h265Sets;
  const create = (sink: Sink, declared: readonly Uint8Array[]) =>
    codec === 'h264' ? new H264Depacketizer(declared, sink) : new H265Depacketizer(declared, false, sink);
  const nal = (key: boolean, rest: Uint8Array, index = 0) =>
    codec === 'h264'
      ? slice(key ? 0x65 : 0x41, rest, index)
      : bytes(key ? 19 << 1 : 2, slice(1, rest, index));
  const delimiter = codec === 'h264' ? Uint8Array.of(9, 0xf0) : Uint8Array.of(35 << 1, 1, 0x50);

  it('units come out as they went in, whatever their size and packets', () => {
    const unit = fc.record({ key: fc.boolean(), slices: fc.array(body, { minLength: 1, maxLength: 3 }) });
    const way = [fc.integer({ min: 20, max: 2000 }), fc.boolean(), fc.boolean(), fc.boolean()] as const;
    fc.assert(
      fc.property(
        fc.array(unit, { minLength: 1, maxLength: 12 }),
        ...way,
        (units, size, aggregate, inBand, markers) => {
          const sink = new Sink();
          const nals = units.map(({ key, slices }) => slices.map((rest, i) => nal(key, rest, i)));
          const sent = nals.map((unitNals, i) =>
            packetize(
              codec,
              [delimiter, ...(inBand && units[i]!.key ? sets : []), ...unitNals],
              size,
              aggregate,
            ),
          );
          // Without markers a unit ends with the next one's first packet.
          if (!markers) sent.push(packetize(codec, [nal(false, Uint8Array.of(9))], size, aggregate));
          feed(create(sink, sets), pieces(sent, markers));
          expect(sink.bytes).toEqual(
            nals.map((unitNals, i) => hex(...(units[i]!.key ? sets : []), ...unitNals)),
          );
          expect(sink.units.map((u) => [u.keyframe, u.timestamp, u.lossBefore])).toEqual(
            units.map(({ key }, i) => [key, i * 33_333, false]),
          );
          expect(sink.dropped).toEqual([]);
          expect(sink.videos).toMatchObject([{ codec, width: 640, height: 480 }]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('a unit with a lost packet is dropped whole, and the next one says so', () => {
    const unit = fc.array(body, { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(
        fc.array(unit, { minLength: 3, maxLength: 10 }),
        fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }),
        (units, losses) => {
          const sent = pieces(
            units.map((slices) =>
              packetize(
                codec,
                slices.map((rest, i) => nal(true, rest, i)),
                500,
                false,
              ),
            ),
          );
          const lost = new Set(losses.map((at) => 1 + (at % (sent.length - 1))));
          const sink = new Sink();
          feed(create(sink, sets), sent, lost);
          const damaged = new Set([...lost].map((i) => sent[i]!.unit));
          const whole = new Map(
            units.map((slices, i) => [i * 33_333, hex(...sets, ...slices.map((r, at) => nal(true, r, at)))]),
          );
          for (const got of sink.units) {
            expect(damaged.has(got.timestamp / 33_333)).toBe(false);
            expect(Buffer.from(got.data).toString('hex')).toBe(whole.get(got.timestamp));
          }
          for (const got of sink.units)
            if (damaged.has(got.timestamp / 33_333 - 1)) expect(got.lossBefore).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives nothing before its parameter sets are known', () => {
    const sink = new Sink();
    const depacketizer = create(sink, [Uint8Array.of(1, 2, 3)]);
    feed(depacketizer, pieces([[nal(true, Uint8Array.of(5))]]));
    expect([sink.units.length, sink.videos.length, sink.dropped]).toEqual([0, 0, ['no_parameters']]);
    feed(depacketizer, pieces([[], [...sets, nal(true, Uint8Array.of(5))]]));
    expect(sink.bytes).toEqual([hex(...sets, nal(true, Uint8Array.of(5)))]);
    expect(sink.units[0]!.lossBefore).toBe(true);
  });

  it('units over the limit are dropped, told and forgotten', () => {
    const sink = new Sink();
    const depacketizer = create(sink, sets);
    const big = packetize(codec, [nal(true, new Uint8Array(maxAccessUnitBytes + 10).fill(7))], 60_000, false);
    feed(depacketizer, pieces([big, [nal(true, Uint8Array.of(5))]]));
    expect(sink.dropped).toEqual(['too_large']);
    expect(sink.units.map((unit) => unit.lossBefore)).toEqual([true]);
    expect(depacketizer.retainedBytes).toBeLessThanOrEqual(maxAccessUnitBytes + 1024);
  });
});

describe('h264', () => {
  it('takes the in-band parameter sets over wrong ones of the SDP, and follows a change of size', () => {
    const sink = new Sink();
    const unit = [sps, pps, Uint8Array.of(0x65, 0x88, 1)];
    const changed = [largerSps, pps, Uint8Array.of(0x65, 0x88, 2)];
    feed(new H264Depacketizer([largerSps, pps], sink), pieces([unit, [small], changed, unit]));
    expect(sink.videos.map((video) => video.width)).toEqual([640, 1920, 640]);
    expect(sink.bytes).toEqual([hex(...unit), hex(small), hex(...changed), hex(...unit)]);
  });

  it('an intact unit behind a lost one is kept', () => {
    const sink = new Sink();
    const sent = pieces([
      packetize('h264', [idr], 500, false),
      packetize('h264', [delta], 500, false),
      [small],
    ]);
    const lost = sent.flatMap(({ unit }, i) => (unit === 1 ? [i] : []));
    feed(new H264Depacketizer([sps, pps], sink), sent, new Set(lost));
    expect(sink.units.map((unit) => [unit.timestamp, unit.lossBefore])).toEqual([
      [0, false],
      [66_666, true],
    ]);
  });

  it('reads the Annex B that some cameras put into packets', () => {
    const sink = new Sink();
    const joined = joinAnnexB([sps, pps, small]);
    feed(new H264Depacketizer([], sink), pieces([[joined], [joinAnnexB([sps, pps]).subarray(4), small]]));
    expect(sink.bytes).toEqual([hex(sps, pps, small), hex(small)]);
  });

  it('units handed out keep their bytes', () => {
    const sink = new Sink();
    const depacketizer = new H264Depacketizer([sps, pps], sink);
    for (let i = 0; i < 300; i++) feed(depacketizer, pieces([packetize('h264', [idr], 1400, false)]));
    expect(new Set(sink.bytes)).toEqual(new Set([hex(sps, pps, idr)]));
  });
});

describe('h265', () => {
  it('skips decoding order numbers', () => {
    const sink = new Sink();
    const key = bytes(19 << 1, 1, 0x88, Buffer.alloc(50, 7));
    const sized = (nal: Uint8Array) => bytes(nal.length >> 8, nal.length & 255, nal);
    const [vps, hevcSps, hevcPps] = h265Sets as [Uint8Array, Uint8Array, Uint8Array];
    const sent = [
      bytes(48 << 1, 1, 0, 1, sized(vps), 0, sized(hevcSps), 0, sized(hevcPps)),
      bytes(49 << 1, 1, 0x80 | 19, 0, 2, key.subarray(2, 20)),
      bytes(49 << 1, 1, 0x40 | 19, key.subarray(20)),
    ];
    const alone = bytes(key.subarray(0, 2), 0, 3, key.subarray(2));
    feed(new H265Depacketizer([], true, sink), pieces([sent, [alone]]));
    expect(sink.bytes).toEqual([hex(...h265Sets, key), hex(...h265Sets, key)]);
  });
});

describe('mjpeg', () => {
  const scan = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
  const tables = Uint8Array.from({ length: 128 }, (_, i) => i + 1);

  function image(
    type: number,
    quality: number,
    extra: Uint8Array,
    sized = [80, 60],
    size = 1000,
  ): Uint8Array[] {
    const payloads: Uint8Array[] = [];
    for (let at = 0; at < scan.length; at += size)
      payloads.push(
        bytes(
          ...[0, at >> 16, (at >> 8) & 255, at & 255, type, quality, ...sized],
          type >= 64 ? Uint8Array.of(0, 4, 0xff, 0xff) : Uint8Array.of(),
          at === 0 ? extra : Uint8Array.of(),
          scan.subarray(at, at + size),
        ),
      );
    return payloads;
  }

  const dynamic = bytes(0, 0, 0, 128, tables);

  it.each([
    ['4:2:2 of a standard quality', 0, 80, Uint8Array.of(), 0x21],
    ['4:2:0 with tables of its own', 1, 255, dynamic, 0x22],
    ['4:2:0 with restart markers', 65, 50, Uint8Array.of(), 0x22],
  ])('an image in %s comes out whole', (_what, type, quality, extra, sampling) => {
    const sink = new Sink();
    feed(
      new MjpegDepacketizer(null, null, sink),
      pieces([image(type, quality, extra), image(type, quality, extra)]),
    );
    expect(sink.units).toHaveLength(2);
    expect(sink.videos).toMatchObject([{ codec: 'mjpeg', width: 640, height: 480 }]);
    const data = Buffer.from(sink.units[0]!.data);
    expect(jpegSize(data)).toEqual({ width: 640, height: 480 });
    expect(data.subarray(-3002)).toEqual(Buffer.concat([scan, Uint8Array.of(0xff, 0xd9)]));
    expect(data.includes(Buffer.of(0xff, 0xdd, 0, 4, 0, 4))).toBe(type >= 64);
    expect(data[data.indexOf(Buffer.of(0xff, 0xc0)) + 11]).toBe(sampling);
    if (extra.length > 0) expect(data.includes(Buffer.from(tables.subarray(64)))).toBe(true);
  });

  it('remembers tables that are sent once, and takes a large size from the SDP', () => {
    const sink = new Sink();
    const depacketizer = new MjpegDepacketizer({ width: 2560, height: 1440 }, 10, sink);
    const once = [image(1, 200, dynamic, [0, 0]), image(1, 200, bytes(0, 0, 0, 0), [0, 0])];
    feed(depacketizer, pieces(once));
    expect(new Set(sink.bytes).size).toBe(1);
    expect(sink.units).toHaveLength(2);
    expect(sink.videos).toMatchObject([{ width: 2560, height: 1440, fps: 10 }]);
    feed(depacketizer, pieces([image(1, 201, bytes(0, 0, 0, 0), [0, 0])]));
    expect(sink.dropped).toEqual(['broken']);
  });

  it('drops an image with a lost fragment and says so with the next', () => {
    for (const lost of [1, 2, 3, 4]) {
      const sink = new Sink();
      const sent = pieces([1, 2, 3, 4].map(() => image(1, 80, Uint8Array.of())));
      feed(new MjpegDepacketizer(null, null, sink), sent, new Set([lost]));
      expect(sink.units.map((unit) => unit.lossBefore)).toContain(true);
      expect(sink.units).toHaveLength(3);
      expect(new Set(sink.bytes).size).toBe(1);
    }
  });
});
