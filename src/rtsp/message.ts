// RTSP 1.0 messages as values, and how they are written (RFC 2326 §4–§7, §10.12).
// Reading a byte stream is parser.ts's work; what a message means is the client's or the server's.

import { RtspHeaders } from './headers.ts';

export { RtspHeaders } from './headers.ts';
export { RtspParser } from './parser.ts';
export { RtspSyntaxError, type RtspSyntaxReason, rtspLimits } from './syntax.ts';

export interface RtspRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: RtspHeaders;
  readonly body: Uint8Array;
}

export interface RtspResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: RtspHeaders;
  readonly body: Uint8Array;
}

/**
 * One `$` frame. The object and the bytes under `data` are the parser's: both are overwritten after the
 * callback returns, so whoever keeps something copies it.
 */
export interface InterleavedFrame {
  readonly kind: 'interleaved';
  readonly channel: number;
  readonly data: Uint8Array;
}

export type RtspEvent = RtspRequest | RtspResponse | InterleavedFrame;

type HeaderFields = RtspHeaders | Readonly<Record<string, string | undefined>>;

/** The usual phrase of each status (RFC 2326 §7.1.1). */
export const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  415: 'Unsupported Media Type',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  457: 'Invalid Range',
  459: 'Aggregate Operation Not Allowed',
  461: 'Unsupported Transport',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'RTSP Version not supported',
  551: 'Option not supported',
};

function serialize(startLine: string, headers: RtspHeaders, body: Uint8Array | string | undefined): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? new Uint8Array());
  let head = startLine;
  for (const [name, value] of headers)
    if (name.toLowerCase() !== 'content-length') head += `\r\n${name}: ${value}`;
  if (bytes.length > 0) head += `\r\nContent-Length: ${bytes.length}`;
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes]);
}

/** @throws RangeError when a part holds a line break. `Content-Length` is written from the body. */
export function serializeRequest(request: {
  readonly method: string;
  readonly uri: string;
  readonly headers?: HeaderFields;
  readonly body?: Uint8Array | string;
}): Buffer {
  refuseLineBreak(request.method, request.uri);
  return serialize(`${request.method} ${request.uri} RTSP/1.0`, checked(request.headers), request.body);
}

/** @throws RangeError when a part holds a line break. The usual reason phrase is filled in. */
export function serializeResponse(response: {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: HeaderFields;
  readonly body?: Uint8Array | string;
}): Buffer {
  const reason = response.reason ?? reasons[response.status] ?? 'Unknown';
  refuseLineBreak(reason);
  return serialize(`RTSP/1.0 ${response.status} ${reason}`, checked(response.headers), response.body);
}

function refuseLineBreak(...parts: string[]): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the point
  if (parts.some((part) => /[\r\n\u0000]/.test(part)))
    throw new RangeError('A part of an RTSP message may not hold a line break.');
}

/** A line break inside a field would let a hostile address or realm write header fields of its own. */
function checked(fields: HeaderFields | undefined): RtspHeaders {
  const headers = fields instanceof RtspHeaders ? fields : RtspHeaders.of(fields ?? {});
  for (const [name, value] of headers) refuseLineBreak(name, value);
  return headers;
}

/** Writes the 4 bytes in front of interleaved data of `length` bytes (RFC 2326 §10.12). */
export function writeInterleavedHeader(
  target: Uint8Array,
  offset: number,
  channel: number,
  length: number,
): void {
  target[offset] = 0x24;
  target[offset + 1] = channel;
  target[offset + 2] = length >>> 8;
  target[offset + 3] = length & 0xff;
}
