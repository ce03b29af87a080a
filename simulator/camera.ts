// One simulated camera: its clip played in an endless loop on a true clock to every session, its counters, its moods.
// What travels on an RTSP connection is connection.ts's; this hands out packets and keeps the books.

import { randomBytes, randomInt } from 'node:crypto';
import { buildBye, buildSdes, buildSenderReport, joinRtcp, msToNtp } from '../src/rtsp/rtcp.ts';
import { AccessControl, type AuthScheme } from './access.ts';
import { type Behaviour, goodBehaviour } from './behaviour.ts';
import type { Clip } from './clip.ts';
import { buildPackets, stampPackets, type UnitPackets } from './packetize.ts';
import type { Sink } from './sink.ts';

export interface CameraOptions {
  /** As on the request line: `/cam1`. */
  readonly path: string;
  readonly clip: Clip;
  /** Default `none`, or `digest-md5-qop` when there is a password. */
  readonly auth?: AuthScheme;
  readonly username?: string;
  readonly password?: string;
  readonly behaviour?: Partial<Behaviour>;
}

/** One client that has set up this camera's video. Owned by its connection. */
export interface CameraSession {
  readonly id: string;
  readonly sink: Sink;
  playing: boolean;
  /** A sender report goes ahead of the first unit. */
  greeted: boolean;
  /** `performance.now()` of the last request. */
  lastRequestAt: number;
  /** Ends the connection that it belongs to. */
  disconnect(how: 'reset' | 'fin'): void;
  /** Takes the session out of its connection, which stays. */
  forget(): void;
}

export interface CameraStats {
  /** Sessions that have been set up and not ended. */
  readonly sessions: number;
  readonly sessionsTotal: number;
  readonly sessionsMax: number;
  /** Ended by TEARDOWN; the rest went with their connection or by time-out. */
  readonly teardowns: number;
  readonly timeouts: number;
  readonly describes: number;
  readonly keepalives: number;
  readonly wrongPasswords: number;
  readonly staleNonces: number;
  readonly unitsSent: number;
  readonly unitsDropped: number;
  /** RTP payload bytes over all sessions. */
  readonly bytesSent: number;
}

export interface SentFrame {
  /** Frame of the clip, as the strip shows it. */
  readonly index: number;
  /** Milliseconds since 1970 on a monotonic clock: `performance.timeOrigin + performance.now()`. */
  readonly sentAt: number;
  readonly keyframe: boolean;
}

const clockRate = 90_000;
const reportIntervalMs = 5000;
/** Further behind than this (a suspended process), the clock starts anew instead of sending a flood. */
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

/** Milliseconds since 1970, comparable between processes of one machine, never stepping back. */
export function epochNow(): number {
  return performance.timeOrigin + performance.now();
}

export class SimulatedCamera {
  readonly path: string;
  readonly access: AccessControl;
  behaviour: Behaviour;
  dead = false;
  /** Called for every unit at the moment it is sent; also without any client. */
  onFrame: ((frame: SentFrame) => void) | null = null;
  /** Told by the server when the camera dies or comes back, to close or open its listener. */
  onLife: (() => Promise<void>) | null = null;

  readonly counters = {
    sessionsTotal: 0,
    sessionsMax: 0,
    teardowns: 0,
    timeouts: 0,
    describes: 0,
    keepalives: 0,
    wrongPasswords: 0,
    staleNonces: 0,
    unitsSent: 0,
    unitsDropped: 0,
    bytesSent: 0,
  };
  readonly #sessions = new Set<CameraSession>();
  #clip: Clip;
  #packets: readonly UnitPackets[];
  #sentAt: Float64Array;
  /** Decoding runs ahead of presentation by at most so many frames. */
  #reorder = 0;
  /** `performance.now()` of unit 0 of the first loop. */
  #anchor = performance.now();
  #tick = 0;
  #timer: NodeJS.Timeout | null = null;
  // One packet stream for all sessions, as a camera's encoder makes it.
  #ssrc = 0;
  #sequence = 0;
  #timestampBase = 0;
  #clockStart = 0;
  #packetCount = 0;
  #octetCount = 0;
  #lastReportAt = Number.NEGATIVE_INFINITY;

