// One RTSP session at one server, from connecting to TEARDOWN: its state, its transport, its end.
// What is asked before is negotiation.ts's, redirects and a silent UDP are client.ts's work; nothing reconnects here.

import { randomBytes } from 'node:crypto';
import { CameraError } from '../errors.ts';
import type { AccessUnit, VideoParameters } from '../media/access-unit.ts';
import { type CameraUrl, requestUrl } from '../media/camera-url.ts';
import { RtspConnection } from './connection.ts';
import { dial, type ResolveAddress } from './dial.ts';
import { RedirectAnswer } from './failure.ts';
import type { InterleavedFrame, RtspRequest, RtspResponse } from './message.ts';
import { describeVideo, isSuccess, readSession, refusesTransport, succeeded } from './negotiation.ts';
import { parseRtcp } from './rtcp.ts';
import { RtpReceiver } from './rtp-receiver.ts';
import type { VideoTrack } from './sdp.ts';
import { formatTransport, parseTransport } from './transport-header.ts';
import { UdpTransport } from './udp.ts';
import { answerCamera, keepAlive, Upkeep } from './upkeep.ts';
import { settledWithin, unlessAborted } from './waiting.ts';

export interface RtspClientEvents {
  /** Before the first unit, and before the unit from which on other parameters hold. */
  onVideo(video: VideoParameters): void;
  onAccessUnit(unit: AccessUnit): void;
}

export interface SessionOptions {
  readonly url: CameraUrl;
  readonly transport: 'auto' | 'tcp' | 'udp';
  readonly resolve: ResolveAddress;
  readonly connectTimeout: number;
  readonly responseTimeout: number;
  readonly tlsVerify: boolean;
  readonly userAgent: string;
  readonly events: RtspClientEvents;
}

const teardownPatience = 500;
const reportInterval = 5000;
const defaultSessionTimeout = 60_000;
const cname = 'rtsp-stream-viewer';

export class RtspSession {
  readonly #options: SessionOptions;
  readonly #ended = Promise.withResolvers<CameraError | null>();
  readonly #firstPacket = Promise.withResolvers<void>();
  /** Aborted when the session ends, with the reason. */
  readonly #stop = new AbortController();
  readonly #upkeep = new Upkeep();
  readonly #ssrc = randomBytes(4).readUInt32BE();
  #connection: RtspConnection | null = null;
  #udp: UdpTransport | null = null;
  #receiver: RtpReceiver | null = null;
  #channels: readonly [rtp: number, rtcp: number] = [0, 1];
  #sessionId: string | undefined;
  #sessionTimeout = defaultSessionTimeout;
  #aggregateUrl = '';
  #offersGetParameter = false;
  #over = false;
  transport: 'tcp' | 'udp' = 'tcp';
  units = 0;
  droppedUnits = 0;
  /** `performance.now()`; -1 before the first. */
  lastUnitAt = -1;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Null when we closed it. Never rejects. */
  get ended(): Promise<CameraError | null> {
    return this.#ended.promise;
  }

  get receiver(): RtpReceiver | null {
    return this.#receiver;
  }

  get server(): string | undefined {
    return this.#connection?.server;
  }

