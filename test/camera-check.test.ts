import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soundClip } from '../simulator/audio.ts';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import type { CameraCheck } from '../src/http/camera-check-ports.ts';
import { jpegSize } from '../src/media/jpeg.ts';
import { eventually, type SavedStreamReply } from './support/parts.ts';
import { bearer, type Headers, type Service, startService } from './support/service.ts';

const password = 'right:p@ss/word';

describe('trying a camera before it is saved', () => {
  let service: Service;
  let simulator: Simulator;

  beforeAll(async () => {
    const clip = await sceneClip({ gopSeconds: 1 });
    simulator = await startSimulator({
      cameras: [
        ...['/good', '/running', '/mute'].map((path) => ({ path, clip })),
        ...['/locked', '/kept'].map((path) => ({ path, clip, username: 'admin', password })),
        { path: '/rare', clip: await sceneClip({ gopSeconds: 9 }) },
        { path: '/loud', clip, audio: await soundClip({ codec: 'aac' }) },
        { path: '/h265', clip: await sceneClip({ gopSeconds: 1, codec: 'h265' }) },
      ],
    });
    service = await startService({ admin: true, env: { RTSP_DENIED_NETWORKS: '127.0.0.77/32' } });
  }, 120_000);

  afterAll(async () => {
    await service.stop();
    await simulator.close();
  });

  const check = (rtsp_url: string, stream_id?: string, headers?: Headers) =>
    service.api<CameraCheck>('POST', '/api/streams/check/', { rtsp_url, stream_id }, headers);

  const save = (rtsp_url: string) =>
    service.api<SavedStreamReply>('POST', '/api/streams/', {
      name: 'Camera',
      rtsp_url,
      detection_enabled: false,
    });

  const streamOf = async (id: string) =>
    (await service.api<{ stream: SavedStreamReply }>('GET', `/api/streams/${id}/`)).stream;

  const withPassword = (path: string, text: string) =>
    simulator.url(path, { bare: true }).replace('rtsp://', `rtsp://admin:${encodeURIComponent(text)}@`);

  /** Another user of the service: an API token. */
  async function somebody(role: 'viewer' | 'operator'): Promise<Headers> {
    const { secret } = await service.api<{ secret: string }>('POST', '/api/tokens/', {
      name: `${role} ${Math.random()}`,
      role,
    });
    return bearer(secret);
  }

  it('shows the picture and tells what the camera sends', async () => {
    const found = await check(simulator.url('/good'));
    expect(found).toMatchObject({
      ok: true,
      code: 'ok',
      message: expect.stringMatching(/works: H\.264, 640 × 480, 15 fps/),
      video: { codec: 'h264', width: 640, height: 480, fps: 15 },
      transport: 'tcp',
      browser: { webcodecs: 'yes', mse: 'yes' },
      shared: false,
    });
    expect(found.video?.keyframe_interval_s).toBeCloseTo(1, 0);
    expect(found.video?.profile).toMatch(/Baseline|Main|High/);
    expect(found.browser?.mime).toBe(`video/mp4; codecs="${found.browser?.codec}"`);
    expect(found.browser?.codec).toMatch(/^avc1\.[0-9A-F]{6}$/i);
    expect(found.time_to_first_picture_ms).toBeGreaterThan(0);
    expect(jpegSize(Buffer.from(found.snapshot!, 'base64'))).toMatchObject({ width: 640, height: 480 });
    await eventually(
      'disconnected',
      () => simulator.camera('/good').stats.sessions,
      (sessions) => sessions === 0,
    );
    expect(simulator.camera('/good').stats.sessionsTotal).toBe(1);
    expect(await service.api('GET', '/api/streams/')).toMatchObject({ streams: [] });
  });

  it('says of an H.265 camera that browsers may not play it as it is', async () => {
    const found = await check(simulator.url('/h265'));
    expect(found).toMatchObject({ ok: true, video: { codec: 'h265' }, browser: { webcodecs: 'depends' } });
    expect(found.advice.join(' ')).toMatch(/H\.264/);
    expect(found.snapshot).not.toBeNull();
  });

  it('waits for a keyframe that is nine seconds away', async () => {
    const camera = simulator.camera('/rare');
    await new Promise<void>((resolve) => camera.watchFrames(({ keyframe }) => keyframe && resolve()));
    const found = await check(simulator.url('/rare'));
    camera.watchFrames(null);
    expect(found).toMatchObject({ ok: true, video: { width: 640, height: 480 } });
    expect(found.snapshot).not.toBeNull();
  }, 40_000);

  it('names the sound', async () => {
    expect(await check(simulator.url('/good'))).toMatchObject({ ok: true, audio: null });
    expect(await check(simulator.url('/loud'))).toMatchObject({ ok: true, audio: 'AAC' });
  });

  it('tells a wrong password from a right one, and repeats neither', async () => {
    const wrong = await check(withPassword('/locked', 'wr0ng-one'));
    expect(wrong).toMatchObject({ ok: false, code: 'wrong_password', video: null, snapshot: null });
    expect(wrong.message).toMatch(/wrong user name or password/);
    expect(wrong.advice).not.toEqual([]);
    expect(await check(withPassword('/locked', password))).toMatchObject({ ok: true, code: 'ok' });
    expect(service.logs() + JSON.stringify(wrong)).not.toMatch(/wr0ng-one|right:p|p%40ss/);
  });

  it('tells why there is no picture: closed port, unknown path, denied address', async () => {
    expect(await check('rtsp://127.0.0.1:9/x')).toMatchObject({ ok: false, code: 'refused' });
    const unknown = await check(simulator.url('/good').replace('/good', '/no-such-path'));
    expect(unknown).toMatchObject({ ok: false, code: 'no_such_path' });
    const denied = await check(`rtsp://127.0.0.77:${simulator.port}/good`);
    expect(denied).toMatchObject({ ok: false, code: 'address_denied' });
    for (const { message, advice } of [unknown, denied])
      expect([message, ...advice].join('\n')).toMatch(/^.+\.\n.+\.$/);
  });

  it('gives a camera up that accepts and sends nothing, and one that never answers', async () => {
    simulator.camera('/mute').stall();
    await using half = await deafServer();
    const began = performance.now();
    const [mute, deaf] = await Promise.all([
      check(simulator.url('/mute')),
      check(`rtsp://127.0.0.1:${half.port}/x`, undefined, await somebody('operator')),
    ]);
    expect(mute).toMatchObject({ ok: false, code: 'no_packets', snapshot: null });
    expect(deaf).toMatchObject({ ok: false, code: 'timeout' });
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('uses the stored password for a masked one, of the same host and user only', async () => {
    const stream = await save(withPassword('/kept', password));
    expect(stream.rtsp_url).toContain('admin:****@');
    // Stopped, so that the check has to sign in by itself.
    await service.api('PATCH', `/api/streams/${stream.id}/status/`, { action: 'stop' });
    expect(await check(stream.rtsp_url, stream.id)).toMatchObject({ ok: true, shared: false });
    const elsewhere = [
      [stream.rtsp_url, undefined, 400, 'invalid_rtsp_url'],
      [stream.rtsp_url.replace('127.0.0.1', '127.0.0.2'), stream.id, 400, 'invalid_rtsp_url'],
      [stream.rtsp_url.replace('admin', 'root'), stream.id, 400, 'invalid_rtsp_url'],
      [stream.rtsp_url, 'no-such-stream', 404, 'stream_not_found'],
    ] as const;
    for (const [rtsp_url, stream_id, status, code] of elsewhere) {
      const response = await service.request('POST', '/api/streams/check/', { rtsp_url, stream_id });
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ code });
    }
    await service.api('DELETE', `/api/streams/${stream.id}/`);
  });

  it('looks at what a connected camera gives already, without a second connection', async () => {
    const camera = simulator.camera('/running');
    const { id } = await save(simulator.url('/running'));
    await eventually(
      'online',
      () => streamOf(id),
      ({ status }) => status === 'online',
    );
    const found = await check(simulator.url('/running'));
    expect(found).toMatchObject({ ok: true, shared: true, transport: 'tcp', video: { fps: 15, width: 640 } });
    expect(found.video?.keyframe_interval_s).toBeCloseTo(1, 0);
    expect(jpegSize(Buffer.from(found.snapshot!, 'base64'))).toMatchObject({ width: 640, height: 480 });
    expect(camera.stats.sessionsTotal).toBe(1);
    expect((await streamOf(id)).viewers).toBe(0);
    await service.api('DELETE', `/api/streams/${id}/`);
  });

  it('refuses addresses that are none, as saving does', async () => {
    for (const rtsp_url of ['http://127.0.0.1/', 'nonsense', '']) {
      const response = await service.request('POST', '/api/streams/check/', { rtsp_url });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'invalid_rtsp_url' });
    }
    expect((await service.request('POST', '/api/streams/check/', {})).status).toBe(400);
  });

  it('is for operators, and stands in the audit trail without the password', async () => {
    const body = { rtsp_url: withPassword('/locked', password) };
    expect((await service.request('POST', '/api/streams/check/', body, {})).status).toBe(401);
    const viewer = await somebody('viewer');
    expect((await service.request('POST', '/api/streams/check/', body, viewer)).status).toBe(403);
    await check(body.rtsp_url, undefined, await somebody('operator'));
    const trail = await eventually(
      'told',
      async () => JSON.stringify(await service.api('GET', '/api/audit/')),
      (text) => text.includes('/locked'),
    );
    expect(trail).toContain('watched_ad_hoc');
    expect(trail).not.toMatch(/right:p|p%40ss|right%3Ap/);
  });

  it('lets each try one camera at a time, and at most four be tried at once', async () => {
    await using deaf = await deafServer();
    const url = `rtsp://127.0.0.1:${deaf.port}/x`;
    const gone = new AbortController();
    const begin = async (headers: Headers) => {
      const before = deaf.connections;
      const reply = fetch(`${service.baseUrl}/api/streams/check/`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ rtsp_url: url }),
        signal: gone.signal,
      });
      reply.catch(() => undefined);
      await eventually(
        'connecting',
        () => deaf.connections,
        (now) => now > before,
      );
    };
    const people = await Promise.all(Array.from({ length: 5 }, () => somebody('operator')));
    const [one, two, three, four, five] = people as [Headers, Headers, Headers, Headers, Headers];
    const tries = async (headers: Headers) => {
      const response = await service.request('POST', '/api/streams/check/', { rtsp_url: url }, headers);
      return { status: response.status, ...((await response.json()) as { code: string; error: string }) };
    };
    await begin(one);
    expect(await tries(one)).toMatchObject({
      status: 429,
      code: 'too_many_checks',
      error: expect.stringMatching(/already/),
    });
    for (const headers of [two, three, four]) await begin(headers);
    expect(await tries(five)).toMatchObject({ status: 429, code: 'too_many_checks' });
    gone.abort();
    // Whoever went away is not waited for: the connections to the camera end, and the places are free again.
    await eventually(
      'left',
      () => deaf.open,
      (open) => open === 0,
      4_000,
    );
    const again = await check(simulator.url('/good'), undefined, one);
    expect(again).toMatchObject({ ok: true });
  });
});

/** Accepts connections and never says a word. */
async function deafServer() {
  const figures = { connections: 0, open: 0 };
  const server = createServer((socket) => {
    figures.connections += 1;
    figures.open += 1;
    socket.resume();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      figures.open -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    port: address.port,
    get connections() {
      return figures.connections;
    },
    get open() {
      return figures.open;
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
