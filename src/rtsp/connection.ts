// One RTSP connection: requests matched with responses, sign-in with its retries, frames handed on.
// Knows no session; which requests are made, and when, is session.ts's work.

import type { Socket } from 'node:net';
import { CameraError } from '../errors.ts';
import { Authenticator, type Credentials, parseChallenges, strongestChallenge } from './digest.ts';
import { fromSocketError } from './failure.ts';
import {
  type InterleavedFrame,
  type RtspEvent,
  RtspParser,
  type RtspRequest,
  type RtspResponse,
  serializeRequest,
  serializeResponse,
  writeInterleavedHeader,
} from './message.ts';

export interface ConnectionOptions {
  readonly credentials: Credentials | null;
  readonly userAgent: string;
  /** ms for each answer. */
  readonly responseTimeout: number;
  readonly onFrame: (frame: InterleavedFrame, now: number) => void;
  readonly onRequest: (request: RtspRequest) => void;
  /** Once, whatever ended the connection, unless `destroy` did without an error. */
  readonly onFailure: (error: CameraError) => void;
}

interface Pending {
  readonly resolve: (response: RtspResponse) => void;
  readonly reject: (error: CameraError) => void;
}

/** A peer that does not read what we send is given up at this many bytes. */
const maxUnsent = 256 * 1024;
const maxPending = 32;
/** New nonces that are followed within one request. */
const maxNonces = 2;

export class RtspConnection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #parser = new RtspParser();
  readonly #pending = new Map<number, Pending>();
  readonly #frameHead = new Uint8Array(4);
  #authenticator: Authenticator | null = null;
  /** The credentials were accepted once, so a later 401 is not about a wrong password. */
  #proven = false;
  #sequence = 0;
  #ended = false;
  #now = 0;
  #server: string | undefined;

  /** Takes over a connected socket. */
  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.fail(fromSocketError(error)));
    socket.on('close', () => this.fail(new CameraError('connection_lost')));
    socket.on('end', () => this.fail(new CameraError('connection_lost')));
  }

  /** The camera's own name for itself, once it answered. */
  get server(): string | undefined {
    return this.#server;
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  /** Frames of other channels count as garbage from now on. */
  expectChannels(channels: ReadonlySet<number>): void {
    this.#parser.expectChannels(channels);
  }

  /**
   * Sends a request and gives its answer, of any status but 401.
   * @throws CameraError `wrong_password` after one refused sign-in, `session_lost` when it was accepted before,
   * `timeout`, or whatever ended the connection.
   */
  async request(
    method: string,
    uri: string,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<RtspResponse> {
    for (let nonces = 0; ; nonces++) {
      const authenticator = this.#authenticator;
      const response = await this.#exchange(method, uri, headers);
      if (response.status !== 401) {
        if (authenticator && response.status < 400) this.#proven = true;
        return response;
      }
      this.#authenticator = this.#answerChallenge(response, authenticator, nonces);
    }
  }

  #answerChallenge(response: RtspResponse, used: Authenticator | null, nonces: number): Authenticator {
    const challenge = strongestChallenge(parseChallenges(response.headers.getAll('WWW-Authenticate')));
    const { credentials } = this.#options;
    if (!credentials) throw new CameraError('wrong_password', 'it asks for a user name and a password');
    if (!challenge) throw new CameraError('wrong_password', 'it offers no known way to sign in');
    if (used) {
      const renewed = challenge.scheme === 'digest' && (challenge.stale || this.#proven);
      const same =
        used.challenge.scheme === 'digest' &&
        challenge.scheme === 'digest' &&
        used.challenge.nonce === challenge.nonce;
      if (!renewed || same || nonces >= maxNonces)
        throw new CameraError(this.#proven ? 'session_lost' : 'wrong_password');
    }
    return new Authenticator(challenge, credentials);
  }

  #exchange(
    method: string,
    uri: string,
    headers: Readonly<Record<string, string | undefined>>,
  ): Promise<RtspResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<RtspResponse>();
    if (this.#ended) {
      reject(new CameraError('connection_lost'));
      return promise;
    }
    if (this.#pending.size >= maxPending) {
      reject(new CameraError('timeout'));
      return promise;
    }
    const sequence = ++this.#sequence;
    // Before anything waits for the answer: what the camera gave us may be nothing that can be sent.
    const bytes = this.#serialize(method, uri, sequence, headers);
    const timer = setTimeout(() => {
      this.#pending.delete(sequence);
      reject(new CameraError('timeout'));
    }, this.#options.responseTimeout);
    timer.unref();
    this.#pending.set(sequence, {
      resolve: (response) => {
        clearTimeout(timer);
        resolve(response);
      },
      reject: (error) => {
        clearTimeout(timer);
        reject(error);
      },
    });
    this.#send(bytes);
    return promise;
  }

  /** @throws CameraError `protocol` when a part that came from the camera holds a line break. */
  #serialize(
    method: string,
    uri: string,
    sequence: number,
    more: Readonly<Record<string, string | undefined>>,
  ): Uint8Array {
    const headers = {
      CSeq: String(sequence),
      'User-Agent': this.#options.userAgent,
      Authorization: this.#authenticator?.authorize(method, uri),
      ...more,
    };
    return sendable(() => serializeRequest({ method, uri, headers }));
  }

  /** @throws CameraError `protocol` for a request whose number cannot be repeated. */
  respond(request: RtspRequest, status: number, headers: Readonly<Record<string, string>> = {}): void {
    const sequence = request.headers.get('CSeq');
    this.#send(sendable(() => serializeResponse({ status, headers: { CSeq: sequence, ...headers } })));
  }

  sendFrame(channel: number, data: Uint8Array): void {
    writeInterleavedHeader(this.#frameHead, 0, channel, data.length);
    this.#send(Buffer.concat([this.#frameHead, data]));
  }

  #send(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (this.#socket.writableLength > maxUnsent) {
      this.fail(new CameraError('connection_lost', 'it reads nothing'));
      return;
    }
    this.#socket.write(bytes);
  }

  #read(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#now = performance.now();
    try {
      this.#parser.push(chunk, this.#onEvent);
    } catch (error) {
      this.fail(fromSocketError(error));
    }
  }

  readonly #onEvent = (event: RtspEvent): void => {
    if (this.#ended) return;
    if (event.kind === 'interleaved') this.#options.onFrame(event, this.#now);
    else if (event.kind === 'request') this.#options.onRequest(event);
    else this.#takeResponse(event);
  };

  #takeResponse(response: RtspResponse): void {
    this.#server ??= response.headers.get('Server')?.slice(0, 200);
    const text = response.headers.get('CSeq');
    // An answer without a number is taken for that to the oldest question.
    const sequence = text === undefined ? this.#pending.keys().next().value : Number(text);
    const pending = sequence === undefined ? undefined : this.#pending.get(sequence);
    // 1xx: the answer itself is still to come. An answer to nothing came too late.
    if (sequence === undefined || !pending || response.status < 200) return;
    this.#pending.delete(sequence);
    pending.resolve(response);
  }

  /** Ends the connection for this reason; the first one counts. */
  fail(error: CameraError): void {
    if (this.#ended) return;
    this.destroy(error);
    this.#options.onFailure(error);
  }

  /** Ends the connection at once; what still waits for an answer is rejected. Never calls `onFailure`. */
  destroy(error = new CameraError('connection_lost')): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

function sendable(serialize: () => Uint8Array): Uint8Array {
  try {
    return serialize();
  } catch (error) {
    throw new CameraError('protocol', undefined, { cause: error });
  }
}
