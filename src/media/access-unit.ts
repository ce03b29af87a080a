// The words of the domain that pass between all parts: access units, video parameters, pictures.
// Types and tiny pure helpers only; no I/O, no protocol.

export type VideoCodec = 'h264' | 'h265' | 'mjpeg';

/** One compressed frame. Its bytes are shared by every reader and must never be written to. */
export interface AccessUnit {
  readonly codec: VideoCodec;
  /**
   * H.264/H.265: Annex B, each NAL unit behind 00 00 00 01, no access unit delimiter; a keyframe starts with its
   * parameter sets (VPS, SPS, PPS), so that a decoder can begin there with nothing else.
   * MJPEG: one whole JPEG image.
   */
  readonly data: Uint8Array;
  /** A decoder can start here (H.264 IDR, H.265 IRAP, any JPEG). */
  readonly keyframe: boolean;
  /** Presentation time in µs on the media clock of the stream. With B-frames it is not in order of arrival. */
  readonly timestamp: number;
  /** Local monotonic time (`performance.now()`, ms) at which its last packet arrived. */
  readonly receivedAt: number;
  /**
   * Packets were lost before or inside this unit: what depends on earlier units may look damaged. The JPEG view shows
   * it all the same until the next keyframe: a smear for a moment beats a freeze.
   */
  readonly lossBefore: boolean;
}

/** What is known of a video from its parameter sets. */
export interface VideoParameters {
  readonly codec: VideoCodec;
  /** Displayed size in pixels (cropping applied); 0 when not yet known. */
  readonly width: number;
  readonly height: number;
  /** Frames a second as declared by the camera, or null; measured rates are kept elsewhere. */
  readonly fps: number | null;
  /** RFC 6381, as WebCodecs and MSE want it: `avc1.42C01E`, `hvc1.1.6.L93.B0`, `mjpeg`. */
  readonly codecString: string;
  /** VPS, SPS, PPS in decoding order, without start codes; empty for MJPEG. */
  readonly parameterSets: readonly Uint8Array[];
}

/** One JPEG image ready to be sent. Its bytes are shared by every reader and must never be written to. */
export interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Timestamp of the access unit it was made from, µs. */
  readonly timestamp: number;
  /** `receivedAt` of that access unit (ms, `performance.now()` of the parent process): for delay figures. */
  readonly receivedAt: number;
}

/** Same codec, profile, size and rate: decoders go on, and there is nothing to tell. Parameter sets may differ. */
export function sameVideo(a: VideoParameters | null, b: VideoParameters | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return (
    a.codec === b.codec &&
    a.width === b.width &&
    a.height === b.height &&
    a.fps === b.fps &&
    a.codecString === b.codecString
  );
}

/** Byte for byte: a description that stands outside the video, as in MP4, still holds. */
export function sameParameterSets(a: VideoParameters, b: VideoParameters): boolean {
  return (
    a.parameterSets.length === b.parameterSets.length &&
    a.parameterSets.every((set, i) => {
      const other = b.parameterSets[i]!;
      return set.length === other.length && set.every((byte, at) => byte === other[at]);
    })
  );
}
