// The whole page through what befalls cameras and services in a day: it tells, and goes on by itself in the same document.
// The player alone is tested in player-recovery.test.ts.

import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriers } from './support/axe.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { documentOf, expectOnlyTheEntrance, fillIn } from './support/entrance.ts';
import { moves } from './support/live-tile.ts';
import { desktop, openPage, says } from './support/page.ts';
import { useParts } from './support/parts.ts';
import { newAccount, type Service, startService } from './support/service.ts';
import { startTcpProxy } from './support/tcp-proxy.ts';

describe.skipIf(withoutChromium)('the page goes on without a reload', () => {
  const account = newAccount('alice');
  const parts = useParts(['/door'], { admin: account });
  let browser: Browser;
  let restarted: Service | undefined;

  beforeAll(async () => {
    browser = await launchBrowser();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await restarted?.stop();
  });

  it('after a camera was lost, and after the service was', async () => {
    const { service } = parts;
    const camera = parts.simulator.camera('/door');
    await parts.save(parts.simulator.url('/door'), { name: 'Front door' });
    const { page, mistakes } = await openPage(browser, service.baseUrl, desktop);
    await fillIn(page, account);
    const tile: Locator = page.getByRole('list', { name: 'Cameras' }).getByRole('listitem');
    const header = page.locator('main header');
    await moves(tile);
    await says(header, /1 live/);
    const born = await documentOf(page);

    // The camera dies: its last picture stays, with the reason over it.
    await camera.die();
    await says(tile, /\S+ .*Trying again…/s);
    await says(header, /0 of 1 live/);
    expect(await barriers(page)).toEqual([]);
    await camera.comeBack();
    await moves(tile);
    await says(header, /1 live/);

    // The service dies without a word.
    const port = new URL(service.baseUrl).port;
    process.kill(service.pid, 'SIGKILL');
    await says(tile, /The service does not answer\. Reconnecting/);
    const banner = page.getByRole('status').filter({ hasText: 'Connection to the service lost' });
    await says(banner, /What you see may be out of date\.\s+Reconnecting( in \d+ s)?…/);
    expect(await barriers(page)).toEqual([]);

    // A page whose code is not here yet waits for the service, too: it is not left for the browser's own error.
    await page.getByRole('navigation').getByRole('link', { name: 'Settings' }).click();
    await says(banner, /Reconnecting/);
    expect(await documentOf(page)).toBe(born);

    restarted = await startService({ dataDir: service.dataDir, admin: account, env: { PORT: port } });
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    await banner.waitFor({ state: 'hidden' });
    await page.getByRole('navigation').getByRole('link', { name: 'Wall' }).click();
    await moves(tile);
    await says(header, /1 live/);
    expect(await documentOf(page)).toBe(born);

    // News come again, too.
    await restarted.api('POST', '/api/streams/', { name: 'Yard', rtsp_url: 'rtsp://127.0.0.1:9/nothing' });
    await page.getByRole('link', { name: /^Yard, .*Show large$/ }).waitFor();
    expect(mistakes).toEqual([]);
    await page.context().close();
  }, 300_000);

  it('after its line died without a word, of which TCP tells nobody', async () => {
    const { baseUrl } = restarted ?? parts.service;
    const line = await startTcpProxy({ port: Number(new URL(baseUrl).port) });
    const { page, mistakes } = await openPage(browser, `http://127.0.0.1:${line.port}/`, desktop);
    await fillIn(page, account);
    const tile = page.getByRole('listitem').filter({ hasText: 'Front door' });
    await moves(tile);
    const born = await documentOf(page);
    line.mode('black-hole');
    const banner = page.getByRole('status').filter({ hasText: 'Connection to the service lost' });
    await says(banner, /Reconnecting/);
    line.reset();
    line.mode('pass');
    await banner.waitFor({ state: 'hidden' });
    await moves(tile);
    expect(await documentOf(page)).toBe(born);
    expect(mistakes).toEqual([]);
    await page.context().close();
    await line.close();
  }, 240_000);

  it('when it was opened before the service answered', async () => {
    const context = await browser.newContext({ viewport: desktop });
    const page = await context.newPage();
    const { baseUrl } = restarted ?? parts.service;
    // The document and its scripts come, the service behind them does not answer yet.
    let answers = false;
    await page.route('**/api/**', (route) => (answers ? route.continue() : route.abort()));
    await page.goto(baseUrl);
    await expectOnlyTheEntrance(page, 'The service does not answer');
    expect(await barriers(page)).toEqual([]);
    const born = await documentOf(page);
    answers = true;
    await expectOnlyTheEntrance(page, 'Sign in');
    expect(await documentOf(page)).toBe(born);
    await context.close();
  }, 120_000);
});
