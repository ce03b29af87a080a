// The wall as people use it: a real browser, the real service and cameras that answer, refuse and show people.

import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import type { Scene } from '../simulator/scene.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { barriers } from './support/axe.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { moves } from './support/live-tile.ts';
import { desktop, expectNoSidewaysScrolling, openPage, patience, phone, says } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { type Service, startService } from './support/service.ts';

const hall: Scene = {
  label: 'HALL',
  mood: 'day',
  seconds: 16,
  visits: [{ person: 1, from: 1, to: 7, at: 0.5 }],
};

const tileOf = (page: Page, name: string): Locator =>
  page.getByRole('list', { name: 'Cameras' }).getByRole('listitem').filter({ hasText: name });
const linkOf = (page: Page, name: string): Locator =>
  page.getByRole('link', { name: new RegExp(`^${name}, .*Show large$`) });

// What runs inside the page is text: these files know Node's types and not the browser's.
const namesInOrder = `[...document.querySelectorAll('li[data-camera]')].map((tile) => tile.querySelector('a').getAttribute('aria-label').split(',')[0])`;
const focused = `document.activeElement.getAttribute('aria-label')`;
const place = `new URL(location.href).searchParams.get('camera')`;
const pictureIsLoaded = new Function('image', 'return image.complete && image.naturalWidth > 0') as (
  image: unknown,
) => boolean;

