// One track of a session: its SETUP, the way its packets come, and the reports that go back.
// What is set up, in which order, and what a refusal means is session.ts's work.

import { CameraError } from '../errors.ts';
import type { RtspConnection } from './connection.ts';
import type { RtspResponse } from './message.ts';
import { isSuccess } from './negotiation.ts';
import type { RtpReceiver } from './rtp-receiver.ts';
import { formatTransport, parseTransport } from './transport-header.ts';
import { UdpTransport } from './udp.ts';

type Pair = readonly [rtp: number, rtcp: number];

export interface TrackOptions {
  /** For SETUP. */
  readonly url: string;
  readonly receiver: RtpReceiver;
  /** Asked for over TCP; the camera may choose others. */
  readonly channels: Pair;
  /** Our own source, named where a packet of ours goes to the camera. */
  readonly ssrc: number;
  readonly onRtp: (data: Uint8Array, now: number) => void;
  readonly onRtcp: (data: Uint8Array, now: number) => void;
}

const cname = 'rtsp-stream-viewer';

export class Track {
  readonly #options: TrackOptions;
  #channels: Pair;
  #udp: UdpTransport | null = null;
  #closed = false;

  constructor(options: TrackOptions) {
    this.#options = options;
    this.#channels = options.channels;
  }

  get receiver(): RtpReceiver {
    return this.#options.receiver;
  }

  get channels(): Pair {
    return this.#channels;
  }

  /** SETUP. @param session joins it. @throws CameraError when there is no answer, or no UDP port. */
  async request(connection: RtspConnection, lower: 'tcp' | 'udp', session?: string): Promise<RtspResponse> {
    const { url, onRtp, onRtcp, channels } = this.#options;
    if (lower === 'udp') {
      this.#udp = await UdpTransport.open(connection.remoteAddress, { onRtp, onRtcp });
      if (this.#closed) this.#udp.close();
    }
    const wanted = this.#udp
      ? formatTransport({ lower, clientPort: this.#udp.clientPorts })
      : formatTransport({ lower, interleaved: channels });
    const response = await connection.request('SETUP', url, { Transport: wanted, Session: session });
    if (!isSuccess(response)) this.#closeUdp();
    return response;
  }

  /** Goes by what the camera chose. @throws CameraError `protocol` when that is not what was asked for. */
  accept(response: RtspResponse): void {
    const [chosen] = parseTransport(response.headers.get('Transport') ?? '');
    if (this.#udp) {
      if (chosen?.multicast) throw new CameraError('protocol', 'it sends multicast only');
      this.#udp.setServerPorts(chosen?.serverPort ?? null);
      this.punch();
    } else {
      if (chosen && chosen.lower !== 'tcp')
        throw new CameraError('protocol', 'it answers with another transport');
      this.#channels = chosen?.interleaved ?? this.#channels;
    }
  }

  /** Opens the way through firewalls on our side; nothing over TCP. */
  punch(): void {
    this.#udp?.punch(this.#options.ssrc);
  }

  /** An interleaved frame. @returns false when it is not of this track. */
  takeFrame(channel: number, data: Uint8Array, now: number): boolean {
    const [rtp, rtcp] = this.#channels;
    if (this.#udp || (channel !== rtp && channel !== rtcp)) return false;
    if (channel === rtp) this.#options.onRtp(data, now);
    else this.#options.onRtcp(data, now);
    return true;
  }

  sendReport(connection: RtspConnection | null, now: number): void {
    const report = this.receiver.buildReport(this.#options.ssrc, cname, now);
    if (this.#udp) this.#udp.sendRtcp(report);
    else connection?.sendFrame(this.#channels[1], report);
  }

  close(): void {
    this.#closed = true;
    this.#udp?.close();
  }

  #closeUdp(): void {
    this.#udp?.close();
    this.#udp = null;
  }
}
