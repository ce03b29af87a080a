import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { serializeRequest } from './message.ts';
import { buildBye, buildSenderReport, msToNtp } from './rtcp.ts';
import { closeAll, connect, on, pps, ScriptedCamera, sps, Watcher } from './testing.ts';

afterEach(closeAll);

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
