// One RTSP connection to the simulator: requests answered, sessions kept, in the order of RFC 2326 §10.
// What a camera does with its sessions is camera.ts's; listening is server.ts's.

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { RtspParser, type RtspRequest, RtspSyntaxError, serializeResponse } from '../src/rtsp/message.ts';
import { formatTransport, parseTransport, type TransportSpec } from '../src/rtsp/transport-header.ts';
import type { CameraSession, SimulatedCamera } from './camera.ts';
import { audioControl, describeClip, videoControl } from './sdp.ts';
import { InterleavedSink, type Sink, type UdpPair, UdpSink } from './sink.ts';

/** What a connection asks of its server. */
export interface ConnectionHost {
  findCamera(path: string): SimulatedCamera | undefined;
  udpPair(): Promise<UdpPair>;
}

interface OwnSession extends CameraSession {
  readonly camera: SimulatedCamera;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const guarded = new Set(['DESCRIBE', 'SETUP', 'PLAY']);

export class Connection {
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #parser = new RtspParser();
  readonly #sessions = new Map<string, OwnSession>();
  readonly #touched = new Set<SimulatedCamera>();
  /** Requests are answered one after another, also when an answer takes its time. */
  #turn: Promise<void> = Promise.resolve();
  #trickle: NodeJS.Timeout | null = null;

  constructor(host: ConnectionHost, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
    // A client that resets is an ordinary client; its sessions end in `close`.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed());
  }

  disconnect(how: 'reset' | 'fin'): void {
    this.#stopTrickle();
    if (how === 'fin') this.#socket.destroySoon();
    else if (this.#socket instanceof TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Whether anything was asked here of this camera. */
  serves(camera: SimulatedCamera): boolean {
    return this.#touched.has(camera);
  }

  #read(chunk: Buffer): void {
    try {
      this.#parser.push(chunk, (event) => {
        if (event.kind === 'request') this.#turn = this.#turn.then(() => this.#serve(event));
      });
    } catch (error) {
      if (!(error instanceof RtspSyntaxError)) throw error;
      this.#socket.destroy();
    }
  }

  #closed(): void {
    this.#stopTrickle();
    for (const session of [...this.#sessions.values()]) session.forget();
  }

  async #serve(request: RtspRequest): Promise<void> {
    const session = this.#sessions.get(request.headers.get('Session')?.split(';')[0]?.trim() ?? '');
    const camera = session?.camera ?? this.#host.findCamera(pathOf(request.uri));
    if (camera) {
      this.#touched.add(camera);
      if (camera.dead) return this.disconnect('reset');
      if (!camera.behaviour.answers) return;
    }
    if (session) session.lastRequestAt = performance.now();
    const answer = await this.#answer(request, camera, session);
    if (this.#socket.destroyed) return;
    if (session && !camera?.behaviour.answersKeepalives && isKeepalive(request.method)) return;
    const bytes = serializeResponse({
      status: answer.status,
      headers: { CSeq: request.headers.get('CSeq') ?? '0', Server: 'simulator', ...answer.headers },
      ...(answer.body === undefined ? {} : { body: answer.body }),
    });
    const pace = request.method === 'DESCRIBE' ? camera?.behaviour.sdpBytesPerSecond : null;
    if (pace) await this.#sendSlowly(bytes, pace);
    else this.#socket.write(bytes);
    // Only after the answer: media before it would surprise the client.
    if (request.method === 'PLAY' && answer.status === 200 && session) session.camera.play(session);
  }

  async #answer(
    request: RtspRequest,
    camera: SimulatedCamera | undefined,
    session: OwnSession | undefined,
  ): Promise<Answer> {
    const { method } = request;
    if (method === 'OPTIONS') return this.#options(camera);
    if (!camera) return { status: 404 };
    const denied = this.#denied(request, camera);
    if (denied) return denied;
    if (guarded.has(method) && camera.behaviour.refuse !== null) return { status: camera.behaviour.refuse };
    if (method === 'DESCRIBE') return this.#describe(request, camera);
    if (method === 'SETUP') return this.#setup(request, camera, session);
    if (!['PLAY', 'PAUSE', 'TEARDOWN', 'GET_PARAMETER', 'SET_PARAMETER'].includes(method))
      return { status: 501 };
    if (method.endsWith('_PARAMETER') && !camera.behaviour.offersGetParameter) return { status: 405 };
    if (!session) return { status: 454 };
    return this.#control(request, session);
  }

  #options(camera: SimulatedCamera | undefined): Answer {
    if (camera && this.#sessions.size > 0) camera.counters.keepalives++;
    const methods = ['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY', 'PAUSE', 'TEARDOWN'];
    if (camera?.behaviour.offersGetParameter !== false) methods.push('GET_PARAMETER', 'SET_PARAMETER');
    return { status: 200, headers: { Public: methods.join(', ') } };
  }

