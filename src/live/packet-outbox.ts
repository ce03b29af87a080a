// What waits for one viewer of compressed video, and sound: packets since a keyframe, in order and without a gap, or none.
// Decides when to send and what to skip; the socket is given as a port, the protocol's texts do not pass through here.

import type { Clock } from '../base/clock.ts';
import type { Packet, PacketSetup, SoundPacket } from '../stream/live-camera.ts';
import type { OutboxSocket } from './outbox.ts';

/** Not yet taken by the operating system; beyond, packets wait here, where they can be dropped. */
const maxToSystem = 256 * 1024;
/** Sent and not yet read by the viewer: TCP and the two systems would hold megabytes, which is seconds on a slow link. */
const maxUnread = 1_500_000;
/** Waiting here, but for what a newcomer is owed: that is the stream's own memory. */
const maxWaitingBytes = 1_500_000;
/** An answer later than the quickest one by this much means that packets queue up on the way, ms. */
const lagMs = 500;
/** Packets that waited for so long are no live view any more, ms. */
const maxWaitMs = 1_500;
/** Packets that wait as long are given up for a keyframe that has come, ms. */
const patienceMs = 300;
const markEveryBytes = 64 * 1024;
const markEveryMs = 250;
/** Longer than the pings of pictures, whose answers come to the same socket. */
const markBytes = 8;

interface Waiting {
  readonly packet: Packet | SoundPacket;
  readonly since: number;
}

/** A ping: its answer says that all that was sent before it has been read. */
interface Mark {
  readonly number: number;
  readonly bytes: number;
  readonly at: number;
}

export interface PacketOutboxOptions {
  readonly socket: OutboxSocket;
  readonly clock: Clock;
  /**
   * Before the first packet, and before each that this setup does not describe as the one before did.
   * @returns what is to be sent before it, if anything.
   */
  readonly onSetup: (setup: PacketSetup) => Uint8Array | null;
  /** Video only. @param live false for packets that were late already when the viewer joined. */
  readonly onSent: (packet: Packet, live: boolean) => void;
}

/** A viewer that cannot follow loses whole groups of pictures: what it is shown is never damaged, and never old. */
export class PacketOutbox {
  readonly #options: PacketOutboxOptions;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** More than usual for a newcomer, until it has caught up. */
  #maxWaiting = maxWaitingBytes;
  #catchingUp = false;
  #needsKeyframe = true;
  /** It needs a keyframe because it was too slow. */
  #skipping = false;
  #setup: PacketSetup | null = null;
  #dropped = 0;
  #toSystem = 0;
  #bytesSent = 0;
  #bytesRead = 0;
  #mark: Mark | null = null;
  #lastMark: Mark = { number: 0, bytes: 0, at: Number.NEGATIVE_INFINITY };
  #quickest = Number.POSITIVE_INFINITY;

  constructor(options: PacketOutboxOptions) {
    this.#options = options;
  }

  /** Frames skipped since the beginning. */
  get dropped(): number {
    return this.#dropped;
  }

  /** What is on the viewer's screen is not what the camera sees now. */
  get lagging(): boolean {
    return this.#catchingUp || this.#needsKeyframe;
  }

  /** Forgets what waited, and begins with these: a keyframe and all that followed it, or nothing yet. */
  begin(recent: readonly Packet[]): void {
    this.clear();
    const since = this.#options.clock.now();
    this.#waiting = recent.map((packet) => ({ packet, since }));
    this.#waitingBytes = recent.reduce((sum, { data }) => sum + data.length, 0);
    this.#maxWaiting = maxWaitingBytes + this.#waitingBytes;
    this.#catchingUp = recent.length > 0;
    this.#needsKeyframe = recent.length === 0;
    this.#release();
  }

