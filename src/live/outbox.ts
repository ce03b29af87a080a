// What waits for one viewer: at most one picture, the newest, and a bounded window of pictures on their way.
// Decides when to send; the socket is given as a port, the protocol's texts do not pass through here.

import type { Clock } from '../base/clock.ts';

export interface OutboxSocket {
  /** `done` is called when the bytes are with the operating system, or the socket is gone. */
  send(data: Uint8Array, done: () => void): void;
  /** Answered in order behind everything sent before: the answer tells how far the viewer has read. */
  ping(payload: Uint8Array): void;
}

/**
 * Pictures on their way to a viewer that keeps up: about a second of them. TCP and the two systems' buffers would take
 * megabytes, which a slow link turns into many seconds of delay, so the window counts what the viewer has not yet read.
 */
const widest = 16;
/** At first, until answers come. */
const firstWindow = 2;
/** And never more than this, however large the pictures are. */
const maxBytesInFlight = 1_500_000;
/** With so many not yet taken by the operating system, the newest waits here, where it can be replaced. */
const maxToSystem = 2;
/** Answers this much slower (ms) than an answer on an empty way mean that pictures queue up: the window is halved. */
const lagMs = 350;
/** Answers within this much of it (ms) widen a window that was full. */
const quickMs = 120;
/** An answer speaks of what was under way when it was asked for: a new width shows in the second one. */
const answersToSettle = 2;
/** So long in the narrowest window, with nothing queued, and the way itself has become longer (another network). */
const newWayAfterMs = 30_000;
const pingEveryPictures = 4;
const pingEveryMs = 1_000;

/** What had been sent when this ping was: its answer says that all of that was read. */
interface SentPing {
  readonly sequence: number;
  readonly pictures: number;
  readonly bytes: number;
  readonly at: number;
  /** Nothing but one picture at the most was ahead of it. */
  readonly alone: boolean;
}

export interface Outgoing {
  readonly data: Uint8Array;
}

/** Newest wins: a picture that could not be sent is replaced by the next one and counted as dropped. */
export class Outbox<P extends Outgoing> {
  readonly #socket: OutboxSocket;
  readonly #clock: Clock;
  readonly #onSent: (picture: P) => void;
  #waiting: P | null = null;
  #sent = 0;
  #read = 0;
  #bytesSent = 0;
  #bytesRead = 0;
  #toSystem = 0;
  #dropped = 0;
  #ping: SentPing | null = null;
  #lastPingAt = Number.NEGATIVE_INFINITY;
  #lastSequence = 0;
  #window = firstWindow;
  /** Quickest answer, ms: the length of the way. */
  #quickest = Number.POSITIVE_INFINITY;
  #narrowSince: number | null = null;
  /** Pictures waited for the window since the last ping. */
  #limited = false;
  /** It was too wide once: from then on it widens in small steps. */
  #wasLate = false;
  #answersSinceChange = 0;
  readonly #handedOver = () => {
    this.#toSystem -= 1;
    this.#release();
  };

  constructor(socket: OutboxSocket, clock: Clock, onSent: (picture: P) => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onSent = onSent;
  }

  /** Pictures replaced before they could be sent. */
  get dropped(): number {
    return this.#dropped;
  }

  /** It cannot read as fast as pictures are made. */
  get lagging(): boolean {
    return this.#window === 1;
  }

  /** How long the oldest unanswered ping has waited, ms; 0 when none is out. */
  unansweredMs(): number {
    return this.#ping ? this.#clock.now() - this.#ping.at : 0;
  }

  offer(picture: P): void {
    if (this.#waiting) this.#dropped += 1;
    this.#waiting = picture;
    this.#release();
  }

  /** Nothing may be sent later: the viewer paused or left this camera. */
  clear(): void {
    this.#waiting = null;
  }

  /** Asks the viewer for a sign of life even when no pictures flow. */
  probe(): void {
    if (this.#ping === null && this.#clock.now() - this.#lastPingAt >= pingEveryMs) this.#sendPing();
  }

  onPong(payload: Uint8Array): void {
    const ping = this.#ping;
    if (!ping || payload.byteLength !== 4) return;
    if (new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0) !== ping.sequence) return;
    this.#ping = null;
    this.#bytesRead = ping.bytes;
    this.#read = ping.pictures;
    this.#adapt(this.#clock.now() - ping.at, ping.alone);
    this.#release();
  }

  /** Widened while answers stay quick, halved on delay: it finds what the way holds without a queue building up. */
  #adapt(took: number, alone: boolean): void {
    this.#quickest = Math.min(this.#quickest, took);
    this.#answersSinceChange += 1;
    const extra = took - this.#quickest;
    if (extra > lagMs) {
      this.#wasLate = true;
      this.#resize(this.#window >> 1);
    } else if (extra < quickMs && this.#limited && this.#answersSinceChange >= answersToSettle) {
      this.#resize(this.#wasLate ? this.#window + 1 : this.#window * 2);
    }
    this.#limited = false;
    this.#learnNewWay(took, alone);
  }

  #resize(window: number): void {
    this.#window = Math.min(widest, Math.max(1, window));
    this.#answersSinceChange = 0;
  }

  #learnNewWay(took: number, alone: boolean): void {
    if (this.#window > 1) {
      this.#narrowSince = null;
      return;
    }
    const now = this.#clock.now();
    this.#narrowSince ??= now;
    if (now - this.#narrowSince < newWayAfterMs || !alone) return;
    this.#quickest = took;
    this.#narrowSince = now;
  }

  #release(): void {
    const picture = this.#waiting;
    if (!picture || !this.#hasRoom(picture)) return;
    this.#waiting = null;
    this.#sent += 1;
    this.#toSystem += 1;
    this.#bytesSent += picture.data.byteLength;
    this.#socket.send(picture.data, this.#handedOver);
    this.#onSent(picture);
    if (this.#ping === null && this.#pingIsDue()) this.#sendPing();
  }

  #hasRoom(picture: P): boolean {
    const inFlight = this.#sent - this.#read;
    if (inFlight === 0) return true;
    if (this.#toSystem >= maxToSystem) return false;
    const bytes = this.#bytesSent - this.#bytesRead + picture.data.byteLength;
    return (inFlight < this.#window && bytes <= maxBytesInFlight) || this.#askedAndFull();
  }

  /** The window is full: only an answer can open it, so one must be on its way. */
  #askedAndFull(): false {
    this.#limited = true;
    if (this.#ping === null) this.#sendPing();
    return false;
  }

  #pingIsDue(): boolean {
    return (
      this.#window < widest ||
      this.#sent - this.#read >= pingEveryPictures ||
      this.#clock.now() - this.#lastPingAt >= pingEveryMs
    );
  }

  #sendPing(): void {
    this.#lastSequence = (this.#lastSequence + 1) >>> 0;
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, this.#lastSequence);
    this.#lastPingAt = this.#clock.now();
    this.#ping = {
      sequence: this.#lastSequence,
      pictures: this.#sent,
      bytes: this.#bytesSent,
      at: this.#lastPingAt,
      alone: this.#sent - this.#read <= 1,
    };
    this.#socket.ping(payload);
  }
}
