// RTCP compound packets (RFC 3550 §6): sender and receiver reports, SDES, BYE; NTP time.
// When reports are sent and what they count is the session's business.

import { readU32, writeU32 } from './rtp.ts';

/** RFC 3550 §6.4.1. */
export interface ReportBlock {
  readonly ssrc: number;
  /** Lost since the last report, in 1/256. */
  readonly fractionLost: number;
  /** Lost since the beginning; may be negative with duplicates. */
  readonly cumulativeLost: number;
  readonly highestSequence: number;
  /** In RTP timestamp units. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the last sender report, and the delay since then in 1/65536 s. */
  readonly lastSr: number;
  readonly delaySinceLastSr: number;
}

export interface SenderReport {
  readonly kind: 'sr';
  readonly ssrc: number;
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
  readonly reports: readonly ReportBlock[];
}

export type RtcpPacket =
  | SenderReport
  | { readonly kind: 'rr'; readonly ssrc: number; readonly reports: readonly ReportBlock[] }
  | { readonly kind: 'sdes'; readonly chunks: readonly { readonly ssrc: number; readonly cname: string }[] }
  | { readonly kind: 'bye'; readonly ssrcs: readonly number[] }
  | { readonly kind: 'other'; readonly packetType: number };

/** Seconds from 1900 (NTP) to 1970. */
const ntpEpochOffset = 2_208_988_800;

/** NTP timestamp to milliseconds since 1970; the era after 2036 is understood (RFC 2030 §3). */
export function ntpToMs(seconds: number, fraction: number): number {
  const era = seconds < 0x8000_0000 ? 0x1_0000_0000 : 0;
  return (seconds + era - ntpEpochOffset) * 1000 + (fraction / 0x1_0000_0000) * 1000;
}

export function msToNtp(ms: number): { readonly seconds: number; readonly fraction: number } {
  const whole = Math.floor(ms / 1000);
  const fraction = Math.min(0xffff_ffff, Math.round(((ms - whole * 1000) / 1000) * 0x1_0000_0000));
  return { seconds: (whole + ntpEpochOffset) % 0x1_0000_0000, fraction };
}

function parseReports(data: Uint8Array, start: number, end: number, count: number): ReportBlock[] {
  const reports: ReportBlock[] = [];
  for (let at = start; reports.length < count && at + 24 <= end; at += 24) {
    reports.push({
      ssrc: readU32(data, at),
      fractionLost: data[at + 4]!,
      cumulativeLost: (readU32(data, at + 4) << 8) >> 8,
      highestSequence: readU32(data, at + 8),
      jitter: readU32(data, at + 12),
      lastSr: readU32(data, at + 16),
      delaySinceLastSr: readU32(data, at + 20),
    });
  }
  return reports;
}

