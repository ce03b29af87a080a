// The whole way a person goes, in one browser: from the printed link to a camera, a face, an alert, and out again.
// Each stop has tests of its own elsewhere; here they have to follow from each other.

import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import type { Scene } from '../simulator/scene.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { barriers } from './support/axe.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import {
  cookieOf,
  expectNothingOpen,
  expectOnlyTheEntrance,
  fillIn,
  signOut,
  socketsOf,
} from './support/entrance.ts';
import { moves } from './support/live-tile.ts';
import { desktop, openPage, patience, says } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { newAccount, type Service, startService } from './support/service.ts';
import { inPage } from './support/web-page.ts';

const scene: Scene = {
  label: 'DOOR',
  mood: 'day',
  seconds: 16,
  visits: [{ person: 1, from: 1, to: 9, at: 0.5 }],
};

const isLoaded = inPage<boolean>('image', 'return image.complete && image.naturalWidth > 0');

const tileOf = (page: Page, name: string): Locator =>
  page.getByRole('list', { name: 'Cameras' }).getByRole('listitem').filter({ hasText: name });

/** Where the middle of one element lies within another, as fractions of it. */
async function placeIn(outer: Locator, inner: Locator): Promise<{ x: number; y: number }> {
  const [frame, box] = await Promise.all([outer.boundingBox(), inner.boundingBox()]);
  if (!frame || !box) throw new Error('They are not both on the page.');
  return {
    x: (box.x + box.width / 2 - frame.x) / frame.width,
    y: (box.y + box.height / 2 - frame.y) / frame.height,
  };
}

