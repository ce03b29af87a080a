import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CameraError, type CameraErrorCode } from '../errors.ts';
import type { AccessUnit, VideoParameters } from '../media/access-unit.ts';
import { parseCameraUrl } from '../media/camera-url.ts';
import { RtspClient, type RtspClientOptions } from './client.ts';
import { parseAuthorization, verifyAuthorization } from './digest.ts';
import {
  RtspParser,
  type RtspRequest,
  serializeRequest,
  serializeResponse,
  writeInterleavedHeader,
} from './message.ts';
import { buildBye, buildSenderReport, msToNtp } from './rtcp.ts';
import { buildRtp } from './rtp.ts';

const sps = Buffer.from('Z0LAFtkAoD2wFqDAwNSgAAADACAAAAMD0eLFyQ==', 'base64');
const pps = Buffer.from('aMuMsg==', 'base64');
const sdp = [
  'v=0',
  'm=audio 0 RTP/AVP 0',
  'a=control:track2',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  `a=fmtp:96 sprop-parameter-sets=${sps.toString('base64')},${pps.toString('base64')}`,
  'a=control:track1',
].join('\n');

type Answer = { status: number; headers?: Record<string, string>; body?: string } | 'silence' | 'close';
type Script = (request: RtspRequest, camera: ScriptedCamera) => Answer | null;

/** Answers each request as its script says; what the script leaves open is answered as a good camera would. */
class ScriptedCamera {
  readonly requests: string[] = [];
  readonly seen: RtspRequest[] = [];
  socket: Socket | null = null;
  connections = 0;
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
    opened.push(camera);
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
      socket.write(serializeResponse({ ...answer, headers }));
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

const opened: ScriptedCamera[] = [];
const clients: RtspClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(opened.splice(0).map((camera) => camera.stop()));
});

