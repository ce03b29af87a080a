import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { H264Depacketizer } from './depacketize/h264.ts';
import { ReorderBuffer } from './reorder.ts';
import {
  buildBye,
  buildReceiverReport,
  buildSdes,
  buildSenderReport,
  joinRtcp,
  msToNtp,
  ntpToMs,
  parseRtcp,
} from './rtcp.ts';
import { buildRtp, createRtpPacket, parseRtp, sequenceDistance } from './rtp.ts';
import { RtpReceiver } from './rtp-receiver.ts';
import { RtpClock } from './timestamps.ts';
import { formatTransport, noTransport, parseTransport } from './transport-header.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u16 = fc.integer({ min: 0, max: 0xffff });

describe('RTP', () => {
  it('packets are read as they were written, with everything a header can hold', () => {
    const header = fc.record({
      payloadType: fc.nat(127),
      marker: fc.boolean(),
      sequence: u16,
      timestamp: u32,
      ssrc: u32,
      csrc: fc.array(u32, { maxLength: 15 }),
      extension: fc.record({ profile: u16, data: fc.uint8Array({ maxLength: 40 }) }),
      padding: fc.nat(255),
    });
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 300 }), (fields, payload) => {
        const packet = createRtpPacket();
        expect(parseRtp(buildRtp(fields, payload), packet)).toBe(true);
        const { payloadType, marker, sequence, timestamp, ssrc } = fields;
        expect(packet).toMatchObject({ payloadType, marker, sequence, timestamp, ssrc });
        expect(packet.data.slice(packet.payloadStart, packet.payloadEnd)).toEqual(payload);
        expect(packet.extensionProfile).toBe(fields.extension.profile);
      }),
    );
  });

  it('is not what is too short, of another version, or padded beyond itself', () => {
    const packet = createRtpPacket();
    const header = { payloadType: 96, marker: false, sequence: 1, timestamp: 1, ssrc: 1 };
    const good = buildRtp({ ...header, padding: 4 }, Uint8Array.of(1));
    for (const bad of [
      good.slice(0, 11),
      good.with(0, 0x40),
      good.with(16, 0),
      good.with(16, 6),
      good.with(0, 0x8f),
    ])
      expect(parseRtp(bad, packet)).toBe(false);
  });

  it('sequence numbers wrap', () => {
    expect(sequenceDistance(65_535, 0)).toBe(1);
    expect(sequenceDistance(0, 65_535)).toBe(-1);
    expect(sequenceDistance(5, 9)).toBe(4);
  });
});

describe('RTCP', () => {
  it('compounds are read as they were written', () => {
    const report = {
      ssrc: 1,
      fractionLost: 200,
      cumulativeLost: -3,
      highestSequence: 0xffff_fffe,
      jitter: 6,
      lastSr: 0xdead_beef,
      delaySinceLastSr: 8,
    };
    const sender = {
      ssrc: 9,
      ntpSeconds: 3_900_000_000,
      ntpFraction: 4_000_000_000,
      rtpTimestamp: 6,
      packetCount: 7,
      octetCount: 8,
      reports: [report, report],
    };
    const compound = joinRtcp(
      buildSenderReport(sender),
      buildReceiverReport(2, [report]),
      buildSdes(5, 'a camera'),
      buildBye(4),
    );
    expect(parseRtcp(compound)).toEqual([
      { kind: 'sr', ...sender },
      { kind: 'rr', ssrc: 2, reports: [report] },
      { kind: 'sdes', chunks: [{ ssrc: 5, cname: 'a camera' }] },
      { kind: 'bye', ssrcs: [4] },
    ]);
  });

  it('time is that of the wall clock, also after 2036', () => {
    for (const ms of [0, 1_700_000_000_123, 2_200_000_000_500]) {
      const { seconds, fraction } = msToNtp(ms);
      expect(Math.round(ntpToMs(seconds, fraction))).toBe(ms);
    }
  });
});

describe('timestamps', () => {
  it('follow wraps and back-steps, and carry the wall clock', () => {
    const clock = new RtpClock(90_000);
    const start = 0xffff_ff00;
    expect(clock.toMicroseconds(start, 0)).toBe(0);
    expect(clock.toMicroseconds((start + 9000) >>> 0, 1)).toBe(100_000);
    expect(clock.toMicroseconds((start + 4500) >>> 0, 2)).toBe(50_000);
    expect(clock.toMicroseconds((start - 4500) >>> 0, 3)).toBe(-50_000);
    clock.senderReport(1_700_000_000_500, (start + 45_000) >>> 0);
    expect(clock.wallClockOffset).toBeCloseTo(1_700_000_000_000);
    clock.restart(77, 1003);
    expect(clock.toMicroseconds(77, 1003)).toBe(950_000);
  });
});

