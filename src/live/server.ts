// The WebSocket routes: the HTTP upgrade, its refusals, one Session per viewer of `/ws/stream/`, dashboards of `/ws/events/`.
// What a session does is in session.ts, what dashboards are told in events.ts.

import type {} from '@fastify/swagger';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest, RouteGenericInterface } from 'fastify';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Broadcast } from '../base/broadcast.ts';
import type { Clock } from '../base/clock.ts';
import type { Identity } from '../base/identity.ts';
import type { Log } from '../base/log.ts';
import type { Places } from '../base/places.ts';
import { AppError } from '../errors.ts';
import { type CameraUrl, parseCameraUrl } from '../media/camera-url.ts';
import { Access, AddressGate, AdHocWatchers, maySeeAddresses } from './access.ts';
import { EventFeed } from './events.ts';
import type { CameraDirectory } from './ports.ts';
import { closeCodes, type EventMessage, isFormat, type ServerMessage } from './protocol.ts';
import { Session, type SessionSocket, type ShownAs, type Target } from './session.ts';
import { noSuchFormat } from './showing.ts';

export interface LiveServerOptions {
  readonly cameras: CameraDirectory;
  readonly clock: Clock;
  readonly log: Log;
  /** For viewers of every kind together. */
  readonly places: Places;
  /** Who asks; those whom nobody knows were refused before. */
  readonly identityOf: (request: FastifyRequest) => Identity;
  /** Calls `onEnd` once when what the identity stands on ends. @returns ends the following; idempotent. */
  readonly follow: (identity: Identity, onEnd: () => void) => () => void;
  /** Somebody watches a camera that is not saved: once for each of them and ad-hoc stream. */
  readonly onAdHoc: (identity: Identity, address: CameraUrl, request: FastifyRequest) => void;
  /** With several instances: reads a saved stream that another one may just have created. */
  readonly lookUp?: (streamId: string) => Promise<void>;
  /** The other instances, which count refused addresses as well; absent: there are none. */
  readonly others?: Broadcast | undefined;
}

/** Least role for these routes; the server's own hooks read it. */
interface RouteAccess {
  readonly access: 'viewer';
}

/** Ends what goes to one socket, with the close frame's code and reason. */
type End = (code: number, reason: string) => void;

/** A command is some hundred bytes; a larger message ends with 1009. */
const maxMessageBytes = 64 * 1024;
/** Longest text that fits the reason of a close frame (RFC 6455 §5.5). */
const maxReasonBytes = 123;
/** Those who are told to leave have this long to answer, ms. */
const farewellMs = 1_000;
/** Whoever is signed out has less: what was sent before must not be read long after. */
const signOutMs = 500;
const leavingReason = 'The server is leaving; come back.';
const maxEventBacklog = 256 * 1024;
const eventHeartbeatMs = 12_000;
const heartbeatText = JSON.stringify({ type: 'heartbeat' } satisfies EventMessage);

const fpsText = 'must be a number from 0.1 to 60';

const query = z.object({
  stream_id: z.string().min(1).max(100).optional(),
  url: z.string().max(8192).optional(),
  format: z.string().optional(),
  audio: z.enum(['0', '1'], 'must be 0 or 1').optional(),
  fps: z.coerce.number(fpsText).min(0.1, fpsText).max(60, fpsText).optional(),
});

export class LiveServer {
  readonly #options: LiveServerOptions;
  readonly #events: EventFeed;
  readonly #watchers = new AdHocWatchers();
  readonly #gate: AddressGate;
  readonly #sockets = new Map<WebSocket, End>();
  #leaving = false;

  constructor(options: LiveServerOptions) {
    this.#options = options;
    this.#events = new EventFeed(options.cameras);
    this.#gate = new AddressGate(options.cameras, options.clock, options.others);
  }

  /** Adds the WebSocket routes; before the server listens. Host and Origin are checked by the server's own hooks. */
  async register(http: FastifyInstance): Promise<void> {
    await http.register(websocket, {
      options: { maxPayload: maxMessageBytes, perMessageDeflate: false, clientTracking: false },
      // The plugin would wait for every viewer; they are told to leave by close() before the server closes.
      preClose: (done: () => void) => done(),
    });
    const route = { websocket: true, schema: { hide: true }, config: { access: 'viewer' } } as const;
    http.get<RouteGenericInterface, RouteAccess>(
      '/ws/stream',
      {
        ...route,
        preValidation: async (request) => {
          await this.#lookUp(request);
          this.#refuseAdHoc(request);
        },
      },
      (socket, request) => this.#accept(socket, request),
    );
    http.get<RouteGenericInterface, RouteAccess>('/ws/events', route, (socket, request) =>
      this.#listen(socket, request),
    );
  }

  /** Tells every viewer to come back later (1001); those who do not answer are cut off a moment later. */
  async close(): Promise<void> {
    this.#leaving = true;
    this.#gate.close();
    for (const end of this.#sockets.values()) end(closeCodes.serverLeaving, leavingReason);
    const deadline = this.#options.clock.now() + farewellMs;
    while (this.#sockets.size > 0 && this.#options.clock.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    for (const socket of this.#sockets.keys()) socket.terminate();
  }

  async #lookUp(request: FastifyRequest): Promise<void> {
    const { lookUp, cameras } = this.#options;
    const { data } = query.safeParse(request.query);
    if (lookUp && data?.stream_id !== undefined && !cameras.byId(data.stream_id))
      await lookUp(data.stream_id);
  }

  /** At the upgrade, where a role that does not reach is answered 403 as on every route. */
  #refuseAdHoc(request: FastifyRequest): void {
    const parsed = query.safeParse(request.query);
    // What is wrong with the query itself is told on the socket.
    if (!parsed.success || parsed.data.url === undefined || parsed.data.stream_id !== undefined) return;
    const address = readAddress(parsed.data.url);
    if (address) this.#gate.admit(this.#options.identityOf(request), address);
  }