function parseSdes(data: Uint8Array, start: number, end: number): { ssrc: number; cname: string }[] {
  const chunks: { ssrc: number; cname: string }[] = [];
  let at = start;
  while (at + 4 <= end) {
    const ssrc = readU32(data, at);
    let cname = '';
    at += 4;
    while (at + 1 < end && data[at] !== 0) {
      const length = data[at + 1]!;
      if (data[at] === 1 && at + 2 + length <= end)
        cname = new TextDecoder().decode(data.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    chunks.push({ ssrc, cname });
    // A zero ends the chunk; the next begins on a 32-bit boundary.
    at = start + ((at - start + 4) & ~3);
  }
  return chunks;
}

function parseOne(data: Uint8Array, start: number, end: number): RtcpPacket | null {
  const count = data[start]! & 0x1f;
  const packetType = data[start + 1]!;
  const body = start + 4;
  if (packetType === 200) {
    if (body + 24 > end) return null;
    return {
      kind: 'sr',
      ssrc: readU32(data, body),
      ntpSeconds: readU32(data, body + 4),
      ntpFraction: readU32(data, body + 8),
      rtpTimestamp: readU32(data, body + 12),
      packetCount: readU32(data, body + 16),
      octetCount: readU32(data, body + 20),
      reports: parseReports(data, body + 24, end, count),
    };
  }
  if (packetType === 201) {
    if (body + 4 > end) return null;
    return { kind: 'rr', ssrc: readU32(data, body), reports: parseReports(data, body + 4, end, count) };
  }
  if (packetType === 202) return { kind: 'sdes', chunks: parseSdes(data, body, end) };
  if (packetType === 203) {
    const ssrcs: number[] = [];
    for (let i = 0; i < count && body + 4 * i + 4 <= end; i++) ssrcs.push(readU32(data, body + 4 * i));
    return { kind: 'bye', ssrcs };
  }
  return { kind: 'other', packetType };
}

/** Every packet of a compound that can be read; nothing for bytes that are no RTCP. */
export function parseRtcp(data: Uint8Array): RtcpPacket[] {
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at + 4 <= data.length && data[at]! >> 6 === 2) {
    const end = at + 4 + 4 * ((data[at + 2]! << 8) | data[at + 3]!);
    if (end > data.length) break;
    const padding = data[at]! & 0x20 ? data[end - 1]! : 0;
    const packet = parseOne(data, at, Math.max(at + 4, end - padding));
    if (packet) packets.push(packet);
    at = end;
  }
  return packets;
}

function header(target: Uint8Array, count: number, packetType: number): void {
  target[0] = 0x80 | count;
  target[1] = packetType;
  const words = target.length / 4 - 1;
  target[2] = words >>> 8;
  target[3] = words;
}

function writeReports(target: Uint8Array, start: number, reports: readonly ReportBlock[]): void {
  reports.forEach((report, i) => {
    const at = start + 24 * i;
    writeU32(target, at, report.ssrc);
    const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, report.cumulativeLost));
    writeU32(target, at + 4, (lost & 0xff_ffff) | (report.fractionLost << 24));
    writeU32(target, at + 8, report.highestSequence);
    writeU32(target, at + 12, report.jitter);
    writeU32(target, at + 16, report.lastSr);
    writeU32(target, at + 20, report.delaySinceLastSr);
  });
}

export function buildSenderReport(report: Omit<SenderReport, 'kind'>): Uint8Array {
  const packet = new Uint8Array(28 + 24 * report.reports.length);
  header(packet, report.reports.length, 200);
  writeU32(packet, 4, report.ssrc);
  writeU32(packet, 8, report.ntpSeconds);
  writeU32(packet, 12, report.ntpFraction);
  writeU32(packet, 16, report.rtpTimestamp);
  writeU32(packet, 20, report.packetCount);
  writeU32(packet, 24, report.octetCount);
  writeReports(packet, 28, report.reports);
  return packet;
}

export function buildReceiverReport(ssrc: number, reports: readonly ReportBlock[]): Uint8Array {
  const packet = new Uint8Array(8 + 24 * reports.length);
  header(packet, reports.length, 201);
  writeU32(packet, 4, ssrc);
  writeReports(packet, 8, reports);
  return packet;
}

/** One chunk with a CNAME (RFC 3550 §6.5.1), at most 255 bytes of it. */
export function buildSdes(ssrc: number, cname: string): Uint8Array {
  const text = new TextEncoder().encode(cname).subarray(0, 255);
  const packet = new Uint8Array(4 + ((4 + 2 + text.length + 4) & ~3));
  header(packet, 1, 202);
  writeU32(packet, 4, ssrc);
  packet[8] = 1;
  packet[9] = text.length;
  packet.set(text, 10);
  return packet;
}

export function buildBye(ssrc: number): Uint8Array {
  const packet = new Uint8Array(8);
  header(packet, 1, 203);
  writeU32(packet, 4, ssrc);
  return packet;
}

/** A compound packet: a report first, as RFC 3550 §6.1 asks. */
export function joinRtcp(...packets: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(packets);
}