  /** Until PLAY is accepted. @throws CameraError, or RedirectAnswer; `close` is then still to be called. */
  async start(): Promise<void> {
    try {
      const { url, resolve, connectTimeout: timeout, tlsVerify } = this.#options;
      const socket = await dial({ url, resolve, timeout, tlsVerify }, this.#stop.signal);
      if (this.#over) socket.destroy();
      this.#connection = this.#createConnection(socket);
      await this.#negotiate(this.#connection);
      this.#stop.signal.throwIfAborted();
    } catch (error) {
      // What ended the session counts more than what that made fail.
      const reason: unknown = this.#stop.signal.reason ?? error;
      if (reason instanceof CameraError || reason instanceof RedirectAnswer) throw reason;
      throw new CameraError('protocol', undefined, { cause: reason });
    }
  }

  #createConnection(socket: ConstructorParameters<typeof RtspConnection>[0]): RtspConnection {
    const { url, userAgent, responseTimeout } = this.#options;
    const credentials =
      url.username === undefined && url.password === undefined
        ? null
        : { username: url.username ?? '', password: url.password ?? '' };
    return new RtspConnection(socket, {
      credentials,
      userAgent,
      responseTimeout,
      onFrame: (frame, now) => this.#takeFrame(frame, now),
      onRequest: (request) => this.#answer(request),
      onFailure: (error) => this.fail(error),
    });
  }

  async #negotiate(connection: RtspConnection): Promise<void> {
    const video = await describeVideo(connection, requestUrl(this.#options.url));
    this.#offersGetParameter = video.offersGetParameter;
    this.#aggregateUrl = video.aggregateUrl;
    this.#receiver = this.#createReceiver(video.track);
    succeeded(await this.#setup(connection, video.trackUrl));
    await this.#play(connection);
  }

  #createReceiver(track: VideoTrack): RtpReceiver {
    return new RtpReceiver(track, {
      onVideo: (video) => this.#options.events.onVideo(video),
      onAccessUnit: (unit) => {
        this.units++;
        this.lastUnitAt = unit.receivedAt;
        this.#options.events.onAccessUnit(unit);
      },
      onDropped: () => {
        this.droppedUnits++;
      },
    });
  }

  /** The wanted transport, then the other one when the camera will not have it; `tcp` is meant strictly. */
  async #setup(connection: RtspConnection, url: string): Promise<RtspResponse> {
    const { transport } = this.#options;
    const first = transport === 'udp' ? 'udp' : 'tcp';
    const response = await this.#setupBy(first, connection, url);
    if (transport === 'tcp' || !refusesTransport(response)) return response;
    return this.#setupBy(first === 'udp' ? 'tcp' : 'udp', connection, url);
  }

  #setupBy(transport: 'tcp' | 'udp', connection: RtspConnection, url: string): Promise<RtspResponse> {
    this.transport = transport;
    return transport === 'tcp' ? this.#setupTcp(connection, url) : this.#setupUdp(connection, url);
  }

  async #setupTcp(connection: RtspConnection, url: string): Promise<RtspResponse> {
    const wanted = formatTransport({ lower: 'tcp', interleaved: [0, 1] });
    const response = await connection.request('SETUP', url, { Transport: wanted });
    if (!isSuccess(response)) return response;
    this.#takeSession(response);
    const [chosen] = parseTransport(response.headers.get('Transport') ?? wanted);
    if (chosen && chosen.lower !== 'tcp')
      throw new CameraError('protocol', 'it answers with another transport');
    this.#channels = chosen?.interleaved ?? [0, 1];
    connection.expectChannels(new Set(this.#channels));
    return response;
  }

  async #setupUdp(connection: RtspConnection, url: string): Promise<RtspResponse> {
    const udp = await UdpTransport.open(connection.remoteAddress, {
      onRtp: (data, now) => this.#takeRtp(data, now),
      onRtcp: (data, now) => this.#takeRtcp(data, now),
    });
    this.#udp = udp;
    if (this.#over) udp.close();
    const wanted = formatTransport({ lower: 'udp', clientPort: udp.clientPorts });
    const response = await connection.request('SETUP', url, { Transport: wanted });
    if (!isSuccess(response)) {
      udp.close();
      this.#udp = null;
      return response;
    }
    this.#takeSession(response);
    const [chosen] = parseTransport(response.headers.get('Transport') ?? '');
    if (chosen?.multicast) throw new CameraError('protocol', 'it sends multicast only');
    udp.setServerPorts(chosen?.serverPort ?? null);
    udp.punch(this.#ssrc);
    return response;
  }

  #takeSession(response: RtspResponse): void {
    const { id, timeout } = readSession(response);
    this.#sessionId = id;
    if (timeout !== null) this.#sessionTimeout = timeout;
  }

  async #play(connection: RtspConnection): Promise<void> {
    const headers = { Session: this.#sessionId, Range: 'npt=0.000-' };
    succeeded(await connection.request('PLAY', this.#aggregateUrl, headers));
    this.#udp?.punch(this.#ssrc);
    this.#sendReport();
    this.#upkeep.repeat(
      () => this.#keepAlive(connection),
      () => this.#sessionTimeout / 2,
    );
    this.#upkeep.repeat(
      () => this.#sendReport(),
      () => reportInterval * (0.5 + Math.random()),
    );
  }

  #keepAlive(connection: RtspConnection): void {
    const method = this.#offersGetParameter ? 'GET_PARAMETER' : 'OPTIONS';
    keepAlive(connection, method, this.#aggregateUrl, this.#sessionId).then(
      (known) => {
        this.#offersGetParameter &&= known;
      },
      (error: CameraError) => this.fail(error),
    );
  }

