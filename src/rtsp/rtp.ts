// RTP packets (RFC 3550 §5.1): header in place, payload as offsets, nothing copied.
// What a payload means is the depacketizers' business.

/** A parsed packet. One object is reused for every packet; it points into the bytes it was parsed from. */
export interface RtpPacket {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  /** The packet's bytes and where its payload lies in them, padding excluded. */
  data: Uint8Array;
  payloadStart: number;
  payloadEnd: number;
  /** "Defined by profile" of the header extension (RFC 3550 §5.3.1), -1 without one. */
  extensionProfile: number;
  extensionStart: number;
  extensionEnd: number;
}

export function createRtpPacket(): RtpPacket {
  return {
    payloadType: 0,
    marker: false,
    sequence: 0,
    timestamp: 0,
    ssrc: 0,
    data: new Uint8Array(),
    payloadStart: 0,
    payloadEnd: 0,
    extensionProfile: -1,
    extensionStart: 0,
    extensionEnd: 0,
  };
}

/** Reads the header of `data` into `packet`. False when it is no RTP packet; `packet` is then not to be used. */
export function parseRtp(data: Uint8Array, packet: RtpPacket): boolean {
  const length = data.length;
  if (length < 12 || data[0]! >> 6 !== 2) return false;
  const flags = data[0]!;
  const second = data[1]!;
  let start = 12 + 4 * (flags & 0x0f);
  let end = length;
  packet.extensionProfile = -1;
  if (flags & 0x10) {
    if (start + 4 > length) return false;
    packet.extensionProfile = (data[start]! << 8) | data[start + 1]!;
    packet.extensionStart = start + 4;
    start += 4 + 4 * ((data[start + 2]! << 8) | data[start + 3]!);
    packet.extensionEnd = start;
  }
  if (flags & 0x20) {
    const padding = data[length - 1]!;
    if (padding === 0) return false;
    end -= padding;
  }
  if (start > end) return false;
  packet.data = data;
  packet.payloadType = second & 0x7f;
  packet.marker = second >= 0x80;
  packet.sequence = (data[2]! << 8) | data[3]!;
  packet.timestamp = readU32(data, 4);
  packet.ssrc = readU32(data, 8);
  packet.payloadStart = start;
  packet.payloadEnd = end;
  return true;
}

export function readU32(data: Uint8Array, at: number): number {
  return ((data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!) >>> 0;
}

export function writeU32(data: Uint8Array, at: number, value: number): void {
  data[at] = value >>> 24;
  data[at + 1] = value >>> 16;
  data[at + 2] = value >>> 8;
  data[at + 3] = value;
}

export interface RtpHeader {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

export const rtpHeaderLength = 12;

/** Writes the 12 bytes of a header without CSRC, extension or padding. */
export function writeRtpHeader(target: Uint8Array, offset: number, header: RtpHeader): void {
  target[offset] = 0x80;
  target[offset + 1] = (header.marker ? 0x80 : 0) | header.payloadType;
  target[offset + 2] = header.sequence >>> 8;
  target[offset + 3] = header.sequence;
  writeU32(target, offset + 4, header.timestamp);
  writeU32(target, offset + 8, header.ssrc);
}

/** A whole packet, with everything a header can hold. `extension.data` is padded to 4 bytes with zeros. */
export function buildRtp(
  header: RtpHeader & {
    readonly csrc?: readonly number[];
    readonly extension?: { readonly profile: number; readonly data: Uint8Array };
    /** Bytes of padding, its count byte included. */
    readonly padding?: number;
  },
  payload: Uint8Array,
): Uint8Array {
  const csrc = header.csrc ?? [];
  const words = header.extension ? Math.ceil(header.extension.data.length / 4) : 0;
  const extensionLength = header.extension ? 4 + 4 * words : 0;
  const padding = header.padding ?? 0;
  const start = rtpHeaderLength + 4 * csrc.length + extensionLength;
  const packet = new Uint8Array(start + payload.length + padding);
  writeRtpHeader(packet, 0, header);
  packet[0] = 0x80 | (padding ? 0x20 : 0) | (header.extension ? 0x10 : 0) | csrc.length;
  csrc.forEach((id, i) => {
    writeU32(packet, rtpHeaderLength + 4 * i, id);
  });
  if (header.extension) {
    const at = rtpHeaderLength + 4 * csrc.length;
    writeU32(packet, at, header.extension.profile * 65_536 + words);
    packet.set(header.extension.data, at + 4);
  }
  packet.set(payload, start);
  if (padding) packet[packet.length - 1] = padding;
  return packet;
}

/** How far sequence number `to` lies after `from`, −32768…32767 (RFC 3550 §A.1). */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}
