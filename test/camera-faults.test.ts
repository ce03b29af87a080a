import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { CameraOptions, SimulatedCamera } from '../simulator/camera.ts';
import { clipFromUnits } from '../simulator/clip.ts';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { CameraError } from '../src/errors.ts';
import { AddressPolicy } from '../src/ingest/address-policy.ts';
import { parseCameraUrl } from '../src/media/camera-url.ts';
import { RtspClient } from '../src/rtsp/client.ts';
import { WatchedCamera } from './support/watched-camera.ts';

const clip = await sceneClip({ gopSeconds: 1 });
const smallClip = await sceneClip({ gopSeconds: 1, width: 320, height: 240 });

class Scene implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly camera: SimulatedCamera;
  readonly watched: WatchedCamera;

  constructor(simulator: Simulator, watched: WatchedCamera) {
    this.simulator = simulator;
    this.camera = simulator.camera('/cam');
    this.watched = watched;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watched.stop();
    // Nothing of any fault may be left behind.
    await this.watched.until('torn down', () => this.camera.stats.sessions === 0, 5_000);
    await this.simulator.close();
  }
}

/** One camera on a port of its own, and who watches it. */
async function play(
  behaviour: CameraOptions['behaviour'] = {},
  more: Partial<CameraOptions> = {},
  options: ConstructorParameters<typeof WatchedCamera>[1] = {},
): Promise<Scene> {
  const simulator = await startSimulator({ cameras: [{ path: '/cam', clip, behaviour, ...more }] });
  return new Scene(simulator, new WatchedCamera(simulator.url('/cam'), options));
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}

function expectRisingTime({ units }: WatchedCamera): void {
  const back = units.findIndex((unit, i) => i > 0 && unit.timestamp <= units[i - 1]!.timestamp);
  expect(back).toBe(-1);
}

describe.concurrent('connection reset, FIN, TEARDOWN, reboot', () => {
  it.each<[string, (camera: SimulatedCamera) => unknown]>([
    ['reset', (camera) => camera.dropSessions('reset')],
    ['FIN', (camera) => camera.dropSessions('fin')],
    ['goodbye', (camera) => camera.bye()],
    [
      'reboot',
      async (camera) => {
        await camera.die();
        await seconds(0.5);
        await camera.comeBack();
      },
    ],
  ])('%s: told, and back with time running on', async (_what, act) => {
    await using scene = await play();
    const { camera, watched } = scene;
    for (let round = 1; round <= 3; round++) {
      await watched.plays();
      await act(camera);
      await watched.until('told', () => watched.statuses.filter((s) => s === 'reconnecting').length >= round);
    }
    await watched.plays();
    expect(watched.statuses).not.toContain('error');
    expect(camera.stats.sessionsMax).toBe(1);
    expectRisingTime(watched);
  });

  it('100 reconnects, at any moment of an attempt, leave at most one session on the camera', async () => {
    await using scene = await play();
    const { camera, simulator, watched } = scene;
    await watched.plays();
    for (let i = 0; i < 100; i++) {
      watched.source.setAddress(parseCameraUrl(`${simulator.url('/cam')}`));
      if (i % 4 !== 0) await seconds((i % 7) * 0.004);
      if (i % 25 === 0) await watched.plays(1);
    }
    await watched.plays();
    expect(camera.stats.sessionsMax).toBe(1);
    expect(camera.stats.sessionsTotal).toBeGreaterThan(20);
    expect(simulator.connections).toBe(1);
  });
});

describe.concurrent('half-open: packets stop, no FIN', () => {
  it('is noticed and told, and the camera is back when it speaks again', async () => {
    await using scene = await play();
    const { camera, watched } = scene;
    await watched.plays();
    camera.goSilent();
    const lastAt = watched.units.at(-1)!.receivedAt;
    await watched.untilStatus('reconnecting', 10_000);
    expect(performance.now() - lastAt).toBeGreaterThan(2_000);
    expect(watched.messages.at(-1)).toMatch(/stopped sending/);
    camera.resume();
    await watched.plays();
    await watched.until('one session', () => camera.stats.sessions === 1);
  });
});

