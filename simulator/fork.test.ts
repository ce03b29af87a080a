// Simulated cameras in another process: the same control, the same clock.

import { afterEach, describe, expect, test } from 'vitest';
import type { SentFrame } from './camera.ts';
import { type ForkedSimulator, forkSimulator } from './fork.ts';
import { emptyScene } from './scene.ts';
import { BareClient } from './test-support.ts';

let simulator: ForkedSimulator;

afterEach(async () => {
  await simulator.close();
});

async function start() {
  const clip = { scene: emptyScene(4), gopSeconds: 1 };
  simulator = await forkSimulator({
    cameras: [
      { path: '/cam1', clip },
      { path: '/cam2', clip, username: 'u', password: 'p' },
    ],
  });
  return simulator.camera('/cam1');
}

describe('a simulator in its own process', () => {
  test('serves, tells its figures and when each frame was sent', async () => {
    const camera = await start();
    expect(simulator.url('/cam2')).toMatch(/^rtsp:\/\/u:p@127\.0\.0\.1:\d+\/cam2$/);
    const before = performance.timeOrigin + performance.now();
    const frames: SentFrame[] = [];
    await camera.watchFrames((frame) => frames.push(frame));
    const client = await BareClient.open(camera.url);
    await client.play();
    await client.until(() => client.packets.length > 10);
    const now = performance.timeOrigin + performance.now();
    const times = (await camera.sentTimes()).filter((at) => at > 0);
    expect(times.length).toBeGreaterThan(0);
    for (const at of times) expect(at > before - 1000 && at < now + 1000).toBe(true);
    expect(await camera.stats()).toMatchObject({ sessions: 1, sessionsTotal: 1 });
    expect(frames.length).toBeGreaterThan(0);
    client.close();
  });

  test('dies, comes back and refuses when told', async () => {
    const [camera, other] = [await start(), simulator.camera('/cam2')];
    await other.die();
    await camera.die();
    await expect(BareClient.open(camera.url)).rejects.toThrow('ECONNREFUSED');
    await camera.comeBack();
    await camera.refuse(503);
    const client = await BareClient.open(camera.url);
    expect((await client.request('DESCRIBE')).status).toBe(503);
    client.close();
    await expect(camera.switchClip({ codec: 'mjpeg', scene: emptyScene(1) })).rejects.toThrow('codec');
  });

  test('a killed process ends what was asked of it', async () => {
    const camera = await start();
    await simulator.kill();
    await expect(camera.stats()).rejects.toThrow();
  });
});
