// Every coded error of the service, so that a code means one thing everywhere.
// No logic beyond naming: who raises and who answers an error lives elsewhere.

/** One member of a request that is wrong: `path` as in `rtsp_url` or `box.width`. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** An error with an HTTP status and a stable snake_case code; its message is a sentence a user can act on. */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly status: number;
  readonly code: string;
  readonly detail: string | undefined;
  readonly issues: readonly Issue[] | undefined;
  /** Seconds after which it is worth trying again. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { detail?: string; issues?: readonly Issue[]; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.status = status;
    this.code = code;
    this.detail = more.detail;
    this.issues = more.issues;
    this.retryAfter = more.retryAfter;
  }
}

export function streamNotFound(): AppError {
  return new AppError(404, 'stream_not_found', 'There is no stream with this id.');
}

/** Another instance holds the stream by now: what this one still wanted to write for it is not written. */
export class FencedOff extends Error {
  override readonly name = 'FencedOff';

  constructor(streamId: string) {
    super(`The stream ${streamId} was taken over by another instance.`);
  }
}

/**
 * Why a camera gives no picture. `needsPerson` codes end in status `error` (retrying cannot help, or would lock
 * an account); the others are retried with backoff.
 */
export const cameraErrors = {
  invalid_address: { needsPerson: true, message: 'The camera address is not valid.' },
  address_denied: { needsPerson: true, message: 'The camera address is not allowed by the address policy.' },
  wrong_password: {
    needsPerson: true,
    message: 'The camera refused the sign-in: wrong user name or password.',
  },
  no_such_path: { needsPerson: true, message: 'The camera has no stream at this path.' },
  no_video: { needsPerson: true, message: 'The camera offers no video at this address.' },
  codec_unsupported: { needsPerson: true, message: 'The camera sends a video codec that cannot be shown.' },
  not_rtsp: { needsPerson: false, message: 'What answers at this address does not speak RTSP.' },
  redirect_refused: {
    needsPerson: true,
    message: 'The camera redirects to an address that is not followed.',
  },
  unknown_host: { needsPerson: false, message: 'The camera’s host name cannot be found.' },
  refused: { needsPerson: false, message: 'Nothing listens at this address and port.' },
  unreachable: { needsPerson: false, message: 'The camera cannot be reached.' },
  timeout: { needsPerson: false, message: 'The camera did not answer in time.' },
  server_full: { needsPerson: false, message: 'The camera allows no further connection at the moment.' },
  server_error: { needsPerson: false, message: 'The camera answered with an error.' },
  session_lost: { needsPerson: false, message: 'The camera ended the session.' },
  connection_lost: { needsPerson: false, message: 'The connection to the camera was lost.' },
  no_packets: { needsPerson: false, message: 'The camera stopped sending.' },
  no_picture: { needsPerson: false, message: 'The camera sends packets, but no complete picture.' },
  protocol: { needsPerson: false, message: 'The camera sent something that cannot be understood.' },
  tls: { needsPerson: true, message: 'The encrypted connection to the camera failed.' },
} as const;

export type CameraErrorCode = keyof typeof cameraErrors;

/** A sentence of a CameraError without the camera's own words, which may repeat its address. */
export function withoutDetail(sentence: string): string {
  return sentence.replace(/ \(.*\)\.$/s, '.');
}

/** A camera's refusal or failure. `message` never holds a password. */
export class CameraError extends Error {
  override readonly name = 'CameraError';
  readonly code: CameraErrorCode;
  readonly needsPerson: boolean;

  constructor(code: CameraErrorCode, detail?: string, options?: ErrorOptions) {
    const base = cameraErrors[code].message;
    super(detail ? `${base.slice(0, -1)} (${detail}).` : base, options);
    this.code = code;
    this.needsPerson = cameraErrors[code].needsPerson;
  }
}
