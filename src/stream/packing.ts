// Access units as viewers get them: Annex B behind a small header for WebCodecs, fragments of MP4 for MSE.
// One unit in, one packet's bytes out; who gets them is passthrough.ts's, sound is sound-packing.ts's.

import { type AccessUnit, sameParameterSets, sameVideo, type VideoParameters } from '../media/access-unit.ts';
import { DecodeTimes } from '../media/decode-times.ts';
import { fragment, initSegment, type Mp4Track } from '../media/fmp4.ts';
import { sampleBytes, sampleNals, videoSampleEntry, writeSample } from '../media/sample-entry.ts';
import type { PacketSetup, PassthroughFormat } from './live-camera.ts';

export interface Packing {
  /** What a viewer must be told of this video; null for one that this format cannot carry. */
  describe(video: VideoParameters): PacketSetup | null;
  /** Whether what was told of `a` holds for `b`. */
  same(a: VideoParameters, b: VideoParameters): boolean;
  /** @param number of the unit within its stream. */
  pack(unit: AccessUnit, number: number): Uint8Array;
}

/**
 * @param reorderDepth of the pictures, as far as known.
 * @param nextFragment numbers the fragments of MP4.
 */
export function packingOf(
  format: PassthroughFormat,
  reorderDepth: number,
  nextFragment: () => number,
): Packing {
  return format === 'annexb' ? new AnnexBPacking() : new Mp4Packing(reorderDepth, nextFragment);
}

/** Kinds of messages: an access unit of video, or one of sound. */
export const annexBKinds = { video: 1, sound: 2 } as const;
const keyframeFlag = 1;
const annexBHeaderBytes = 16;
const annexBMimes = { h264: 'video/H264', h265: 'video/H265' } as const;

/** u8 kind · u8 flags · u16 0 · u32 sequence · u64 timestamp in µs, big-endian, then the unit. */
export function annexBPacket(
  kind: number,
  flags: number,
  sequence: number,
  timestamp: number,
  unit: Uint8Array,
): Uint8Array {
  const packet = new Uint8Array(annexBHeaderBytes + unit.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, kind);
  view.setUint8(1, flags);
  view.setUint32(4, sequence);
  view.setUint32(8, Math.floor(timestamp / 2 ** 32));
  view.setUint32(12, timestamp);
  packet.set(unit, annexBHeaderBytes);
  return packet;
}

class AnnexBPacking implements Packing {
  describe({ codec, codecString, width, height, fps }: VideoParameters): PacketSetup | null {
    if (codec === 'mjpeg') return null;
    const mime = annexBMimes[codec];
    return { format: 'annexb', codec: codecString, mime, width, height, fps, init: null, track: null };
  }

  // Parameter sets come with each keyframe.
  same(a: VideoParameters, b: VideoParameters): boolean {
    return sameVideo(a, b);
  }

  pack({ data, keyframe, timestamp }: AccessUnit, number: number): Uint8Array {
    return annexBPacket(annexBKinds.video, keyframe ? keyframeFlag : 0, number, timestamp, data);
  }
}

const microseconds = 1_000_000;
const videoTrack = 1;
/** Before two pictures were seen, of a camera that declares no rate. */
const unknownPeriod = 40_000;
const longestDuration = 10 * microseconds;
/** A longer step up to a keyframe is an interruption, not the rate of the camera. */
const longestStep = microseconds;
const rememberedSteps = 16;

class Mp4Packing implements Packing {
  readonly #reorderDepth: number;
  readonly #nextFragment: () => number;
  #times: DecodeTimes | null = null;
  #lastDecodeTime: number | null = null;
  /** The last steps of decoding time, µs. */
  readonly #steps: number[] = [];
  #period = unknownPeriod;

  constructor(reorderDepth: number, nextFragment: () => number) {
    this.#reorderDepth = reorderDepth;
    this.#nextFragment = nextFragment;
  }

  describe(video: VideoParameters): PacketSetup | null {
    const sampleEntry = videoSampleEntry(video);
    if (!sampleEntry) return null;
    const { width, height, fps, codecString } = video;
    if (fps !== null) this.#period = Math.min(microseconds, microseconds / fps);
    const track: Mp4Track = {
      id: videoTrack,
      kind: 'video',
      timescale: microseconds,
      sampleEntry,
      width,
      height,
    };
    const init = initSegment([track]);
    const mime = `video/mp4; codecs="${codecString}"`;
    return { format: 'mp4', codec: codecString, mime, width, height, fps, init, track };
  }

  same(a: VideoParameters, b: VideoParameters): boolean {
    return sameVideo(a, b) && sameParameterSets(a, b);
  }

  pack(unit: AccessUnit): Uint8Array {
    const { timestamp, keyframe } = unit;
    this.#times ??= new DecodeTimes(this.#reorderDepth, this.#period);
    const decodeTime = this.#times.next(timestamp);
    const nals = sampleNals(unit);
    const sample = {
      bytes: sampleBytes(nals),
      duration: this.#duration(decodeTime, keyframe),
      compositionOffset: timestamp - decodeTime,
      sync: keyframe,
    };
    const { data, payload } = fragment({
      sequence: this.#nextFragment(),
      track: { id: videoTrack },
      decodeTime,
      samples: [sample],
    });
    writeSample(nals, payload);
    return data;
  }

  /**
   * The next step is not known yet: the longest of the last ones, since Media Source drops what comes later than twice
   * the duration up to the next keyframe. One that is too long by a little does no harm; by seconds, as after an
   * interruption, players would take the end of the newest picture for now, and keep jumping there.
   */
  #duration(decodeTime: number, keyframe: boolean): number {
    const step = this.#lastDecodeTime === null ? null : decodeTime - this.#lastDecodeTime;
    // Before a keyframe nothing is dropped, however late it is.
    if (step !== null && !(keyframe && step > longestStep)) {
      this.#steps.push(Math.min(longestDuration, step));
      if (this.#steps.length > rememberedSteps) this.#steps.shift();
    }
    this.#lastDecodeTime = decodeTime;
    const declared = this.#steps.length < rememberedSteps ? this.#period : 0;
    return Math.round(Math.max(declared, ...this.#steps));
  }
}
