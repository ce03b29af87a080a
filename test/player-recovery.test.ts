// The player over a long day: cameras, service and network that go and come back, hidden and sleeping pages, people signed out.
// What a tile says meanwhile is the truth, and no reload is ever needed.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SimulatedCamera } from '../simulator/camera.ts';
import { sceneClip } from '../simulator/clips.ts';
import type { Scene } from '../simulator/scene.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { desktop, openPage, patience } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { type PlayerPage, servePlayerPage, type TileView, tilesOf } from './support/player-page.ts';
import { bearer, type Service, startService } from './support/service.ts';

const hall: Scene = {
  label: 'HALL',
  mood: 'day',
  seconds: 12,
  visits: [{ person: 1, from: 0, to: 12, at: 0.5 }],
};

// What runs inside the page is text: these files know Node's types and not the browser's.
const hide = (
  hidden: boolean,
) => `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
document.dispatchEvent(new Event('visibilitychange'))`;
const boxes = `[...document.querySelectorAll('[data-track]')].map((box) => {
  const { left, width } = box.getBoundingClientRect();
  const picture = box.parentElement.getBoundingClientRect();
  return (left + width / 2 - picture.left) / picture.width;
})`;

describe.skipIf(withoutChromium)('the player comes back', { timeout: 240_000 }, () => {
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;
  let site: PlayerPage;

  beforeAll(async () => {
    const clip = await sceneClip({ gopSeconds: 1 });
    simulator = await startSimulator({
      cameras: [
        { path: '/door', clip },
        { path: '/yard', clip },
        { path: '/hall', clip: await sceneClip({ scene: hall, gopSeconds: 1 }) },
        { path: '/locked', clip, username: 'admin', password: 'right' },
      ],
    });
    service = await startService({ admin: true });
    site = await servePlayerPage(service.baseUrl);
    browser = await launchBrowser();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await service?.stop();
    await simulator?.close();
  });

  const save = async (rtspUrl: string, detection = false) => {
    const camera = { name: rtspUrl, rtsp_url: rtspUrl, detection_enabled: detection };
    return (await service.api<{ id: string }>('POST', '/api/streams/', camera)).id;
  };
  const viewers = async (id: string) =>
    (await service.api<{ stream: { viewers: number } }>('GET', `/api/streams/${id}/`)).stream.viewers;

  /** A page of somebody who is signed in. */
  async function open() {
    const { cookie, access } = await service.signIn();
    const opened = await openPage(browser, 'about:blank', desktop);
    const [name = '', value = ''] = cookie.split('=', 2);
    const domain = new URL(site.url).hostname;
    await opened.page.context().addCookies([{ name, value, domain, path: '/', httpOnly: true }]);
    await opened.page.goto(site.url);
    await opened.page.waitForFunction('globalThis.live !== undefined');
    return { ...opened, access, tiles: tilesOf(opened.page) };
  }

  type Tiles = ReturnType<typeof tilesOf>;

  const until = (tiles: Tiles, what: string, holds: (view: TileView) => boolean, name = 'tile') =>
    eventually(what, () => tiles.look(name), holds, patience);
  const says = (tiles: Tiles, code: string, name = 'tile') =>
    until(tiles, code, ({ state }) => state.code === code, name);

  /** The picture on the screen is of now, but for two seconds. */
  async function expectNow(tiles: Tiles, camera: SimulatedCamera, name = 'tile'): Promise<void> {
    const { length } = camera.loop.clip.accessUnits;
    await eventually(
      'of now',
      async () => {
        const times = camera.sentTimes();
        const newest = times.indexOf(Math.max(...times));
        const shown = await tiles.frame(name);
        return shown === null ? null : (newest - shown + length) % length;
      },
      // The page may be asked a little after the camera was.
      (behind) => behind !== null && (behind < 30 || behind > length - 15),
      patience,
    );
  }

  it('from a lost camera, and tells why there is no picture', async () => {
    const camera = simulator.camera('/door');
    const id = await save(simulator.url('/door'));
    const { page, mistakes, tiles } = await open();
    await tiles.add('tile', { streamId: id });
    await says(tiles, 'live');
    await camera.die();
    const { state } = await says(tiles, 'camera_reconnecting');
    expect(state.sentence).toMatch(/\S.*Trying again…$/);
    expect(state.hasPicture).toBe(true);
    await camera.comeBack();
    await says(tiles, 'live');
    await expectNow(tiles, camera);

    // Stopped, started, deleted by somebody else.
    await service.api('PATCH', `/api/streams/${id}/status/`, { action: 'stop' });
    expect((await says(tiles, 'stopped')).state).toMatchObject({ kind: 'off' });
    await service.api('PATCH', `/api/streams/${id}/status/`, { action: 'start' });
    await says(tiles, 'live');
    await service.api('DELETE', `/api/streams/${id}/`);
    expect((await says(tiles, 'deleted')).state.sentence).toMatch(/deleted/);
    expect(mistakes).toEqual([]);
    await page.context().close();
  });

  it('from a wrong password, once it is corrected', async () => {
    const right = simulator.url('/locked');
    const id = await save(right.replace(':right@', ':wrong@'));
    const { page, tiles } = await open();
    await tiles.add('tile', { streamId: id });
    const { state } = await says(tiles, 'camera_error');
    expect(state).toMatchObject({
      kind: 'error',
      sentence: expect.stringMatching(/wrong user name or password/),
    });
    await service.api('PATCH', `/api/streams/${id}/`, { rtsp_url: right });
    await says(tiles, 'live');
    await page.context().close();
  });

  it('from a restart of the service, without a reload', async () => {
    const camera = simulator.camera('/yard');
    const own = await startService();
    let restarted: Service | null = null;
    const behind = await servePlayerPage(own.baseUrl);
    try {
      const { id } = await own.api<{ id: string }>('POST', '/api/streams/', {
        name: 'Yard',
        rtsp_url: simulator.url('/yard'),
        detection_enabled: false,
      });
      const { page, mistakes } = await openPage(browser, behind.url, desktop);
      await page.waitForFunction('globalThis.live !== undefined');
      const tiles = tilesOf(page);
      const born = await page.evaluate('performance.timeOrigin');
      for (const step of ['webcodecs', 'mse', 'jpeg']) await tiles.add(step, { streamId: id, format: step });
      for (const step of ['webcodecs', 'mse', 'jpeg']) await says(tiles, 'live', step);

      process.kill(own.pid, 'SIGKILL');
      for (const step of ['webcodecs', 'mse', 'jpeg']) {
        const { state } = await says(tiles, 'unreachable', step);
        expect(state.sentence).toMatch(/does not answer\. Reconnecting( in \d+ s)?…$/);
        expect(state.hasPicture).toBe(true);
      }
      restarted = await startService({ dataDir: own.dataDir });
      behind.setService(restarted.baseUrl);
      for (const step of ['webcodecs', 'mse', 'jpeg']) {
        await says(tiles, 'live', step);
        await expectNow(tiles, camera, step);
      }
      expect(await page.evaluate('performance.timeOrigin')).toBe(born);
      expect(mistakes).toEqual([]);
      await page.context().close();
    } finally {
      await behind.close();
      await restarted?.stop();
      await own.stop();
    }
  });

  /** Asleep until nobody watches any more, then awake. */
  async function nap(page: Page, id: string, sleep: () => Promise<unknown>, wake: () => Promise<unknown>) {
    await sleep();
    await eventually(
      'left alone',
      () => viewers(id),
      (count) => count === 0,
      patience,
    );
    await page.waitForTimeout(500);
    await wake();
  }

  it('from hiding and freezing, live and not where it stopped', async () => {
    const camera = simulator.camera('/door');
    const id = await save(simulator.url('/door'));
    const { page, mistakes, tiles } = await open();
    for (const step of ['webcodecs', 'mse']) {
      await tiles.add('tile', { streamId: id, format: step });
      await says(tiles, 'live');
      await nap(
        page,
        id,
        () => page.evaluate(hide(true)),
        () => page.evaluate(hide(false)),
      );
      await says(tiles, 'live');
      await expectNow(tiles, camera);

      const devtools = await page.context().newCDPSession(page);
      await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
      // Longer than a busy machine is ever taken to be late.
      await new Promise((resolve) => setTimeout(resolve, 8_000));
      await devtools.send('Page.setWebLifecycleState', { state: 'active' });
      await says(tiles, 'live');
      await expectNow(tiles, camera);
      await tiles.remove('tile');
    }
    expect(mistakes).toEqual([]);
    await page.context().close();
  });

  it('when it is made visible, and costs nothing before', async () => {
    const camera = simulator.camera('/door');
    const id = await save(simulator.url('/door'));
    const { page, tiles } = await open();
    await tiles.add('tile', { streamId: id, visible: false });
    await says(tiles, 'resting');
    expect(await viewers(id)).toBe(0);
    await tiles.tell('tile', 'setVisible', true);
    await says(tiles, 'live');
    await tiles.tell('tile', 'setVisible', false);
    await says(tiles, 'resting');
    await eventually(
      'left alone',
      () => viewers(id),
      (count) => count === 0,
      patience,
    );

    // A still in place of live video, and back.
    await tiles.tell('tile', 'setMode', 'thumbnail');
    await tiles.tell('tile', 'setVisible', true);
    await says(tiles, 'thumbnail');
    expect(await viewers(id)).toBe(0);
    await expectNow(tiles, camera);
    await tiles.tell('tile', 'setMode', 'live');
    await says(tiles, 'live');
    await page.context().close();
  });

  it('from being signed out only when somebody signs in', async () => {
    const id = await save(simulator.url('/door'));
    const { page, access, tiles } = await open();
    await tiles.add('tile', { streamId: id });
    await says(tiles, 'live');
    await service.request('POST', '/api/logout/', {}, bearer(access));
    expect((await says(tiles, 'signed_out')).state).toMatchObject({ kind: 'error' });

    // A stranger is told the same at once.
    await tiles.tell('tile', 'retry');
    await tiles.add('stranger', { streamId: id });
    await says(tiles, 'signed_out', 'stranger');
    const { cookie } = await service.signIn();
    const [name = '', value = ''] = cookie.split('=', 2);
    const domain = new URL(site.url).hostname;
    await page.context().addCookies([{ name, value, domain, path: '/', httpOnly: true }]);
    await tiles.tell('tile', 'retry');
    await says(tiles, 'live');
    await page.context().close();
  });

  it.each(['webcodecs', 'mse', 'jpeg'])('with boxes around faces by %s', async (step) => {
    const id = await save(simulator.url('/hall'), true);
    const { page, tiles } = await open();
    await tiles.add('tile', { streamId: id, format: step });
    // The person of the scene walks to the middle of the picture and stays there for a while.
    await eventually(
      'boxed in the middle',
      () => page.evaluate<number[]>(boxes),
      (found) => found.length === 1 && Math.abs(found[0]! - 0.5) < 0.1,
      patience,
    );
    await tiles.tell('tile', 'setBoxes', false);
    expect(await page.evaluate(boxes)).toEqual([]);
    await service.api('DELETE', `/api/streams/${id}/`);
    await page.context().close();
  });
});
