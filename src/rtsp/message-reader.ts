// One message after another: start line, header fields, body (RFC 2326 §4).
// Where a message begins among frames and garbage is parser.ts's work.

import type { Carry } from './carry.ts';
import { RtspHeaders } from './headers.ts';
import type { RtspRequest, RtspResponse } from './message.ts';
import { RtspSyntaxError, rtspLimits } from './syntax.ts';

type Head = { method: string; uri: string } | { status: number; reason: string };

const responseLine = /^RTSP\/\d\.\d +(\d{3})(?: +(.*))?$/;
const requestLine = /^([A-Z_]{3,20}) +(\S+) +RTSP\/\d\.\d$/;
const nothing = new Uint8Array();

export class MessageReader {
  readonly #carry: Carry;
  #head: Head = { method: '', uri: '' };
  #headers = new RtspHeaders();
  #headerBytes = 0;
  #headerLines = 0;
  #body: Uint8Array | null = null;
  #bodyFilled = 0;

  /** @param carry holds the pieces of lines; it must be empty when a message begins. */
  constructor(carry: Carry) {
    this.#carry = carry;
  }

  /** Bytes of memory held. */
  get retained(): number {
    return (this.#body?.length ?? 0) + this.#headerBytes;
  }

  release(): void {
    this.#body = null;
    this.#headers = new RtspHeaders();
    this.#headerBytes = 0;
  }

  /** False when `line` is no start line. */
  begin(line: string): boolean {
    const response = responseLine.exec(line);
    const request = response ? null : requestLine.exec(line);
    if (response) this.#head = { status: Number(response[1]), reason: response[2] ?? '' };
    else if (request) this.#head = { method: request[1]!, uri: request[2]! };
    else return false;
    this.#headers = new RtspHeaders();
    this.#headerBytes = line.length;
    this.#headerLines = 0;
    this.#body = null;
    return true;
  }

  /**
   * Reads on in the message. Gives where to read on; `emit` is called when the message is complete.
   * @throws RtspSyntaxError over a limit.
   */
  read(chunk: Uint8Array, start: number, emit: (message: RtspRequest | RtspResponse) => void): number {
    return this.#body ? this.#fillBody(this.#body, chunk, start, emit) : this.#readHeader(chunk, start, emit);
  }

  #readHeader(chunk: Uint8Array, start: number, emit: (message: RtspRequest | RtspResponse) => void): number {
    const next = this.#carry.collectLine(chunk, start);
    if (next === -1) throw new RtspSyntaxError('too_large', 'A line is too long.');
    const { line } = this.#carry;
    if (line === null) return next;
    if (line === '') this.#endHeaders(emit);
    else this.#takeHeader(line);
    return next;
  }

  #takeHeader(line: string): void {
    this.#headerBytes += line.length;
    this.#headerLines++;
    if (this.#headerLines > rtspLimits.headerCount || this.#headerBytes > rtspLimits.headerBytes)
      throw new RtspSyntaxError('too_large', 'A message has too many headers.');
    const colon = line.indexOf(':');
    if (line.startsWith(' ') || line.startsWith('\t')) this.#headers.continueLast(line.trim());
    else if (colon > 0) this.#headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    // A line without a colon means nothing; cameras do send them.
  }

  #endHeaders(emit: (message: RtspRequest | RtspResponse) => void): void {
    const text = this.#headers.get('Content-Length') ?? '0';
    const length = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(length)) throw new RtspSyntaxError('protocol', 'The content length is not a number.');
    if (length > rtspLimits.body) throw new RtspSyntaxError('too_large', 'A message body is too large.');
    if (length === 0) {
      this.#end(nothing, emit);
      return;
    }
    this.#body = new Uint8Array(length);
    this.#bodyFilled = 0;
  }

  #fillBody(
    body: Uint8Array,
    chunk: Uint8Array,
    start: number,
    emit: (message: RtspRequest | RtspResponse) => void,
  ): number {
    const end = Math.min(chunk.length, start + body.length - this.#bodyFilled);
    body.set(chunk.subarray(start, end), this.#bodyFilled);
    this.#bodyFilled += end - start;
    if (this.#bodyFilled === body.length) this.#end(body, emit);
    return end;
  }

  #end(body: Uint8Array, emit: (message: RtspRequest | RtspResponse) => void): void {
    const headers = this.#headers;
    this.release();
    if ('status' in this.#head) emit({ kind: 'response', ...this.#head, headers, body });
    else emit({ kind: 'request', ...this.#head, headers, body });
  }
}
