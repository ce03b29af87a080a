// A pair of UDP ports for one track: RTP on the even one, RTCP on the next (RFC 3550 §11).
// Takes packets from the camera's address only; order is restored here, meaning is the receiver's.

import { createSocket, type Socket } from 'node:dgram';
import { CameraError } from '../errors.ts';
import { fromSocketError } from './failure.ts';
import { ReorderBuffer } from './reorder.ts';
import { rtpHeaderLength, writeRtpHeader } from './rtp.ts';

export interface UdpHandlers {
  onRtp(data: Uint8Array, now: number): void;
  onRtcp(data: Uint8Array, now: number): void;
}

const bindAttempts = 20;
const receiveBufferBytes = 1024 * 1024;

function plainAddress(address: string): string {
  return address.replace(/^::ffff:/i, '').replace(/%.*$/, '');
}

function bind(family: 'udp4' | 'udp6', port: number): Promise<Socket> {
  const socket = createSocket(family);
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => {
      socket.close();
      reject(error);
    };
    socket.once('error', onError);
    socket.bind(port, () => {
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

async function bindPair(family: 'udp4' | 'udp6'): Promise<[rtp: Socket, rtcp: Socket]> {
  for (let attempt = 0; attempt < bindAttempts; attempt++) {
    const rtp = await bind(family, 0);
    const { port } = rtp.address();
    if (port % 2 === 0) {
      try {
        return [rtp, await bind(family, port + 1)];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
          rtp.close();
          throw error;
        }
      }
    }
    rtp.close();
  }
  throw new CameraError('unreachable', 'no pair of UDP ports is free');
}

export class UdpTransport {
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #camera: string;
  readonly #handlers: UdpHandlers;
  readonly #reorder = new ReorderBuffer();
  #serverPorts: readonly [rtp: number, rtcp: number] | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  #now = 0;

  private constructor(rtp: Socket, rtcp: Socket, camera: string, handlers: UdpHandlers) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#camera = camera;
    this.#handlers = handlers;
    // ICMP refusals of our own packets come here; the camera's silence is noticed elsewhere.
    for (const socket of [rtp, rtcp]) socket.on('error', () => undefined);
    rtp.setRecvBufferSize(receiveBufferBytes);
    rtp.on('message', (data, from) => {
      if (plainAddress(from.address) === this.#camera) this.#takeRtp(data);
    });
    rtcp.on('message', (data, from) => {
      if (plainAddress(from.address) === this.#camera) handlers.onRtcp(data, performance.now());
    });
  }

  /** @param camera the IP address that the RTSP connection goes to. @throws CameraError when no pair of ports can be had. */
  static async open(camera: string, handlers: UdpHandlers): Promise<UdpTransport> {
    const address = plainAddress(camera);
    const [rtp, rtcp] = await bindPair(address.includes(':') ? 'udp6' : 'udp4').catch((error: unknown) => {
      throw fromSocketError(error);
    });
    return new UdpTransport(rtp, rtcp, address, handlers);
  }

  get clientPorts(): readonly [rtp: number, rtcp: number] {
    return [this.#rtp.address().port, this.#rtcp.address().port];
  }

  setServerPorts(ports: readonly [rtp: number, rtcp: number] | null): void {
    this.#serverPorts = ports;
  }

  /** Opens the way through firewalls and address translators on our side. */
  punch(ssrc: number): void {
    if (!this.#serverPorts || this.#closed) return;
    const packet = new Uint8Array(rtpHeaderLength);
    writeRtpHeader(packet, 0, { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc });
    this.#rtp.send(packet, this.#serverPorts[0], this.#camera);
  }

  sendRtcp(data: Uint8Array): void {
    if (this.#serverPorts && !this.#closed) this.#rtcp.send(data, this.#serverPorts[1], this.#camera);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#rtp.close();
    this.#rtcp.close();
  }

  readonly #emit = (data: Uint8Array): void => this.#handlers.onRtp(data, this.#now);

  #takeRtp(data: Uint8Array): void {
    if (this.#closed || data.length < rtpHeaderLength || data[0]! >> 6 !== 2) return;
    this.#now = performance.now();
    this.#reorder.push((data[2]! << 8) | data[3]!, data, this.#now, this.#emit);
    this.#awaitLate();
  }

  /** A timer runs only while a packet is missing. */
  #awaitLate(): void {
    const { deadline } = this.#reorder;
    if (deadline === null || this.#timer) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        if (this.#closed) return;
        this.#now = performance.now();
        this.#reorder.expire(this.#now, this.#emit);
        this.#awaitLate();
      },
      Math.max(1, deadline - performance.now()),
    );
    this.#timer.unref();
  }
}