describe.skipIf(withoutChromium)('a person', () => {
  const alice = newAccount('alice');
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;

  beforeAll(async () => {
    const clip = await sceneClip({ scene, gopSeconds: 1 });
    simulator = await startSimulator({
      cameras: [{ path: '/door', clip, username: 'admin', password: 'Right-1' }],
    });
    // One alert, however long this takes.
    service = await startService({ env: { AUTH: 'required', ALERT_COOLDOWN_SECONDS: '86400' } });
    browser = await launchBrowser();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await simulator?.close();
  });

  it('goes from the set-up link to a camera, is told of a face, views it, and leaves nothing behind', async () => {
    const address = simulator.url('/door', { bare: true });
    const withPassword = (password: string) => address.replace('rtsp://', `rtsp://admin:${password}@`);
    const accessible = async (stop: string) => expect(await barriers(page), stop).toEqual([]);

    // The printed link makes the first user; its secret is not left in the address bar.
    const link = service.setupLink();
    expect(link).not.toBeNull();
    const { page, mistakes, refusals } = await openPage(browser, link!, desktop);
    const sockets = socketsOf(page);
    await expectOnlyTheEntrance(page, 'Create the first user');
    expect(page.url()).toBe(`${service.baseUrl}/`);
    await accessible('first user');
    await fillIn(page, alice);

    // No camera yet: the wall says what to do next.
    await page.getByRole('heading', { name: 'No camera yet' }).waitFor();
    await accessible('no camera');
    await page.getByRole('main').getByRole('button', { name: 'Add camera' }).click();
    const form = page.getByRole('dialog', { name: 'Add a camera' });
    await form.getByLabel('Name').fill('Front door');
    await form.getByLabel('Address').fill(withPassword('Wrong-1'));
    await form.getByRole('button', { name: 'Test connection' }).click();
    await says(form, /wrong user name or password/);
    await says(form, /What to do/);
    await accessible('refused by the camera');

    // Saved all the same, the tile says it too.
    await form.getByRole('button', { name: 'Add camera' }).click();
    await form.waitFor({ state: 'hidden' });
    const tile = tileOf(page, 'Front door');
    await says(tile, /wrong user name or password/);
    expect(await page.content()).not.toContain('Wrong-1');
    await accessible('a tile with its reason');

    // Corrected from there, tried before it is saved.
    await tile.getByRole('button', { name: 'Edit', exact: true }).click();
    const edit = page.getByRole('dialog', { name: 'Edit Front door' });
    expect(await edit.getByLabel('Address').inputValue()).toContain('admin:****@');
    await edit.getByLabel('Address').fill(withPassword('Right-1'));
    await edit.getByRole('button', { name: 'Test connection' }).click();
    await says(edit, /The camera works/);
    await eventually(
      'a picture',
      () => edit.getByRole('img', { name: 'Picture from the camera' }).evaluate(isLoaded),
      (yes) => yes,
      patience,
    );
    await accessible('the camera works');
    await edit.getByRole('button', { name: 'Save changes' }).click();
    await edit.waitFor({ state: 'hidden' });

    await moves(tile);
    await says(page.locator('main header'), /^Wall\n+1 live/);
    await accessible('live');
    const born = await page.evaluate<number>('performance.timeOrigin');

    // Somebody comes: the badge tells, and the inbox has it.
    const inbox = page.getByRole('navigation').getByRole('link', { name: /^Alerts ?, 1 unviewed alert$/ });
    await inbox.waitFor();
    await inbox.click();
    const row = page.getByRole('link', { name: /^Unviewed Front door/ });
    await row.waitFor();
    await accessible('inbox');
    await row.click();
    const alert = page.getByRole('region', { name: 'Open alert' });
    const picture = alert.getByRole('img', { name: /^Front door, / });
    await eventually(
      'loaded',
      () => picture.evaluate(isLoaded),
      (yes) => yes,
      patience,
    );
    // Around the face of the person, whom the scene has in the middle; a moment before or after that is walking.
    const face = await placeIn(picture, alert.locator('[data-face-box]'));
    expect(face.x).toBeGreaterThan(0.1);
    expect(face.x).toBeLessThan(0.9);
    expect(face.y).toBeGreaterThan(0.2);
    expect(face.y).toBeLessThan(0.6);
    await accessible('open alert');

    await alert.getByRole('button', { name: 'Mark as viewed' }).click();
    await page
      .getByRole('navigation')
      .getByRole('link', { name: /^Alerts$/ })
      .waitFor();
    await alert.getByText('Viewed', { exact: true }).waitFor();
    const { alerts, unviewed } = await eventually(
      'viewed',
      () =>
        cookieOf(page).then((cookie) =>
          service.api<{ alerts: unknown[]; unviewed: number }>('GET', '/api/alerts/', undefined, { cookie }),
        ),
      (reply) => reply.unviewed === 0,
      patience,
    );
    expect({ alerts: alerts.length, unviewed }).toEqual({ alerts: 1, unviewed: 0 });

    // Back to the camera by the alert's own link, still in the same document.
    await alert.getByRole('link', { name: 'Go to camera' }).click();
    await page.getByRole('heading', { name: 'Front door', level: 1 }).waitFor();
    await moves(page.locator('main'));
    await accessible('one camera');
    expect(await page.evaluate<number>('performance.timeOrigin')).toBe(born);
    expect(sockets.open).toBeGreaterThanOrEqual(2);

    // Out: nothing of it can be seen any more, nor by going back or reloading.
    await signOut(page);
    await expectOnlyTheEntrance(page, 'Sign in');
    await expectNothingOpen(sockets);
    await accessible('signed out');
    for (const attempt of [() => page.goBack(), () => page.reload()]) {
      await attempt();
      await expectOnlyTheEntrance(page, 'Sign in');
      expect(await page.content()).not.toContain('Front door');
    }
    await expectNothingOpen(sockets);
    expect(await page.context().cookies()).toEqual([]);
    const wrong = refusals.filter((refusal) => refusal !== '401 GET /api/me/');
    expect({ mistakes, wrong }).toEqual({ mistakes: [], wrong: [] });
    await page.context().close();
  }, 420_000);
});