  /** In the order of the stream. */
  offer(packet: Packet): void {
    const now = this.#options.clock.now();
    // A keyframe makes what still waits before it needless, but for a hiccup of the link.
    if (packet.keyframe && (this.#catchingUp || this.#headWaits(now) > patienceMs)) this.#skip();
    if (packet.keyframe) this.#needsKeyframe = this.#skipping = false;
    if (this.#needsKeyframe) {
      if (this.#skipping) this.#dropped += 1;
      return;
    }
    this.#queue(packet, now);
  }

  /** Belongs to the video: where that has a gap, so has the sound. */
  offerSound(packet: SoundPacket): void {
    if (!this.#needsKeyframe) this.#queue(packet, this.#options.clock.now());
  }

  /** Sound that waits is not sent: it is another than what comes from now on. */
  forgetSound(): void {
    this.#waiting = this.#waiting.filter(({ packet }) => isVideo(packet));
    this.#waitingBytes = this.#waiting.reduce((sum, { packet }) => sum + packet.data.length, 0);
  }

  #queue(packet: Packet | SoundPacket, now: number): void {
    this.#waiting.push({ packet, since: now });
    this.#waitingBytes += packet.data.length;
    this.#release();
    const late = !this.#catchingUp && this.#headWaits(now) > maxWaitMs;
    if (late || this.#bytesBehindHead() > this.#maxWaiting) this.#skip();
  }

  /** Nothing more is sent until it begins anew. */
  clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#catchingUp = false;
    this.#needsKeyframe = true;
    this.#skipping = false;
    this.#setup = null;
  }

  onPong(payload: Uint8Array): void {
    const mark = this.#mark;
    if (!mark || payload.byteLength !== markBytes) return;
    if (new DataView(payload.buffer, payload.byteOffset, markBytes).getUint32(0) !== mark.number) return;
    this.#mark = null;
    this.#bytesRead = mark.bytes;
    this.#quickest = Math.min(this.#quickest, this.#options.clock.now() - mark.at);
    this.#release();
  }

  /** Of a single frame, however large, nothing is too much. */
  #bytesBehindHead(): number {
    return this.#waitingBytes - (this.#waiting[0]?.packet.data.length ?? 0);
  }

  #headWaits(now: number): number {
    const head = this.#waiting[0];
    return head ? now - head.since : 0;
  }

  #skip(): void {
    this.#dropped += this.#waiting.filter(({ packet }) => isVideo(packet)).length;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#maxWaiting = maxWaitingBytes;
    this.#catchingUp = false;
    this.#needsKeyframe = true;
    this.#skipping = true;
  }

  #release(): void {
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      if (!this.#hasRoom(head.packet.data.length)) return;
      this.#waiting.shift();
      this.#send(head.packet);
    }
    this.#catchingUp = false;
    this.#maxWaiting = maxWaitingBytes;
  }

  #hasRoom(bytes: number): boolean {
    const unread = this.#bytesSent - this.#bytesRead;
    if (unread === 0) return true;
    if (this.#toSystem > 0 && this.#toSystem + bytes > maxToSystem) return false;
    if (unread + bytes <= maxUnread && !this.#isLate()) return true;
    // Only an answer can make room, so one must be on its way.
    this.#ask();
    return false;
  }

  #isLate(): boolean {
    const mark = this.#mark;
    if (!mark) return false;
    const took = this.#options.clock.now() - mark.at;
    return took > lagMs + (Number.isFinite(this.#quickest) ? this.#quickest : 0);
  }

  #send(packet: Packet | SoundPacket): void {
    const { data } = packet;
    if (isVideo(packet)) this.#describe(packet.setup);
    this.#waitingBytes -= data.length;
    this.#write(data);
    if (isVideo(packet)) this.#options.onSent(packet, !this.#catchingUp);
    const { bytes, at } = this.#lastMark;
    if (this.#bytesSent - bytes >= markEveryBytes || this.#options.clock.now() - at >= markEveryMs)
      this.#ask();
  }

  #describe(setup: PacketSetup): void {
    if (setup === this.#setup) return;
    this.#setup = setup;
    const init = this.#options.onSetup(setup);
    if (init) this.#write(init);
  }

  #write(data: Uint8Array): void {
    const { length } = data;
    this.#toSystem += length;
    this.#bytesSent += length;
    this.#options.socket.send(data, () => {
      this.#toSystem -= length;
      this.#release();
    });
  }

  #ask(): void {
    if (this.#mark) return;
    const mark = {
      number: (this.#lastMark.number + 1) >>> 0,
      bytes: this.#bytesSent,
      at: this.#options.clock.now(),
    };
    this.#mark = mark;
    this.#lastMark = mark;
    const payload = new Uint8Array(markBytes);
    new DataView(payload.buffer).setUint32(0, mark.number);
    this.#options.socket.ping(payload);
  }
}

function isVideo(packet: Packet | SoundPacket): packet is Packet {
  return 'setup' in packet;
}
