// The simulated RTSP server: several cameras on one port, over TCP or TLS, with one UDP port pair for all.
// Listening and bookkeeping only; the conversation is connection.ts's.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type CameraOptions, SimulatedCamera } from './camera.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import type { UdpPair } from './sink.ts';

export interface SimulatorOptions {
  readonly cameras: readonly CameraOptions[];
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 (default) picks one outside the range from which the system gives ports to clients. */
  readonly port?: number;
  /** PEM; makes the addresses `rtsps:`. */
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer };
}

// A dead camera's port must stay free for its return: not one that the system may hand to an outgoing connection,
// which, trying that very port again and again, could even connect to itself.
const freePorts = { from: 20_000, to: 32_000 };

/** Starts serving. @throws Error when the port is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const simulator = new Simulator(options);
  await simulator.open();
  return simulator;
}

export class Simulator implements ConnectionHost, AsyncDisposable {
  readonly host: string;
  readonly #tls: SimulatorOptions['tls'];
  readonly #cameras = new Map<string, SimulatedCamera>();
  readonly #connections = new Set<Connection>();
  #wantedPort: number;
  #server: Server | null = null;
  #udp: Promise<UdpPair> | null = null;
  #watch: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: SimulatorOptions) {
    this.host = options.host ?? '127.0.0.1';
    this.#wantedPort = options.port ?? 0;
    this.#tls = options.tls;
    for (const camera of options.cameras) this.addCamera(camera);
  }

  get port(): number {
    return this.#wantedPort;
  }

  get cameras(): readonly SimulatedCamera[] {
    return [...this.#cameras.values()];
  }

  /** TCP connections open now, whatever they ask for. */
  get connections(): number {
    return this.#connections.size;
  }

  addCamera(options: CameraOptions): SimulatedCamera {
    const camera = new SimulatedCamera(options);
    camera.onLife = () => this.#lifeChanged(camera);
    this.#cameras.set(options.path, camera);
    return camera;
  }

  /** @throws Error when there is no camera at this path. */
  camera(path: string): SimulatedCamera {
    const camera = this.#cameras.get(path);
    if (!camera) throw new Error(`The simulator has no camera at ${path}.`);
    return camera;
  }

  findCamera(path: string): SimulatedCamera | undefined {
    return this.#cameras.get(path);
  }

  /** The camera's address, with its user and password if it has them and `bare` is not asked for. */
  url(path: string, { bare = false } = {}): string {
    const { scheme, username, password } = this.camera(path).access;
    const user =
      bare || scheme === 'none' ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return `${this.#tls ? 'rtsps' : 'rtsp'}://${user}${host}:${this.port}${path}`;
  }

  async open(): Promise<void> {
    await this.#listen();
    this.#watch = setInterval(() => {
      for (const camera of this.#cameras.values()) camera.enforceTimeouts(performance.now());
    }, 500);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#watch) clearInterval(this.#watch);
    for (const camera of this.#cameras.values()) camera.close();
    await this.#stopListening();
    const pair = await this.#udp;
    pair?.rtp.close();
    pair?.rtcp.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One pair of ports sends for all cameras; clients tell streams apart by their own ports. */
  udpPair(): Promise<UdpPair> {
    this.#udp ??= openUdpPair(this.host);
    return this.#udp;
  }

  async #lifeChanged(camera: SimulatedCamera): Promise<void> {
    if (this.#closed) return;
    if (camera.dead) {
      for (const connection of this.#connections)
        if (connection.serves(camera)) connection.disconnect('reset');
    }
    if ([...this.#cameras.values()].every(({ dead }) => dead)) await this.#stopListening();
    else if (!this.#server) await this.#listen();
  }

  async #listen(): Promise<void> {
    const fixed = this.#wantedPort !== 0;
    for (let attempt = 0; ; attempt++) {
      const port = fixed
        ? this.#wantedPort
        : freePorts.from + Math.floor(Math.random() * (freePorts.to - freePorts.from));
      const server = this.#createServer();
      try {
        server.listen(port, this.host);
        await once(server, 'listening');
        this.#server = server;
        this.#wantedPort = port;
        return;
      } catch (error) {
        if (fixed || attempt === 20) throw error;
      }
    }
  }

  #createServer(): Server {
    const accept = (socket: Socket) => {
      const connection = new Connection(this, socket);
      this.#connections.add(connection);
      socket.on('close', () => this.#connections.delete(connection));
    };
    if (!this.#tls) return createServer(accept);
    // A client that breaks off the handshake is no event here.
    return createTlsServer(this.#tls, accept).on('tlsClientError', (_error, socket) => socket.destroy());
  }

  async #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const connection of this.#connections) connection.disconnect('reset');
    await closed;
  }
}

/** An even port and the next one (RFC 3550 §11). */
async function openUdpPair(host: string): Promise<UdpPair> {
  const family = host.includes(':') ? 'udp6' : 'udp4';
  for (let attempt = 0; ; attempt++) {
    const port = freePorts.from + 2 * Math.floor((Math.random() * (freePorts.to - freePorts.from)) / 2);
    const sockets: UdpSocket[] = [];
    try {
      for (const offset of [0, 1]) {
        const socket = createSocket({ type: family, sendBufferSize: 1024 * 1024 });
        sockets.push(socket);
        socket.bind(port + offset, host);
        await once(socket, 'listening');
        // ICMP "port unreachable" of a client that has gone is not this server's trouble.
        socket.on('error', () => {});
      }
      return { rtp: sockets[0]!, rtcp: sockets[1]!, ports: [port, port + 1] };
    } catch (error) {
      for (const socket of sockets) socket.close();
      if (attempt === 20) throw error;
    }
  }
}
