// One RTSP session at one server, from connecting to TEARDOWN: its state, its transport, its end.
// What is asked before is negotiation.ts's, redirects and a silent UDP are client.ts's work; nothing reconnects here.

import { randomBytes } from 'node:crypto';
import { CameraError } from '../errors.ts';
import type { AccessUnit, VideoParameters } from '../media/access-unit.ts';
import { type CameraUrl, requestUrl } from '../media/camera-url.ts';
import { type AudioEvents, AudioReception } from './audio-reception.ts';
import { RtspConnection } from './connection.ts';
import { createVideoDepacketizer } from './depacketize/video.ts';
import { dial, type ResolveAddress } from './dial.ts';
import { RedirectAnswer } from './failure.ts';
import type { InterleavedFrame, RtspRequest, RtspResponse } from './message.ts';
import {
  type DescribedVideo,
  describeVideo,
  readSession,
  refusesTransport,
  succeeded,
} from './negotiation.ts';
import { parseRtcp } from './rtcp.ts';
import { RtpReceiver } from './rtp-receiver.ts';
import { Track } from './track.ts';
import { answerCamera, keepAlive, Upkeep } from './upkeep.ts';
import { answeredWithin, settledWithin, unlessAborted } from './waiting.ts';

export interface RtspClientEvents extends AudioEvents {
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
  /** Sound is set up as well, if the camera has any. */
  readonly audio: boolean;
  readonly events: RtspClientEvents;
}

const teardownPatience = 500;
const reportInterval = 5000;
const defaultSessionTimeout = 60_000;
/** A PLAY of sound and video that is not answered for so long, ms, is tried again for the video alone. */
const playWithAudioPatience = 4000;

export class RtspSession {
  readonly #options: SessionOptions;
  readonly #ended = Promise.withResolvers<CameraError | null>();
  readonly #firstPacket = Promise.withResolvers<void>();
  /** Aborted when the session ends, with the reason. */
  readonly #stop = new AbortController();
  readonly #upkeep = new Upkeep();
  readonly #ssrc = randomBytes(4).readUInt32BE();
  #connection: RtspConnection | null = null;
  #video: Track | null = null;
  #audio: AudioReception | null = null;
  #sessionId: string | undefined;
  #sessionTimeout = defaultSessionTimeout;
  #aggregateUrl = '';
  #offersGetParameter = false;
  #over = false;
  transport: 'tcp' | 'udp' = 'tcp';
  /** Sound was asked for and nothing plays yet: when this fails, the video alone may do better. */
  audioAtFault = false;
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
    return this.#video?.receiver ?? null;
  }

  /** Null unless sound was set up. */
  get audio(): AudioReception | null {
    return this.#audio;
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
    const described = await describeVideo(connection, requestUrl(this.#options.url));
    this.#offersGetParameter = described.offersGetParameter;
    this.#aggregateUrl = described.aggregateUrl;
    const track = this.#createTrack(described);
    this.#video = track;
    await this.#setup(connection, track);
    connection.expectChannels(new Set(track.channels));
    if (this.#options.audio) await this.#setupAudio(connection, track, described);
    await this.#play(connection);
  }

  #createTrack({ track, trackUrl }: DescribedVideo): Track {
    const depacketizer = createVideoDepacketizer(track, {
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
    const receiver = new RtpReceiver(track, depacketizer);
    return new Track({
      url: trackUrl,
      receiver,
      channels: [0, 1],
      ssrc: this.#ssrc,
      onRtp: (data, now) => this.#takeRtp(receiver, data, now),
      onRtcp: (data, now) => this.#takeRtcp(receiver, data, now),
    });
  }

  /** The wanted transport, then the other one when the camera will not have it; `tcp` is meant strictly. */
  async #setup(connection: RtspConnection, track: Track): Promise<void> {
    const { transport } = this.#options;
    this.transport = transport === 'udp' ? 'udp' : 'tcp';
    let response = await track.request(connection, this.transport);
    if (transport !== 'tcp' && refusesTransport(response)) {
      this.transport = this.transport === 'udp' ? 'tcp' : 'udp';
      response = await track.request(connection, this.transport);
    }
    this.#takeSession(succeeded(response));
    track.accept(response);
  }

  /** By the transport that the video has. Without success the video plays alone. */
  async #setupAudio(connection: RtspConnection, video: Track, described: DescribedVideo): Promise<void> {
    const { events } = this.#options;
    const { audio: offer, audioUrl: url } = described;
    if (offer.kind !== 'track') return events.onAudio?.(offer);
    this.audioAtFault = true;
    const audio = new AudioReception({ track: offer.track, url, ssrc: this.#ssrc, video, events });
    this.#audio = audio;
    if (await audio.setUp(connection, this.transport, this.#sessionId!)) return;
    this.#audio = null;
    events.onAudio?.({ kind: 'none' });
  }

  #takeSession(response: RtspResponse): void {
    const { id, timeout } = readSession(response);
    this.#sessionId = id;
    if (timeout !== null) this.#sessionTimeout = timeout;
  }

  async #play(connection: RtspConnection): Promise<void> {
    const headers = { Session: this.#sessionId, Range: 'npt=0.000-' };
    const answer = connection.request('PLAY', this.#aggregateUrl, headers);
    succeeded(await (this.#audio ? answeredWithin(answer, playWithAudioPatience) : answer));
    this.audioAtFault = false;
    this.#video?.punch();
    this.#audio?.track.punch();
    this.#sendReports();
    this.#upkeep.repeat(
      () => this.#keepAlive(connection),
      () => this.#sessionTimeout / 2,
    );
    this.#upkeep.repeat(
      () => this.#sendReports(),
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

  #sendReports(): void {
    const now = performance.now();
    this.#video?.sendReport(this.#connection, now);
    this.#audio?.track.sendReport(this.#connection, now);
  }

  #takeFrame({ channel, data }: InterleavedFrame, now: number): void {
    if (!this.#video?.takeFrame(channel, data, now)) this.#audio?.track.takeFrame(channel, data, now);
  }

  #takeRtp(receiver: RtpReceiver, data: Uint8Array, now: number): void {
    if (this.#over) return;
    const first = receiver.packets === 0;
    receiver.push(data, now);
    if (first && receiver.packets > 0) this.#firstPacket.resolve();
  }

  #takeRtcp(receiver: RtpReceiver, data: Uint8Array, now: number): void {
    if (this.#over) return;
    for (const packet of parseRtcp(data)) {
      if (packet.kind === 'sr') receiver.senderReport(packet, now);
      else if (packet.kind === 'bye' && receiver.isEndedBy(packet.ssrcs))
        this.fail(new CameraError('session_lost'));
    }
  }

  #answer(request: RtspRequest): void {
    if (this.#connection && !answerCamera(this.#connection, request))
      this.fail(new CameraError('session_lost'));
  }

  /** Whether an RTP packet has come, waiting for it at most so long. @throws CameraError when the session ends. */
  async hasPacketsWithin(ms: number): Promise<boolean> {
    await unlessAborted(settledWithin(this.#firstPacket.promise, ms), this.#stop.signal);
    return (this.receiver?.packets ?? 0) > 0;
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
    this.#audio?.close();
  }

  async #tearDown(): Promise<void> {
    const connection = this.#connection;
    if (connection && this.#sessionId !== undefined) {
      const answer = connection.request('TEARDOWN', this.#aggregateUrl, { Session: this.#sessionId });
      await settledWithin(answer, teardownPatience);
    }
    connection?.destroy();
    this.#video?.close();
    this.#audio?.close();
  }
}
