// The WebSocket routes: the HTTP upgrade, its refusals, one Session per viewer of `/ws/stream/`, dashboards of `/ws/events/`.
// What a session does is in session.ts, what dashboards are told in events.ts.

import type {} from '@fastify/swagger';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Places } from '../base/places.ts';
import { EventFeed } from './events.ts';
import type { CameraDirectory } from './ports.ts';
import { closeCodes, formats, type ServerMessage } from './protocol.ts';
import { Session, type SessionSocket, type Target } from './session.ts';

export interface LiveServerOptions {
  readonly cameras: CameraDirectory;
  readonly clock: Clock;
  readonly log: Log;
  /** For viewers of every kind together. */
  readonly places: Places;
}

/** A command is some hundred bytes; a larger message ends with 1009. */
const maxMessageBytes = 64 * 1024;
/** Longest text that fits the reason of a close frame (RFC 6455 §5.5). */
const maxReasonBytes = 123;
/** Those who are told to leave have this long to answer, ms. */
const farewellMs = 1_000;
const leavingReason = 'The server is leaving; come back.';
const maxEventBacklog = 256 * 1024;
const eventHeartbeatMs = 12_000;

const fpsText = 'must be a number from 0.1 to 60';

const query = z.object({
  stream_id: z.string().min(1).max(100).optional(),
  url: z.string().max(8192).optional(),
  format: z.string().optional(),
  fps: z.coerce.number(fpsText).min(0.1, fpsText).max(60, fpsText).optional(),
});

export class LiveServer {
  readonly #options: LiveServerOptions;
  readonly #sessions = new Set<Session>();
  readonly #dashboards = new Set<WebSocket>();
  readonly #events: EventFeed;
  readonly #sockets = new Set<WebSocket>();
  #leaving = false;

  constructor(options: LiveServerOptions) {
    this.#options = options;
    this.#events = new EventFeed(options.cameras);
  }

  /** Adds the WebSocket routes; before the server listens. Host and Origin are checked by the server's own hooks. */
  async register(http: FastifyInstance): Promise<void> {
    await http.register(websocket, {
      options: { maxPayload: maxMessageBytes, perMessageDeflate: false, clientTracking: false },
      // The plugin would wait for every viewer; they are told to leave by close() before the server closes.
      preClose: (done: () => void) => done(),
    });
    http.get('/ws/stream', { websocket: true, schema: { hide: true } }, (socket, request) =>
      this.#accept(socket, request),
    );
    http.get('/ws/events', { websocket: true, schema: { hide: true } }, (socket) => this.#listen(socket));
  }

  /** Tells every viewer to come back later (1001); those who do not answer are cut off a moment later. */
  async close(): Promise<void> {
    this.#leaving = true;
    for (const session of this.#sessions) session.close(closeCodes.serverLeaving, leavingReason);
    for (const socket of this.#dashboards) closeSocket(socket, closeCodes.serverLeaving, leavingReason);
    const deadline = this.#options.clock.now() + farewellMs;
    while (this.#sockets.size > 0 && this.#options.clock.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    for (const socket of this.#sockets) socket.terminate();
  }

  /** @returns whether there is a place; else the socket is closed with the reason. */
  #admit(socket: WebSocket): boolean {
    // A socket error is always followed by "close", which is where it is handled.
    socket.on('error', (error) => this.#options.log.debug({ err: error }, 'viewer socket error'));
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    const { places } = this.#options;
    const leave = this.#leaving ? null : places.take();
    if (leave) socket.on('close', leave);
    else if (this.#leaving) closeSocket(socket, closeCodes.serverLeaving, leavingReason);
    else closeSocket(socket, closeCodes.tooMany, `At most ${places.most} viewers; come back later.`);
    return leave !== null;
  }

  #listen(socket: WebSocket): void {
    if (!this.#admit(socket)) return;
    this.#dashboards.add(socket);
    const leave = this.#events.subscribe((text) => {
      // Somebody who does not read is let go: a dashboard that misses events would tell what is not so.
      if (socket.bufferedAmount > maxEventBacklog) socket.terminate();
      else socket.send(text);
    });
    let answered = true;
    const heartbeat = setInterval(() => {
      if (!answered) socket.terminate();
      answered = false;
      socket.ping();
    }, eventHeartbeatMs);
    heartbeat.unref();
    socket.on('pong', () => {
      answered = true;
    });
    socket.on('close', () => {
      clearInterval(heartbeat);
      leave();
      this.#dashboards.delete(socket);
    });
  }

  #accept(socket: WebSocket, request: FastifyRequest): void {
    if (!this.#admit(socket)) return;
    const parsed = query.safeParse(request.query);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      refuse(socket, 'invalid_query', `${issue?.path.join('.')}: ${issue?.message}`);
      return;
    }
    const { format = 'jpeg', fps, stream_id: streamId, url } = parsed.data;
    if (!(formats as readonly string[]).includes(format)) {
      refuse(socket, 'format_unavailable', `There is no format "${format.slice(0, 20)}"; use jpeg.`);
      return;
    }
    this.#begin(socket, { streamId: streamId ?? null, address: url ?? null }, fps ?? null);
  }

  #begin(socket: WebSocket, target: Target, fps: number | null): void {
    const { cameras, clock } = this.#options;
    const session = new Session({ socket: adapt(socket), cameras, target, clock, fps });
    this.#sessions.add(session);
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
    socket.on('close', () => {
      session.onClose();
      this.#sessions.delete(session);
    });
    session.open();
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