describe.skipIf(withoutChromium)('the wall', () => {
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;

  beforeAll(async () => {
    const room = await sceneClip({ gopSeconds: 1 });
    simulator = await startSimulator({
      cameras: [
        { path: '/hall', clip: await sceneClip({ scene: hall, gopSeconds: 1 }) },
        { path: '/yard', clip: room },
        { path: '/gate', clip: await sceneClip({ codec: 'h265', gopSeconds: 1 }) },
        { path: '/locked', clip: room, username: 'admin', password: 'Right-1' },
      ],
    });
    service = await startService({ env: { ALERT_COOLDOWN_SECONDS: '1' } });
    browser = await launchBrowser();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await simulator?.close();
  });

  // A page that a failed test leaves open would go on watching.
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  const save = (name: string, rtsp_url: string, detects = false) =>
    service.api<{ id: string }>('POST', '/api/streams/', { name, rtsp_url, detection_enabled: detects });
  const viewersOf = async (id: string) =>
    (await service.api<{ stream: { viewers: number } }>('GET', `/api/streams/${id}/`)).stream.viewers;
  const watched = (id: string, yes: boolean) =>
    eventually(
      yes ? 'watched' : 'left alone',
      () => viewersOf(id),
      (viewers) => viewers > 0 === yes,
      patience,
    );

  it('grows with its cameras, says why one is black and lets it be corrected, and keeps its order', async () => {
    const { page, mistakes, refusals } = await openPage(browser, service.baseUrl, desktop);
    await page.getByRole('heading', { name: 'No camera yet' }).waitFor();
    expect(await barriers(page)).toEqual([]);

    // The first one is added here; the others appear by themselves.
    await page.getByRole('main').getByRole('button', { name: 'Add camera' }).click();
    const form = page.getByRole('dialog', { name: 'Add a camera' });
    await form.getByLabel('Address').fill(simulator.url('/yard'));
    await form.getByLabel('Name').fill('Yard');
    await page.keyboard.press('Enter');
    await form.waitFor({ state: 'hidden' });
    await moves(tileOf(page, 'Yard'));
    await save('Hall', simulator.url('/hall'));
    await save('Gate', simulator.url('/gate'));
    const locked = simulator.url('/locked', { bare: true });
    const { id } = await save('Safe', locked.replace('rtsp://', 'rtsp://admin:wrong@'));
    await moves(tileOf(page, 'Hall'));
    await moves(tileOf(page, 'Gate'));
    await says(tileOf(page, 'Gate'), /H\.265: shown as JPEG/);
    expect(await page.getByRole('listitem').count()).toBeGreaterThanOrEqual(4);
    await expectNoSidewaysScrolling(page);

    // All in view, all as large.
    const boxes = await Promise.all(
      ['Yard', 'Hall', 'Gate', 'Safe'].map((name) => tileOf(page, name).boundingBox()),
    );
    for (const box of boxes) {
      expect(box!.y + box!.height).toBeLessThanOrEqual(desktop.height);
      expect(box!.width).toBe(boxes[0]!.width);
    }

    // A wrong password is read on the tile and corrected from there; the saved one is not shown.
    const safe = tileOf(page, 'Safe');
    await says(safe, /wrong user name or password/);
    expect(await barriers(page)).toEqual([]);
    await safe.getByRole('button', { name: 'Edit', exact: true }).click();
    const edit = page.getByRole('dialog', { name: 'Edit Safe' });
    expect(await edit.getByLabel('Address').inputValue()).toContain('admin:****@');
    await edit.getByLabel('Address').fill(locked.replace('rtsp://', 'rtsp://admin:Right-1@'));
    await edit.getByRole('button', { name: 'Save changes' }).click();
    await edit.waitFor({ state: 'hidden' });
    await moves(safe);
    await says(page.getByRole('banner').or(page.locator('main header')).first(), /4 live/);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await barriers(page)).toEqual([]);

    // By keyboard, then by pointer; both outlive the page.
    const order = (...names: string[]) =>
      eventually(
        `in the order ${names}`,
        () => page.evaluate<string[]>(namesInOrder),
        (now) => now.join() === names.join(),
        patience,
      );
    await order('Yard', 'Hall', 'Gate', 'Safe');
    await page.getByRole('button', { name: 'Move Hall' }).focus();
    await page.keyboard.press('Space');
    await says(page.locator('[id^="DndLiveRegion"]'), /Hall taken, at place 2 of 4|Hall is at place 2 of 4/);
    await page.keyboard.press('ArrowLeft');
    await says(page.locator('[id^="DndLiveRegion"]'), /Hall is at place 1 of 4/);
    await page.keyboard.press('Space');
    await order('Hall', 'Yard', 'Gate', 'Safe');
    const [from, to] = await Promise.all([safe.boundingBox(), tileOf(page, 'Yard').boundingBox()]);
    await page.mouse.move(from!.x + from!.width / 2, from!.y + from!.height / 2);
    await page.mouse.down();
    await page.mouse.move(to!.x + to!.width / 2, to!.y + to!.height / 2, { steps: 12 });
    await page.mouse.up();
    await order('Hall', 'Safe', 'Yard', 'Gate');
    expect(await page.evaluate(place)).toBeNull();
    await page.reload();
    await order('Hall', 'Safe', 'Yard', 'Gate');

    await page.setViewportSize(phone);
    const tiles = await Promise.all(['Hall', 'Safe'].map((name) => tileOf(page, name).boundingBox()));
    expect(tiles[0]!.x).toBe(tiles[1]!.x);
    await service.api('DELETE', `/api/streams/${id}/`);
    expect({ mistakes, refusals }).toEqual({ mistakes: [], refusals: [] });
  }, 300_000);

  it('shows one camera large with who comes into its view, leads to the next and back, and watches none that is not seen', async () => {
    const { streams } = await service.api<{ streams: { id: string; name: string }[] }>(
      'GET',
      '/api/streams/',
    );
    for (const { id } of streams) await service.api('DELETE', `/api/streams/${id}/`);
    const first = await save('Hall', simulator.url('/hall'), true);
    const second = await save('Yard', simulator.url('/yard'));
    const { page, mistakes, refusals } = await openPage(browser, service.baseUrl, desktop);
    await moves(tileOf(page, 'Hall'));
    await Promise.all([watched(first.id, true), watched(second.id, true)]);

    // Large: the others rest. Somebody comes, and is in the list without a reload.
    await linkOf(page, 'Hall').click();
    await page.getByRole('heading', { name: 'Hall', exact: true, level: 1 }).waitFor();
    expect(await page.evaluate(place)).toBe(first.id);
    await moves(page.locator('main'));
    await watched(second.id, false);
    const seen = page.getByRole('region', { name: 'Seen here' });
    const event = seen.getByRole('button').filter({ hasText: '%' }).first();
    await event.waitFor();
    expect(await barriers(page)).toEqual([]);
    await event.click();
    const picture = page.getByRole('dialog', { name: 'Face at Hall' });
    await eventually(
      'loaded',
      () => picture.locator('img').first().evaluate(pictureIsLoaded),
      (yes) => yes,
      patience,
    );
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await picture.waitFor({ state: 'hidden' });

    // Where it was opened counts as viewed.
    await eventually(
      'viewed',
      () => service.api<{ alerts: unknown[] }>('GET', '/api/alerts/?viewed=true'),
      ({ alerts }) => alerts.length > 0,
      patience,
    );
    await expectNoSidewaysScrolling(page);

    // To the next and back, by keys alone; the address tells, and works by itself.
    await page.keyboard.press('ArrowRight');
    await page.getByRole('heading', { name: 'Yard', exact: true, level: 1 }).waitFor();
    expect(await page.evaluate(place)).toBe(second.id);
    await Promise.all([watched(second.id, true), watched(first.id, false)]);
    await page.reload();
    await page.getByRole('heading', { name: 'Yard', exact: true, level: 1 }).waitFor();
    await moves(page.locator('main'));
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Wall', level: 1 }).waitFor();
    await eventually(
      'focused',
      () => page.evaluate<string>(focused),
      (label) => label?.startsWith('Yard,'),
      patience,
    );
    await page.keyboard.press('ArrowLeft');
    expect(await page.evaluate(focused)).toMatch(/^Hall,/);
    await moves(tileOf(page, 'Hall'));

    // What has gone says so, and what is scrolled out of sight is not watched.
    await service.api('DELETE', `/api/streams/${second.id}/`);
    await page.goto(`${service.baseUrl}/?camera=${second.id}`);
    await page.getByRole('heading', { name: 'This camera is not here any more' }).waitFor();
    await page.goto(service.baseUrl);
    await page.setViewportSize({ width: 390, height: 500 });
    const far = await save('Far', simulator.url('/yard'));
    for (const name of ['A', 'B', 'C']) await save(name, 'rtsp://127.0.0.1:9/nothing');
    await page.getByRole('button', { name: 'Move C' }).waitFor({ state: 'attached' });
    await page.evaluate('scrollTo(0, 0)');
    await watched(first.id, true);
    await linkOf(page, 'C').scrollIntoViewIfNeeded();
    await Promise.all([watched(first.id, false), watched(far.id, false)]);
    expect(mistakes).toEqual([]);
    expect(refusals.filter((one) => !one.includes('snapshot.jpg'))).toEqual([]);
  }, 300_000);
});
