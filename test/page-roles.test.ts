// What each role finds on the page: nothing that is not for it, and a new role as soon as it has one.
// That the service refuses the rest is tested route by route elsewhere.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import {
  accountMenu,
  expectNothingOpen,
  expectOnlyTheEntrance,
  fillIn,
  socketsOf,
} from './support/entrance.ts';
import { moves } from './support/live-tile.ts';
import { desktop, openPage, says } from './support/page.ts';
import { useParts } from './support/parts.ts';
import { newAccount } from './support/service.ts';
import { expectReadable } from './support/web-page.ts';

const links = (page: Page) => page.getByRole('navigation').getByRole('link').allInnerTexts();

describe.skipIf(withoutChromium)('roles on the page', () => {
  const parts = useParts(['/door'], { admin: true });
  const bob = newAccount('bob');
  let browser: Browser;
  let bobId: string;
  let camera: { id: string };

  beforeAll(async () => {
    browser = await launchBrowser();
    camera = await parts.save(parts.simulator.url('/door'), {
      name: 'Front door',
      description: 'By the gate',
    });
    const { user } = await parts.service.api<{ user: { id: string } }>('POST', '/api/register/', {
      ...bob,
      role: 'viewer',
    });
    bobId = user.id;
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
  });

  /** All that is said of a camera anywhere, with its menu open. */
  async function expectNoAddress(page: Page): Promise<void> {
    const content = await page.content();
    expect(content).not.toContain('rtsp:');
    expect(content).not.toContain(`:${new URL(parts.simulator.url('/door')).port}`);
  }

  it('a viewer watches, and finds no address and no button that is not for viewers', async () => {
    const { service } = parts;
    const { page, mistakes, refusals } = await openPage(browser, service.baseUrl, desktop);
    await fillIn(page, bob);
    const tile = page.getByRole('list', { name: 'Cameras' }).getByRole('listitem');
    await moves(tile);
    expect(await links(page)).toEqual(['Wall', 'Cameras', 'Alerts', 'Detections', 'Performance', 'Settings']);
    expect(await page.getByRole('button', { name: /Add|Edit|Delete|Start|Stop/ }).count()).toBe(0);
    await tile.hover();
    await tile.getByRole('button', { name: 'Actions for Front door' }).click();
    expect(await page.getByRole('menuitem').filter({ visible: true }).allInnerTexts()).toEqual(['Details']);
    await expectNoAddress(page);

    // Everywhere he may go.
    for (const path of ['/cameras', `/cameras/${camera.id}`, `/?camera=${camera.id}`, '/performance']) {
      await page.goto(`${service.baseUrl}${path}`);
      await page.getByText('Front door').filter({ visible: true }).first().waitFor();
      await expectNoAddress(page);
      expect(
        await page
          .getByRole('button', { name: /^(Add|Edit|Delete|Start|Stop|Pause|Resume|Reset|Save)/ })
          .count(),
        path,
      ).toBe(0);
    }

    // And where he may not: a sentence instead of a page.
    for (const path of ['/users', '/tokens', '/audit']) {
      await page.goto(`${service.baseUrl}${path}`);
      await page.getByRole('heading', { name: 'Not for your role', level: 1 }).waitFor();
      await says(page.locator('main'), /This page needs the role Admin/);
    }
    await expectReadable(page, 'not for this role');
    const wrong = refusals.filter((refusal) => !refusal.startsWith('401 '));
    expect({ mistakes, wrong }).toEqual({ mistakes: [], wrong: [] });
    await page.context().close();
  }, 240_000);

  it('a changed role takes effect at once: the page asks to sign in again and shows what it allows', async () => {
    const { service } = parts;
    const { page, mistakes, refusals } = await openPage(browser, `${service.baseUrl}/cameras`, desktop);
    const sockets = socketsOf(page);
    await fillIn(page, bob);
    await page.getByRole('link', { name: 'Front door' }).waitFor();
    const add = page.getByRole('button', { name: 'Add camera' });
    const roleIs = async (role: string) => {
      await service.api('PATCH', `/api/users/${bobId}/`, { role });
      await expectOnlyTheEntrance(page, 'Sign in');
      await expectNothingOpen(sockets);
      await fillIn(page, bob);
      await page.getByRole('link', { name: 'Front door' }).waitFor();
    };
    expect(await add.count()).toBe(0);

    await roleIs('operator');
    await add.waitFor();
    await page.getByRole('button', { name: 'Actions for Front door' }).click();
    await page.getByRole('menuitem', { name: 'Delete…' }).waitFor();
    await page.keyboard.press('Escape');
    await says(page.locator('main'), /rtsp:\/\/127\.0\.0\.1/);
    expect(await links(page)).not.toContain('Users');

    await roleIs('admin');
    await page.getByRole('navigation').getByRole('link', { name: 'Users' }).click();
    await page.getByRole('table', { name: 'Users of this service' }).waitFor();

    // And down again while he reads what is for admins only.
    await service.api('PATCH', `/api/users/${bobId}/`, { role: 'viewer' });
    await expectOnlyTheEntrance(page, 'Sign in');
    await fillIn(page, bob);
    await page.getByRole('heading', { name: 'Not for your role', level: 1 }).waitFor();
    expect(await page.content()).not.toContain('rtsp:');
    await accountMenu(page).click();
    await says(page.getByRole('menu').filter({ visible: true }), /Signed in as\s+bob\s+Viewer/);
    const wrong = refusals.filter((refusal) => !refusal.startsWith('401 '));
    expect({ mistakes, wrong }).toEqual({ mistakes: [], wrong: [] });
    await page.context().close();
  }, 240_000);
});