  #denied(request: RtspRequest, camera: SimulatedCamera): Answer | null {
    const verdict = camera.access.check(request);
    if (verdict === 'granted') return null;
    if (verdict === 'wrong') camera.counters.wrongPasswords++;
    if (verdict === 'stale') camera.counters.staleNonces++;
    const stale = verdict === 'stale' && camera.behaviour.saysStale;
    return { status: 401, headers: { 'WWW-Authenticate': camera.access.challenge(stale) } };
  }

  #describe(request: RtspRequest, camera: SimulatedCamera): Answer {
    camera.counters.describes++;
    const { redirectTo } = camera.behaviour;
    if (redirectTo !== null) return { status: 302, headers: { Location: redirectTo } };
    return {
      status: 200,
      headers: { 'Content-Type': 'application/sdp', 'Content-Base': `${request.uri.replace(/\/$/, '')}/` },
      body: describeClip(camera.loop.clip, camera.audioLoop?.clip ?? null, camera.behaviour),
    };
  }

  async #setup(
    request: RtspRequest,
    camera: SimulatedCamera,
    session: OwnSession | undefined,
  ): Promise<Answer> {
    const { transports, sessionTimeoutSeconds } = camera.behaviour;
    const wanted = parseTransport(request.headers.get('Transport') ?? '').find(
      (spec) =>
        !spec.multicast &&
        (transports === 'any' || spec.lower === transports) &&
        (spec.lower === 'tcp' || spec.clientPort !== null),
    );
    if (!wanted) return { status: 461 };
    const isAudio = request.uri.endsWith(audioControl);
    const { sink, spec } = await this.#openSink(wanted, camera, isAudio);
    let id = session?.id;
    if (isAudio && session) session.audioSink = camera.audioLoop && sink;
    else {
      // Of the audio track alone: nothing is sent in such a session; the video's takes its place.
      session?.forget();
      id = this.#openSession(camera, isAudio ? silence : sink, id);
    }
    return {
      status: 200,
      headers: { Transport: formatTransport(spec), Session: `${id};timeout=${sessionTimeoutSeconds}` },
    };
  }

  async #openSink(
    wanted: TransportSpec,
    camera: SimulatedCamera,
    isAudio: boolean,
  ): Promise<{ sink: Sink; spec: TransportSpec }> {
    const ssrc = isAudio ? (camera.audioLoop?.ssrc ?? null) : camera.loop.ssrc;
    if (wanted.lower === 'tcp') {
      const [rtp, rtcp] = wanted.interleaved ?? [isAudio ? 2 : 0, isAudio ? 3 : 1];
      const sink = new InterleavedSink(this.#socket, rtp, rtcp);
      return { sink, spec: { ...wanted, interleaved: [rtp, rtcp], ssrc } };
    }
    const pair = await this.#host.udpPair();
    const [rtpPort, rtcpPort] = wanted.clientPort!;
    const address = this.#socket.remoteAddress?.replace(/^::ffff:/, '') ?? '127.0.0.1';
    const sink = new UdpSink(pair, address, rtpPort, rtcpPort);
    return {
      sink: camera.behaviour.udpBlocked ? silence : sink,
      spec: { ...wanted, serverPort: pair.ports, ssrc },
    };
  }

  #openSession(camera: SimulatedCamera, sink: Sink, id = randomBytes(8).toString('hex')): string {
    const session: OwnSession = {
      id,
      camera,
      sink,
      audioSink: null,
      playing: false,
      greeted: false,
      lastRequestAt: performance.now(),
      disconnect: (how) => {
        session.forget();
        this.disconnect(how);
      },
      forget: () => {
        this.#sessions.delete(id);
        camera.removeSession(session);
      },
    };
    this.#sessions.set(id, session);
    camera.addSession(session);
    return id;
  }

  #control(request: RtspRequest, session: OwnSession): Answer {
    const { camera } = session;
    const headers: Record<string, string> = { Session: session.id };
    if (request.method === 'PLAY') {
      const { sequence, timestamp } = camera.loop.nextPacket;
      const base = request.uri.replace(/\/$/, '');
      headers.Range = 'npt=now-';
      headers['RTP-Info'] = `url=${base}/${videoControl};seq=${sequence};rtptime=${timestamp}`;
    } else if (request.method === 'PAUSE') session.playing = false;
    else if (request.method === 'TEARDOWN') {
      session.forget();
      camera.counters.teardowns++;
    } else camera.counters.keepalives++;
    return { status: 200, headers };
  }

  #sendSlowly(bytes: Buffer, bytesPerSecond: number): Promise<void> {
    let at = 0;
    return new Promise((resolve) => {
      const step = () => {
        if (at >= bytes.length || this.#socket.destroyed) {
          this.#stopTrickle();
          resolve();
        } else this.#socket.write(bytes.subarray(at, ++at));
      };
      this.#trickle = setInterval(step, 1000 / bytesPerSecond);
    });
  }

  #stopTrickle(): void {
    if (this.#trickle) clearInterval(this.#trickle);
    this.#trickle = null;
  }
}

function isKeepalive(method: string): boolean {
  return method === 'OPTIONS' || method.endsWith('_PARAMETER');
}

/** What is sent to an audio track without video; and what a firewall lets through. */
const silence: Sink = { sendUnit: () => true, sendRtcp: () => {}, sendGarbage: () => {} };

/** The camera's path in a request's address: without host, query kept, track and closing slash removed. */
function pathOf(uri: string): string {
  const path = /^rtsps?:\/\/[^/]*(\/.*)?$/i.exec(uri)?.[1] ?? (uri.startsWith('/') ? uri : '/');
  return path.replace(/\/?trackID=\d+$/, '').replace(/(.)\/$/, '$1');
}