describe.concurrent('refused port, unknown host', () => {
  it('a refused port is tried at most once a second while watched', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    await using watched = new WatchedCamera(`rtsp://127.0.0.1:${port}/`);
    await watched.untilStatus('reconnecting');
    const started = performance.now();
    await watched.until('tried again', () => watched.source.figures.connects >= 3);
    expect(performance.now() - started).toBeGreaterThan(1_900);
    expect(watched.messages.at(-1)).toMatch(/Nothing listens/);
  });

  it('an unknown host is resolved anew at each try', async () => {
    const asked: number[] = [];
    const resolve = async () => {
      asked.push(performance.now());
      throw new CameraError('unknown_host');
    };
    await using watched = new WatchedCamera('rtsp://camera.invalid/', { resolve });
    await watched.until('asked again', () => asked.length >= 3);
    expect(asked[2]! - asked[0]!).toBeGreaterThan(1_900);
    expect(watched.status).toBe('reconnecting');
    expect(watched.messages.at(-1)).toMatch(/host name cannot be found/);
  });
});

describe.concurrent('signing in', () => {
  const secret = { username: 'admin', password: 'top:s@cret/' };

  it('wrong password: one attempt, then error; an edit retries at once', async () => {
    const simulator = await startSimulator({ cameras: [{ path: '/cam', clip, ...secret }] });
    const wrong = simulator.url('/cam', { bare: true }).replace('rtsp://', 'rtsp://admin:wrong@');
    await using scene = new Scene(simulator, new WatchedCamera(wrong));
    const { camera, watched } = scene;
    await watched.untilStatus('error');
    expect(watched.messages.at(-1)).toMatch(/wrong user name or password/);
    await seconds(1.5);
    expect(camera.stats.wrongPasswords).toBe(1);
    watched.source.setAddress(parseCameraUrl(simulator.url('/cam')));
    await watched.plays();
    expect(camera.stats.wrongPasswords).toBe(1);
  });

  it.each([true, false])('stale digest nonce, stale=%s: no gap', async (saysStale) => {
    await using scene = await play({ saysStale, sessionTimeoutSeconds: 2 }, secret);
    const { camera, watched } = scene;
    await watched.plays();
    for (let round = 1; round <= 2; round++) {
      camera.renewNonce();
      await watched.until('asked with the old nonce', () => camera.stats.staleNonces >= round);
      await watched.plays();
    }
    expect(watched.statuses).not.toContain('reconnecting');
    expect(camera.stats).toMatchObject({ sessionsTotal: 1, wrongPasswords: 0, timeouts: 0 });
  });

  it('401 after success is retried slowly and is not called a wrong password', async () => {
    await using scene = await play({}, secret);
    const { camera, watched } = scene;
    await watched.plays();
    const before = watched.source.figures.connects;
    camera.refuse(401);
    camera.dropSessions('reset');
    await watched.until('refused', () => /refuses the sign-in/.test(watched.messages.at(-1) ?? ''));
    expect(watched.messages.at(-1)).not.toMatch(/wrong/);
    await seconds(1.8);
    expect(watched.source.figures.connects - before).toBe(1);
    expect(watched.status).toBe('reconnecting');
    camera.refuse(null);
    await watched.plays();
  });
});

describe.concurrent('453, 454, 503', () => {
  it.each([
    [453, /no further connection/],
    [454, /ended the session/],
    [503, /no further connection/],
  ])('%i is retried slowly', async (status, message) => {
    await using scene = await play({ refuse: status });
    const { camera, watched } = scene;
    await watched.untilStatus('reconnecting');
    expect(watched.messages.at(-1)).toMatch(message);
    await seconds(1.8);
    expect(watched.source.figures.connects).toBe(1);
    camera.refuse(null);
    await watched.plays();
  });
});

