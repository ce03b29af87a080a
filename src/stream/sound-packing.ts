// Sound as viewers get it: units of AAC behind a small header for WebCodecs, a track beside the video's in MP4 for MSE.
// Units in, bytes of packets out; who gets them is passthrough-sound.ts's.

import type { AudioParameters, AudioUnit } from '../media/audio.ts';
import { fragment, initSegment, type Mp4Track } from '../media/fmp4.ts';
import { audioSampleEntry } from '../media/sample-entry.ts';
import type { PacketSetup, PassthroughFormat } from './live-camera.ts';
import { annexBKinds, annexBPacket } from './packing.ts';

export interface SoundPacking {
  /**
   * @param number of the unit.
   * @returns what can be sent: this unit, it and those before it, or nothing while it waits for those to come.
   */
  pack(unit: AudioUnit, number: number): Uint8Array[];
  /** What waits is never sent: it belongs to sound that has ended. */
  reset(): void;
}

/** @param nextFragment numbers the fragments of MP4. */
export function soundPackingOf(format: PassthroughFormat, nextFragment: () => number): SoundPacking {
  return format === 'annexb' ? annexBSound : new Mp4Sound(nextFragment);
}

const annexBSound: SoundPacking = {
  pack: ({ data, timestamp }, number) => [annexBPacket(annexBKinds.sound, 0, number, timestamp, data)],
  reset: () => undefined,
};

const soundTrack = 2;
/** Headers of a fragment are as large as half a unit of speech; units wait so long for others to share them, µs. */
const longestFragment = 100_000;
/** Units that follow each other less exactly than this are none of the same fragment, µs. */
const tolerance = 5_000;

class Mp4Sound implements SoundPacking {
  readonly #nextFragment: () => number;
  #held: AudioUnit[] = [];

  constructor(nextFragment: () => number) {
    this.#nextFragment = nextFragment;
  }

  pack(unit: AudioUnit): Uint8Array[] {
    const packets: Uint8Array[] = [];
    const last = this.#held.at(-1);
    if (last && Math.abs(unit.timestamp - last.timestamp - last.duration) > tolerance)
      packets.push(this.#take());
    this.#held.push(unit);
    // The next one would make it too long.
    if ((this.#held.length + 1) * unit.duration > longestFragment) packets.push(this.#take());
    return packets;
  }

  reset(): void {
    this.#held = [];
  }

  #take(): Uint8Array {
    const units = this.#held;
    this.#held = [];
    const { audio, timestamp } = units[0]!;
    const ticks = (microseconds: number) => Math.round((microseconds * audio.sampleRate) / 1_000_000);
    const { data, payload } = fragment({
      sequence: this.#nextFragment(),
      track: { id: soundTrack },
      decodeTime: ticks(timestamp),
      samples: units.map((unit) => ({
        bytes: unit.data.length,
        duration: ticks(unit.duration),
        compositionOffset: 0,
        sync: true,
      })),
    });
    let at = 0;
    for (const unit of units) {
      payload.set(unit.data, at);
      at += unit.data.length;
    }
    return data;
  }
}

/** What a viewer is told of a video that comes with this sound; in `annexb` that is the same. */
export function withSound(setup: PacketSetup, sound: AudioParameters): PacketSetup {
  if (!setup.track) return setup;
  const track: Mp4Track = {
    id: soundTrack,
    kind: 'audio',
    timescale: sound.sampleRate,
    sampleEntry: audioSampleEntry(sound),
    width: 0,
    height: 0,
  };
  const mime = `video/mp4; codecs="${setup.codec}, ${sound.codecString}"`;
  return { ...setup, mime, init: initSegment([setup.track, track]) };
}
