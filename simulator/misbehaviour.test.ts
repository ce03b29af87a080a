// The simulated camera's faults as a client sees them, on raw sockets.

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { parseRtcp } from '../src/rtsp/rtcp.ts';
import { sequenceDistance } from '../src/rtsp/rtp.ts';
import { sceneClip } from './clips.ts';
import { emptyScene } from './scene.ts';
import {
  client,
  clip,
  overTcp,
  overUdp,
  playing,
  simulator,
  start,
  useSimulator,
  wholeFrames,
} from './test-bench.ts';
import { BareClient } from './test-support.ts';

useSimulator();

describe('misbehaviour', () => {
  test('a dead camera resets its clients and refuses connections until it comes back', async () => {
    const camera = await start();
    const c = await playing();
    await camera.die();
    expect(await c.closed).toBe('reset');
    await expect(BareClient.open(simulator.url('/cam1'))).rejects.toThrow('ECONNREFUSED');
    await camera.comeBack();
    const again = await playing();
    expect(again.packets[0]!.ssrc).not.toBe(c.packets[0]!.ssrc);
    expect(camera.stats).toMatchObject({ sessions: 1, sessionsTotal: 2, sessionsMax: 1 });
  });

  test('one camera may die while its neighbour on the same port plays on', async () => {
    const camera = await start({}, ['/cam2']);
    const [one, two] = [await playing('/cam1'), await playing('/cam2')];
    await camera.die('fin');
    expect(await one.closed).toBe('fin');
    const refused = await client('/cam1');
    await expect(refused.request('DESCRIBE')).rejects.toThrow('ended before');
    const count = two.packets.length;
    await two.until(() => two.packets.length > count + 20);
  });

  test('a stalled camera keeps its sockets and answers, but sends nothing until it is resumed', async () => {
    const camera = await start();
    const c = await playing();
    camera.stall();
    await c.request('OPTIONS');
    const count = c.packets.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(c.packets.length).toBe(count);
    camera.resume();
    await c.until(() => c.packets.length > count);
  });

  test('a silent camera does not even answer', async () => {
    const camera = await start();
    const c = await client();
    camera.goSilent();
    const answer = c.request('OPTIONS');
    const silence = new Promise((resolve) => setTimeout(resolve, 200, 'silence'));
    expect(await Promise.race([answer, silence])).toBe('silence');
    const rejected = expect(answer).rejects.toThrow();
    c.close();
    await rejected;
  });

  test('refuses with the status it was told, and accepts again', async () => {
    const camera = await start();
    const c = await client();
    camera.refuse(453);
    expect((await c.request('DESCRIBE')).status).toBe(453);
    camera.refuse(null);
    expect((await c.request('DESCRIBE')).status).toBe(200);
  });

  test('redirects, offers one transport only, hides GET_PARAMETER', async () => {
    const camera = await start({ behaviour: { offersGetParameter: false, transports: 'udp' } });
    const c = await client();
    expect((await c.request('OPTIONS')).headers.get('Public')).not.toContain('PARAMETER');
    expect((await c.request('SETUP', overTcp, `${c.url}/trackID=1`)).status).toBe(461);
    camera.behave({ transports: 'tcp', redirectTo: 'rtsp://127.0.0.1:1/other' });
    expect((await c.request('SETUP', overUdp, `${c.url}/trackID=1`)).status).toBe(461);
    const redirect = await c.request('DESCRIBE');
    expect([redirect.status, redirect.headers.get('Location')]).toEqual([302, 'rtsp://127.0.0.1:1/other']);
  });

  test('bends its session description', async () => {
    const camera = await start({ behaviour: { audioFirst: true, sdpParameterSets: 'omitted' } });
    const c = await client();
    const sdp = async () => Buffer.from((await c.request('DESCRIBE')).body).toString();
    expect(await sdp()).toMatch(/m=audio[\s\S]*m=video/);
    expect(await sdp()).not.toContain('sprop');
    camera.behave({ sdpParameterSets: 'wrong', withoutVideo: true });
    expect(await sdp()).not.toContain('m=video');
    camera.behave({ withoutVideo: false });
    const own = Buffer.from(clip.parameterSets[0]!).toString('base64');
    expect((await sdp()).includes('sprop') && !(await sdp()).includes(own)).toBe(true);
  });

  test('answers DESCRIBE one byte at a time', async () => {
    await start({ behaviour: { sdpBytesPerSecond: 5 } });
    const c = await client();
    const answer = c.request('DESCRIBE');
    const [first] = (await once(c.socket, 'data')) as [Buffer];
    expect(first.length).toBe(1);
    const rejected = expect(answer).rejects.toThrow();
    c.close();
    await rejected;
  });

  test('ends sessions that send no request in time', async () => {
    const camera = await start({ behaviour: { sessionTimeoutSeconds: 2 } });
    const c = await playing();
    expect(await c.closed).toBe('fin');
    expect(camera.stats).toMatchObject({ sessions: 0, timeouts: 1 });
  });

  test('puts garbage between frames, and a parser finds its way', async () => {
    await start({ behaviour: { garbage: { bytes: 50, everyUnits: 3 } } });
    const c = await playing();
    await c.until(() => c.discarded > 100 && wholeFrames(c).size > 10);
  });

  test('says BYE, after which the session is unknown', async () => {
    const camera = await start();
    const c = await client();
    const Session = await c.play();
    await c.until(() => c.packets.length > 0);
    camera.bye();
    await c.until(() => c.rtcp.some((packet) => parseRtcp(packet).some(({ kind }) => kind === 'bye')));
    expect((await c.request('GET_PARAMETER', { Session })).status).toBe(454);
  });

  test('changes its picture in mid-stream without a gap in the packets', async () => {
    const camera = await start();
    const c = await playing();
    const other = await sceneClip({ scene: emptyScene(2), width: 320, height: 240 });
    const count = c.packets.length;
    camera.switchClip(other);
    await c.until(() => c.packets.length > count + 10);
    for (let i = 1; i < c.packets.length; i++)
      expect(sequenceDistance(c.packets[i - 1]!.sequence, c.packets[i]!.sequence)).toBe(1);
    expect(camera.loop.clip).toBe(other);
  });
});