describe.concurrent('redirect', () => {
  async function chain(hops: number) {
    const paths = ['/cam', '/one', '/two', '/three', '/four'].slice(0, hops + 1);
    const simulator = await startSimulator({ cameras: paths.map((path) => ({ path, clip })) });
    for (const [i, path] of paths.slice(1).entries())
      simulator.camera(paths[i]!).behave({ redirectTo: simulator.url(path) });
    return { simulator, last: simulator.camera(paths.at(-1)!) };
  }

  it('is followed over three hops, and not over four', async () => {
    const three = await chain(3);
    await using _three = new Scene(three.simulator, new WatchedCamera(three.simulator.url('/cam')));
    await _three.watched.plays();
    expect(three.last.stats.sessions).toBe(1);
    const four = await chain(4);
    await using _four = new Scene(four.simulator, new WatchedCamera(four.simulator.url('/cam')));
    await _four.watched.untilStatus('error');
    expect(four.last.stats.describes).toBe(0);
  });

  it('in a circle ends in error, once', async () => {
    await using scene = await play();
    const { camera, watched, simulator } = scene;
    await watched.plays();
    const loop = simulator.addCamera({ path: '/loop', clip });
    loop.behave({ redirectTo: simulator.url('/loop') });
    watched.source.setAddress(parseCameraUrl(simulator.url('/loop')));
    await watched.untilStatus('error');
    expect(watched.messages.at(-1)).toMatch(/redirects/);
    expect(loop.stats.describes).toBe(4);
    await seconds(1.5);
    expect(loop.stats.describes).toBe(4);
    expect(camera.stats.sessions).toBe(0);
  });

  it.each(['127.0.0.2', '[::ffff:127.0.0.2]', '2130706434', '0x7f.2'])(
    'to a denied address (%s) connects to nobody',
    async (host) => {
      let connections = 0;
      const canary = createServer((socket) => {
        connections++;
        socket.destroy();
      });
      canary.listen(0, '127.0.0.2');
      await once(canary, 'listening');
      const { port } = canary.address() as AddressInfo;
      const policy = new AddressPolicy({ allowed: [], denied: ['127.0.0.2/32'] });
      await using scene = await play(
        { redirectTo: `rtsp://${host}:${port}/cam` },
        {},
        { resolve: (name) => policy.resolve(name) },
      );
      await scene.watched.untilStatus('error');
      expect(scene.watched.messages.at(-1)).toMatch(/not allowed|not followed/);
      expect(connections).toBe(0);
      canary.close();
    },
  );

  it('to another host takes no credentials along', async () => {
    const secret = { username: 'admin', password: 'same' };
    await using target = await startSimulator({
      cameras: [{ path: '/cam', clip, ...secret }],
      host: '127.0.0.2',
    });
    await using scene = await play({ redirectTo: target.url('/cam') }, secret);
    await scene.watched.untilStatus('error');
    expect(scene.watched.messages.at(-1)).toMatch(/asks for a user name/);
    expect(target.camera('/cam').stats).toMatchObject({ wrongPasswords: 0, describes: 0, sessionsTotal: 0 });
  });
});

describe.concurrent('session timeout', () => {
  it.each([true, false])(
    'keepalive at half of it (GET_PARAMETER offered: %s)',
    async (offersGetParameter) => {
      await using scene = await play({ sessionTimeoutSeconds: 2, offersGetParameter });
      const { camera, watched } = scene;
      await watched.plays();
      await watched.until('alive over three timeouts', () => camera.stats.keepalives >= 6, 30_000);
      await watched.plays();
      expect(camera.stats).toMatchObject({ sessionsTotal: 1, timeouts: 0 });
    },
  );

  it('unanswered keepalive is fine', async () => {
    await using scene = await play({ sessionTimeoutSeconds: 2, answersKeepalives: false });
    const { camera, watched } = scene;
    await watched.plays();
    await seconds(5);
    await watched.plays();
    expect(camera.stats).toMatchObject({ sessionsTotal: 1, timeouts: 0 });
  });
});

describe.concurrent('UDP only, UDP blocked', () => {
  it('UDP only: pictures by falling back from TCP', async () => {
    await using scene = await play({ transports: 'udp' });
    await scene.watched.plays(10);
    expect(scene.watched.source.figures.transport).toBe('udp');
  });

  it('UDP only and blocked: told, and tried again', async () => {
    await using scene = await play({ transports: 'udp', udpBlocked: true });
    await scene.watched.untilStatus('reconnecting', 10_000);
    expect(scene.watched.messages.at(-1)).toMatch(/over UDP/);
    scene.camera.behave({ udpBlocked: false });
    await scene.watched.plays();
  });

  it.each([{ udpBlocked: true }, { transports: 'tcp' as const }])(
    'UDP asked for, but not to be had (%j): pictures over TCP',
    async (behaviour) => {
      await using simulator = await startSimulator({ cameras: [{ path: '/cam', clip, behaviour }] });
      const { promise: plays, resolve } = Promise.withResolvers<void>();
      const client = await RtspClient.connect({
        url: parseCameraUrl(simulator.url('/cam')),
        transport: 'udp',
        events: { onVideo: () => undefined, onAccessUnit: () => resolve() },
      });
      await plays;
      expect(client.stats.transport).toBe('tcp');
      expect(simulator.camera('/cam').stats.sessions).toBe(1);
      await client.close();
      expect(simulator.camera('/cam').stats.sessions).toBe(0);
    },
  );
});

