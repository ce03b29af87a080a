// The way in, as people go it: links that are used up, doors that stay shut, sign-ins that end elsewhere, too many guesses.
// What the server itself allows to whom is tested route by route elsewhere; here it is enough that the page keeps to it.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriers } from './support/axe.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import {
  cookieOf,
  documentOf,
  expectNothingOpen,
  expectOnlyTheEntrance,
  fillIn,
  signOut,
  signOutElsewhere,
  socketsOf,
} from './support/entrance.ts';
import { moves } from './support/live-tile.ts';
import { desktop, expectNoSidewaysScrolling, openPage, patience, phone, says } from './support/page.ts';
import { eventually, useParts } from './support/parts.ts';
import { newAccount, startService } from './support/service.ts';

const main = (page: Page) => page.locator('main');

describe.skipIf(withoutChromium)('signing in on the page', () => {
  const parts = useParts(['/door'], { env: { AUTH: 'required' } });
  const alice = newAccount('alice');
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
  });

  it('begins with the printed link, which is good for one user and then for nobody', async () => {
    const { service } = parts;
    const link = service.setupLink();
    expect(link).not.toBeNull();

    // Without the link nobody gets further, and is told where it is.
    const stranger = await openPage(browser, service.baseUrl, phone);
    await expectOnlyTheEntrance(stranger.page, 'Set-up is not finished');
    await says(main(stranger.page), /the set-up link that the service printed in the terminal/);
    expect(await barriers(stranger.page)).toEqual([]);
    await expectNoSidewaysScrolling(stranger.page);

    const late = await openPage(browser, link!, desktop);
    await expectOnlyTheEntrance(late.page, 'Create the first user');
    const first = await openPage(browser, link!, desktop);
    await expectOnlyTheEntrance(first.page, 'Create the first user');
    expect(first.page.url()).toBe(`${service.baseUrl}/`);
    await fillIn(first.page, { username: 'alice', password: 'short' });
    await says(main(first.page), /8 to \d+ characters/);
    const password = first.page.getByLabel('Password', { exact: true });
    expect(await password.getAttribute('aria-invalid')).toBe('true');
    expect(await barriers(first.page)).toEqual([]);
    await expectNoSidewaysScrolling(first.page);
    await fillIn(first.page, alice);
    await first.page.getByRole('heading', { name: 'No camera yet' }).waitFor();

    // Used up: in the tab that waited with it, in a new one, and for programs.
    await fillIn(late.page, newAccount('mallory'));
    await expectOnlyTheEntrance(late.page, 'Sign in');
    await says(main(late.page), /The set-up link is not valid any more: a user exists already/);
    const later = await openPage(browser, link!, phone);
    await expectOnlyTheEntrance(later.page, 'Sign in');
    await says(main(later.page), /The set-up link is not valid any more: a user exists already/);
    const setup_token = new URL(link!).hash.slice('#setup='.length);
    const reused = { ...newAccount('mallory'), setup_token };
    expect((await service.request('POST', '/api/register/', reused)).status).toBe(401);

    // The stranger finds out at the push of a button.
    await stranger.page.getByRole('button', { name: 'Check again' }).click();
    await expectOnlyTheEntrance(stranger.page, 'Sign in');
    for (const { page, mistakes } of [stranger, late, later, first]) {
      expect(mistakes).toEqual([]);
      await page.context().close();
    }
  }, 240_000);

  it('shows a stranger nothing but the form, whatever the address, and says what was wrong', async () => {
    const { service } = parts;
    const cookie = (await service.signIn(alice)).cookie;
    const { id } = await service.api<{ id: string }>(
      'POST',
      '/api/streams/',
      { name: 'Front door', rtsp_url: parts.simulator.url('/door'), detection_enabled: false },
      { cookie, origin: service.baseUrl },
    );
    const { page, mistakes, refusals } = await openPage(browser, service.baseUrl, desktop);
    const sockets = socketsOf(page);
    for (const path of ['/', `/?camera=${id}`, '/alerts', `/cameras/${id}`, '/users', '/nowhere']) {
      await page.goto(`${service.baseUrl}${path}`);
      await expectOnlyTheEntrance(page, 'Sign in');
      expect(await page.content()).not.toContain('Front door');
    }
    expect(await barriers(page)).toEqual([]);
    expect(sockets.total).toBe(0);

    await fillIn(page, { username: 'alice', password: 'not this one' });
    await page.getByRole('alert').getByText('The user name or the password is wrong.').waitFor();
    await fillIn(page, newAccount('nobody'));
    await page.getByRole('alert').getByText('The user name or the password is wrong.').waitFor();
    expect(await barriers(page)).toEqual([]);
    await expectOnlyTheEntrance(page, 'Sign in');
    expect(sockets.total).toBe(0);
    const refused = new Set(refusals);
    expect({ mistakes, refused }).toEqual({
      mistakes: [],
      refused: new Set(['401 GET /api/me/', '401 POST /api/login/']),
    });

    // Right at last, one is where the address leads.
    await page.goto(`${service.baseUrl}/cameras/${id}`);
    await fillIn(page, alice);
    await page.getByRole('heading', { name: 'Front door', level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/cameras/${id}`);
    await page.context().close();
  }, 240_000);

  it('is over at once on every page when it ends elsewhere; signing in again goes on where it was', async () => {
    const { service } = parts;
    const { page, mistakes } = await openPage(browser, service.baseUrl, desktop);
    const sockets = socketsOf(page);
    await fillIn(page, alice);
    await page.getByRole('link', { name: /^Front door, .*Show large$/ }).click();
    await page.getByRole('heading', { name: 'Front door', level: 1 }).waitFor();
    await moves(main(page));
    const [born, address] = [await documentOf(page), page.url()];

    // With the sign-in end its sockets, whoever holds them.
    const [saved] = (
      await service.api<{ streams: { id: string }[] }>('GET', '/api/streams/', undefined, {
        cookie: await cookieOf(page),
      })
    ).streams;
    const viewer = parts.watch(saved!, {
      headers: { cookie: await cookieOf(page), origin: service.baseUrl },
    });
    await viewer.more(1);
    await signOutElsewhere(page, service);
    await expectOnlyTheEntrance(page, 'Sign in');
    await says(main(page), /You have been signed out\. Sign in again to go on where you were\./);
    await expectNothingOpen(sockets);
    await eventually(
      'told to leave',
      () => viewer.closed?.code,
      (code) => code === 4401,
      patience,
    );
    expect(await page.content()).not.toContain('Front door');
    expect(await barriers(page)).toEqual([]);

    await fillIn(page, alice);
    await page.getByRole('heading', { name: 'Front door', level: 1 }).waitFor();
    await moves(main(page));
    expect({ born: await documentOf(page), address: page.url() }).toEqual({ born, address });

    // Left by oneself it says nothing of that kind.
    await signOut(page);
    await expectOnlyTheEntrance(page, 'Sign in');
    expect(await main(page).innerText()).not.toMatch(/signed out/);
    await expectNothingOpen(sockets);
    expect(mistakes).toEqual([]);
    await page.context().close();
  }, 240_000);

  it('counts down after too many guesses until the next one is allowed', async () => {
    // Of its own: the address has to wait for a quarter of an hour.
    const service = await startService({ admin: true });
    try {
      const { page, mistakes } = await openPage(browser, 'about:blank', phone);
      await page.clock.install();
      await page.goto(service.baseUrl);
      await expectOnlyTheEntrance(page, 'Sign in');
      const guess = () => service.request('POST', '/api/login/', newAccount('guess'), {});
      await eventually(
        'refused',
        async () => (await guess()).status,
        (status) => status === 429,
        patience,
      );

      await fillIn(page, service.admin!);
      const wait = page.getByRole('button', { name: /^Try again in / });
      await says(wait, /^Try again in 1[45]:\d\d$/);
      expect(await wait.isDisabled()).toBe(true);
      await page
        .getByRole('alert')
        .getByText(/^Too many sign-ins have failed/)
        .waitFor();
      expect(await barriers(page)).toEqual([]);
      await expectNoSidewaysScrolling(page);
      await page.clock.fastForward('10:00');
      await says(wait, /^Try again in [45]:\d\d$/);
      await page.clock.fastForward('06:00');
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      expect(mistakes).toEqual([]);
      await page.context().close();
    } finally {
      await service.stop();
    }
  }, 240_000);
});