  /** @returns whether there is a place; else the socket is closed with the reason. */
  #admit(socket: WebSocket, identity: Identity): boolean {
    // A socket error is always followed by "close", which is where it is handled.
    socket.on('error', (error) => this.#options.log.debug({ err: error }, 'viewer socket error'));
    this.#sockets.set(socket, (code, reason) => closeSocket(socket, code, reason));
    socket.on('close', () => this.#sockets.delete(socket));
    const { places } = this.#options;
    const leave = this.#leaving ? null : places.take();
    if (leave) socket.on('close', leave);
    else if (this.#leaving) closeSocket(socket, closeCodes.serverLeaving, leavingReason);
    else closeSocket(socket, closeCodes.tooMany, `At most ${places.most} viewers; come back later.`);
    if (leave === null) return false;
    let signedIn = true;
    const unfollow = this.#options.follow(identity, () => {
      signedIn = false;
      this.#sockets.get(socket)?.(closeCodes.signedOut, 'Signed out.');
      this.#options.clock.after(signOutMs, () => socket.terminate());
    });
    socket.on('close', unfollow);
    return signedIn;
  }

  #listen(socket: WebSocket, request: FastifyRequest): void {
    const identity = this.#options.identityOf(request);
    if (!this.#admit(socket, identity)) return;
    const leave = this.#events.subscribe(maySeeAddresses(identity), (text) => {
      // Somebody who does not read is let go: a dashboard that misses events would tell what is not so.
      if (socket.bufferedAmount > maxEventBacklog) socket.terminate();
      else socket.send(text);
    });
    this.#sockets.set(socket, (code, reason) => {
      leave();
      closeSocket(socket, code, reason);
    });
    let answered = true;
    const heartbeat = setInterval(() => {
      if (!answered) socket.terminate();
      answered = false;
      socket.ping();
      socket.send(heartbeatText);
    }, eventHeartbeatMs);
    heartbeat.unref();
    socket.on('pong', () => {
      answered = true;
    });
    socket.on('close', () => {
      clearInterval(heartbeat);
      leave();
    });
  }

  #accept(socket: WebSocket, request: FastifyRequest): void {
    const identity = this.#options.identityOf(request);
    if (!this.#admit(socket, identity)) return;
    const parsed = query.safeParse(request.query);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      refuse(socket, 'invalid_query', `${issue?.path.join('.')}: ${issue?.message}`);
      return;
    }
    const { format = 'jpeg', audio, fps, stream_id: streamId, url } = parsed.data;
    if (!isFormat(format)) {
      refuse(socket, 'format_unavailable', noSuchFormat(format));
      return;
    }
    const access = new Access({
      cameras: this.#options.cameras,
      identity,
      gate: this.#gate,
      watchers: this.#watchers,
      onAdHoc: (who, address) => this.#options.onAdHoc(who, address, request),
    });
    const target = { streamId: streamId ?? null, address: url ?? null };
    this.#begin(socket, access, target, { format, fps: fps ?? null, audio: audio === '1' });
  }

  #begin(socket: WebSocket, access: Access, target: Target, shownAs: ShownAs): void {
    const { clock } = this.#options;
    const session = new Session({ socket: adapt(socket), access, target, clock, ...shownAs });
    this.#sockets.set(socket, (code, reason) => session.close(code, reason));
    socket.on('message', (data, isBinary) => {
      try {
        if (isBinary) session.onBinary();
        else session.onText(asText(data));
      } catch (error) {
        // A defect of ours: this viewer's alone, and told.
        this.#options.log.error({ err: error }, 'a command of a viewer failed');
        closeSocket(socket, closeCodes.internalError, 'Something went wrong here; come back.');
      }
    });
    socket.on('pong', (payload) => session.onPong(payload));
    socket.on('close', () => session.onClose());
    session.open();
  }
}

/** Null for what is no address, which is told on the socket. */
function readAddress(text: string): CameraUrl | null {
  try {
    return parseCameraUrl(text);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

function adapt(socket: WebSocket): SessionSocket {
  return {
    sendText: (text) => socket.send(text),
    sendBinary: (data, done) => socket.send(data, { binary: true }, done),
    ping: (payload) => socket.ping(payload),
    close: (code, reason) => closeSocket(socket, code, reason),
    terminate: () => socket.terminate(),
  };
}

function asText(data: RawData): string {
  return Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data as Buffer).toString();
}

/** In a message as well: a browser's page sees only the code of a close it did not expect. */
function refuse(socket: WebSocket, code: string, sentence: string): void {
  const message: ServerMessage = { type: 'error', error: sentence, code };
  socket.send(JSON.stringify(message));
  closeSocket(socket, closeCodes.badRequest, sentence);
}

function closeSocket(socket: WebSocket, code: number, reason: string): void {
  let text = reason;
  while (Buffer.byteLength(text) > maxReasonBytes) text = text.slice(0, -1);
  socket.close(code, text);
}
