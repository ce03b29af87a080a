// Reads requests, responses and interleaved frames from one TCP connection, in pieces of any size.
// Pure: no sockets, no timers. Memory is bounded by `rtspLimits` whatever the peer sends.

import { RtspHeaders } from './headers.ts';
import type { InterleavedFrame, RtspEvent } from './message.ts';

/** What a peer may send, in bytes unless a name says otherwise. */
export const rtspLimits = {
  line: 8 * 1024,
  headerCount: 100,
  headerBytes: 64 * 1024,
  body: 256 * 1024,
  /** Between two readable things; beyond it the connection is given up. */
  garbage: 1024 * 1024,
} as const;

export type RtspSyntaxReason = 'not_rtsp' | 'too_large' | 'protocol';

/** The byte stream cannot be read any further; the connection must be closed. */
export class RtspSyntaxError extends Error {
  override readonly name = 'RtspSyntaxError';
  readonly reason: RtspSyntaxReason;

  constructor(reason: RtspSyntaxReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

type Handler = (event: RtspEvent) => void;
type State = 'boundary' | 'resync' | 'frame' | 'start' | 'header' | 'body';
type Head = { method: string; uri: string } | { status: number; reason: string };

const dollar = 0x24;
const lineFeed = 0x0a;
const slash = 0x2f;
const space = 0x20;
const upperR = 0x52;
const rtspWord = Buffer.from('RTSP');
const responseLine = /^RTSP\/\d\.\d +(\d{3})(?: +(.*))?$/;
const requestLine = /^([A-Z_]{3,20}) +(\S+) +RTSP\/\d\.\d$/;
const nothing = new Uint8Array();

function isMethodByte(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f;
}

/**
 * Incremental parser of one direction of a connection.
 *
 * Frames that lie whole within a chunk are given as views of it; those that straddle chunks are put together in
 * one buffer of the parser. Either way the view is valid during the callback only.
 *
 * Bytes that are neither a frame nor a message are skipped, up to `rtspLimits.garbage`, until a frame of an
 * expected channel with an RTP or RTCP packet in it, or a response, begins. Before the first message they are
 * an error of reason `not_rtsp` instead.
 */
export class RtspParser {
  #state: State = 'boundary';
  #failure: RtspSyntaxError | null = null;
  #seenMessage = false;
  #channels: ReadonlySet<number> | null = null;
  #garbage = 0;
  #discarded = 0;
  /** After garbage a frame must look like RTP before it is believed. */
  #suspicious = false;
  /** A frame in pieces, or the line being read. */
  #carry: Uint8Array = new Uint8Array(2048);
  #carried = 0;
  #startChecked = false;
  #line: string | null = null;
  #head: Head = { method: '', uri: '' };
  #headers = new RtspHeaders();
  #headerBytes = 0;
  #headerLines = 0;
  #body: Uint8Array = nothing;
  #bodyFilled = 0;
  readonly #frame: { -readonly [K in keyof InterleavedFrame]: InterleavedFrame[K] } = {
    kind: 'interleaved',
    channel: 0,
    data: nothing,
  };

  /** Bytes skipped as garbage so far. */
  get discarded(): number {
    return this.#discarded;
  }

  /** Bytes of memory held between two pushes. */
  get retained(): number {
    return this.#carry.length + this.#body.length + this.#headerBytes;
  }

  /** Frames of other channels count as garbage from now on; null accepts every channel. */
  expectChannels(channels: ReadonlySet<number> | null): void {
    this.#channels = channels;
  }

  /**
   * Reads on; `handler` is called for each thing completed by this chunk, in order.
   * @throws RtspSyntaxError once the stream cannot be read any further, and on every push after that.
   */
  push(chunk: Uint8Array, handler: Handler): void {
    if (this.#failure) throw this.#failure;
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case 'boundary':
          at = this.#readBoundary(chunk, at, handler);
          break;
        case 'resync':
          at = this.#skipGarbage(chunk, at);
          break;
        case 'frame':
          at = this.#fillFrame(chunk, at, handler);
          break;
        case 'start':
          at = this.#readStart(chunk, at);
          break;
        case 'header':
          at = this.#readHeader(chunk, at, handler);
          break;
        case 'body':
          at = this.#fillBody(chunk, at, handler);
          break;
      }
    }
  }

