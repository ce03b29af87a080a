// A camera's sound played in an endless loop on a true clock, as an RTP packet stream of its own beside the video's.
// In step with it: the reports of both name the same wall clock. Who receives it is camera.ts's.

import { randomBytes, randomInt } from 'node:crypto';
import { buildSdes, buildSenderReport, joinRtcp, msToNtp } from '../src/rtsp/rtcp.ts';
import type { AudioClip } from './audio.ts';
import { stampPackets, type UnitPackets } from './packetize.ts';
import { buildAudioPackets } from './packetize-audio.ts';

/** Further behind than this (a suspended process), time is skipped instead of sending a flood. */
const maxLagMs = 1000;

const packetsOf = new WeakMap<AudioClip, readonly UnitPackets[]>();

function packetsFor(clip: AudioClip): readonly UnitPackets[] {
  let packets = packetsOf.get(clip);
  if (!packets) {
    packets = buildAudioPackets(clip);
    packetsOf.set(clip, packets);
  }
  return packets;
}

export interface AudioListener {
  /** The clock goes on only while there is someone to hear it. */
  isNeeded(): boolean;
  /** A unit's packets, numbered and stamped. */
  onSound(bytes: Buffer, packets: UnitPackets): void;
}

export class AudioLoop {
  readonly clip: AudioClip;
  readonly #listener: AudioListener;
  readonly #packets: readonly UnitPackets[];
  /** Of one unit, ms. */
  readonly #period: number;
  /** `performance.now()` at the first sample of unit 0. */
  #anchor = 0;
  #tick = 0;
  #timer: NodeJS.Timeout | null = null;
  #ssrc = 0;
  #sequence = 0;
  #timestampBase = 0;
  #packetCount = 0;
  #octetCount = 0;

  constructor(clip: AudioClip, listener: AudioListener) {
    this.clip = clip;
    this.#listener = listener;
    this.#packets = packetsFor(clip);
    this.#period = (clip.samplesPerUnit * 1000) / clip.sampleRate;
    this.reboot();
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  /** New SSRC, sequence and timestamps, as after a power cut. */
  reboot(): void {
    const seed = randomBytes(8);
    this.#ssrc = seed.readUInt32BE(0);
    this.#timestampBase = seed.readUInt32BE(4);
    this.#sequence = randomInt(0x10000);
    this.#anchor = performance.now();
    this.#tick = 0;
    this.#packetCount = 0;
    this.#octetCount = 0;
  }

  /** Goes on where the loop would be by now; nothing when it is running. */
  start(): void {
    if (this.#timer) return;
    this.#skip(performance.now());
    this.#schedule();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** A sender report of this moment, with its SDES (RFC 3550 §6.1). */
  report(): Uint8Array {
    const now = performance.now();
    const ntp = msToNtp(performance.timeOrigin + now);
    const samples = Math.round(((now - this.#anchor) * this.clip.sampleRate) / 1000);
    return joinRtcp(
      buildSenderReport({
        ssrc: this.#ssrc,
        ntpSeconds: ntp.seconds,
        ntpFraction: ntp.fraction,
        rtpTimestamp: (this.#timestampBase + samples) >>> 0,
        packetCount: this.#packetCount,
        octetCount: this.#octetCount,
        reports: [],
      }),
      buildSdes(this.#ssrc, 'simulator'),
    );
  }

  /** The unit that is being heard `now` is the next one. */
  #skip(now: number): void {
    this.#tick = Math.max(this.#tick, Math.floor((now - this.#anchor) / this.#period));
  }

  /** A unit can be sent once its last sample was heard. */
  get #due(): number {
    return this.#anchor + (this.#tick + 1) * this.#period;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, this.#due - performance.now()));
  }

  #fire(): void {
    this.#timer = null;
    if (!this.#listener.isNeeded()) return;
    const now = performance.now();
    if (now - this.#due > maxLagMs) this.#skip(now);
    // Timers may fire up to a millisecond early.
    while (this.#due <= now + 1) {
      this.#send();
      this.#tick++;
    }
    this.#schedule();
  }

  #send(): void {
    const packets = this.#packets[this.#tick % this.#packets.length]!;
    const timestamp = (this.#timestampBase + this.#tick * this.clip.samplesPerUnit) >>> 0;
    const bytes = stampPackets(packets, this.#sequence, timestamp, this.#ssrc);
    this.#sequence = (this.#sequence + packets.offsets.length) & 0xffff;
    this.#packetCount += packets.offsets.length;
    this.#octetCount += packets.payloadBytes;
    this.#listener.onSound(bytes, packets);
  }
}
