// The simulated camera as a client sees it: the RTSP conversation and the packets, on raw sockets.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Authenticator, parseChallenges, strongestChallenge } from '../src/rtsp/digest.ts';
import type { RtspResponse } from '../src/rtsp/message.ts';
import { ntpToMs, parseRtcp } from '../src/rtsp/rtcp.ts';
import { sequenceDistance } from '../src/rtsp/rtp.ts';
import type { AuthScheme } from './access.ts';
import { selfSignedCertificate } from './certificate.ts';
import { startSimulator } from './server.ts';
import {
  client,
  clip,
  overTcp,
  playing,
  simulator,
  start,
  useSimulator,
  useThis,
  wholeFrames,
} from './test-bench.ts';
import { BareClient } from './test-support.ts';

useSimulator();

/** One NAL unit of a megabyte: a few fill every buffer between two sockets. */
function bigUnit(): Uint8Array {
  return Uint8Array.from({ length: 1_000_000 }, (_, i) => [0, 0, 0, 1, 0x65][i] ?? (i % 251) + 1);
}

describe('the conversation', () => {
  test('goes from OPTIONS to TEARDOWN, and packets flow in between', async () => {
    const camera = await start();
    const c = await client();
    expect((await c.request('OPTIONS')).headers.get('Public')).toContain('GET_PARAMETER');
    const describe = await c.request('DESCRIBE', { Accept: 'application/sdp' });
    expect(describe.headers.get('Content-Base')).toBe(`${c.url}/`);
    const sdp = Buffer.from(describe.body).toString();
    expect(sdp).toContain('a=rtpmap:96 H264/90000');
    for (const set of clip.parameterSets) expect(sdp).toContain(Buffer.from(set).toString('base64'));
    const setup = await c.request('SETUP', overTcp, `${c.url}/trackID=1`);
    const Session = setup.headers.get('Session')!.split(';')[0]!;
    const play = await c.request('PLAY', { Session });
    await c.until(() => c.packets.length > 20);
    const info = /seq=(\d+);rtptime=(\d+)/.exec(play.headers.get('RTP-Info')!)!;
    expect([c.packets[0]!.sequence, c.packets[0]!.timestamp]).toEqual([Number(info[1]), Number(info[2])]);
    expect((await c.request('GET_PARAMETER', { Session })).status).toBe(200);
    expect(camera.stats).toMatchObject({ sessions: 1, keepalives: 1 });
    expect((await c.request('TEARDOWN', { Session })).status).toBe(200);
    expect((await c.request('GET_PARAMETER', { Session })).status).toBe(454);
    expect(camera.stats).toMatchObject({ sessions: 0, sessionsTotal: 1, teardowns: 1 });
  });

  test('what is not there is refused with the right status', async () => {
    await start();
    const c = await client();
    const status = async (method: string, uri: string) => (await c.request(method, {}, uri)).status;
    expect(await status('DESCRIBE', c.url.replace('cam1', 'cam2'))).toBe(404);
    expect(await status('PLAY', c.url)).toBe(454);
    expect(await status('RECORD', c.url)).toBe(501);
    expect(await status('SETUP', `${c.url}/trackID=1`)).toBe(461);
  });

  test.each<AuthScheme>(['basic', 'digest-md5', 'digest-md5-qop', 'digest-sha256'])(
    '%s lets the right password in and no other',
    async (auth) => {
      const camera = await start({ auth, username: 'admin', password: 'pa:ss word' });
      const c = await client();
      const attempt = async (password: string): Promise<RtspResponse> => {
        const refusal = await c.request('DESCRIBE');
        expect(refusal.status).toBe(401);
        const challenge = strongestChallenge(parseChallenges(refusal.headers.getAll('WWW-Authenticate')))!;
        const Authorization = new Authenticator(challenge, { username: 'admin', password }).authorize(
          'DESCRIBE',
          c.url,
        );
        return c.request('DESCRIBE', { Authorization });
      };
      expect((await attempt('wrong')).status).toBe(401);
      expect((await attempt('pa:ss word')).status).toBe(200);
      expect(camera.stats.wrongPasswords).toBe(1);
    },
  );

  test('an outdated nonce is answered with stale=true and a new one', async () => {
    const camera = await start({ password: 'secret' });
    const c = await client();
    const challenges = async (headers: Record<string, string>) =>
      parseChallenges((await c.request('DESCRIBE', headers)).headers.getAll('WWW-Authenticate'))[0]!;
    const first = await challenges({});
    const Authorization = new Authenticator(first, { username: 'viewer', password: 'secret' }).authorize(
      'DESCRIBE',
      c.url,
    );
    camera.renewNonce();
    const second = await challenges({ Authorization });
    expect(second).toMatchObject({ scheme: 'digest', stale: true });
    camera.behave({ saysStale: false });
    expect(await challenges({ Authorization })).toMatchObject({ stale: false });
    expect(camera.stats).toMatchObject({ staleNonces: 2, wrongPasswords: 0 });
  });
});

