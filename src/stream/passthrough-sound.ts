// A camera's sound for viewers of its compressed video: packed once for all of a format, only while there are any.
// Promises sound while it comes, and takes that back when it does not; the bytes are sound-packing.ts's.

import type { AudioParameters, AudioUnit } from '../media/audio.ts';
import type { AudioSource } from './audio-source.ts';
import type { SoundListener } from './live-camera.ts';
import type { SoundPacking } from './sound-packing.ts';
import type { Stream } from './stream.ts';

/** The camera's sound goes on for so long and nothing comes of it: its transcoder is gone, ms. */
const stalledMs = 1_000;

/** Of one format. */
export class SoundFeed {
  readonly #stream: Stream;
  readonly #source: AudioSource;
  readonly #packing: SoundPacking;
  readonly #listeners = new Set<SoundListener>();
  #leave: (() => void) | null = null;
  /** What the units will be, and what listeners were told. */
  #expected: AudioParameters | null = null;
  #sound: AudioParameters | null = null;
  #units = 0;
  /** `receivedAt` of the camera's first unit since something came of one. */
  #unansweredSince: number | null = null;

  constructor(stream: Stream, source: AudioSource, packing: SoundPacking) {
    this.#stream = stream;
    this.#source = source;
    this.#packing = packing;
  }

  subscribe({ onSound, onPacket }: SoundListener) {
    // One of its own, so that the same listener may come twice.
    const own: SoundListener = { onSound, onPacket };
    if (this.#leave === null) this.#begin();
    this.#listeners.add(own);
    const leave = () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#end();
    };
    return { sound: this.#sound, leave };
  }

  #begin(): void {
    const leaveSource = this.#source.subscribe({
      onAudio: (audio) => this.#expect(audio),
      onAudioUnit: (unit) => this.#pass(unit),
    });
    // After the source, which passes a unit of AAC on at once.
    const leaveStream = this.#stream.subscribe({ onAudioUnit: (unit) => this.#watch(unit) });
    this.#leave = () => {
      leaveSource();
      leaveStream();
    };
  }

  #end(): void {
    this.#leave?.();
    this.#leave = null;
    this.#expected = null;
    this.#tell(null);
  }

  /** The camera's own AAC is there already; that of a transcoder when its first unit is. */
  #expect(audio: AudioParameters | null): void {
    this.#expected = audio;
    this.#tell(this.#stream.audio?.codec === 'aac' ? audio : null);
  }

  #pass(unit: AudioUnit): void {
    this.#unansweredSince = null;
    if (this.#sound !== this.#expected) this.#tell(this.#expected);
    for (const data of this.#packing.pack(unit, this.#units++)) {
      const packet = { data, receivedAt: unit.receivedAt };
      this.#each((listener) => listener.onPacket(packet));
    }
  }

  #watch({ receivedAt }: AudioUnit): void {
    this.#unansweredSince ??= receivedAt;
    if (this.#sound && receivedAt - this.#unansweredSince > stalledMs) this.#tell(null);
  }

  #tell(sound: AudioParameters | null): void {
    this.#unansweredSince = null;
    if (sound === this.#sound) return;
    this.#sound = sound;
    this.#packing.reset();
    this.#each((listener) => listener.onSound(sound));
  }

  #each(call: (listener: SoundListener) => void): void {
    for (const listener of this.#listeners) this.#stream.guard(() => call(listener));
  }
}
