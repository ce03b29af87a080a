// One simulated camera: who watches it, how it behaves, what it counts, and when each frame was sent.
// The clock and the packets are loop.ts's, the conversation is connection.ts's.

import { randomBytes } from 'node:crypto';
import { buildBye, joinRtcp } from '../src/rtsp/rtcp.ts';
import { AccessControl, type AuthScheme } from './access.ts';
import type { AudioClip } from './audio.ts';
import { type AudioListener, AudioLoop } from './audio-loop.ts';
import { type Behaviour, goodBehaviour } from './behaviour.ts';
import type { Clip, ClipUnit } from './clip.ts';
import { ClipLoop, type LoopListener } from './loop.ts';
import type { UnitPackets } from './packetize.ts';
import { SessionLog } from './session-log.ts';
import type { Sink } from './sink.ts';

export interface CameraOptions {
  /** As on the request line: `/cam1`. */
  readonly path: string;
  readonly clip: Clip;
  /** None without it. */
  readonly audio?: AudioClip;
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
  /** Where the sound goes; null unless it was set up. */
  audioSink: Sink | null;
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
  /** Over all sessions, like `unitsDropped` (the client did not read) and `bytesSent` (RTP payload). */
  readonly unitsSent: number;
  readonly unitsDropped: number;
  readonly bytesSent: number;
}

export interface SentFrame {
  /** Frame of the clip, as the strip shows it. */
  readonly index: number;
  /** `epochNow()` of the moment. */
  readonly sentAt: number;
  readonly keyframe: boolean;
}

const reportIntervalMs = 5000;

/** Milliseconds since 1970, comparable between processes of one machine, never stepping back. */
export function epochNow(): number {
  return performance.timeOrigin + performance.now();
}

export class SimulatedCamera implements LoopListener, AudioListener {
  readonly path: string;
  readonly access: AccessControl;
  readonly loop: ClipLoop;
  readonly audioLoop: AudioLoop | null;
  readonly sessionLog = new SessionLog();
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
  /** Told by the server when the camera dies or comes back, to close or open its listener. */
  onLife: (() => Promise<void>) | null = null;
  #behaviour: Behaviour;
  #dead = false;
  #onFrame: ((frame: SentFrame) => void) | null = null;
  readonly #sessions = new Set<CameraSession>();
  #sentAt: Float64Array;
  #lastReportAt = Number.NEGATIVE_INFINITY;

  constructor(options: CameraOptions) {
    const { path, clip, username = 'viewer', password = '', behaviour = {} } = options;
    const auth = options.auth ?? (password === '' ? 'none' : 'digest-md5-qop');
    this.path = path;
    this.access = new AccessControl(auth, username, password);
    this.#behaviour = { ...goodBehaviour, ...behaviour };
    this.#sentAt = new Float64Array(clip.accessUnits.length);
    this.loop = new ClipLoop(clip, this);
    this.audioLoop = options.audio ? new AudioLoop(options.audio, this) : null;
  }

