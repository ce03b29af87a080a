// One viewer on one WebSocket: which camera it watches, what it is told, when it is let go.
// What it is shown passes through showing.ts; cameras come from the directory; the HTTP upgrade is done in server.ts.

import type { Clock } from '../base/clock.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import { AppError } from '../errors.ts';
import type { LiveCamera } from '../stream/live-camera.ts';
import type { Access } from './access.ts';
import { Announcer } from './announcer.ts';
import {
  type ClientMessage,
  closeCodes,
  type Format,
  faceAlert,
  parseCommand,
  type ServerMessage,
} from './protocol.ts';
import { Showing } from './showing.ts';

export interface SessionSocket {
  sendText(text: string): void;
  sendBinary(data: Uint8Array, done: () => void): void;
  ping(payload: Uint8Array): void;
  close(code: number, reason: string): void;
  /** Ends the connection without the closing handshake. */
  terminate(): void;
}

/** Which camera a viewer asked for in its query: the id decides when both are given. */
export interface Target {
  readonly streamId: string | null;
  readonly address: string | null;
}

export interface ShownAs {
  readonly format: Format;
  /** JPEG view: at most so many pictures a second; null for as many as are made. */
  readonly fps: number | null;
  /** Whether sound is wanted beside video. */
  readonly audio: boolean;
}

export interface SessionOptions extends ShownAs {
  readonly socket: SessionSocket;
  readonly access: Access;
  readonly target: Target;
  readonly clock: Clock;
}

const statsEveryMs = 5_000;
const heartbeatMs = 5_000;
/** No answer for this long: the viewer is gone, whatever its TCP connection says. */
const goneAfterMs = 20_000;
const commandsPerSecond = 20;
const commandBurst = 40;

