// A camera's compressed video for viewers who decode it themselves: packed once for all of a format, only while there are any.
// No pixels, no sockets; what a packet looks like is packing.ts's, what a slow viewer gets is the session's.

import type { AccessUnit, VideoParameters } from '../media/access-unit.ts';
import type { AudioSource } from './audio-source.ts';
import type { Packet, PacketSetup, PacketSource, PassthroughFormat, SoundListener } from './live-camera.ts';
import { type Packing, packingOf } from './packing.ts';
import { SoundFeed } from './passthrough-sound.ts';
import { soundPackingOf } from './sound-packing.ts';
import type { Stream } from './stream.ts';

export class Passthrough implements PacketSource {
  readonly #stream: Stream;
  readonly #feeds = new Map<PassthroughFormat, Feed>();
  readonly #sounds: Readonly<Record<PassthroughFormat, SoundFeed>>;
  #fragments = 0;
  /** One sequence for both tracks, since a viewer may get both. */
  readonly #nextFragment = () => ++this.#fragments;

  /** @param audio the same camera's sound. */
  constructor(stream: Stream, audio: AudioSource) {
    this.#stream = stream;
    const sounds = (format: PassthroughFormat) =>
      new SoundFeed(stream, audio, soundPackingOf(format, this.#nextFragment));
    this.#sounds = { annexb: sounds('annexb'), mp4: sounds('mp4') };
  }

  subscribe(format: PassthroughFormat, onPacket: (packet: Packet) => void) {
    const feed =
      this.#feeds.get(format) ??
      new Feed(this.#stream, packingOf(format, this.#stream.reorderDepth, this.#nextFragment));
    this.#feeds.set(format, feed);
    const leave = feed.subscribe(onPacket, () => {
      if (this.#feeds.get(format) === feed) this.#feeds.delete(format);
    });
    return { recent: feed.recent, leave };
  }

  subscribeSound(format: PassthroughFormat, listener: SoundListener) {
    return this.#sounds[format].subscribe(listener);
  }
}

/** Packets of a stream whose units come only while somebody wants them. @param wantUnits begins that; returns its end. */
export function fetchedPackets(packets: PacketSource, wantUnits: () => () => void): PacketSource {
  return {
    subscribe: (format, onPacket) => {
      const leaveUnits = wantUnits();
      const { recent, leave } = packets.subscribe(format, onPacket);
      return {
        recent,
        leave: () => {
          leave();
          leaveUnits();
        },
      };
    },
    subscribeSound: (format, listener) => packets.subscribeSound(format, listener),
  };
}

/** Of one format, from its first reader to its last. */
class Feed {
  readonly #stream: Stream;
  readonly #packing: Packing;
  readonly #readers = new Set<(packet: Packet) => void>();
  readonly #leaveStream: () => void;
  #setup: PacketSetup | null = null;
  /** What `#setup` describes. */
  #video: VideoParameters | null = null;
  #recent: Packet[] = [];

  constructor(stream: Stream, packing: Packing) {
    this.#stream = stream;
    this.#packing = packing;
    const units = stream.recentUnits();
    units.forEach((unit, i) => {
      this.#remember(unit, stream.totals.units - units.length + i);
    });
    this.#leaveStream = stream.subscribe({
      onUnit: (unit) => this.#pass(unit),
      // Nothing can be decoded before the keyframe that begins the new video.
      onVideo: () => this.#forget(),
    });
  }

  /** Since the last keyframe, as far as the stream keeps them. A copy: it does not grow. */
  get recent(): readonly Packet[] {
    return this.#stream.recentUnits().length === 0 ? [] : [...this.#recent];
  }

  /** @param onEmpty is called when the last reader has left, after which this feed is dead. @returns ends it. */
  subscribe(onPacket: (packet: Packet) => void, onEmpty: () => void): () => void {
    const reader = (packet: Packet) => onPacket(packet);
    this.#readers.add(reader);
    return () => {
      if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
      this.#leaveStream();
      onEmpty();
    };
  }

  #pass(unit: AccessUnit): void {
    const packet = this.#remember(unit, this.#stream.totals.units - 1);
    if (!packet) return;
    for (const reader of this.#readers) this.#stream.guard(() => reader(packet));
  }

  /** @param number of the unit within its stream. @returns its packet, if there is one. */
  #remember(unit: AccessUnit, number: number): Packet | null {
    if (unit.keyframe) this.#describe();
    const setup = this.#setup;
    if (!setup) return null;
    const { keyframe, timestamp, receivedAt } = unit;
    const packet = { setup, data: this.#packing.pack(unit, number), keyframe, timestamp, receivedAt };
    // The stream decides how much is kept for those who join: it forgets on interruptions and beyond its limits.
    if (keyframe || this.#stream.recentUnits().length === 0) this.#recent = [];
    if (keyframe || this.#recent.length > 0) this.#recent.push(packet);
    return packet;
  }

  /** At keyframes only: a viewer can begin with another description nowhere else. */
  #describe(): void {
    const { video } = this.#stream;
    if (video === this.#video) return;
    const told = this.#video;
    this.#video = video;
    if (!video) this.#setup = null;
    else if (!this.#setup || !told || !this.#packing.same(told, video))
      this.#setup = this.#packing.describe(video);
  }

  #forget(): void {
    this.#setup = null;
    this.#video = null;
    this.#recent = [];
  }
}