  get behaviour(): Behaviour {
    return this.#behaviour;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get stats(): CameraStats {
    return { sessions: this.#sessions.size, ...this.counters };
  }

  /**
   * When this frame of the clip was last sent, to whomever was there; `null` if it was not yet. The next round of
   * the loop writes over it, so a viewer may lag by less than the clip's length.
   * @returns as `epochNow()`.
   */
  sentAt(index: number): number | null {
    return this.#sentAt[index] || null;
  }

  /** All of `sentAt` at once, by frame of the clip; 0 where nothing was sent yet. A copy. */
  sentTimes(): Float64Array {
    return this.#sentAt.slice();
  }

  /** `listener` is called for every unit at the moment it is sent; with one, the clock runs without any client. */
  watchFrames(listener: ((frame: SentFrame) => void) | null): void {
    this.#onFrame = listener;
    this.loop.start();
  }

  // What it can be told to do.

  behave(changes: Partial<Behaviour>): void {
    this.#behaviour = { ...this.#behaviour, ...changes };
  }

  /** Keeps its sockets and its clock, answers requests, sends no media. */
  stall(): void {
    this.behave({ stalled: true });
  }

  /** Ends `stall` and `goSilent`. */
  resume(): void {
    this.behave({ stalled: false, answers: true });
  }

  /** No answer, no media, no FIN: as when the cable is cut behind a switch. */
  goSilent(): void {
    this.behave({ stalled: true, answers: false });
  }

  /** DESCRIBE, SETUP and PLAY get this status; `null` accepts again. Sessions that play go on. */
  refuse(status: number | null): void {
    this.behave({ refuse: status });
  }

  /** Ends every connection of this camera and takes no further one (a listener without a living camera closes). */
  async die(how: 'reset' | 'fin' = 'reset'): Promise<void> {
    this.#dead = true;
    this.dropSessions(how);
    await this.onLife?.();
  }

  /** Serves again, as after a reboot: new SSRC, sequence and time. */
  async comeBack(): Promise<void> {
    this.#dead = false;
    this.loop.reboot();
    this.audioLoop?.reboot();
    await this.onLife?.();
  }

  /** Ends the connections of all sessions; new ones are welcome. */
  dropSessions(how: 'reset' | 'fin'): void {
    for (const session of [...this.#sessions]) session.disconnect(how);
  }

  /** RTCP BYE to everyone; their sessions are unknown afterwards (454). */
  bye(): void {
    for (const session of [...this.#sessions]) {
      session.sink.sendRtcp(joinRtcp(this.loop.report(), buildBye(this.loop.ssrc)));
      session.forget();
    }
  }

  /** Nonces given out so far get 401 from now on. */
  renewNonce(): void {
    this.access.renewNonce();
  }

  /**
   * Plays another clip from its beginning within the running sessions: size or frame rate change in mid-stream.
   * @throws Error for a clip of another codec, which no session can follow.
   */
  switchClip(clip: Clip): void {
    if (clip.codec !== this.loop.clip.codec) throw new Error('A session cannot change its codec.');
    this.#sentAt = new Float64Array(clip.accessUnits.length);
    this.loop.use(clip);
    this.loop.start();
  }

  close(): void {
    this.#onFrame = null;
    this.dropSessions('reset');
    this.loop.stop();
    this.audioLoop?.stop();
  }

  // For connections and the server.

  addSession(session: CameraSession): void {
    this.#sessions.add(session);
    this.sessionLog.opened(session, epochNow());
    this.counters.sessionsTotal++;
    this.counters.sessionsMax = Math.max(this.counters.sessionsMax, this.#sessions.size);
  }

  removeSession(session: CameraSession): void {
    this.#sessions.delete(session);
    this.sessionLog.ended(session, epochNow());
    session.playing = false;
  }

  play(session: CameraSession): void {
    session.playing = true;
    if (session.audioSink && this.behaviour.senderReports)
      session.audioSink.sendRtcp(this.audioLoop!.report());
    this.loop.start();
    this.audioLoop?.start();
  }

  /** Ends sessions that were silent for longer than the announced time-out. */
  enforceTimeouts(now: number): void {
    const limit = this.#behaviour.sessionTimeoutSeconds * 1000;
    for (const session of [...this.#sessions]) {
      if (now - session.lastRequestAt <= limit) continue;
      this.counters.timeouts++;
      session.disconnect('fin');
    }
  }

  isNeeded(): boolean {
    return this.#sessions.size > 0 || this.#onFrame !== null;
  }

  /** One unit to everyone who plays, in one go. */
  onUnit(unit: ClipUnit, tick: number): void {
    const { stalled, withholds, senderReports, garbage } = this.#behaviour;
    if (stalled || withholds === 'video' || this.#dead) return;
    const { bytes, packets } = this.loop.takeUnit();
    const now = performance.now();
    const reportDue = senderReports && now - this.#lastReportAt >= reportIntervalMs;
    if (reportDue) this.#lastReportAt = now;
    const sentAt = epochNow();
    this.#sentAt[unit.index] = sentAt;
    for (const session of this.#sessions) {
      if (!session.playing) continue;
      if (reportDue || (senderReports && !session.greeted)) session.sink.sendRtcp(this.loop.report());
      if (reportDue) session.audioSink?.sendRtcp(this.audioLoop!.report());
      session.greeted = true;
      if (garbage && tick % garbage.everyUnits === 0) session.sink.sendGarbage(randomBytes(garbage.bytes));
      if (session.sink.sendUnit(bytes, packets.offsets)) {
        this.counters.unitsSent++;
        this.counters.bytesSent += packets.payloadBytes;
      } else this.counters.unitsDropped++;
    }
    this.#onFrame?.({ index: unit.index, sentAt, keyframe: unit.keyframe });
  }

  /** One unit of sound to everyone who has set it up. */
  onSound(bytes: Buffer, packets: UnitPackets): void {
    const { stalled, withholds } = this.#behaviour;
    if (stalled || withholds === 'audio' || this.#dead) return;
    for (const { playing, audioSink } of this.#sessions)
      if (playing) audioSink?.sendUnit(bytes, packets.offsets);
  }
}
