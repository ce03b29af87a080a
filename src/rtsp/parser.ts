// Reads requests, responses and interleaved frames from one TCP connection, in pieces of any size.
// Pure: no sockets, no timers. Memory is bounded by `rtspLimits` whatever the peer sends.

import { Carry } from './carry.ts';
import type { InterleavedFrame, RtspEvent, RtspRequest, RtspResponse } from './message.ts';
import { MessageReader } from './message-reader.ts';
import { RtspSyntaxError, type RtspSyntaxReason, rtspLimits } from './syntax.ts';

type Handler = (event: RtspEvent) => void;
type State = 'boundary' | 'resync' | 'frame' | 'start' | 'message';

const dollar = 0x24;
const lineFeed = 0x0a;
const slash = 0x2f;
const space = 0x20;
const upperR = 0x52;
const rtspWord = Buffer.from('RTSP');
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
  readonly #carry = new Carry();
  readonly #message = new MessageReader(this.#carry);
  #startChecked = false;
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
    return this.#carry.capacity + this.#message.retained;
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
        case 'message':
          at = this.#readMessage(chunk, at, handler);
          break;
      }
    }
  }

  #fail(reason: RtspSyntaxReason, message: string): never {
    throw this.#giveUp(new RtspSyntaxError(reason, message));
  }

  #giveUp(error: RtspSyntaxError): RtspSyntaxError {
    this.#failure = error;
    this.#carry.release();
    this.#message.release();
    return error;
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
          this.#carry.clear();
          return at;
        }
        this.#garbage = 0;
        this.#emitFrame(chunk, at, end, handler);
        at = end;
      } else if (first === 0x0d || first === lineFeed) {
        at++;
      } else {
        this.#beginStart();
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
    const needed = carry.length < proof ? proof : 4 + this.#payloadLength();
    const taken = Math.min(needed - carry.length, chunk.length - start);
    carry.append(chunk, start, start + taken);
    if (carry.length < needed) return start + taken;
    if (needed === proof && !this.#frameIsCredible()) {
      this.#moveToNextDollar();
    } else if (carry.length === 4 + this.#payloadLength()) {
      this.#state = 'boundary';
      this.#suspicious = false;
      this.#garbage = 0;
      this.#emitFrame(carry.bytes, 0, carry.length, handler);
      carry.clear();
    }
    return start + taken;
  }

  #payloadLength(): number {
    const { bytes } = this.#carry;
    return (bytes[2]! << 8) | bytes[3]!;
  }

  #frameIsCredible(): boolean {
    const { bytes } = this.#carry;
    if (!this.#isExpected(bytes[1]!)) return false;
    if (!this.#suspicious) return true;
    // RTP and RTCP begin with version 2 (RFC 3550 §5.1).
    return this.#payloadLength() >= 4 && bytes[4]! >> 6 === 2;
  }

  /** The `$` was none; perhaps the next one among the few bytes at hand is. */
  #moveToNextDollar(): void {
    this.#suspicious = true;
    const carry = this.#carry;
    const next = carry.bytes.subarray(0, carry.length).indexOf(dollar, 1);
    this.#state = next === -1 ? 'resync' : 'frame';
    const garbage = next === -1 ? carry.length : next;
    carry.dropFront(garbage);
    this.#countGarbage(garbage);
  }

  #skipGarbage(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length && chunk[at] !== dollar && chunk[at] !== upperR) at++;
    this.#countGarbage(at - start);
    if (at === chunk.length) return at;
    if (chunk[at] === dollar) {
      this.#state = 'frame';
      this.#carry.clear();
    } else this.#beginStart();
    return at;
  }

  #countGarbage(bytes: number): void {
    this.#garbage += bytes;
    this.#discarded += bytes;
    if (this.#garbage > rtspLimits.garbage) this.#fail('protocol', 'The peer sends nothing readable.');
  }

  #beginStart(): void {
    this.#state = 'start';
    this.#carry.clear();
    this.#startChecked = false;
  }

  #readStart(chunk: Uint8Array, start: number): number {
    let at = start;
    while (!this.#startChecked && at < chunk.length) {
      const byte = chunk[at]!;
      if (this.#couldStartWith(byte)) {
        this.#carry.append(chunk, at, at + 1);
        at++;
      } else {
        this.#refuseStart(this.#carry.length);
        // In resync the byte is looked at again; one that could never begin anything is skipped here.
        if (at === start && byte !== dollar && byte !== upperR) {
          this.#countGarbage(1);
          at++;
        }
        return at;
      }
    }
    if (!this.#startChecked) return at;
    const next = this.#carry.collectLine(chunk, at);
    if (next === -1) {
      this.#refuseStart(this.#carry.length);
      return at;
    }
    const { line } = this.#carry;
    if (line === null) return next;
    if (this.#message.begin(line)) this.#state = 'message';
    else this.#refuseStart(line.length + 2);
    return next;
  }

  /** Checks the method or `RTSP/` byte by byte, so that binary garbage is not taken for a very long line. */
  #couldStartWith(byte: number): boolean {
    const carry = this.#carry;
    if (byte === space && carry.length >= 3) return (this.#startChecked = true);
    if (byte === slash && carry.length === 4 && rtspWord.every((expected, i) => carry.bytes[i] === expected))
      return (this.#startChecked = true);
    return carry.length < 20 && isMethodByte(byte);
  }

  #refuseStart(bytes: number): void {
    if (!this.#seenMessage) this.#fail('not_rtsp', 'The peer does not speak RTSP.');
    this.#state = 'resync';
    this.#suspicious = true;
    this.#carry.clear();
    this.#countGarbage(bytes);
  }

  #readMessage(chunk: Uint8Array, start: number, handler: Handler): number {
    try {
      return this.#message.read(chunk, start, (message) => this.#emitMessage(message, handler));
    } catch (error) {
      throw error instanceof RtspSyntaxError ? this.#giveUp(error) : error;
    }
  }

  #emitMessage(message: RtspRequest | RtspResponse, handler: Handler): void {
    this.#state = 'boundary';
    this.#seenMessage = true;
    this.#suspicious = false;
    this.#garbage = 0;
    handler(message);
  }
}
