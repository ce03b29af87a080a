// What the simulator's own tests need: a bare RTSP client on a raw socket, and a decoder for what it received.
// Not used by the simulator itself.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  AV_CODEC_FLAG_LOW_DELAY,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_MJPEG,
} from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet, Rational } from 'node-av/lib';
import type { VideoCodec } from '../src/media/access-unit.ts';
import { RtspParser, type RtspResponse, serializeRequest } from '../src/rtsp/message.ts';
import { createRtpPacket, parseRtp, type RtpPacket } from '../src/rtsp/rtp.ts';

/** Planes without padding: luma, then both chromas at half size. */
export interface DecodedPicture {
  readonly width: number;
  readonly height: number;
  readonly luma: Uint8Array;
  readonly chroma: readonly [Uint8Array, Uint8Array];
}

const decoders = { h264: AV_CODEC_ID_H264, h265: AV_CODEC_ID_HEVC, mjpeg: AV_CODEC_ID_MJPEG } as const;

/** Decodes access units to 4:2:0 pictures, in order of presentation. */
export async function decodeUnits(
  codec: VideoCodec,
  units: readonly Uint8Array[],
): Promise<DecodedPicture[]> {
  const decoder = Codec.findDecoder(decoders[codec]);
  using context = new CodecContext();
  context.allocContext3(decoder);
  context.threadCount = 1;
  if (codec !== 'h264') context.setFlags(AV_CODEC_FLAG_LOW_DELAY);
  context.pktTimebase = new Rational(1, 90_000);
  FFmpegError.throwIfError(await context.open2(decoder, null), 'open decoder');
  using packet = new Packet();
  using frame = new Frame();
  packet.alloc();
  frame.alloc();
  const pictures: DecodedPicture[] = [];
  for (const unit of [...units, null]) {
    if (unit) {
      packet.data = Buffer.from(unit);
      FFmpegError.throwIfError(await context.sendPacket(packet), 'decode');
    } else await context.sendPacket(null);
    while ((await context.receiveFrame(frame)) >= 0) {
      const { width, height } = frame;
      const plane = (i: number, w: number, h: number) => copyPlane(frame.data![i]!, frame.linesize[i]!, w, h);
      const chroma = [plane(1, width / 2, height / 2), plane(2, width / 2, height / 2)] as const;
      pictures.push({ width, height, luma: plane(0, width, height), chroma });
      frame.unref();
    }
  }
  return pictures;
}

function copyPlane(data: Buffer, stride: number, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) out.set(data.subarray(y * stride, y * stride + width), y * width);
  return out;
}

/** A client with no opinion: it sends what it is told and keeps what comes. */
export class BareClient {
  readonly socket: Socket;
  /** RTP packets of channel 0, with bytes of their own. */
  readonly packets: RtpPacket[] = [];
  readonly rtcp: Uint8Array[] = [];
  readonly url: string;
  /** Resolves when the connection is over, with whether it was reset. */
  readonly closed: Promise<'reset' | 'fin'>;
  readonly #parser = new RtspParser();
  readonly #answers: ((response: RtspResponse) => void)[] = [];
  readonly #waiting = new Set<() => void>();
  #cseq = 1;

  private constructor(socket: Socket, url: string) {
    this.socket = socket;
    this.url = url;
    socket.on('data', (chunk) => this.#read(chunk));
    let how: 'reset' | 'fin' = 'fin';
    socket.on('error', () => {
      how = 'reset';
    });
    this.closed = new Promise((resolve) => socket.on('close', () => resolve(how)));
    socket.on('close', () => this.#wake());
  }

  static async open(url: string): Promise<BareClient> {
    const { hostname, port, protocol } = new URL(url);
    const secure = protocol === 'rtsps:';
    // Encryption is what is tried here, not whom to trust.
    const socket = secure
      ? connectTls({ port: Number(port), host: hostname, rejectUnauthorized: false })
      : connect(Number(port), hostname);
    const client = new BareClient(socket, url.replace(/\/\/[^/]*@/, '//'));
    await once(socket, secure ? 'secureConnect' : 'connect');
    return client;
  }

  get discarded(): number {
    return this.#parser.discarded;
  }

  request(method: string, headers: Record<string, string> = {}, uri = this.url): Promise<RtspResponse> {
    this.socket.write(serializeRequest({ method, uri, headers: { CSeq: String(this.#cseq++), ...headers } }));
    return new Promise((resolve, reject) => {
      this.#answers.push(resolve);
      this.closed.then(() => reject(new Error(`The connection ended before ${method} was answered.`)));
    });
  }

  /** SETUP and PLAY over TCP. @returns the session's id. */
  async play(): Promise<string> {
    const transport = 'RTP/AVP/TCP;unicast;interleaved=0-1';
    const setup = await this.request('SETUP', { Transport: transport }, `${this.url}/trackID=1`);
    const session = setup.headers.get('Session')!.split(';')[0]!;
    const play = await this.request('PLAY', { Session: session });
    if (play.status !== 200) throw new Error(`PLAY was answered with ${play.status}.`);
    return session;
  }

  /**
   * Waits until `condition` holds, looked at whenever something arrives.
   * @throws Error when the connection ends before.
   */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.socket.destroyed) throw new Error('The connection ended.');
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#parser.push(chunk, (event) => {
      if (event.kind === 'response') this.#answers.shift()?.(event);
      else if (event.kind === 'interleaved' && event.channel === 1)
        this.rtcp.push(Uint8Array.from(event.data));
      else if (event.kind === 'interleaved') {
        const packet = createRtpPacket();
        if (parseRtp(Uint8Array.from(event.data), packet)) this.packets.push(packet);
      }
    });
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