describe('reordering', () => {
  function run(
    sequences: readonly number[],
    now = (i: number) => i,
  ): { got: number[]; buffer: ReorderBuffer } {
    const buffer = new ReorderBuffer({ maxPackets: 16, maxDelay: 50 });
    const got: number[] = [];
    sequences.forEach((sequence, i) => {
      buffer.push(sequence & 0xffff, Uint8Array.of(sequence & 255), now(i), (data) => got.push(data[0]!));
    });
    return { got, buffer };
  }

  it('restores the order of packets shuffled by less than its size', () => {
    fc.assert(
      fc.property(u16, fc.array(fc.nat(7), { minLength: 60, maxLength: 60 }), (first, delays) => {
        const order = delays
          .map((delay, i) => ({ i, at: i + delay }))
          .sort((a, b) => a.at - b.at || a.i - b.i);
        // The first to arrive sets the beginning.
        const sequences = [first, ...order.map(({ i }) => first + 1 + i)];
        const { got, buffer } = run(sequences, () => 0);
        expect(got).toEqual(Array.from({ length: 61 }, (_, i) => (first + i) & 255));
        expect(buffer.held).toBe(0);
      }),
    );
  });

  it('waits neither long nor for many packets, and drops what comes twice', () => {
    expect(run([1, 3, 4, 5, 2]).got).toEqual([1, 2, 3, 4, 5]);
    expect(run([1, 3, 4, 5], (i) => i * 30).got).toEqual([1, 3, 4, 5]);
    expect(run([1, ...Array.from({ length: 30 }, (_, i) => i + 3)]).got.length).toBeGreaterThan(15);
    expect(run([1, 2, 2, 1, 3]).got).toEqual([1, 2, 3]);
    const { buffer } = run([1, 3]);
    expect(buffer.deadline).toBe(51);
    buffer.expire(51, () => undefined);
    expect(buffer.deadline).toBeNull();
  });

  it('begins anew after a jump', () => {
    expect(run([1, 2, 20_000, 20_001, 100, 101]).got).toEqual([1, 2, 20_000 & 255, 20_001 & 255, 100, 101]);
  });

  it('any sequence of numbers leaves at most its size behind and loses none that is in order', () => {
    fc.assert(
      fc.property(fc.array(u16, { maxLength: 200 }), (sequences) => {
        const { got, buffer } = run(sequences);
        expect(buffer.held).toBeLessThan(16);
        expect(got.length + buffer.held + buffer.dropped).toBe(sequences.length);
      }),
    );
  });
});

describe('the Transport header', () => {
  it('is read as it was written', () => {
    const spec = {
      ...noTransport,
      lower: 'udp',
      clientPort: [5000, 5001],
      serverPort: [6000, 6001],
      ssrc: 0xabcdef,
      source: '10.0.0.1',
    } as const;
    expect(parseTransport(formatTransport(spec))).toEqual([spec]);
    const cameras =
      'RTP/AVP/TCP;unicast;interleaved=2;ssrc=xyz, RTP/AVP;multicast;client_port=99999-1, RAW/RAW';
    expect(parseTransport(cameras)).toEqual([
      { ...noTransport, lower: 'tcp', interleaved: [2, 3] },
      { ...noTransport, multicast: true },
    ]);
  });
});

describe('a receiver', () => {
  it('counts losses and reports them, and passes doubled packets on once', () => {
    let dropped = 0;
    const depacketizer = new H264Depacketizer([], {
      onVideo: () => undefined,
      onAccessUnit: () => undefined,
      onDropped: () => dropped++,
    });
    const receiver = new RtpReceiver({ payloadType: 96, clockRate: 90_000 }, depacketizer);
    for (const sequence of [65_534, 65_535, 65_535, 2, 3]) {
      const header = { payloadType: 96, marker: true, sequence, timestamp: sequence, ssrc: 7 };
      receiver.push(buildRtp(header, Uint8Array.of(0x41, 0x88)), 1);
    }
    expect(dropped).toBe(4);
    expect(receiver.lostPackets).toBe(2);
    const [report] = parseRtcp(receiver.buildReport(99, 'me', 2));
    expect(report).toMatchObject({
      kind: 'rr',
      ssrc: 99,
      reports: [{ ssrc: 7, cumulativeLost: 2, fractionLost: 85, highestSequence: 65_536 + 3 }],
    });
  });
});
