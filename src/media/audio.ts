// The words of sound: what a camera's audio is made of, and one compressed piece of it.
// Types and tiny pure helpers only; how AAC describes itself is aac.ts's.

/** Those that can be received. `l16` is linear PCM, 16 bits, big-endian, as RTP carries it. */
export type AudioCodec = 'aac' | 'opus' | 'pcmu' | 'pcma' | 'l16';

/** What is known of a camera's audio, and all that a decoder must be told before the first unit. */
export interface AudioParameters {
  readonly codec: AudioCodec;
  /** Of the sound that comes out of a decoder, Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** AAC: the AudioSpecificConfig (ISO 14496-3 §1.6.2.1), as `esds` and WebCodecs want it; empty for the others. */
  readonly config: Uint8Array;
  /** As in the WebCodecs registry and RFC 6381: `mp4a.40.2`, `opus`, `ulaw`, `alaw`; `pcm-s16be` is our own word. */
  readonly codecString: string;
}

/**
 * One compressed piece of sound: an AAC access unit (raw, without ADTS), an Opus packet, or the samples of one packet,
 * interleaved. Its bytes are shared by every reader and must never be written to. Each can be decoded by itself.
 */
export interface AudioUnit {
  /** The same object for all units between two changes. */
  readonly audio: AudioParameters;
  readonly data: Uint8Array;
  /** Presentation time of its first sample in µs, on the media clock of the stream: that of the video's access units. */
  readonly timestamp: number;
  /** µs. */
  readonly duration: number;
  /** Local monotonic time (`performance.now()`, ms) at which its last packet arrived. */
  readonly receivedAt: number;
}

/** What a camera offers to the ear: sound that can be used, sound in a codec that cannot (its name), or nothing. */
export type AudioOffer =
  | { readonly kind: 'audio'; readonly audio: AudioParameters }
  | { readonly kind: 'unsupported'; readonly codec: string }
  | { readonly kind: 'none' };

/** Nothing that a listener would have to be told. */
export function sameAudio(a: AudioParameters | null, b: AudioParameters | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return (
    a.codec === b.codec &&
    a.sampleRate === b.sampleRate &&
    a.channels === b.channels &&
    a.codecString === b.codecString &&
    a.config.length === b.config.length &&
    a.config.every((byte, i) => byte === b.config[i])
  );
}
