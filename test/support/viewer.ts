// A viewer of the JPEG view on a real WebSocket: counts what it gets, and can stop reading.
// What the pictures show is read in jpeg.ts; figures over many viewers are made in bench/.

import WebSocket from 'ws';
import type { ServerMessage } from '../../src/live/protocol.ts';

export interface ViewerOptions {
  /**
   * Called for each picture with its arrival (`epochNow`). The bytes are the viewer's own and may be kept.
   */
  readonly onPicture?: (jpeg: Buffer, arrivedAt: number) => void;
  readonly onMessage?: (message: ServerMessage) => void;
  /** Of the HTTP request that asks for the socket, as in `bearer(token)`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Milliseconds since 1970 that never step back: the simulated camera's clock, comparable between processes. */
export function epochNow(): number {
  return performance.timeOrigin + performance.now();
}

const keptMessages = 1_000;

export class Viewer {
  readonly socket: WebSocket;
  /** When the connection was asked for, `epochNow`. */
  readonly startedAt = epochNow();
  pictures = 0;
  bytes = 0;
  firstPictureAt: number | null = null;
  lastPictureAt: number | null = null;
  /** Longest time between two pictures, ms. */
  longestGap = 0;
  firstPicture: Buffer | null = null;
  lastPicture: Buffer | null = null;
  /** Text messages, the oldest forgotten beyond 1,000. */
  readonly messages: ServerMessage[] = [];
  /** Statuses in the order they were told, repetitions left out. */
  readonly statuses: string[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  error: Error | null = null;
  readonly #options: ViewerOptions;

  constructor(url: string, options: ViewerOptions = {}) {
    this.#options = options;
    this.socket = new WebSocket(url, { perMessageDeflate: false, headers: options.headers ?? {} });
    this.socket.on('message', (data: Buffer, isBinary) =>
      isBinary ? this.#onPicture(data) : this.#onText(data.toString()),
    );
    this.socket.on('error', (error) => {
      this.error = error;
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  get status(): string | null {
    return this.statuses.at(-1) ?? null;
  }

  /** Times the camera was lost since this viewer has been there. */
  get interruptions(): number {
    return this.statuses.filter((status) => status === 'reconnecting' || status === 'error').length;
  }

  /** Stops reading from the socket, as a viewer on a dead link does: not even a ping is answered. */
  pauseReading(): void {
    this.socket.pause();
  }

  resumeReading(): void {
    this.socket.resume();
  }

  send(command: Record<string, unknown>): void {
    this.socket.send(JSON.stringify(command));
  }

  /** @throws Error when it is not so within `timeoutMs`, with what this viewer has seen. */
  async until(what: string, holds: (viewer: this) => boolean, timeoutMs = 10_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds(this)) {
      if (this.closed) throw new Error(`viewer: closed before it was ${what}: ${this.story()}`);
      if (performance.now() > deadline)
        throw new Error(`viewer: not ${what} within ${timeoutMs} ms: ${this.story()}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits for so many pictures more than now. */
  more(pictures: number, timeoutMs = 10_000): Promise<void> {
    const wanted = this.pictures + pictures;
    return this.until(`seeing ${pictures} more pictures`, () => this.pictures >= wanted, timeoutMs);
  }

  /** What happened to this viewer, for messages of failed tests. */
  story(): string {
    const end = this.closed ? `closed ${this.closed.code} ${this.closed.reason}` : 'open';
    const error = this.error ? `, ${this.error.message}` : '';
    const said = this.messages
      .filter((message) => message.type === 'error' || (message.type === 'status' && message.message))
      .slice(-3)
      .map((message) => JSON.stringify(message));
    return `${this.pictures} pictures, statuses ${this.statuses.join(' → ') || 'none'}, ${end}${error} ${said.join(' ')}`;
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.resume();
    const gone = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
    this.socket.close();
    const impatience = setTimeout(() => this.socket.terminate(), 2_000);
    await gone;
    clearTimeout(impatience);
  }

  #onPicture(jpeg: Buffer): void {
    const now = epochNow();
    if (this.lastPictureAt !== null) this.longestGap = Math.max(this.longestGap, now - this.lastPictureAt);
    this.firstPictureAt ??= now;
    this.firstPicture ??= jpeg;
    this.lastPictureAt = now;
    this.pictures++;
    this.bytes += jpeg.byteLength;
    this.lastPicture = jpeg;
    this.#options.onPicture?.(jpeg, now);
  }

  #onText(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    this.messages.push(message);
    if (this.messages.length > keptMessages) this.messages.shift();
    if (message.type === 'status' && message.status !== this.status) this.statuses.push(message.status);
    this.#options.onMessage?.(message);
  }
}
