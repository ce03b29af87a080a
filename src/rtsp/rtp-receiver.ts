// One track's RTP as it comes in: sequence numbers, losses, jitter, timestamps, and what a receiver report needs.
// Order is the transport's business (TCP keeps it, UDP goes through ReorderBuffer), payloads the depacketizer's.

import type { Depacketizer } from './depacketize/depacketizer.ts';
import { buildReceiverReport, buildSdes, joinRtcp, ntpToMs, type SenderReport } from './rtcp.ts';
import { createRtpPacket, parseRtp, sequenceDistance } from './rtp.ts';
import { RtpClock } from './timestamps.ts';

/** What of a track's description its packets are read by. */
export interface RtpFormat {
  readonly payloadType: number;
  /** Ticks a second. */
  readonly clockRate: number;
}

/** Further back than this is a new count, not a late or doubled packet. */
const restartDistance = 1000;

export class RtpReceiver {
  readonly #track: RtpFormat;
  readonly #depacketizer: Depacketizer;
  /** Of this track; another track's time is told by it. */
  readonly clock: RtpClock;
  readonly #packet = createRtpPacket();
  #ssrc = -1;
  #lastSequence = -1;
  /** For reports (RFC 3550 §A.3, §A.8). */
  #extendedHighest = 0;
  #received = 0;
  #expected = 0;
  #reportedReceived = 0;
  #reportedExpected = 0;
  #jitter = 0;
  #lastTransit = Number.NaN;
  #lastReport: { readonly middle: number; readonly receivedAt: number } | null = null;
  /** A sender report that came before the first packet. */
  #earlyReport: SenderReport | null = null;
  packets = 0;
  bytes = 0;
  lostPackets = 0;
  /** `performance.now()` of the newest packet; -1 before the first. */
  lastPacketAt = -1;

  constructor(track: RtpFormat, depacketizer: Depacketizer) {
    this.#track = track;
    this.#depacketizer = depacketizer;
    this.clock = new RtpClock(track.clockRate);
  }

  get wallClockOffset(): number | null {
    return this.clock.wallClockOffset;
  }

  get retainedBytes(): number {
    return this.#depacketizer.retainedBytes;
  }

  /** Takes one RTP packet; nothing of `data` is kept. Anything else is ignored. @param now ms, monotonic. */
  push(data: Uint8Array, now: number): void {
    const packet = this.#packet;
    // 72…76 in the payload type field is RTCP on the wrong channel (RFC 5761 §4).
    if (!parseRtp(data, packet) || (packet.payloadType >= 72 && packet.payloadType <= 76)) return;
    // Another source with another payload type: another track, on the channel of this one.
    if (packet.payloadType !== this.#track.payloadType && packet.ssrc !== this.#ssrc) return;
    this.packets++;
    this.bytes += data.length;
    this.lastPacketAt = now;
    const began = packet.ssrc !== this.#ssrc;
    const gap = began ? this.#begin(now) : this.#follow();
    if (gap === null) return;
    if (packet.payloadType !== this.#track.payloadType) return;
    const timestamp = this.clock.toMicroseconds(packet.timestamp, now);
    if (this.#earlyReport !== null) this.#applyEarlyReport(now);
    this.#measureJitter(now);
    this.#depacketizer.push(packet, timestamp, now, gap);
    packet.data = nothing;
  }

  #begin(now: number): boolean {
    const { sequence, ssrc, timestamp } = this.#packet;
    const again = this.#ssrc !== -1;
    if (again) this.clock.restart(timestamp, now);
    this.#ssrc = ssrc;
    this.#lastSequence = sequence;
    this.#extendedHighest = sequence;
    this.#received = 1;
    this.#expected = 1;
    this.#reportedReceived = 0;
    this.#reportedExpected = 0;
    this.#lastTransit = Number.NaN;
    this.#lastReport = null;
    return again;
  }

  /** Whether packets are missing before this one; null for one that came already. */
  #follow(): boolean | null {
    const distance = sequenceDistance(this.#lastSequence, this.#packet.sequence);
    if (distance <= 0 && distance > -restartDistance) return null;
    this.#lastSequence = this.#packet.sequence;
    this.#received++;
    if (distance <= 0) {
      this.#expected++;
      this.#extendedHighest += 1;
      return true;
    }
    this.#expected += distance;
    this.#extendedHighest += distance;
    this.lostPackets += distance - 1;
    return distance > 1;
  }

  #measureJitter(now: number): void {
    const transit = (now * this.#track.clockRate) / 1000 - this.#packet.timestamp;
    if (!Number.isNaN(this.#lastTransit)) {
      const difference = Math.abs(transit - this.#lastTransit);
      // A wrap of the timestamp is no jitter.
      if (difference < 0x4000_0000) this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#lastTransit = transit;
  }

  #applyEarlyReport(now: number): void {
    const report = this.#earlyReport;
    this.#earlyReport = null;
    if (report) this.senderReport(report, now);
  }

  senderReport(report: SenderReport, now: number): void {
    if (this.#ssrc === -1) this.#earlyReport = report;
    if (report.ssrc !== this.#ssrc) return;
    this.#lastReport = {
      middle: ((report.ntpSeconds << 16) | (report.ntpFraction >>> 16)) >>> 0,
      receivedAt: now,
    };
    // Some cameras have no clock and send zeros.
    if (report.ntpSeconds !== 0)
      this.clock.senderReport(ntpToMs(report.ntpSeconds, report.ntpFraction), report.rtpTimestamp);
  }

  /** Whether a goodbye for these sources is one for this track: one that the camera has replaced may still say it. */
  isEndedBy(ssrcs: readonly number[]): boolean {
    return this.#ssrc === -1 || ssrcs.length === 0 || ssrcs.includes(this.#ssrc);
  }

  /** A receiver report with our CNAME (RFC 3550 §6.4.2). */
  buildReport(ownSsrc: number, cname: string, now: number): Uint8Array {
    if (this.#ssrc === -1) return joinRtcp(buildReceiverReport(ownSsrc, []), buildSdes(ownSsrc, cname));
    const expected = this.#expected - this.#reportedExpected;
    const lost = expected - (this.#received - this.#reportedReceived);
    this.#reportedExpected = this.#expected;
    this.#reportedReceived = this.#received;
    const report = {
      ssrc: this.#ssrc,
      fractionLost: expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected)),
      cumulativeLost: this.#expected - this.#received,
      highestSequence: this.#extendedHighest >>> 0,
      jitter: Math.min(0xffff_ffff, Math.round(this.#jitter)),
      lastSr: this.#lastReport?.middle ?? 0,
      delaySinceLastSr: this.#lastReport
        ? Math.round(((now - this.#lastReport.receivedAt) * 65_536) / 1000)
        : 0,
    };
    return joinRtcp(buildReceiverReport(ownSsrc, [report]), buildSdes(ownSsrc, cname));
  }
}

const nothing = new Uint8Array();