  constructor(options: CameraOptions) {
    const { path, clip, username = 'viewer', password = '', behaviour = {} } = options;
    this.path = path;
    this.access = new AccessControl(
      options.auth ?? (password === '' ? 'none' : 'digest-md5-qop'),
      username,
      password,
    );
    this.behaviour = { ...goodBehaviour, ...behaviour };
    this.#clip = clip;
    this.#packets = packetsFor(clip);
    this.#sentAt = new Float64Array(clip.accessUnits.length);
    this.#useClip(clip);
    this.#boot();
  }

  get clip(): Clip {
    return this.#clip;
  }

  /** What RTP-Info tells a client that starts now (RFC 2326 §12.33). */
  get nextPacket(): { readonly sequence: number; readonly timestamp: number } {
    const due = this.#anchor + this.#tickAfter(performance.now()) * this.#period;
    return { sequence: this.#sequence, timestamp: this.#timestampAt(due) };
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  get stats(): CameraStats {
    return { sessions: this.#sessions.size, ...this.counters };
  }

  /**
   * When this frame of the clip was last sent (or was due, while stalled).
   * @returns as `SentFrame.sentAt`, or `null` if it was not sent yet. The loop repeats after `clip` length.
   */
  sentAt(index: number): number | null {
    return this.#sentAt[index] || null;
  }

  // Moods.

  behave(changes: Partial<Behaviour>): void {
    this.behaviour = { ...this.behaviour, ...changes };
  }

  stall(): void {
    this.behave({ stalled: true });
  }

  resume(): void {
    this.behave({ stalled: false, answers: true });
  }

  /** No answer, no media, no FIN: as when its power is cut behind a switch. `resume()` ends it. */
  goSilent(): void {
    this.behave({ stalled: true, answers: false });
  }

  /** `null` accepts again. Sessions that play go on. */
  refuse(status: number | null): void {
    this.behave({ refuse: status });
  }

  /** Ends every connection of this camera and takes no further one (a listener without a living camera closes). */
  async die(how: 'reset' | 'fin' = 'reset'): Promise<void> {
    this.dead = true;
    this.dropSessions(how);
    await this.onLife?.();
  }

  /** Serves again, as after a reboot: new SSRC, sequence and time. */
  async comeBack(): Promise<void> {
    this.dead = false;
    this.#boot();
    await this.onLife?.();
  }

  /** Ends the connections of all sessions; new ones are welcome. */
  dropSessions(how: 'reset' | 'fin'): void {
    for (const session of [...this.#sessions]) session.disconnect(how);
  }

  /** RTCP BYE to everyone; their sessions are unknown afterwards (454). */
  bye(): void {
    for (const session of [...this.#sessions]) {
      session.sink.sendRtcp(joinRtcp(this.#report(), buildBye(this.#ssrc)));
      session.forget();
    }
  }

  /** Nonces given out so far get 401 from now on. */
  renewNonce(): void {
    this.access.renewNonce();
  }

  /** Plays another clip from its beginning, within the running sessions: size or frame rate change in mid-stream. */
  switchClip(clip: Clip): void {
    if (clip.codec !== this.#clip.codec) throw new Error('A session cannot change its codec.');
    this.#useClip(clip);
    this.#start();
  }

  // For connections.

  addSession(session: CameraSession): void {
    this.#sessions.add(session);
    this.counters.sessionsTotal++;
    this.counters.sessionsMax = Math.max(this.counters.sessionsMax, this.#sessions.size);
  }

  removeSession(session: CameraSession): void {
    this.#sessions.delete(session);
    session.playing = false;
  }

  play(session: CameraSession): void {
    session.playing = true;
    this.#start();
  }

  /** Ends sessions that were silent for longer than the announced time-out. */
  enforceTimeouts(now: number): void {
    const limit = this.behaviour.sessionTimeoutSeconds * 1000;
    for (const session of [...this.#sessions]) {
      if (now - session.lastRequestAt <= limit) continue;
      this.counters.timeouts++;
      session.disconnect('fin');
    }
  }

  close(): void {
    this.dropSessions('reset');
    this.#stop();
  }

  // The clock.

  get #period(): number {
    return 1000 / this.#clip.fps;
  }

  #boot(): void {
    const seed = randomBytes(8);
    this.#ssrc = seed.readUInt32BE(0);
    this.#timestampBase = seed.readUInt32BE(4);
    this.#sequence = randomInt(0x10000);
    this.#clockStart = performance.now();
    this.#packetCount = 0;
    this.#octetCount = 0;
  }

  #useClip(clip: Clip): void {
    this.#stop();
    this.#clip = clip;
    this.#packets = packetsFor(clip);
    this.#sentAt = new Float64Array(clip.accessUnits.length);
    this.#reorder = clip.accessUnits.reduce((most, unit, i) => Math.max(most, i - unit.index), 0);
    // A fraction of a frame apart, so that many cameras do not send in the same instant.
    this.#anchor = performance.now() + Math.random() * this.#period;
    this.#tick = 0;
  }

  #timestampAt(now: number): number {
    return (this.#timestampBase + Math.round(((now - this.#clockStart) * clockRate) / 1000)) >>> 0;
  }

  #tickAfter(now: number): number {
    return Math.max(0, Math.ceil((now - this.#anchor) / this.#period));
  }

  #start(): void {
    if (this.#timer) return;
    this.#tick = this.#tickAfter(performance.now());
    this.#schedule();
  }

  #stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(): void {
    const wait = this.#anchor + this.#tick * this.#period - performance.now();
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, wait));
  }

  #fire(): void {
    this.#timer = null;
    const now = performance.now();
    if (this.#sessions.size === 0 && !this.onFrame) return;
    let due = this.#anchor + this.#tick * this.#period;
    if (now - due > maxLagMs) {
      this.#anchor += now - due;
      due = now;
    }
    // Timers may fire up to a millisecond early.
    while (due <= now + 1) {
      this.#send(due, now);
      due = this.#anchor + ++this.#tick * this.#period;
    }
    this.#schedule();
  }

  /** One unit to everyone who plays. All timestamps come from the schedule, so they are even whatever the timer did. */
  #send(due: number, now: number): void {
    const position = this.#tick % this.#packets.length;
    const unit = this.#clip.accessUnits[position]!;
    const packets = this.#packets[position]!;
    const sentAt = epochNow();
    this.#sentAt[unit.index] = sentAt;
    this.onFrame?.({ index: unit.index, sentAt, keyframe: unit.keyframe });
    if (this.behaviour.stalled) return;
    const shown = due + (unit.index - position + this.#reorder) * this.#period;
    const bytes = stampPackets(packets, this.#sequence, this.#timestampAt(shown), this.#ssrc);
    const report = this.behaviour.senderReports && now - this.#lastReportAt >= reportIntervalMs;
    for (const session of this.#sessions) {
      if (session.playing) this.#sendTo(session, bytes, packets, report);
    }
    if (report) this.#lastReportAt = now;
    this.#sequence = (this.#sequence + packets.offsets.length) & 0xffff;
    this.#packetCount += packets.offsets.length;
    this.#octetCount += packets.payloadBytes;
  }

  #sendTo(session: CameraSession, bytes: Buffer, packets: UnitPackets, report: boolean): void {
    const { garbage, senderReports } = this.behaviour;
    if (report || (senderReports && !session.greeted)) session.sink.sendRtcp(this.#report());
    session.greeted = true;
    if (garbage && this.#tick % garbage.everyUnits === 0)
      session.sink.sendGarbage(randomBytes(garbage.bytes));
    if (session.sink.sendUnit(bytes, packets.offsets)) {
      this.counters.unitsSent++;
      this.counters.bytesSent += packets.payloadBytes;
    } else this.counters.unitsDropped++;
  }

  #report(): Uint8Array {
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
}