export class Session {
  readonly #options: SessionOptions;
  readonly #showing: Showing;
  readonly #commands: TokenBucket;
  readonly #tell: Announcer;
  #camera: LiveCamera | null = null;
  #leaveCamera: (() => void) | null = null;
  #paused = false;
  #closed = false;
  #refusedCommands = 0;
  #cancelStats: (() => void) | null = null;
  #cancelHeartbeat: (() => void) | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { socket, access, clock, format, fps, audio } = options;
    this.#tell = new Announcer(clock, access.seesAddresses, (message) => this.#send(message));
    const binary = {
      send: (data: Uint8Array, done: () => void) => socket.sendBinary(data, done),
      ping: (payload: Uint8Array) => socket.ping(payload),
    };
    this.#showing = new Showing({ socket: binary, clock, format, fps, audio, tell: this.#tell });
    this.#commands = new TokenBucket(commandsPerSecond, commandBurst);
  }

  get camera(): LiveCamera | null {
    return this.#camera;
  }

  /** Joins the camera of the query; what is wrong with it closes the socket with its reason. */
  open(): void {
    // On the empty way, so that the first answer tells how long it is.
    this.#showing.probe();
    this.#beat();
    this.#attach(() => this.#find(this.#options.target));
  }

  onText(text: string): void {
    if (this.#closed) return;
    if (!this.#commands.take(this.#options.clock.now())) {
      // Told once a burst, or the answers would be a flood of their own.
      if (this.#refusedCommands++ === 0)
        this.#tell.error(
          'rate_limited',
          `At most ${commandsPerSecond} commands a second are read; the rest is ignored.`,
        );
      return;
    }
    this.#refusedCommands = 0;
    const parsed = parseCommand(text);
    if (parsed.ok) this.#follow(parsed.message);
    else this.#tell.error(parsed.code, parsed.error);
  }

  onBinary(): void {
    this.onText('');
  }

  onPong(payload: Uint8Array): void {
    this.#showing.onPong(payload);
  }

  /** The socket is closed, by whomever. Idempotent. */
  onClose(): void {
    this.#closed = true;
    this.#detach();
    this.#cancelStats?.();
    this.#cancelHeartbeat?.();
  }

  /** Ends the session from the server's side. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.onClose();
    this.#options.socket.close(code, reason);
  }

  #find(target: Target): LiveCamera {
    const { access } = this.#options;
    if (target.streamId !== null) return access.byId(target.streamId);
    if (target.address === null)
      throw new AppError(400, 'no_stream_named', 'Name the stream by ?stream_id= or ?url=.');
    return access.byAddress(target.address);
  }

  /** @param find throws an AppError that closes the socket. */
  #attach(find: () => LiveCamera): void {
    let camera: LiveCamera;
    try {
      camera = find();
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (camera === this.#camera) {
      this.#tell.status(this.#camera);
    } else {
      this.#detach();
      this.#camera = camera;
      const leave = camera.join();
      const unsubscribe = camera.stream.subscribe({
        onStatus: () => this.#tell.status(this.#camera),
        onEnd: (reason) => {
          if (reason) this.#refuse(reason);
          else this.close(closeCodes.noSuchStream, 'The stream was deleted.');
        },
      });
      const leaveFaces = camera.faces.subscribe({
        onFaces: (timestamp, faces, below) =>
          // Nor to a viewer that is behind: boxes without their picture would mislead.
          this.#tell.faces(timestamp, faces, below, this.#showing.live),
        onAlert: (alert) => this.#send(faceAlert(alert)),
        onDetector: () => this.#tell.status(this.#camera),
      });
      this.#leaveCamera = () => {
        unsubscribe();
        leaveFaces();
        leave();
      };
      this.#tell.status(this.#camera);
      this.#tellStats();
    }
    this.#watch();
  }

  #refuse(error: unknown): void {
    if (!(error instanceof AppError)) throw error;
    this.#tell.error(error.code, error.message);
    const code =
      error.status === 404
        ? closeCodes.noSuchStream
        : error.status === 429
          ? closeCodes.tooMany
          : closeCodes.badRequest;
    this.close(code, error.message);
  }

  #detach(): void {
    this.#showing.hide();
    this.#leaveCamera?.();
    this.#leaveCamera = null;
    this.#camera = null;
  }

  #watch(): void {
    if (!this.#paused && this.#camera) this.#showing.show(this.#camera);
  }

  #follow(message: ClientMessage): void {
    switch (message.command) {
      case 'start':
        this.#paused = false;
        this.#start(message.rtsp_url ?? null);
        return;
      case 'resume':
        this.#paused = false;
        this.#watch();
        this.#tell.status(this.#camera);
        return;
      case 'pause':
        this.#paused = true;
        this.#showing.hide();
        this.#tell.status(this.#camera, 'Paused for this viewer.');
        return;
      case 'stop_stream':
        this.#detach();
        this.#tell.status(null);
        return;
      case 'close':
        this.close(closeCodes.done, 'Closed as asked.');
        return;
      case 'format':
        this.#try(() => this.#showing.setFormat(message.format, this.#camera));
        return;
      case 'audio':
        this.#try(() => this.#showing.setAudio(message.on, this.#camera));
        return;
    }
  }

  #start(address: string | null): void {
    const { target } = this.#options;
    // Only a start that names another address than the query's can leave the camera of the query; the id decides.
    if (address === null || target.streamId !== null) {
      this.#attach(() => this.#find(target));
      return;
    }
    this.#try(() => {
      const camera = this.#options.access.byAddress(address);
      this.#attach(() => camera);
    });
  }

  /** A command that cannot be followed: the socket stays, and what it shows goes on. */
  #try(follow: () => void): void {
    try {
      follow();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#tell.error(error.code, error.message);
    }
  }

  #tellStats(): void {
    this.#cancelStats?.();
    this.#cancelStats = this.#options.clock.after(statsEveryMs, () => this.#tellStats());
    if (this.#camera) this.#tell.stats(this.#camera, this.#showing.dropped);
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#options.clock.after(heartbeatMs, () => {
      if (this.#showing.unansweredMs() > goneAfterMs) {
        this.close(closeCodes.viewerWentAway, 'No answer for 20 s.');
        this.#options.socket.terminate();
        return;
      }
      this.#showing.probe();
      this.#beat();
    });
  }

  #send(message: ServerMessage): void {
    if (!this.#closed) this.#options.socket.sendText(JSON.stringify(message));
  }
}