class Watcher {
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

async function connect(url: string, more: Partial<RtspClientOptions> = {}): Promise<RtspClient> {
  const client = await RtspClient.connect({ url: parseCameraUrl(url), events: new Watcher(), ...more });
  clients.push(client);
  return client;
}

async function codeOf(url: string, more: Partial<RtspClientOptions> = {}): Promise<CameraErrorCode> {
  const failure: unknown = await connect(url, more).then(
    () => 'connected',
    (error: unknown) => error,
  );
  if (!(failure instanceof CameraError)) throw new Error(`no CameraError but ${failure}`);
  expect(failure.message).not.toContain('topsecret');
  return failure.code;
}

function on(method: string, answer: Answer): Script {
  return (request) => (request.method === method ? answer : null);
}

describe('a camera that plays', () => {
  it('is set up by the book and gives its access units', async () => {
    const camera = await ScriptedCamera.start();
    const watcher = new Watcher();
    const client = await connect(camera.url(), { events: watcher });
    expect(camera.requests).toEqual(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY']);
    expect(camera.seen[2]!.uri).toBe(`${camera.url()}/track1`);
    expect(camera.seen[3]!.headers.get('Session')).toBe('abc');
    const ntp = msToNtp(1_700_000_000_000);
    camera.sendFrame(1, 9000);
    camera.send(
      5,
      buildSenderReport({
        ssrc: 7,
        ntpSeconds: ntp.seconds,
        ntpFraction: ntp.fraction,
        rtpTimestamp: 9000,
        packetCount: 1,
        octetCount: 1,
        reports: [],
      }),
    );
    camera.sendFrame(2, 12_000, 0x41);
    await watcher.have(2);
    expect(watcher.videos).toMatchObject([{ width: 640, height: 480, codecString: 'avc1.42C016', fps: 15 }]);
    const start = Buffer.of(0, 0, 0, 1);
    expect(Buffer.from(watcher.units[0]!.data)).toEqual(
      Buffer.concat([start, sps, start, pps, start, Buffer.of(0x65, 0x88, 1)]),
    );
    expect(watcher.units.map((u) => [u.keyframe, u.timestamp])).toEqual([
      [true, 0],
      [false, 33_333],
    ]);
    expect(client.stats).toMatchObject({ transport: 'tcp', packets: 2, units: 2, lostPackets: 0 });
    expect(client.stats.wallClockOffset).toBeCloseTo(1_700_000_000_000, -1);
    expect(client.server).toBe('scripted');
    await client.close();
    expect(await client.closed).toBeNull();
    expect(camera.requests.at(-1)).toBe('TEARDOWN');
  });

  it('is kept alive at half of its session time, and may leave that unanswered', async () => {
    const camera = await ScriptedCamera.start(on('GET_PARAMETER', 'silence'));
    const client = await connect(camera.url());
    await expect
      .poll(() => camera.requests.filter((m) => m === 'GET_PARAMETER').length, { timeout: 10_000 })
      .toBeGreaterThan(1);
    expect(await Promise.race([client.closed, Promise.resolve('open')])).toBe('open');
  });

  it('may ask its client for something', async () => {
    const camera = await ScriptedCamera.start();
    const client = await connect(camera.url());
    const answered = once(camera.socket!, 'data');
    camera.socket!.write(serializeRequest({ method: 'ANNOUNCE', uri: '*', headers: { CSeq: '9' } }));
    expect(String((await answered)[0])).toMatch(/501 Not Implemented\r\nCSeq: 9/);
    camera.socket!.write(serializeRequest({ method: 'REDIRECT', uri: '*', headers: { CSeq: '10' } }));
    expect((await client.closed)?.code).toBe('session_lost');
  });

  it.each([
    ['says goodbye', (camera: ScriptedCamera) => camera.send(5, buildBye(7)), 'session_lost'],
    ['closes the connection', (camera: ScriptedCamera) => camera.socket!.end(), 'connection_lost'],
    [
      'resets the connection',
      (camera: ScriptedCamera) => camera.socket!.resetAndDestroy(),
      'connection_lost',
    ],
    [
      'sends nothing but garbage',
      (camera: ScriptedCamera) => camera.socket!.write(Buffer.alloc(1_200_000)),
      'protocol',
    ],
  ] as const)('and then %s, is told apart', async (_what, act, code) => {
    const camera = await ScriptedCamera.start();
    const client = await connect(camera.url());
    act(camera);
    expect((await client.closed)?.code).toBe(code);
  });

  it('and forgets the session, is told apart', async () => {
    const camera = await ScriptedCamera.start(on('GET_PARAMETER', { status: 454 }));
    const client = await connect(camera.url());
    expect((await client.closed)?.code).toBe('session_lost');
  });
});

describe('a refusal', () => {
  it.each<[string, Script, CameraErrorCode]>([
    ['no such path', on('DESCRIBE', { status: 404 }), 'no_such_path'],
    ['forbidden', on('DESCRIBE', { status: 403 }), 'wrong_password'],
    ['no bandwidth', on('SETUP', { status: 453 }), 'server_full'],
    ['service unavailable', on('DESCRIBE', { status: 503 }), 'server_full'],
    ['unknown session', on('PLAY', { status: 454 }), 'session_lost'],
    ['internal error', on('DESCRIBE', { status: 500 }), 'server_error'],
    ['unsupported media', on('DESCRIBE', { status: 415 }), 'codec_unsupported'],
    ['no media at all', on('DESCRIBE', { status: 200, body: '' }), 'no_video'],
    ['audio only', on('DESCRIBE', { status: 200, body: 'm=audio 0 RTP/AVP 0\n' }), 'no_video'],
    ['connection closed', on('DESCRIBE', 'close'), 'connection_lost'],
    ['too large a description', on('DESCRIBE', { status: 200, body: 'x'.repeat(1024 * 1024) }), 'protocol'],
    [
      'redirect elsewhere',
      on('DESCRIBE', { status: 302, headers: { Location: 'http://127.0.0.1/' } }),
      'redirect_refused',
    ],
    ['redirect nowhere', on('DESCRIBE', { status: 301 }), 'redirect_refused'],
    [
      'password asked for',
      on('DESCRIBE', { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="a"' } }),
      'wrong_password',
    ],
  ])('%s has a code of its own', async (_what, script, code) => {
    const camera = await ScriptedCamera.start(script);
    expect(await codeOf(camera.url())).toBe(code);
    if (camera.requests.includes('PLAY')) expect(camera.requests.at(-1)).toBe('TEARDOWN');
  });

  it('for its codec names the codec', async () => {
    const body = 'm=video 0 RTP/AVP 98\na=rtpmap:98 VP8/90000\n';
    const camera = await ScriptedCamera.start(on('DESCRIBE', { status: 200, body }));
    await expect(connect(camera.url())).rejects.toThrow(/VP8/);
  });

  it.each([
    ['an HTTP server', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['an SSH server', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['noise', '\x00\x01\x02'],
  ])('of %s is not RTSP', async (_what, banner) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write(banner);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await codeOf(`rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/`)).toBe('not_rtsp');
    server.close();
  });

  it('of the port, the name or the address policy is told apart', async () => {
    const camera = await ScriptedCamera.start();
    const url = camera.url();
    const denied = async () => {
      throw new CameraError('address_denied');
    };
    expect(await codeOf(url, { resolve: denied })).toBe('address_denied');
    expect(await codeOf(url, { resolve: async () => [] })).toBe('unknown_host');
    expect(camera.connections).toBe(0);
    await camera.stop();
    opened.splice(0);
    expect(await codeOf(url)).toBe('refused');
  });

  it('comes at the deadline when the camera is silent, or sends one byte at a time', async () => {
    const silent = await ScriptedCamera.start(on('DESCRIBE', 'silence'));
    expect(await codeOf(silent.url(), { timeouts: { total: 300 } })).toBe('timeout');
    const slow = await ScriptedCamera.start((_request, camera) => {
      const timer = setInterval(() => camera.socket!.write('R'), 50);
      camera.socket!.on('close', () => clearInterval(timer));
      return 'silence';
    });
    expect(['timeout', 'not_rtsp']).toContain(await codeOf(slow.url(), { timeouts: { total: 400 } }));
    expect(await codeOf(silent.url(), { timeouts: { response: 200 } })).toBe('timeout');
  });

  it('is not waited for after an abort, and the session is torn down', async () => {
    const camera = await ScriptedCamera.start((request) => {
      if (request.method === 'PLAY') queueMicrotask(() => abort.abort());
      return request.method === 'PLAY' ? 'silence' : null;
    });
    const abort = new AbortController();
    await expect(connect(camera.url(), { signal: abort.signal })).rejects.toThrow('aborted');
    expect(camera.requests.at(-1)).toBe('TEARDOWN');
  });
});

/** Wants a digest of this nonce; a changing one makes the client's stale. */
function guarded(nonce: () => string, stale: () => boolean, password = 'topsecret'): Script {
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

describe('signing in', () => {
  it('takes one refusal and one answer', async () => {
    const camera = await ScriptedCamera.start(
      guarded(
        () => 'a',
        () => false,
      ),
    );
    await connect(camera.url('user:topsecret@'));
    expect(camera.requests).toEqual(['OPTIONS', 'OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY']);
    expect(camera.seen.every((request) => !request.uri.includes('topsecret'))).toBe(true);
  });

  it('with a wrong password is tried once', async () => {
    const camera = await ScriptedCamera.start(
      guarded(
        () => 'a',
        () => false,
      ),
    );
    expect(await codeOf(camera.url('user:topsecret2@'))).toBe('wrong_password');
    expect(camera.requests).toEqual(['OPTIONS', 'OPTIONS']);
  });

  it.each([true, false])('goes on when the nonce changes (stale=%s)', async (stale) => {
    let nonce = 1;
    const check = guarded(
      () => String(nonce),
      () => stale,
    );
    const camera = await ScriptedCamera.start((request, self) => {
      if (request.method === 'SETUP' && nonce === 1) nonce = 2;
      return check(request, self);
    });
    const client = await connect(camera.url('user:topsecret@'));
    expect(camera.requests).toEqual(['OPTIONS', 'OPTIONS', 'DESCRIBE', 'SETUP', 'SETUP', 'PLAY']);
    await client.close();
  });

  it('that was accepted and is refused later is a lost session, not a wrong password', async () => {
    let password = 'topsecret';
    const camera = await ScriptedCamera.start((request, self) => {
      if (request.method === 'PLAY') password = 'changed';
      return guarded(
        () => 'a',
        () => false,
        password,
      )(request, self);
    });
    expect(await codeOf(camera.url('user:topsecret@'))).toBe('session_lost');
  });
});

describe('a redirect', () => {
  it('is followed without the password to another port, and resolved anew', async () => {
    const target = await ScriptedCamera.start();
    const camera = await ScriptedCamera.start(
      on('DESCRIBE', { status: 302, headers: { Location: target.url('spy:spy@') } }),
    );
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return [host];
    };
    await connect(camera.url('user:topsecret@'), { resolve });
    expect(asked).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(target.requests).toEqual(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY']);
    expect(target.seen.some((request) => request.headers.has('Authorization'))).toBe(false);
  });

  it('is followed three times at most', async () => {
    const camera: ScriptedCamera = await ScriptedCamera.start((request) =>
      request.method === 'DESCRIBE' ? { status: 307, headers: { Location: camera.url() } } : null,
    );
    expect(await codeOf(camera.url())).toBe('redirect_refused');
    expect(camera.connections).toBe(4);
  });
});

describe('transports', () => {
  it('fall back from a silent UDP to TCP', async () => {
    const camera = await ScriptedCamera.start((request) => {
      const transport = request.headers.get('Transport') ?? '';
      if (request.method !== 'SETUP' || !transport.includes('client_port')) return null;
      return { status: 200, headers: { Session: 'udp', Transport: `${transport};server_port=9-10` } };
    });
    const client = await connect(camera.url(), { transport: 'udp' });
    expect(client.stats.transport).toBe('tcp');
    expect(camera.requests.filter((method) => method === 'TEARDOWN')).toHaveLength(1);
  });

  it.each([461, 400])('change to UDP when the camera refuses TCP with %i', async (status) => {
    const camera = await ScriptedCamera.start((request) => {
      const transport = request.headers.get('Transport') ?? '';
      if (request.method !== 'SETUP') return null;
      return transport.includes('interleaved')
        ? { status }
        : { status: 200, headers: { Session: 'udp', Transport: transport } };
    });
    expect(await codeOf(camera.url())).toBe('no_packets');
    expect(camera.requests.filter((method) => method === 'SETUP')).toHaveLength(2);
    expect(camera.requests.at(-1)).toBe('TEARDOWN');
  });
});
