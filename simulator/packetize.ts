// Access units to RTP packets: H.264 (RFC 6184), H.265 (RFC 7798), MJPEG (RFC 2435, in packetize-jpeg.ts).
// Packets are built once per unit of a clip; sending copies the bytes and patches sequence, timestamp and SSRC.

import type { VideoCodec } from '../src/media/access-unit.ts';
import { writeInterleavedHeader } from '../src/rtsp/message.ts';
import { rtpHeaderLength, writeRtpHeader, writeU32 } from '../src/rtsp/rtp.ts';
import { nalRole, splitNals } from './clip.ts';
import { jpegPayloads } from './packetize-jpeg.ts';

/** Largest RTP payload in bytes: with all headers under the 1500 of Ethernet. */
export const maxPayload = 1400;

export const payloadTypes: Readonly<Record<VideoCodec, number>> = { h264: 96, h265: 96, mjpeg: 26 };

/** All packets of one access unit, each as `$`, channel, length, RTP header, payload. */
export interface UnitPackets {
  readonly bytes: Buffer;
  /** Where each packet's `$` stands in `bytes`. */
  readonly offsets: readonly number[];
  /** Sum of the payloads alone, as a sender report counts. */
  readonly payloadBytes: number;
}

/** The payloads of one access unit, in order; the last one gets the marker bit. */
export function unitPayloads(codec: VideoCodec, data: Uint8Array): Uint8Array[] {
  if (codec === 'mjpeg') return jpegPayloads(data, maxPayload);
  const nals = splitNals(data);
  const parameters = nals.filter((nal) => nalRole(codec, nal) === 'parameters');
  const pictures = nals.filter((nal) => nalRole(codec, nal) !== 'parameters');
  const payloads = aggregate(codec, parameters);
  for (const nal of pictures) {
    if (nal.length <= maxPayload) payloads.push(nal);
    else payloads.push(...(codec === 'h264' ? fragmentH264(nal) : fragmentH265(nal)));
  }
  return payloads;
}

/** Parameter sets in one packet: STAP-A (RFC 6184 §5.7.1) or AP (RFC 7798 §4.4.2). */
function aggregate(codec: 'h264' | 'h265', nals: readonly Uint8Array[]): Uint8Array[] {
  const size = nals.reduce((sum, nal) => sum + 2 + nal.length, 2);
  if (nals.length < 2 || size > maxPayload) return [...nals];
  const parts: Uint8Array[] = [];
  // The highest NRI of the parts; layer 0, temporal id 1.
  if (codec === 'h264') parts.push(Uint8Array.of(Math.max(...nals.map((nal) => nal[0]! & 0x60)) | 24));
  else parts.push(Uint8Array.of(48 << 1, 1));
  for (const nal of nals) parts.push(Uint8Array.of(nal.length >> 8, nal.length & 0xff), nal);
  return [Buffer.concat(parts)];
}

/** FU-A, RFC 6184 §5.8. */
function fragmentH264(nal: Uint8Array): Uint8Array[] {
  const indicator = (nal[0]! & 0xe0) | 28;
  const type = nal[0]! & 0x1f;
  return fragment(nal, 1, (flags) => [indicator, flags | type]);
}

/** FU, RFC 7798 §4.4.3. */
function fragmentH265(nal: Uint8Array): Uint8Array[] {
  const type = (nal[0]! >> 1) & 0x3f;
  const first = (nal[0]! & 0x81) | (49 << 1);
  return fragment(nal, 2, (flags) => [first, nal[1]!, flags | type]);
}

function fragment(nal: Uint8Array, headerLength: number, header: (flags: number) => number[]): Uint8Array[] {
  const overhead = header(0).length;
  const room = maxPayload - overhead;
  const payloads: Uint8Array[] = [];
  for (let at = headerLength; at < nal.length; at += room) {
    const body = nal.subarray(at, at + room);
    const flags = (at === headerLength ? 0x80 : 0) | (at + room >= nal.length ? 0x40 : 0);
    const payload = new Uint8Array(overhead + body.length);
    payload.set(header(flags));
    payload.set(body, overhead);
    payloads.push(payload);
  }
  return payloads;
}

/** The packets of a unit of video, on interleaved channel 0. */
export function buildPackets(codec: VideoCodec, data: Uint8Array): UnitPackets {
  return layPackets(unitPayloads(codec, data), payloadTypes[codec], 0);
}

/** Lays the payloads out with their headers; what changes per sending is zero. */
export function layPackets(
  payloads: readonly Uint8Array[],
  payloadType: number,
  channel: number,
): UnitPackets {
  const head = 4 + rtpHeaderLength;
  const payloadBytes = payloads.reduce((sum, payload) => sum + payload.length, 0);
  const bytes = Buffer.alloc(payloadBytes + payloads.length * head);
  const offsets: number[] = [];
  let at = 0;
  for (const [i, payload] of payloads.entries()) {
    offsets.push(at);
    writeInterleavedHeader(bytes, at, channel, rtpHeaderLength + payload.length);
    writeRtpHeader(bytes, at + 4, {
      payloadType,
      marker: i === payloads.length - 1,
      sequence: 0,
      timestamp: 0,
      ssrc: 0,
    });
    bytes.set(payload, at + head);
    at += head + payload.length;
  }
  return { bytes, offsets, payloadBytes };
}

/** A fresh copy of a unit's packets, numbered from `sequence`. */
export function stampPackets(unit: UnitPackets, sequence: number, timestamp: number, ssrc: number): Buffer {
  const bytes = Buffer.allocUnsafe(unit.bytes.length);
  unit.bytes.copy(bytes);
  for (const [i, offset] of unit.offsets.entries()) {
    bytes.writeUInt16BE((sequence + i) & 0xffff, offset + 6);
    writeU32(bytes, offset + 8, timestamp);
    writeU32(bytes, offset + 12, ssrc);
  }
  return bytes;
}
