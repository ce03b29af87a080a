// What the depacketizers of sound have in common: their sink, and which one reads which track.
// One that takes several packets for a unit is in a file of its own; those of one packet a unit are here.

import type { RtpPacket } from '../rtp.ts';
import type { AudioTrack } from '../sdp-audio.ts';
import { AacDepacketizer } from './aac.ts';
import type { Depacketizer, DropReason } from './depacketizer.ts';
import { LatmDepacketizer } from './latm.ts';
import { opusDuration } from './opus-duration.ts';

export interface AudioSink {
  /**
   * @param data the receiver's for ever.
   * @param timestamp of its first sample, µs on the clock of its own track.
   * @param duration µs.
   * @param receivedAt ms, monotonic.
   */
  onUnit(data: Uint8Array, timestamp: number, duration: number, receivedAt: number): void;
  onDropped(reason: DropReason): void;
}

export function createAudioDepacketizer(
  { payload, audio }: Pick<AudioTrack, 'payload' | 'audio'>,
  sink: AudioSink,
): Depacketizer {
  if (payload.kind === 'mpeg4-generic') return new AacDepacketizer(payload, sink);
  if (payload.kind === 'latm') return new LatmDepacketizer(payload, sink);
  if (payload.kind === 'opus') return new FrameDepacketizer(opusDuration, sink);
  const { bytesPerSample } = payload;
  const perByte = 1_000_000 / (bytesPerSample * audio.sampleRate);
  return new FrameDepacketizer(({ length }) => (length % bytesPerSample === 0 ? length * perByte : 0), sink);
}

/** Each packet is a unit. */
class FrameDepacketizer implements Depacketizer {
  readonly #durationOf: (data: Uint8Array) => number;
  readonly #sink: AudioSink;
  readonly retainedBytes = 0;

  /** @param durationOf µs; 0 for what cannot be one. */
  constructor(durationOf: (data: Uint8Array) => number, sink: AudioSink) {
    this.#durationOf = durationOf;
    this.#sink = sink;
  }

  push(packet: RtpPacket, timestamp: number, receivedAt: number): void {
    const payload = packet.data.subarray(packet.payloadStart, packet.payloadEnd);
    const duration = payload.length === 0 ? 0 : this.#durationOf(payload);
    if (duration === 0) this.#sink.onDropped('broken');
    else this.#sink.onUnit(Uint8Array.from(payload), timestamp, duration, receivedAt);
  }
}
