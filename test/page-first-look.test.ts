// What somebody meets first: a wall whose player is still on its way, and dialogs that are used by keys.
// A real browser, the real service and a simulated camera.

import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { moves } from './support/live-tile.ts';
import { desktop, openPage, patience, says } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { type Service, startService } from './support/service.ts';

describe.skipIf(withoutChromium)('the page at first sight', () => {
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;

  beforeAll(async () => {
    simulator = await startSimulator({ cameras: [{ path: '/yard', clip: await sceneClip() }] });
    service = await startService();
    await service.api('POST', '/api/streams/', {
      name: 'Yard',
      rtsp_url: simulator.url('/yard'),
      detection_enabled: false,
    });
    browser = await launchBrowser();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await simulator?.close();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  it('a tile says that it connects until its first picture is there', async () => {
    const { page, mistakes } = await openPage(browser, 'about:blank', desktop);
    let arrive = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await page.context().route(/\/assets\/main-[^/]*\.js$/, async (route) => {
      await arrival;
      await route.continue();
    });
    await page.goto(service.baseUrl);
    const tile = page.locator('li[data-camera]').filter({ hasText: 'Yard' });
    await says(tile, /Connecting…/);
    arrive();
    await moves(tile);
    expect(await tile.innerText()).not.toMatch(/Connecting/);
    expect(mistakes).toEqual([]);
  });

  /** @param expected of what has the focus: its label, or what is written on it. */
  async function beginsAt(page: Page, expected: RegExp): Promise<void> {
    await eventually(
      `the focus on ${expected}`,
      () =>
        page.evaluate<string>(
          `document.activeElement.labels?.[0]?.innerText ?? document.activeElement.innerText ?? ''`,
        ),
      (label) => expected.test(label),
      patience,
    );
  }

  it('a dialog begins at its first field, one that asks at the harmless answer, and gives the focus back', async () => {
    const { page } = await openPage(browser, service.baseUrl, desktop);
    for (const [path, opener, start] of [
      ['/cameras', 'Add camera', /^Address/],
      ['/users', 'Add user', /^User name/],
      ['/tokens', 'Create token', /^Name/],
    ] as const) {
      await page.goto(service.baseUrl + path);
      const button = page.getByRole('button', { name: opener }).first();
      await button.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await beginsAt(page, start);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await beginsAt(page, new RegExp(opener));
    }
    await page.goto(`${service.baseUrl}/cameras`);
    await page.getByRole('button', { name: 'Actions for Yard' }).first().click();
    await page.getByRole('menuitem', { name: 'Delete…' }).click();
    await page.getByRole('dialog').waitFor();
    await beginsAt(page, /^Cancel$/);
  });
});
