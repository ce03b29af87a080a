// Where a session's packets go: interleaved on its RTSP connection, or by UDP.
// A sink never waits: what does not fit its bounded buffer is dropped as a whole unit.

import type { Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import { writeInterleavedHeader } from '../src/rtsp/message.ts';

/** Bytes that may wait in a client's socket before units are dropped for it. */
const maxBufferedBytes = 1024 * 1024;

export interface Sink {
  /**
   * Sends one unit. `bytes` is shared between sinks and never changed after this.
   * @param offsets where each packet's `$` stands. @returns false when it was dropped.
   */
  sendUnit(bytes: Buffer, offsets: readonly number[]): boolean;
  sendRtcp(packet: Uint8Array): void;
  /** Raw bytes between frames; nothing by UDP. */
  sendGarbage(bytes: Uint8Array): void;
}

export class InterleavedSink implements Sink {
  readonly #socket: Socket;
  readonly #rtpChannel: number;
  readonly #rtcpChannel: number;

  constructor(socket: Socket, rtpChannel: number, rtcpChannel: number) {
    this.#socket = socket;
    this.#rtpChannel = rtpChannel;
    this.#rtcpChannel = rtcpChannel;
  }

  sendUnit(bytes: Buffer, offsets: readonly number[]): boolean {
    if (!this.#hasRoom()) return false;
    let own = bytes;
    if (bytes[1] !== this.#rtpChannel) {
      own = Buffer.from(bytes);
      for (const offset of offsets) own[offset + 1] = this.#rtpChannel;
    }
    this.#socket.write(own);
    return true;
  }

  sendRtcp(packet: Uint8Array): void {
    if (!this.#hasRoom()) return;
    const framed = Buffer.allocUnsafe(4 + packet.length);
    writeInterleavedHeader(framed, 0, this.#rtcpChannel, packet.length);
    framed.set(packet, 4);
    this.#socket.write(framed);
  }

  sendGarbage(bytes: Uint8Array): void {
    if (this.#hasRoom()) this.#socket.write(bytes);
  }

  #hasRoom(): boolean {
    return this.#socket.writable && this.#socket.writableLength < maxBufferedBytes;
  }
}

export interface UdpPair {
  readonly rtp: UdpSocket;
  readonly rtcp: UdpSocket;
  readonly ports: readonly [rtp: number, rtcp: number];
}

export class UdpSink implements Sink {
  readonly #pair: UdpPair;
  readonly #address: string;
  readonly #rtpPort: number;
  readonly #rtcpPort: number;

  constructor(pair: UdpPair, address: string, rtpPort: number, rtcpPort: number) {
    this.#pair = pair;
    this.#address = address;
    this.#rtpPort = rtpPort;
    this.#rtcpPort = rtcpPort;
  }

  sendUnit(bytes: Buffer, offsets: readonly number[]): boolean {
    for (const [i, offset] of offsets.entries()) {
      const end = offsets[i + 1] ?? bytes.length;
      this.#pair.rtp.send(bytes, offset + 4, end - offset - 4, this.#rtpPort, this.#address, ignoreLoss);
    }
    return true;
  }

  sendRtcp(packet: Uint8Array): void {
    this.#pair.rtcp.send(packet, this.#rtcpPort, this.#address, ignoreLoss);
  }

  sendGarbage(): void {}
}

/** UDP promises nothing: a datagram that cannot be sent is a lost one. */
function ignoreLoss(): void {}
