// The sound of a camera in a real browser: silent until somebody asks, then heard by WebCodecs and by MSE.
// How sound gets to viewers is tested without a browser elsewhere.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soundClip } from '../simulator/audio.ts';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { desktop, openPage, patience } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { type PlayerPage, servePlayerPage, tilesOf } from './support/player-page.ts';
import { type Service, startService } from './support/service.ts';

// What runs inside the page is text: these files know Node's types and not the browser's.
/** Notes how loud each piece is that is given to the loudspeaker. */
const listen = `globalThis.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...args) {
  heard.push(Math.max(...this.buffer.getChannelData(0).map(Math.abs)));
  return start.apply(this, args);
};`;
const loudPieces = 'heard.filter((level) => level > 0.01).length';
const bytesOfVideo = `document.querySelector('video')?.webkitAudioDecodedByteCount ?? 0`;

describe.skipIf(withoutChromium)('the sound of a camera', { timeout: 240_000 }, () => {
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;
  let site: PlayerPage;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    const clip = await sceneClip({ gopSeconds: 1 });
    simulator = await startSimulator({
      cameras: [
        { path: '/aac', clip, audio: await soundClip({ codec: 'aac' }) },
        { path: '/pcma', clip, audio: await soundClip({ codec: 'pcma' }) },
        { path: '/silent', clip },
      ],
    });
    service = await startService();
    for (const path of ['/aac', '/pcma', '/silent']) {
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

  async function play(path: string, format: string) {
    const opened = await openPage(browser, 'about:blank', desktop);
    await opened.page.addInitScript({ content: listen });
    await opened.page.goto(site.url);
    await opened.page.waitForFunction('globalThis.live !== undefined');
    // Browsers let a page be heard only after somebody has touched it.
    await opened.page.mouse.click(5, 5);
    const tiles = tilesOf(opened.page);
    await tiles.add('tile', { streamId: ids.get(path), format });
    await eventually(
      'live',
      () => tiles.look('tile'),
      ({ state }) => state.code === 'live' && state.step === format,
      patience,
    );
    const hears = (text: string, enough: number) =>
      eventually(
        'heard',
        () => opened.page.evaluate<number>(text),
        (count) => count >= enough,
        patience,
      );
    return { ...opened, tiles, hears };
  }

  it.each(['/aac', '/pcma'])('of %s is heard by WebCodecs when it is asked for', async (path) => {
    const { page, mistakes, tiles, hears } = await play(path, 'webcodecs');
    await eventually(
      'offered',
      () => tiles.look('tile'),
      ({ stats }) => stats.audio,
      patience,
    );
    expect(await page.evaluate('heard.length')).toBe(0);
    await tiles.tell('tile', 'setMuted', false);
    await hears(loudPieces, 40);
    await tiles.tell('tile', 'setMuted', true);
    const { state } = await tiles.look('tile');
    expect(state).toMatchObject({ code: 'live', step: 'webcodecs' });
    expect(mistakes).toEqual([]);
    await page.context().close();
  });

  it('is heard by MSE, and the picture goes on when it is switched off again', async () => {
    const { page, mistakes, tiles, hears } = await play('/aac', 'mse');
    expect(await page.evaluate(bytesOfVideo)).toBe(0);
    await tiles.tell('tile', 'setMuted', false);
    await hears(bytesOfVideo, 2_000);
    await tiles.tell('tile', 'setMuted', true);
    await eventually(
      'without sound',
      () => page.evaluate<number>(bytesOfVideo),
      (bytes) => bytes === 0,
      patience,
    );
    await eventually(
      'live',
      () => tiles.look('tile'),
      ({ state }) => state.code === 'live' && state.step === 'mse',
      patience,
    );
    expect(mistakes).toEqual([]);
    await page.context().close();
  });

  it('is not offered by a camera that has none', async () => {
    const { page, mistakes, tiles } = await play('/silent', 'webcodecs');
    await tiles.tell('tile', 'setMuted', false);
    const { state, stats } = await tiles.look('tile');
    expect(stats.audio).toBe(false);
    expect(state.code).toBe('live');
    expect(mistakes).toEqual([]);
    await page.context().close();
  });
});
