// The page stays open over an update of the service: code that it had not fetched yet is gone by then.
// A real browser and the real service; the update is what the browser is answered from then on.

import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { desktop, openPage } from './support/page.ts';
import { type Service, startService } from './support/service.ts';

describe.skipIf(withoutChromium)('after an update of the service', () => {
  let browser: Browser;
  let service: Service;

  beforeAll(async () => {
    service = await startService();
    browser = await launchBrowser();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  /** The code of this page is no longer there, for as long as it is told. @returns how often it was asked for. */
  async function removeCode(context: BrowserContext, gone: () => boolean): Promise<() => number> {
    let asked = 0;
    await context.route(/\/assets\/settings-page-[^/]*\.js$/, (route) => {
      asked += 1;
      return gone() ? route.fulfill({ status: 404, body: '' }) : route.continue();
    });
    return () => asked;
  }

  async function openWall() {
    const watched = await openPage(browser, service.baseUrl, desktop);
    await watched.page.getByRole('heading', { name: 'Wall', level: 1 }).waitFor();
    const documents = { loaded: 0 };
    watched.page.on('domcontentloaded', () => {
      documents.loaded += 1;
    });
    return { ...watched, documents };
  }

  it('the page that is opened next comes in the new version, by itself and without a fault in between', async () => {
    const { page, mistakes, documents } = await openWall();
    await removeCode(page.context(), () => documents.loaded === 0);
    await page.evaluate(`new MutationObserver(() => {
      if (document.querySelector('[role=alert]')?.textContent) sessionStorage.setItem('fault', '1');
    }).observe(document, { childList: true, subtree: true })`);
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    expect(documents.loaded).toBe(1);
    expect(await page.evaluate(`sessionStorage.getItem('fault')`)).toBeNull();
    expect(mistakes).toEqual([]);
  });

  it('code that is missing in the new version, too, is told of and does not make it load again and again', async () => {
    const { page, documents } = await openWall();
    const asked = await removeCode(page.context(), () => true);
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('heading', { name: 'This page could not be shown' }).waitFor();
    await page.getByText('The service has been updated since this page was opened.').waitFor();
    expect(documents.loaded).toBe(1);
    expect(asked()).toBeLessThanOrEqual(8);
    // The rest goes on.
    await page.getByRole('link', { name: 'Wall' }).click();
    await page.getByRole('heading', { name: 'Wall', level: 1 }).waitFor();
  });
});
