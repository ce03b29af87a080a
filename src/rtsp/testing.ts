// What the client's tests share: a camera that follows a script, and a reader that waits for units.
// Only for tests; the camera that behaves like a whole one is the simulator.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { CameraError, type CameraErrorCode } from '../errors.ts';
import type { AccessUnit, VideoParameters } from '../media/access-unit.ts';
import { parseCameraUrl } from '../media/camera-url.ts';
import { RtspClient, type RtspClientOptions } from './client.ts';
import { parseAuthorization, verifyAuthorization } from './digest.ts';
import { RtspParser, type RtspRequest, serializeResponse, writeInterleavedHeader } from './message.ts';
import { buildRtp } from './rtp.ts';

export const sps = Buffer.from('Z0LAFtkAoD2wFqDAwNSgAAADACAAAAMD0eLFyQ==', 'base64');
export const pps = Buffer.from('aMuMsg==', 'base64');
export const sdp = [
  'v=0',
  'm=audio 0 RTP/AVP 0',
  'a=control:track2',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  `a=fmtp:96 sprop-parameter-sets=${sps.toString('base64')},${pps.toString('base64')}`,
  'a=control:track1',
].join('\n');

export type Answer =
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      /** A header line that no honest server would write. */
      readonly raw?: string;
      readonly body?: string;
    }
  | 'silence'
  | 'close';
export type Script = (request: RtspRequest, camera: ScriptedCamera) => Answer | null;

/** Answers each request as its script says; what the script leaves open is answered as a good camera would. */
export class ScriptedCamera {
  readonly requests: string[] = [];
  readonly seen: RtspRequest[] = [];
  socket: Socket | null = null;
  connections = 0;
  open = 0;
  readonly #server: Server;
  readonly #script: Script;

  private constructor(server: Server, script: Script) {
    this.#server = server;
    this.#script = script;
  }

  static async start(script: Script = () => null): Promise<ScriptedCamera> {
    const server = createServer((socket) => camera.#accept(socket));
    const camera = new ScriptedCamera(server, script);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened.add(camera);
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(userInfo = ''): string {
    return `rtsp://${userInfo}127.0.0.1:${this.port}/live?x=1`;
  }

  #accept(socket: Socket): void {
    this.socket = socket;
    this.connections++;
    this.open++;
    socket.on('close', () => this.open--);
    const parser = new RtspParser();
    // The client may end a connection while an answer is still being written.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) =>
      parser.push(chunk, (event) => {
        if (event.kind === 'request') this.#answer(event, socket);
      }),
    );
  }

  #answer(request: RtspRequest, socket: Socket): void {
    this.requests.push(request.method);
    this.seen.push(request);
    const answer = this.#script(request, this) ?? usualAnswer(request);
    if (answer === 'close') socket.destroy();
    else if (answer !== 'silence') {
      const headers = { CSeq: request.headers.get('CSeq'), Server: 'scripted', ...answer.headers };
      const text = serializeResponse({ ...answer, headers }).toString('latin1');
      socket.write(answer.raw ? text.replace('\r\n', `\r\n${answer.raw}\r\n`) : text, 'latin1');
    }
  }

  send(channel: number, data: Uint8Array): void {
    const head = new Uint8Array(4);
    writeInterleavedHeader(head, 0, channel, data.length);
    this.socket!.write(Buffer.concat([head, data]));
  }

  sendFrame(sequence: number, timestamp: number, type = 0x65): void {
    const header = { payloadType: 96, marker: true, sequence, timestamp, ssrc: 7 };
    this.send(4, buildRtp(header, Uint8Array.of(type, 0x88, sequence)));
  }

  async stop(): Promise<void> {
    if (!opened.delete(this)) return;
    this.socket?.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function usualAnswer({ method }: RtspRequest): Answer {
  if (method === 'OPTIONS') return { status: 200, headers: { Public: 'DESCRIBE, GET_PARAMETER' } };
  if (method === 'DESCRIBE') return { status: 200, body: sdp };
  if (method === 'SETUP')
    return {
      status: 200,
      headers: { Session: 'abc;timeout=2', Transport: 'RTP/AVP/TCP;unicast;interleaved=4-5' },
    };
  return { status: 200 };
}

const opened = new Set<ScriptedCamera>();
const clients: RtspClient[] = [];

/** Closes what `connect` and `ScriptedCamera.start` opened; for `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all([...opened].map((camera) => camera.stop()));
}

export class Watcher {
  readonly videos: VideoParameters[] = [];
  readonly units: AccessUnit[] = [];
  readonly #waiting: (() => void)[] = [];

  onVideo(video: VideoParameters): void {
    this.videos.push(video);
  }

  onAccessUnit(unit: AccessUnit): void {
    this.units.push(unit);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async have(count: number): Promise<void> {
    while (this.units.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

export async function connect(url: string, more: Partial<RtspClientOptions> = {}): Promise<RtspClient> {
  const client = await RtspClient.connect({ url: parseCameraUrl(url), events: new Watcher(), ...more });
  clients.push(client);
  return client;
}

export async function codeOf(url: string, more: Partial<RtspClientOptions> = {}): Promise<CameraErrorCode> {
  const failure: unknown = await connect(url, more).then(
    () => 'connected',
    (error: unknown) => error,
  );
  if (!(failure instanceof CameraError)) throw new Error(`no CameraError but ${failure}`);
  if (failure.message.includes('topsecret')) throw new Error('an error tells the password');
  return failure.code;
}

export function on(method: string, answer: Answer): Script {
  return (request) => (request.method === method ? answer : null);
}

/** Wants a digest of this nonce; a changing one makes the client's stale. */
export function guarded(nonce: () => string, stale: () => boolean, password = 'topsecret'): Script {
  return (request) => {
    const authorization = parseAuthorization(request.headers.get('Authorization') ?? '');
    const right =
      authorization?.scheme === 'digest' &&
      authorization.nonce === nonce() &&
      verifyAuthorization(authorization, request.method, { username: 'user', password });
    if (right) return null;
    const challenge = `Digest realm="cam", nonce="${nonce()}"${stale() ? ', stale=true' : ''}`;
    return { status: 401, headers: { 'WWW-Authenticate': challenge } };
  };
}
