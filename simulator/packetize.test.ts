// Packets: put together by the product's own depacketizers, they are the access units again.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AccessUnit, VideoCodec } from '../src/media/access-unit.ts';
import type { Depacketizer, DepacketizerSink } from '../src/rtsp/depacketize/depacketizer.ts';
import { H264Depacketizer } from '../src/rtsp/depacketize/h264.ts';
import { H265Depacketizer } from '../src/rtsp/depacketize/h265.ts';
import { MjpegDepacketizer } from '../src/rtsp/depacketize/mjpeg.ts';
import { createRtpPacket, parseRtp } from '../src/rtsp/rtp.ts';
import { joinNals } from './clip.ts';
import { renderClip } from './clips.ts';
import { buildPackets, maxPayload, stampPackets, unitPayloads } from './packetize.ts';
import { emptyScene } from './scene.ts';
import { decodeUnits } from './test-support.ts';

function depacketizer(codec: VideoCodec, sink: DepacketizerSink): Depacketizer {
  if (codec === 'h264') return new H264Depacketizer([], sink);
  return codec === 'h265' ? new H265Depacketizer([], false, sink) : new MjpegDepacketizer(null, null, sink);
}

/** Through the wire format and back. */
function roundTrip(codec: VideoCodec, units: readonly Uint8Array[]): AccessUnit[] {
  const received: AccessUnit[] = [];
  const dropped: string[] = [];
  const target = depacketizer(codec, {
    onVideo: () => {},
    onAccessUnit: (unit) => received.push(unit),
    onDropped: (reason) => dropped.push(reason),
  });
  let sequence = 65_530;
  for (const [i, data] of units.entries()) {
    const packets = buildPackets(codec, data);
    const bytes = stampPackets(packets, sequence, i * 6000, 0xcafe);
    for (const [k, offset] of packets.offsets.entries()) {
      const packet = createRtpPacket();
      expect(parseRtp(bytes.subarray(offset + 4, packets.offsets[k + 1] ?? bytes.length), packet)).toBe(true);
      expect(packet).toMatchObject({ sequence: (sequence + k) & 0xffff, timestamp: i * 6000, ssrc: 0xcafe });
      expect(packet.marker).toBe(k === packets.offsets.length - 1);
      target.push(packet, i * 66_667, i, false);
    }
    sequence = (sequence + packets.offsets.length) & 0xffff;
  }
  expect(dropped).toEqual([]);
  return received;
}

describe('packets of a clip', () => {
  const size = { width: 640, height: 480, fps: 10 };

  test.each(['h264', 'h265'] as const)('%s comes out as it went in', async (codec) => {
    const clip = await renderClip(emptyScene(3), { codec, ...size, gopSeconds: 1 });
    const received = roundTrip(
      codec,
      clip.accessUnits.map(({ data }) => data),
    );
    expect(received.map(({ data }) => Buffer.from(data).toString('hex'))).toEqual(
      clip.accessUnits.map(({ data }) => Buffer.from(data).toString('hex')),
    );
    expect(received.map(({ keyframe }) => keyframe)).toEqual(
      clip.accessUnits.map(({ keyframe }) => keyframe),
    );
  });

  test('a JPEG image comes out as the same picture', async () => {
    const clip = await renderClip(emptyScene(0.3), { codec: 'mjpeg', ...size });
    const units = clip.accessUnits.map(({ data }) => data);
    const received = roundTrip('mjpeg', units);
    expect(received).toHaveLength(units.length);
    // Compared as text: a matcher walks through millions of pixels one by one.
    const pictures = async (jpegs: readonly Uint8Array[]) =>
      (await decodeUnits('mjpeg', jpegs)).map(({ luma, chroma }) =>
        Buffer.concat([luma, ...chroma]).toString('base64'),
      );
    const [seen, sent] = [await pictures(received.map(({ data }) => data)), await pictures(units)];
    expect(seen.every((picture, i) => picture === sent[i])).toBe(true);
  });

  test.each(['h264', 'h265'] as const)('%s payloads of any NAL unit fit and lose no byte', (codec) => {
    const header = codec === 'h264' ? [0x65] : [0x26, 0x01];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 * maxPayload }), (length) => {
        const nal = Uint8Array.from({ length: header.length + length }, (_, i) => header[i] ?? (i % 255) + 1);
        const payloads = unitPayloads(codec, joinNals([nal]));
        expect(payloads.every((payload) => payload.length <= maxPayload)).toBe(true);
        const overhead = payloads.length === 1 ? 0 : header.length + 1;
        const body = Buffer.concat(payloads.map((payload) => payload.subarray(overhead)));
        expect(body.equals(payloads.length === 1 ? nal : nal.subarray(header.length))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
