// The way in and out of the page, for tests: forms filled in, what a stranger sees, the sockets a page holds open.
// What has to be seen before and after is written in the tests.

import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { patience } from './page.ts';
import { eventually } from './parts.ts';
import type { Account, Service } from './service.ts';

export interface OpenSockets {
  readonly open: number;
  readonly total: number;
}

/** Every WebSocket that the page and its workers open from now on. */
export function socketsOf(page: Page): OpenSockets {
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

/** Waits until none is left. */
export async function expectNothingOpen(sockets: OpenSockets): Promise<void> {
  await eventually(
    'closed',
    () => sockets.open,
    (open) => open === 0,
    patience,
  );
}

/** Name and password into the form that is shown, sent by the keyboard. */
export async function fillIn(page: Page, { username, password }: Account): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
}

/** All that a person sees and a screen reader says: nothing but the way in. */
export async function expectOnlyTheEntrance(page: Page, title: string): Promise<void> {
  await page.getByRole('heading', { name: title, exact: true }).waitFor();
  expect(await page.getByRole('heading').allInnerTexts()).toEqual([title]);
  expect(await page.locator('canvas, video, nav, dialog, [role="menu"]').count()).toBe(0);
  // But for the product's own sign.
  expect(await page.locator('img:not([src="/icon.svg"])').count()).toBe(0);
}

export const accountMenu = (page: Page) => page.getByRole('button', { name: /^Account and theme/ });

export async function signOut(page: Page): Promise<void> {
  await accountMenu(page).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
}

/** What the browser sends to be known: `name=value`. */
export async function cookieOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** Ends the page's sign-in as somebody with the same cookie would, elsewhere. */
export async function signOutElsewhere(page: Page, service: Service): Promise<void> {
  const headers = { cookie: await cookieOf(page), origin: service.baseUrl };
  const { status } = await service.request('POST', '/api/logout/', {}, headers);
  expect(status).toBe(200);
}

/** The document of the page: another one after a reload. */
export const documentOf = (page: Page): Promise<number> => page.evaluate<number>('performance.timeOrigin');