describe('an encrypted camera', () => {
  test('speaks the same over TLS, and dies and comes back alike', async () => {
    useThis(await startSimulator({ cameras: [{ path: '/cam1', clip }], tls: selfSignedCertificate() }));
    expect(simulator.url('/cam1')).toMatch(/^rtsps:/);
    const c = await playing();
    await simulator.camera('/cam1').die();
    await c.closed;
    await expect(BareClient.open(simulator.url('/cam1'))).rejects.toThrow('ECONNREFUSED');
    await simulator.camera('/cam1').comeBack();
    await playing();
  });
});

describe('the packets', () => {
  test('two clients get the same frames, and the times they were sent at are known', async () => {
    const camera = await start();
    const [a, b] = [await playing(), await playing()];
    const count = b.packets.length;
    await b.until(() => b.packets.length > count + 30);
    await a.until(() => a.packets.at(-1)!.timestamp === b.packets.at(-1)!.timestamp);
    const [framesA, framesB] = [wholeFrames(a), wholeFrames(b)];
    const common = [...framesB.keys()].filter((ts) => framesA.has(ts));
    expect(common.length).toBeGreaterThan(5);
    for (const ts of common) expect(framesA.get(ts)!.equals(framesB.get(ts)!)).toBe(true);
    const sent = camera.sentTimes().filter((at) => at > 0);
    expect(sent.length).toBeGreaterThanOrEqual(common.length);
    expect(Math.max(...sent)).toBeLessThanOrEqual(performance.timeOrigin + performance.now());
  });

  test('timestamps are even and sequence numbers have no gap', async () => {
    await start();
    const c = await playing();
    await c.until(() => wholeFrames(c).size > 20);
    for (let i = 1; i < c.packets.length; i++)
      expect(sequenceDistance(c.packets[i - 1]!.sequence, c.packets[i]!.sequence)).toBe(1);
    const stamps = [...new Set(c.packets.map(({ timestamp }) => timestamp))];
    for (let i = 1; i < stamps.length; i++) {
      // A machine too busy for a second skips whole frames of time.
      const frames = ((stamps[i]! - stamps[i - 1]!) >>> 0) / 6000;
      expect(frames).toBeGreaterThan(0.99);
      expect(Math.abs(frames - Math.round(frames)) * 6000).toBeLessThanOrEqual(1.01);
    }
  });

  test('a sender report ties timestamps to the time of day', async () => {
    await start();
    const c = await playing();
    await c.until(() => c.rtcp.length > 0);
    const [report] = parseRtcp(c.rtcp[0]!);
    if (report?.kind !== 'sr') throw new Error('The first RTCP packet is not a sender report.');
    expect(report.ssrc).toBe(c.packets[0]!.ssrc);
    expect(Math.abs(ntpToMs(report.ntpSeconds, report.ntpFraction) - Date.now())).toBeLessThan(10_000);
    const ahead = ((c.packets[0]!.timestamp - report.rtpTimestamp) | 0) / 90;
    expect(Math.abs(ahead)).toBeLessThan(1000);
  });

  test('arrive by UDP as well', async () => {
    await start();
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    const c = await client();
    const Transport = `RTP/AVP;unicast;client_port=${port}-${port + 1}`;
    const setup = await c.request('SETUP', { Transport }, `${c.url}/trackID=1`);
    expect(setup.headers.get('Transport')).toMatch(/server_port=\d+-\d+/);
    const Session = setup.headers.get('Session')!.split(';')[0]!;
    const [[datagram]] = await Promise.all([once(socket, 'message'), c.request('PLAY', { Session })]);
    expect((datagram as Buffer)[0]).toBe(0x80);
    socket.close();
  });

  test('a client that does not read costs whole units, not memory, and delays nobody', async () => {
    const camera = await start();
    const heavy = { ...clip, accessUnits: clip.accessUnits.map((unit) => ({ ...unit, data: bigUnit() })) };
    camera.switchClip(heavy);
    const lazy = await playing();
    lazy.socket.pause();
    const busy = await playing();
    const before = camera.stats.unitsDropped;
    await busy.until(() => camera.stats.unitsDropped > before + 3);
    expect(wholeFrames(busy).size).toBeGreaterThan(0);
  });
});