  #sendReport(): void {
    const report = this.#receiver?.buildReport(this.#ssrc, cname, performance.now());
    if (!report) return;
    if (this.#udp) this.#udp.sendRtcp(report);
    else this.#connection?.sendFrame(this.#channels[1], report);
  }

  #takeFrame(frame: InterleavedFrame, now: number): void {
    if (this.#udp) return;
    if (frame.channel === this.#channels[0]) this.#takeRtp(frame.data, now);
    else if (frame.channel === this.#channels[1]) this.#takeRtcp(frame.data, now);
  }

  #takeRtp(data: Uint8Array, now: number): void {
    const receiver = this.#receiver;
    if (!receiver || this.#over) return;
    const first = receiver.packets === 0;
    receiver.push(data, now);
    if (first && receiver.packets > 0) this.#firstPacket.resolve();
  }

  #takeRtcp(data: Uint8Array, now: number): void {
    if (this.#over) return;
    for (const packet of parseRtcp(data)) {
      if (packet.kind === 'sr') this.#receiver?.senderReport(packet, now);
      else if (packet.kind === 'bye' && this.#isOurs(packet.ssrcs))
        this.fail(new CameraError('session_lost'));
    }
  }

  /** A source that the camera has replaced may still say goodbye. */
  #isOurs(ssrcs: readonly number[]): boolean {
    const ssrc = this.#receiver?.ssrc ?? null;
    return ssrc === null || ssrcs.length === 0 || ssrcs.includes(ssrc);
  }

  #answer(request: RtspRequest): void {
    if (this.#connection && !answerCamera(this.#connection, request))
      this.fail(new CameraError('session_lost'));
  }

  /** Whether an RTP packet has come, waiting for it at most so long. @throws CameraError when the session ends. */
  async hasPacketsWithin(ms: number): Promise<boolean> {
    await unlessAborted(settledWithin(this.#firstPacket.promise, ms), this.#stop.signal);
    return (this.#receiver?.packets ?? 0) > 0;
  }

  /** Ends the session for this reason; the camera is told if it can be. */
  fail(error: CameraError): void {
    if (this.#over) return;
    this.#halt(error);
    // Told only when the camera has been told: whoever reconnects then finds the old session gone.
    this.#tearDown().then(() => this.#ended.resolve(error));
  }

  /** TEARDOWN, for at most 500 ms, then everything is released. */
  async close(): Promise<void> {
    if (!this.#over) {
      this.#halt(new CameraError('connection_lost', 'closed by us'));
      await this.#tearDown();
      this.#ended.resolve(null);
    }
    await this.#ended.promise;
  }

  #halt(reason: CameraError): void {
    this.#over = true;
    this.#stop.abort(reason);
    this.#upkeep.stop();
  }

  async #tearDown(): Promise<void> {
    const connection = this.#connection;
    if (connection && this.#sessionId !== undefined) {
      const answer = connection.request('TEARDOWN', this.#aggregateUrl, { Session: this.#sessionId });
      await settledWithin(answer, teardownPatience);
    }
    connection?.destroy();
    this.#udp?.close();
  }
}
