// The way in and out, as people go it: the link of the first start, the first camera, signing out, coming back.
// What the server itself allows to whom is tested route by route elsewhere; here it is enough that the page keeps to it.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import {
  desktop,
  expectNoSidewaysScrolling,
  openPage,
  patience,
  phone,
  says,
  tileOf,
} from './support/page.ts';
import { eventually, useParts } from './support/parts.ts';
import { type Account, newAccount } from './support/service.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function fillIn(page: Page, { username, password }: Account): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
}

/** All that a person sees and a screen reader says: nothing but the way in. */
async function expectOnlyTheEntrance(page: Page, title: string): Promise<void> {
  await page.getByRole('heading', { name: title, exact: true }).waitFor();
  expect(await page.locator('canvas:visible, img.thumb:visible, header:visible, main:visible').count()).toBe(
    0,
  );
  expect(await page.getByRole('heading').allInnerTexts()).toEqual([title]);
  expect(await page.title()).toBe(title);
}

/** What the browser sends to be known: `name=value`. */
async function cookieOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** Every WebSocket that the page opens from now on, and whether it is closed. */
function socketsOf(page: Page): { readonly open: number; readonly total: number } {
  let open = 0;
  let total = 0;
  page.on('websocket', (socket) => {
    open++;
    total++;
    socket.on('close', () => open--);
  });
  return {
    get open() {
      return open;
    },
    get total() {
      return total;
    },
  };
}

describe.skipIf(withoutChromium)('signing in on the page', () => {
  const parts = useParts(['/door'], { env: { AUTH: 'required' } });
  const alice = newAccount('alice');
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  }, patience);

  afterAll(async () => {
    await browser.close();
  });

  it('goes from the printed link to a live picture, and out again without leaving anything', async () => {
    const { service } = parts;
    const stranger = await openPage(browser, service.baseUrl, phone);
    await expectOnlyTheEntrance(stranger.page, 'Not set up yet');
    await expectNoSidewaysScrolling(stranger.page);

    const link = service.setupLink();
    expect(link).not.toBeNull();
    const { page, mistakes } = await openPage(browser, link!, desktop);
    await expectOnlyTheEntrance(page, 'Create the first user');
    expect(page.url()).toBe(`${service.baseUrl}/`);
    await fillIn(page, { username: 'alice', password: 'short' });
    await says(page.locator('#entrance-error'), /^The password must have 8 to \d+ characters\.$/);
    await expectNoSidewaysScrolling(page);
    const sockets = socketsOf(page);
    await fillIn(page, alice);

    await button(page, 'Add the first camera').click();
    await page.getByLabel('Name', { exact: true }).fill('Front door');
    await page.getByLabel('Address').fill(parts.simulator.url('/door'));
    await page.keyboard.press('Enter');
    await says(tileOf(page, 'Front door').locator('.word'), /^Live$/);
    await says(page.locator('#who'), /^alice$/);
    await expectNoSidewaysScrolling(page);
    expect(sockets.open).toBe(2);

    // The link is used up, in a new tab as in the one that waited for it.
    const late = await openPage(browser, link!, desktop);
    await expectOnlyTheEntrance(late.page, 'Sign in');
    await says(late.page.locator('#entrance-text'), /no longer valid/);
    const reused = { ...newAccount('mallory'), setup_token: new URL(link!).hash.slice('#setup='.length) };
    expect((await service.request('POST', '/api/register/', reused)).status).toBe(401);
    await fillIn(late.page, { username: 'alice', password: 'not this one' });
    await says(late.page.locator('#entrance-error'), /\S/);
    await expectOnlyTheEntrance(late.page, 'Sign in');

    // Out: with this sign-in end its sockets, whoever holds them.
    const saved = await service.api<{ streams: { id: string }[] }>('GET', '/api/streams/', undefined, {
      cookie: await cookieOf(page),
    });
    const viewer = parts.watch(saved.streams[0]!, {
      headers: { cookie: await cookieOf(page), origin: service.baseUrl },
    });
    await viewer.more(1);
    await button(page, 'Sign out').click();
    await expectOnlyTheEntrance(page, 'Sign in');
    await eventually(
      'closed',
      () => sockets.open,
      (open) => open === 0,
      patience,
    );
    await eventually(
      'told to leave',
      () => viewer.closed?.code,
      (code) => code === 4401,
      patience,
    );
    expect(await page.content()).not.toContain('Front door');
    await page.reload();
    await expectOnlyTheEntrance(page, 'Sign in');

    expect(mistakes).toEqual([]);
    for (const each of [stranger.page, late.page, page]) await each.context().close();
  }, 240_000);

  it('a sign-in that ends elsewhere closes the page and its sockets at once; signing in again goes on where it was', async () => {
    const { service } = parts;
    const { page, mistakes } = await openPage(browser, service.baseUrl, desktop);
    const sockets = socketsOf(page);
    await fillIn(page, alice);
    const tile = tileOf(page, 'Front door');
    await says(tile.locator('.word'), /^Live$/);
    await tile.getByRole('button', { name: 'Show Front door large' }).click();
    const large = page.getByRole('dialog', { name: 'Front door' });
    await large.waitFor();

    const headers = { cookie: await cookieOf(page), origin: service.baseUrl };
    const response = await service.request('POST', '/api/logout/', {}, headers);
    expect(response.status).toBe(200);
    await expectOnlyTheEntrance(page, 'Sign in');
    await eventually(
      'closed',
      () => sockets.open,
      (open) => open === 0,
      patience,
    );

    expect(await page.getByLabel('User name').inputValue()).toBe('alice');
    await fillIn(page, alice);
    await large.waitFor();
    await says(page.locator('#large-figures'), /^Live · \d/);
    expect(mistakes).toEqual([]);
    await page.context().close();
  }, 240_000);

  it('a viewer watches and finds no button that is not for viewers', async () => {
    const { service } = parts;
    const admin = { authorization: `Bearer ${(await service.signIn(alice)).access}` };
    const bob = newAccount('bob');
    await service.api('POST', '/api/register/', { ...bob, role: 'viewer' }, admin);
    const { page, mistakes, refusals } = await openPage(browser, service.baseUrl, phone);
    await fillIn(page, bob);
    const tile = tileOf(page, 'Front door');
    await says(tile.locator('.word'), /^Live$/);
    for (const name of ['Add camera', 'Stop Front door', 'Edit Front door', 'Delete Front door'])
      expect(await button(page, name).count(), name).toBe(0);
    expect(await page.content()).not.toContain(`:${new URL(parts.simulator.url('/door')).port}`);
    await expectNoSidewaysScrolling(page);

    // A new role ends the sign-in; with it the buttons come.
    const { users } = await service.api<{ users: { id: string; username: string }[] }>(
      'GET',
      '/api/users/',
      undefined,
      admin,
    );
    const { id } = users.find(({ username }) => username === 'bob')!;
    await service.api('PATCH', `/api/users/${id}/`, { role: 'operator' }, admin);
    await expectOnlyTheEntrance(page, 'Sign in');
    await fillIn(page, bob);
    await tile.getByRole('button', { name: 'Stop Front door' }).waitFor();
    expect({ mistakes, refusals: refusals.filter((refusal) => !refusal.startsWith('401 ')) }).toEqual({
      mistakes: [],
      refusals: [],
    });
    await page.context().close();
  }, 240_000);
});