  #fail(reason: RtspSyntaxReason, message: string): never {
    this.#failure = new RtspSyntaxError(reason, message);
    this.#carry = nothing;
    this.#body = nothing;
    throw this.#failure;
  }

  #readBoundary(chunk: Uint8Array, start: number, handler: Handler): number {
    let at = start;
    while (at < chunk.length) {
      const first = chunk[at]!;
      if (first === dollar) {
        const length = at + 4 <= chunk.length ? (chunk[at + 2]! << 8) | chunk[at + 3]! : -1;
        const end = at + 4 + length;
        if (length < 0 || end > chunk.length || !this.#isExpected(chunk[at + 1]!)) {
          this.#state = 'frame';
          this.#carried = 0;
          return at;
        }
        this.#garbage = 0;
        this.#emitFrame(chunk, at, end, handler);
        at = end;
      } else if (first === 0x0d || first === lineFeed) {
        at++;
      } else {
        this.#beginLine('start');
        this.#startChecked = false;
        return at;
      }
    }
    return at;
  }

  #isExpected(channel: number): boolean {
    return this.#channels === null || this.#channels.has(channel);
  }

  #emitFrame(bytes: Uint8Array, start: number, end: number, handler: Handler): void {
    this.#frame.channel = bytes[start + 1]!;
    this.#frame.data = bytes.subarray(start + 4, end);
    handler(this.#frame);
    this.#frame.data = nothing;
  }

  /** Collects a frame that straddles chunks, or one that must prove itself after garbage. */
  #fillFrame(chunk: Uint8Array, start: number, handler: Handler): number {
    const carry = this.#carry;
    const proof = this.#suspicious ? 5 : 4;
    const needed = this.#carried < proof ? proof : 4 + ((carry[2]! << 8) | carry[3]!);
    const taken = Math.min(needed - this.#carried, chunk.length - start);
    this.#append(chunk, start, start + taken);
    if (this.#carried < needed) return start + taken;
    if (needed === proof && !this.#frameIsCredible()) {
      this.#moveToNextDollar();
    } else if (this.#carried === 4 + ((this.#carry[2]! << 8) | this.#carry[3]!)) {
      this.#state = 'boundary';
      this.#suspicious = false;
      this.#garbage = 0;
      this.#emitFrame(this.#carry, 0, this.#carried, handler);
      this.#carried = 0;
    }
    return start + taken;
  }

  #frameIsCredible(): boolean {
    if (!this.#isExpected(this.#carry[1]!)) return false;
    if (!this.#suspicious) return true;
    const length = (this.#carry[2]! << 8) | this.#carry[3]!;
    // RTP and RTCP begin with version 2 (RFC 3550 §5.1).
    return length >= 4 && this.#carry[4]! >> 6 === 2;
  }

  /** The `$` was none; perhaps the next one among the few bytes at hand is. */
  #moveToNextDollar(): void {
    this.#state = 'resync';
    this.#suspicious = true;
    const held = this.#carry.subarray(0, this.#carried);
    const next = held.indexOf(dollar, 1);
    this.#countGarbage(next === -1 ? held.length : next);
    if (next === -1) {
      this.#carried = 0;
      return;
    }
    this.#carry.copyWithin(0, next, this.#carried);
    this.#carried -= next;
    this.#state = 'frame';
  }

  #skipGarbage(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length && chunk[at] !== dollar && chunk[at] !== upperR) at++;
    this.#countGarbage(at - start);
    if (at === chunk.length) return at;
    if (chunk[at] === dollar) {
      this.#state = 'frame';
      this.#carried = 0;
    } else {
      this.#beginLine('start');
      this.#startChecked = false;
    }
    return at;
  }

  #countGarbage(bytes: number): void {
    this.#garbage += bytes;
    this.#discarded += bytes;
    if (this.#garbage > rtspLimits.garbage) this.#fail('protocol', 'The peer sends nothing readable.');
  }

  #beginLine(state: 'start' | 'header'): void {
    this.#state = state;
    this.#carried = 0;
  }

  #append(chunk: Uint8Array, start: number, end: number): void {
    const total = this.#carried + end - start;
    if (total > this.#carry.length) {
      const larger = new Uint8Array(Math.min(Math.max(total, this.#carry.length * 2), 65_540));
      larger.set(this.#carry.subarray(0, this.#carried));
      this.#carry = larger;
    }
    if (end - start < 16) for (let i = start; i < end; i++) this.#carry[this.#carried++] = chunk[i]!;
    else this.#carry.set(chunk.subarray(start, end), this.#carried);
    this.#carried = total;
  }

  /** Adds up to the line feed. Gives where to read on, or -1 for a line over the limit; `#line` when complete. */
  #collectLine(chunk: Uint8Array, start: number): number {
    const room = rtspLimits.line - this.#carried;
    const feed = chunk.subarray(start, start + room + 1).indexOf(lineFeed);
    if (feed === -1 && chunk.length - start > room) return -1;
    const end = feed === -1 ? chunk.length : start + feed;
    this.#append(chunk, start, end);
    this.#line = null;
    if (feed === -1) return end;
    const cut = this.#carried > 0 && this.#carry[this.#carried - 1] === 0x0d ? 1 : 0;
    this.#line = Buffer.from(this.#carry.buffer, 0, this.#carried - cut).toString('utf8');
    this.#carried = 0;
    return end + 1;
  }

  #readStart(chunk: Uint8Array, start: number): number {
    let at = start;
    while (!this.#startChecked && at < chunk.length) {
      const byte = chunk[at]!;
      if (this.#couldStartWith(byte)) {
        this.#append(chunk, at, at + 1);
        at++;
      } else {
        this.#refuseStart(this.#carried);
        // In resync the byte is looked at again; one that could never begin anything is skipped here.
        if (at === start && byte !== dollar && byte !== upperR) {
          this.#countGarbage(1);
          at++;
        }
        return at;
      }
    }
    if (!this.#startChecked) return at;
    const next = this.#collectLine(chunk, at);
    if (next === -1) {
      this.#refuseStart(this.#carried);
      return at;
    }
    if (this.#line !== null) this.#parseStart(this.#line);
    return next;
  }

  /** Checks the method or `RTSP/` byte by byte, so that binary garbage is not taken for a very long line. */
  #couldStartWith(byte: number): boolean {
    if (byte === space && this.#carried >= 3) return (this.#startChecked = true);
    if (byte === slash && this.#carried === 4 && rtspWord.every((expected, i) => this.#carry[i] === expected))
      return (this.#startChecked = true);
    return this.#carried < 20 && isMethodByte(byte);
  }

  #refuseStart(bytes: number): void {
    if (!this.#seenMessage) this.#fail('not_rtsp', 'The peer does not speak RTSP.');
    this.#state = 'resync';
    this.#suspicious = true;
    this.#carried = 0;
    this.#countGarbage(bytes);
  }

  #parseStart(line: string): void {
    const response = responseLine.exec(line);
    const request = response ? null : requestLine.exec(line);
    if (response) this.#head = { status: Number(response[1]), reason: response[2] ?? '' };
    else if (request) this.#head = { method: request[1]!, uri: request[2]! };
    else {
      this.#refuseStart(line.length + 2);
      return;
    }
    this.#headers = new RtspHeaders();
    this.#headerBytes = line.length;
    this.#headerLines = 0;
    this.#beginLine('header');
  }

  #readHeader(chunk: Uint8Array, start: number, handler: Handler): number {
    const next = this.#collectLine(chunk, start);
    if (next === -1) this.#fail('too_large', 'A line is too long.');
    const line = this.#line;
    if (line === null) return next;
    if (line === '') {
      this.#endHeaders(handler);
      return next;
    }
    this.#headerBytes += line.length;
    this.#headerLines++;
    if (this.#headerLines > rtspLimits.headerCount || this.#headerBytes > rtspLimits.headerBytes)
      this.#fail('too_large', 'A message has too many headers.');
    const colon = line.indexOf(':');
    if (line.startsWith(' ') || line.startsWith('\t')) this.#headers.continueLast(line.trim());
    else if (colon > 0) this.#headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    // A line without a colon means nothing; cameras do send them.
    return next;
  }

  #endHeaders(handler: Handler): void {
    const text = this.#headers.get('Content-Length') ?? '0';
    const length = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(length)) this.#fail('protocol', 'The content length is not a number.');
    if (length > rtspLimits.body) this.#fail('too_large', 'A message body is too large.');
    this.#body = length === 0 ? nothing : new Uint8Array(length);
    this.#bodyFilled = 0;
    if (length === 0) this.#emitMessage(handler);
    else this.#state = 'body';
  }

  #fillBody(chunk: Uint8Array, start: number, handler: Handler): number {
    const end = Math.min(chunk.length, start + this.#body.length - this.#bodyFilled);
    this.#body.set(chunk.subarray(start, end), this.#bodyFilled);
    this.#bodyFilled += end - start;
    if (this.#bodyFilled === this.#body.length) this.#emitMessage(handler);
    return end;
  }

  #emitMessage(handler: Handler): void {
    const headers = this.#headers;
    const body = this.#body;
    this.#state = 'boundary';
    this.#seenMessage = true;
    this.#suspicious = false;
    this.#garbage = 0;
    this.#headers = new RtspHeaders();
    this.#headerBytes = 0;
    this.#body = nothing;
    if ('status' in this.#head) handler({ kind: 'response', ...this.#head, headers, body });
    else handler({ kind: 'request', ...this.#head, headers, body });
  }
}
