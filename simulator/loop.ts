// A clip played in an endless loop on a true clock, as one RTP packet stream: schedule, sequence, timestamps, reports.
// Who receives the packets, and whether, is camera.ts's.

import { randomBytes, randomInt } from 'node:crypto';
import { buildSdes, buildSenderReport, joinRtcp, msToNtp } from '../src/rtsp/rtcp.ts';
import type { Clip, ClipUnit } from './clip.ts';
import { buildPackets, stampPackets, type UnitPackets } from './packetize.ts';

const clockRate = 90_000;
/** Further behind than this (a suspended process), time is skipped instead of sending a flood. */
const maxLagMs = 1000;

const packetsOf = new WeakMap<Clip, readonly UnitPackets[]>();

/** Packets are built once per clip, however many cameras play it. */
function packetsFor(clip: Clip): readonly UnitPackets[] {
  let packets = packetsOf.get(clip);
  if (!packets) {
    packets = clip.accessUnits.map((unit) => buildPackets(clip.codec, unit.data));
    packetsOf.set(clip, packets);
  }
  return packets;
}

export interface LoopListener {
  /** The clock goes on only while there is someone to hear it. */
  isNeeded(): boolean;
  /** A unit is due; `ClipLoop.takeUnit` makes its packets. @param tick counts units since the loop began. */
  onUnit(unit: ClipUnit, tick: number): void;
}

export class ClipLoop {
  readonly #listener: LoopListener;
  #clip: Clip;
  #packets: readonly UnitPackets[];
  /** Decoding runs ahead of presentation by at most so many frames. */
  #reorder = 0;
  /** `performance.now()` of unit 0 of the first round. */
  #anchor = 0;
  #tick = 0;
  #due = 0;
  #timer: NodeJS.Timeout | null = null;
  #ssrc = 0;
  #sequence = 0;
  #timestampBase = 0;
  #clockStart = 0;
  #packetCount = 0;
  #octetCount = 0;

  constructor(clip: Clip, listener: LoopListener) {
    this.#listener = listener;
    this.#clip = clip;
    this.#packets = packetsFor(clip);
    this.use(clip);
    this.reboot();
  }

  get clip(): Clip {
    return this.#clip;
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  /** What a client that joins now will get first. */
  get nextPacket(): { readonly sequence: number; readonly timestamp: number } {
    const due = this.#anchor + this.#tickAfter(performance.now()) * this.#period;
    return { sequence: this.#sequence, timestamp: this.#timestampAt(due) };
  }

  /** New SSRC, sequence and timestamps, as after a power cut. */
  reboot(): void {
    const seed = randomBytes(8);
    this.#ssrc = seed.readUInt32BE(0);
    this.#timestampBase = seed.readUInt32BE(4);
    this.#sequence = randomInt(0x10000);
    this.#clockStart = performance.now();
    this.#packetCount = 0;
    this.#octetCount = 0;
  }

  /** Plays this clip from its beginning; the RTP clock runs on. The loop is stopped. */
  use(clip: Clip): void {
    this.stop();
    this.#clip = clip;
    this.#packets = packetsFor(clip);
    this.#reorder = clip.accessUnits.reduce((most, unit, i) => Math.max(most, i - unit.index), 0);
    // A fraction of a frame apart, so that many cameras do not send in the same instant.
    this.#anchor = performance.now() + Math.random() * this.#period;
  }

  /** Goes on where the loop would be by now; nothing when it is running. */
  start(): void {
    if (this.#timer) return;
    this.#tick = this.#tickAfter(performance.now());
    this.#schedule();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The packets of the unit that `onUnit` was called for, numbered and stamped; call at most once for each. */
  takeUnit(): { readonly bytes: Buffer; readonly packets: UnitPackets } {
    const position = this.#tick % this.#packets.length;
    const packets = this.#packets[position]!;
    const ahead = this.#clip.accessUnits[position]!.index - position + this.#reorder;
    // From the schedule, not from the present: even timestamps, whatever the timer did.
    const timestamp = this.#timestampAt(this.#due + ahead * this.#period);
    const bytes = stampPackets(packets, this.#sequence, timestamp, this.#ssrc);
    this.#sequence = (this.#sequence + packets.offsets.length) & 0xffff;
    this.#packetCount += packets.offsets.length;
    this.#octetCount += packets.payloadBytes;
    return { bytes, packets };
  }

  /** A sender report of this moment, with its SDES (RFC 3550 §6.1). */
  report(): Uint8Array {
    const now = performance.now();
    const ntp = msToNtp(performance.timeOrigin + now);
    return joinRtcp(
      buildSenderReport({
        ssrc: this.#ssrc,
        ntpSeconds: ntp.seconds,
        ntpFraction: ntp.fraction,
        rtpTimestamp: this.#timestampAt(now),
        packetCount: this.#packetCount,
        octetCount: this.#octetCount,
        reports: [],
      }),
      buildSdes(this.#ssrc, 'simulator'),
    );
  }

  get #period(): number {
    return 1000 / this.#clip.fps;
  }

  /** Frames shown late because of B-frames have timestamps ahead of the report's clock by that delay. */
  #timestampAt(now: number): number {
    return (this.#timestampBase + Math.round(((now - this.#clockStart) * clockRate) / 1000)) >>> 0;
  }

  #tickAfter(now: number): number {
    return Math.max(0, Math.ceil((now - this.#anchor) / this.#period));
  }

  #schedule(): void {
    const wait = this.#anchor + this.#tick * this.#period - performance.now();
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, wait));
  }

  #fire(): void {
    this.#timer = null;
    if (!this.#listener.isNeeded()) return;
    const now = performance.now();
    this.#due = this.#anchor + this.#tick * this.#period;
    if (now - this.#due > maxLagMs) {
      // By whole frames: what follows keeps the rhythm of what was before.
      const skipped = Math.floor((now - this.#due) / this.#period) * this.#period;
      this.#anchor += skipped;
      this.#due += skipped;
    }
    // Timers may fire up to a millisecond early.
    while (this.#due <= now + 1) {
      this.#listener.onUnit(this.#clip.accessUnits[this.#tick % this.#packets.length]!, this.#tick);
      this.#due = this.#anchor + ++this.#tick * this.#period;
    }
    this.#schedule();
  }
}
