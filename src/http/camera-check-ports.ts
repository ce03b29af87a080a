// What the REST side needs to try a camera before it is saved; app joins it to camera-check.ts.
// Types only; names and units are those of the public API.

import type { Identity } from '../base/identity.ts';
import type { CameraErrorCode } from '../errors.ts';
import type { VideoCodec } from '../media/access-unit.ts';

export interface CameraCheckInput {
  readonly rtspUrl: string;
  /** The saved stream whose secrets are meant where the address has masks. */
  readonly streamId: string | null;
}

/** What was found. A camera that gives no picture is a finding, too. */
export interface CameraCheck {
  readonly ok: boolean;
  /** `no_decoder`: the service, not the camera, is at fault. */
  readonly code: 'ok' | 'no_decoder' | CameraErrorCode;
  /** A sentence without a password. */
  readonly message: string;
  /** Sentences: what to do next, or what would work better. */
  readonly advice: string[];
  readonly video: {
    readonly codec: VideoCodec;
    readonly profile: string | null;
    readonly width: number;
    readonly height: number;
    readonly fps: number | null;
    readonly keyframe_interval_s: number | null;
  } | null;
  /** Name of the sound's codec; null when there is none. */
  readonly audio: string | null;
  readonly transport: 'tcp' | 'udp' | null;
  /** From the beginning of the check. */
  readonly time_to_first_picture_ms: number | null;
  readonly browser: {
    /** RFC 6381. */
    readonly codec: string;
    /** For `MediaSource.isTypeSupported`; null when it cannot be put into MP4. */
    readonly mime: string | null;
    /** As it is sent, without transcoding; `depends` on browser and machine. */
    readonly webcodecs: 'yes' | 'depends' | 'no';
    readonly mse: 'yes' | 'depends' | 'no';
  } | null;
  /** JPEG, base64. */
  readonly snapshot: string | null;
  /** The service is connected to this camera already: what it gets was looked at, without a further connection. */
  readonly shared: boolean;
}

export interface CameraChecks {
  /**
   * @param signal ends it; the promise then rejects with whatever reason, which nobody is told.
   * @throws AppError 400 for an address that cannot be used, 404 `stream_not_found`, 429 `too_many_checks`.
   */
  check(input: CameraCheckInput, by: Identity, signal: AbortSignal): Promise<CameraCheck>;
}
