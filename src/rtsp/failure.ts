// Every way a camera can fail to serve, as a CameraError: socket errors, RTSP statuses, unreadable answers.
// What is done about it (retry, show, ask a person) is decided by callers.

import { CameraError, type CameraErrorCode } from '../errors.ts';
import { type RtspResponse, reasons } from './message.ts';
import { RtspSyntaxError } from './syntax.ts';

const socketCodes: Readonly<Record<string, CameraErrorCode>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unknown_host',
  ENODATA: 'unknown_host',
  EAI_AGAIN: 'unknown_host',
  EAI_FAIL: 'unknown_host',
  EAI_NODATA: 'unknown_host',
  EAI_NONAME: 'unknown_host',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'unreachable',
  EPERM: 'unreachable',
  EINVAL: 'unreachable',
  ETIMEDOUT: 'timeout',
};

/** A socket's or resolver's error. TLS failures are told apart by the codes of Node and OpenSSL. */
export function fromSocketError(error: unknown): CameraError {
  if (error instanceof CameraError) return error;
  if (error instanceof RtspSyntaxError)
    return new CameraError(error.reason === 'not_rtsp' ? 'not_rtsp' : 'protocol', undefined, {
      cause: error,
    });
  const code = String((error as NodeJS.ErrnoException | undefined)?.code ?? '');
  const known = socketCodes[code];
  if (known) return new CameraError(known, undefined, { cause: error });
  if (/^ERR_(SSL|TLS)|CERT|SELF_SIGNED|UNABLE_TO_/.test(code))
    return new CameraError('tls', code, { cause: error });
  return new CameraError('connection_lost', undefined, { cause: error });
}

const statusCodes: Readonly<Record<number, CameraErrorCode>> = {
  401: 'wrong_password',
  403: 'wrong_password',
  404: 'no_such_path',
  410: 'no_such_path',
  415: 'codec_unsupported',
  453: 'server_full',
  454: 'session_lost',
  503: 'server_full',
};

/**
 * A refusal by status, with the usual phrase of that status. Never the camera's own: some repeat in it the address or the
 * sign-in that they were given, and a hostile one could put there whatever people are to read.
 */
export function fromStatus({ status }: Pick<RtspResponse, 'status'>): CameraError {
  const detail = `${status} ${reasons[status] ?? ''}`.trim();
  return new CameraError(statusCodes[status] ?? 'server_error', detail);
}

/** The camera points elsewhere; caught by the client, which decides whether to follow. */
export class RedirectAnswer extends Error {
  override readonly name = 'RedirectAnswer';
  readonly location: string | undefined;

  constructor(location: string | undefined) {
    super('The camera redirects.');
    this.location = location;
  }
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 305 || status === 307;
}
