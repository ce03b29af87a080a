// Between a client and a camera that sends by UDP: passes RTSP on, and drops or swaps RTP packets by count.
// By count and not by chance, so that a test sees the same network every time.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface RelayFaults {
  /** Every so-many-eth packet comes after the one that follows it. */
  readonly swapEvery?: number;
  readonly dropEvery?: number;
}

export class UdpRelay implements AsyncDisposable {
  readonly #faults: RelayFaults;
  readonly #tcp = createServer((client) => this.#relay(client));
  readonly #udp: readonly [rtp: UdpSocket, rtcp: UdpSocket] = [createSocket('udp4'), createSocket('udp4')];
  readonly #sockets = new Set<Socket>();
  readonly #cameraPort: number;
  #clientPorts: readonly [number, number] = [0, 0];
  #held: Buffer | null = null;
  #count = 0;
  swapped = 0;
  dropped = 0;

  constructor(cameraPort: number, faults: RelayFaults) {
    this.#cameraPort = cameraPort;
    this.#faults = faults;
  }

  async open(): Promise<void> {
    const [rtp, rtcp] = this.#udp;
    for (const socket of this.#udp) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    rtp.on('message', (packet) => this.#passRtp(packet));
    rtcp.on('message', (packet) => this.#send(rtcp, packet, this.#clientPorts[1]));
    this.#tcp.listen(0, '127.0.0.1');
    await once(this.#tcp, 'listening');
  }

  /** The camera's address by way of this relay. */
  url(cameraUrl: string): string {
    const { port } = this.#tcp.address() as AddressInfo;
    return cameraUrl.replace(`:${this.#cameraPort}/`, `:${port}/`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const socket of this.#udp) socket.close();
    this.#tcp.close();
    await once(this.#tcp, 'close');
  }

  #relay(client: Socket): void {
    const camera = connect(this.#cameraPort, '127.0.0.1');
    for (const [socket, other] of [
      [client, camera],
      [camera, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    camera.pipe(client);
    // Requests are small and come one at a time, so each is one chunk.
    client.on('data', (chunk) => camera.write(this.#withOwnPorts(chunk.toString('latin1')), 'latin1'));
  }

  #withOwnPorts(request: string): string {
    return request.replace(/client_port=(\d+)-(\d+)/, (_all, rtp: string, rtcp: string) => {
      this.#clientPorts = [Number(rtp), Number(rtcp)];
      return `client_port=${this.#udp.map((socket) => socket.address().port).join('-')}`;
    });
  }

  #passRtp(packet: Buffer): void {
    const { swapEvery, dropEvery } = this.#faults;
    this.#count++;
    if (dropEvery && this.#count % dropEvery === 0) {
      this.dropped++;
      return;
    }
    const [rtp] = this.#udp;
    const [port] = this.#clientPorts;
    if (swapEvery && this.#count % swapEvery === 0 && !this.#held) {
      this.#held = packet;
      return;
    }
    this.#send(rtp, packet, port);
    if (!this.#held) return;
    this.swapped++;
    this.#send(rtp, this.#held, port);
    this.#held = null;
  }

  #send(from: UdpSocket, packet: Buffer, port: number): void {
    if (port !== 0) from.send(packet, port, '127.0.0.1');
  }
}

export async function startUdpRelay(cameraPort: number, faults: RelayFaults): Promise<UdpRelay> {
  const relay = new UdpRelay(cameraPort, faults);
  await relay.open();
  return relay;
}
