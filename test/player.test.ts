// The player in a real browser: every way of playing shows the right picture, and it finds the way that works by itself.
// How it comes back from interruptions is in player-recovery.test.ts.

import type { Browser, Page, Worker } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clipFromUnits } from '../simulator/clip.ts';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { desktop, openPage, patience } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { type PlayerPage, servePlayerPage, type TileView, tilesOf } from './support/player-page.ts';
import { type Service, startService } from './support/service.ts';

/** Every sixth group of pictures is noise behind its first bytes, as from a camera with a broken link inside. */
async function noisyClip() {
  const clip = await sceneClip({ gopSeconds: 1 });
  const { width, height, fps } = clip;
  const units = clip.accessUnits.map(({ data, keyframe }, index) => {
    if (keyframe || Math.floor(index / fps) % 6 !== 3) return data;
    const noisy = Uint8Array.from(data);
    for (let at = 12; at < noisy.length; at++) noisy[at] = (at * 131 + index * 29) % 255 || 1;
    return noisy;
  });
  return clipFromUnits('h264', { width, height, fps }, units);
}

describe.skipIf(withoutChromium)('the player', { timeout: 240_000 }, () => {
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;
  let site: PlayerPage;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    const clip = await sceneClip({ gopSeconds: 1 });
    simulator = await startSimulator({
      cameras: [
        { path: '/h264', clip },
        { path: '/bframes', clip: await sceneClip({ gopSeconds: 1, bFrames: 2 }) },
        { path: '/h265', clip: await sceneClip({ codec: 'h265', gopSeconds: 1 }) },
        { path: '/mjpeg', clip: await sceneClip({ codec: 'mjpeg', gopSeconds: 1 }) },
        { path: '/noise', clip: await noisyClip() },
      ],
    });
    service = await startService();
    for (const path of ['/h264', '/bframes', '/h265', '/mjpeg', '/noise']) {
      const camera = { name: path, rtsp_url: simulator.url(path), detection_enabled: false };
      ids.set(path, (await service.api<{ id: string }>('POST', '/api/streams/', camera)).id);
    }
    site = await servePlayerPage(service.baseUrl);
    browser = await launchBrowser();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await service?.stop();
    await simulator?.close();
  });

  /** Also after a failed test, whose viewer the next one would count. */
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  async function open(without: readonly string[] = []) {
    const opened = await openPage(browser, 'about:blank', desktop);
    const script = without.map((name) => `delete globalThis.${name};`).join('');
    await opened.page.addInitScript({ content: script });
    await opened.page.goto(site.url);
    await opened.page.waitForFunction('globalThis.live !== undefined');
    return { ...opened, tiles: tilesOf(opened.page) };
  }

  type Tiles = ReturnType<typeof tilesOf>;

  function until(tiles: Tiles, name: string, what: string, holds: (view: TileView) => boolean) {
    return eventually(what, () => tiles.look(name), holds, patience);
  }

  const isLive =
    (step: string) =>
    ({ state }: TileView) =>
      state.code === 'live' && state.step === step;

  /** Watches two seconds of video, measured in pictures and not in time. */
  async function expectRate(tiles: Tiles, name: string, path: string): Promise<void> {
    const camera = simulator.camera(path);
    const length = camera.loop.clip.accessUnits.length;
    const first = await eventually(
      'readable',
      () => tiles.frame(name),
      (frame) => frame !== null,
      patience,
    );
    const sentBefore = camera.stats.unitsSent;
    // A player that has just gone to a slower step may show the picture before the first one once more.
    const ahead = (frame: number | null) => {
      const steps = frame === null ? 0 : (frame - first! + length) % length;
      return steps > length / 2 ? steps - length : steps;
    };
    const last = await eventually(
      'moving',
      () => tiles.frame(name),
      (frame) => ahead(frame) >= 30,
      patience,
    );
    const ratio = ahead(last) / (camera.stats.unitsSent - sentBefore);
    // With room for a delay that changes by a second in between.
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  }

  /** The middle of the door and the wall above it, as they are in the scene. */
  async function expectColours(tiles: Tiles, name: string): Promise<void> {
    // Somebody walks through the scene, and past the door.
    await eventually(
      'showing a blue door',
      () => tiles.colour(name, 0.23, 0.3),
      ([red, , blue]) => blue! - red! > 20,
      patience,
    );
    const wall = await tiles.colour(name, 0.04, 0.2);
    expect(Math.min(...wall), `wall: ${wall}`).toBeGreaterThan(150);
  }

  it.each(['webcodecs', 'mse', 'jpeg'])(
    'shows the right picture at the camera’s rate by %s',
    async (step) => {
      const { mistakes, tiles } = await open();
      await tiles.add('tile', { streamId: ids.get('/h264'), format: step });
      const { state } = await until(tiles, 'tile', 'live', isLive(step));
      expect(state).toMatchObject({ sentence: null, note: null });
      await expectRate(tiles, 'tile', '/h264');
      await expectColours(tiles, 'tile');
      const { stats } = await until(tiles, 'tile', 'measured', ({ stats }) => stats.delayMs !== null);
      expect(stats).toMatchObject({ width: 640, height: 480, step, codec: expect.stringMatching(/^avc1/) });
      expect(mistakes).toEqual([]);
    },
  );

  it('plays B-frames in order by WebCodecs and by MSE', async () => {
    const { tiles } = await open();
    for (const step of ['webcodecs', 'mse']) {
      await tiles.add(step, { streamId: ids.get('/bframes'), format: step });
      await until(tiles, step, 'live', isLive(step));
      await expectRate(tiles, step, '/bframes');
    }
  });

  it('uses the best way there is: WebCodecs, without it MSE, without both JPEG', async () => {
    const expected = [
      { without: [], step: 'webcodecs' },
      { without: ['VideoDecoder'], step: 'mse' },
      { without: ['VideoDecoder', 'MediaSource'], step: 'jpeg' },
    ] as const;
    for (const { without, step } of expected) {
      const { page, mistakes, tiles } = await open(without);
      await tiles.add('tile', { streamId: ids.get('/h264') });
      await until(tiles, 'tile', 'live', isLive(step));
      await expectRate(tiles, 'tile', '/h264');
      expect(mistakes).toEqual([]);
      await page.context().close();
    }
  });

  it('shows H.265, which this browser cannot play, as JPEG and says so', async () => {
    const { mistakes, tiles } = await open();
    await tiles.add('tile', { streamId: ids.get('/h265') });
    const { state } = await until(tiles, 'tile', 'live', isLive('jpeg'));
    expect(state.note).toMatch(/cannot play H\.265.*JPEG/);
    await expectRate(tiles, 'tile', '/h265');
    expect(mistakes).toEqual([]);
  });

  it('shows a camera that sends JPEG itself', async () => {
    const { tiles } = await open();
    await tiles.add('tile', { streamId: ids.get('/mjpeg') });
    const { state } = await until(tiles, 'tile', 'live', isLive('jpeg'));
    expect(state.note).toBeNull();
    await expectRate(tiles, 'tile', '/mjpeg');
  });

  const workerOf = (page: Page): Promise<Worker> =>
    eventually(
      'there',
      () => page.workers()[0]!,
      (worker) => worker !== undefined,
      patience,
    );

  it('falls down the ladder in place when decoding breaks, and keeps the picture meanwhile', async () => {
    const { page, mistakes, tiles } = await open();
    await tiles.add('tile', { streamId: ids.get('/h264') });
    await until(tiles, 'tile', 'live', isLive('webcodecs'));
    const viewers = () =>
      service.api<{ stream: { viewers: number } }>('GET', `/api/streams/${ids.get('/h264')}/`);
    const before = (await viewers()).stream.viewers;

    // Every decoder fails from now on.
    const worker = await workerOf(page);
    await worker.evaluate(
      `VideoDecoder.prototype.decode = () => { throw new DOMException('broken', 'EncodingError') }`,
    );
    await until(tiles, 'tile', 'live by MSE', isLive('mse'));
    await expectRate(tiles, 'tile', '/h264');

    // The element does not take anything any more.
    await page.evaluate(
      `SourceBuffer.prototype.appendBuffer = () => { throw new DOMException('full', 'QuotaExceededError') }`,
    );
    const { state, states } = await until(tiles, 'tile', 'live by JPEG', isLive('jpeg'));
    expect(state.note).toMatch(/failed.*JPEG/);
    await expectRate(tiles, 'tile', '/h264');
    expect(states.map(({ code }) => code)).not.toContain('reconnecting');
    expect((await viewers()).stream.viewers).toBe(before);
    expect(mistakes).toEqual([]);
  });

  it('leaves a decoder that swallows everything and shows nothing', async () => {
    const { page, tiles } = await open();
    await tiles.add('tile', { streamId: ids.get('/h264') });
    await until(tiles, 'tile', 'live', isLive('webcodecs'));
    await (await workerOf(page)).evaluate('VideoDecoder.prototype.decode = () => {}');
    await until(tiles, 'tile', 'live by MSE', isLive('mse'));
  });

  it('goes on after video that cannot be decoded', async () => {
    const { mistakes, tiles } = await open();
    await tiles.add('tile', { streamId: ids.get('/noise') });
    const length = simulator.camera('/noise').loop.clip.accessUnits.length;
    let frames = 0;
    let last: number | null = null;
    // Through several of the damaged parts.
    await eventually(
      'past the noise',
      async () => {
        const frame = await tiles.frame('tile');
        if (frame !== null && last !== null) frames += Math.min(45, (frame - last + length) % length);
        last = frame ?? last;
        return frames;
      },
      (passed) => passed > 200,
      patience,
    );
    await until(tiles, 'tile', 'live', ({ state }) => state.code === 'live');
    expect(mistakes).toEqual([]);
  });

  it('plays all tiles of a page from one worker', async () => {
    const { page, mistakes, tiles } = await open();
    await tiles.columns(3);
    const names = Array.from({ length: 6 }, (_, i) => `tile ${i}`);
    for (const name of names) await tiles.add(name, { streamId: ids.get('/h264') });
    for (const name of names) await until(tiles, name, 'live', isLive('webcodecs'));
    expect(page.workers()).toHaveLength(1);
    for (const name of names) await tiles.remove(name);
    await eventually(
      'left',
      () => service.api<{ stream: { viewers: number } }>('GET', `/api/streams/${ids.get('/h264')}/`),
      ({ stream }) => stream.viewers === 0,
      patience,
    );
    expect(mistakes).toEqual([]);
  });
});