describe.concurrent('what a camera sends', () => {
  it('garbage between interleaved frames: goes on', async () => {
    await using scene = await play({ garbage: { bytes: 3000, everyUnits: 7 } });
    await scene.watched.plays(45);
    expect(scene.watched.statuses).not.toContain('error');
    expect(scene.watched.units.filter((unit) => unit.keyframe).length).toBeGreaterThan(1);
  });

  it.each(['omitted', 'wrong'] as const)('SPS/PPS in SDP %s: in-band ones are used', async (sets) => {
    await using scene = await play({ sdpParameterSets: sets });
    await scene.watched.plays();
    expect(scene.watched.stream.video).toMatchObject({ width: 640, height: 480, fps: 15 });
    expect(scene.camera.stats.sessionsTotal).toBe(1);
  });

  it('size changes in mid-stream: told, and going on without a new session', async () => {
    await using scene = await play();
    const { camera, watched } = scene;
    await watched.plays();
    camera.switchClip(smallClip);
    await watched.until('smaller', () => watched.stream.video?.width === 320);
    expect(watched.stream.recentUnits()[0]?.keyframe ?? true).toBe(true);
    await watched.plays(5);
    expect(watched.videos.map(({ width }) => width)).toEqual([640, 320]);
    expect(watched.statuses.at(-1)).toBe('online');
    expect(camera.stats.sessionsTotal).toBe(1);
    expectRisingTime(watched);
  });

  it.each(['h265', 'mjpeg'] as const)('%s cameras are shown', async (codec) => {
    const other = await sceneClip({ codec, gopSeconds: 1, width: 320, height: 240 });
    await using scene = await play({}, { clip: other });
    await scene.watched.plays();
    expect(scene.watched.stream.video).toMatchObject({ codec, width: 320, height: 240 });
  });

  it('5 MB frames are dropped, and memory stays bounded', async () => {
    const start = Buffer.of(0, 0, 0, 1);
    const sets = clip.parameterSets.flatMap((set) => [start, set]);
    const picture = (type: number, bytes: number) =>
      Buffer.concat([
        ...(type === 0x65 ? sets : []),
        start,
        Buffer.of(type, 0x88),
        Buffer.alloc(bytes, 0xa5),
      ]);
    const size = { width: 640, height: 480, fps: 4 };
    const units = [picture(0x65, 5e6), picture(0x41, 900), picture(0x65, 3000), picture(0x41, 900)];
    await using scene = await play({}, { clip: clipFromUnits('h264', size, units) });
    const { watched } = scene;
    await watched.plays(8);
    const held = new Set(watched.stream.recentUnits().map(({ data }) => data.buffer));
    expect([...held].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(9e6);
    expect(watched.statuses).not.toContain('reconnecting');
  });
});

describe.concurrent('no video track, audio first, nothing sent', () => {
  it('no video track: error with the reason, and no storm', async () => {
    await using scene = await play({ withoutVideo: true });
    await scene.watched.untilStatus('error', 10_000);
    expect(scene.watched.messages.at(-1)).toMatch(/no video/);
    await seconds(1.5);
    expect(scene.watched.source.figures.connects).toBe(1);
  });

  it('audio first: the video is found', async () => {
    await using scene = await play({ audioFirst: true });
    await scene.watched.plays();
  });

  it('nothing sent: told, and tried again without a storm', async () => {
    await using scene = await play({ stalled: true });
    await scene.watched.untilStatus('reconnecting', 15_000);
    expect(scene.watched.messages.at(-1)).toMatch(/stopped sending/);
    expect(scene.watched.source.figures.connects).toBe(1);
    scene.camera.resume();
    await scene.watched.plays();
  });
});

describe.concurrent('1 MiB SDP, one byte a second', () => {
  it('1 MiB SDP is given up', async () => {
    await using scene = await play({ sdpPaddingBytes: 1024 * 1024 });
    await scene.watched.untilStatus('reconnecting');
    expect(scene.watched.messages.at(-1)).toMatch(/cannot be understood/);
    scene.camera.behave({ sdpPaddingBytes: 100 * 1024 });
    await scene.watched.plays();
  });

  it('one byte a second is given up at 10 s', async () => {
    const started = performance.now();
    await using scene = await play({ sdpBytesPerSecond: 1 });
    await scene.watched.untilStatus('reconnecting', 20_000);
    expect(performance.now() - started).toBeGreaterThan(9_900);
    expect(scene.watched.messages.at(-1)).toMatch(/did not answer in time/);
    scene.camera.behave({ sdpBytesPerSecond: null });
    await scene.watched.plays();
  });
});
