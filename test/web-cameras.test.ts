// Cameras managed as people do it: tried, added, tuned, paused, deleted; and what a viewer is not told.
// A real browser and service, and cameras that ask for passwords and show people.

import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { barriers } from './support/axe.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { moves } from './support/live-tile.ts';
import { desktop, expectNoSidewaysScrolling, openPage, patience, says } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { type Account, newAccount, type Service, startService } from './support/service.ts';

interface Saved {
  readonly id: string;
  readonly status: string;
  readonly confidence_threshold: number;
  readonly detection_enabled: boolean;
}

// What runs inside the page is text: these files know Node's types and not the browser's.
const pictureWidth = new Function('image', 'return image.naturalWidth') as (image: unknown) => number;

async function signIn(page: Page, { username, password }: Account): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

describe.skipIf(withoutChromium)('the pages of cameras', () => {
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;
  const viewer = newAccount('vera');

  beforeAll(async () => {
    simulator = await startSimulator({
      cameras: [
        { path: '/hall', clip: await sceneClip({ gopSeconds: 1 }), username: 'admin', password: 'Right-1' },
      ],
    });
    service = await startService({ admin: true });
    await service.api('POST', '/api/register/', { ...viewer, role: 'viewer' });
    browser = await launchBrowser();
  }, 240_000);

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await simulator?.close();
  });

  const saved = async () => (await service.api<{ streams: Saved[] }>('GET', '/api/streams/')).streams[0];
  const becomes = (what: string, holds: (stream: Saved | undefined) => boolean) =>
    eventually(what, saved, holds, patience);

  it('try a camera before it is saved, tune it on its live picture, and let it go with its consequences named', async () => {
    const { page, mistakes, refusals } = await openPage(browser, `${service.baseUrl}/cameras`, desktop);
    await signIn(page, service.admin!);
    await page.getByRole('heading', { name: 'No camera yet' }).waitFor();
    await page.getByRole('button', { name: 'Add camera' }).click();
    const form = page.getByRole('dialog', { name: 'Add a camera' });
    const address = form.getByLabel('Address');
    const open = simulator.url('/hall', { bare: true });

    // No address at all, a wrong password, the right one.
    await address.fill('http://192.168.1.20/stream');
    await form.getByRole('button', { name: 'Test connection' }).click();
    await says(form, /must start with rtsp:/i);
    expect(await address.getAttribute('aria-invalid')).toBe('true');
    await address.fill(open.replace('rtsp://', 'rtsp://admin:wrong@'));
    await form.getByRole('button', { name: 'Test again' }).click();
    await says(form, /wrong user name or password[\s\S]*What to do/);
    expect(await barriers(page)).toEqual([]);
    await address.fill(open.replace('rtsp://', 'rtsp://admin:Right-1@'));
    await says(form, /The address has changed since the test/);
    // A machine that is busy with other tests may need more than the time that one attempt has.
    await eventually(
      'shown to work',
      async () => {
        await form.getByRole('button', { name: 'Test again' }).click();
        return says(form, /The camera works|You can save it all the same/);
      },
      (words) => /The camera works[\s\S]*H\.264 · 640×480/.test(words),
      patience,
    );
    expect(await form.getByAltText('Picture from the camera').evaluate(pictureWidth)).toBe(640);
    expect(await barriers(page)).toEqual([]);
    expect(await saved()).toBeUndefined();

    // A name is missing; then it is saved, and its password is shown nowhere.
    await form.getByRole('button', { name: 'Add camera' }).click();
    await says(form, /Must not be empty/);
    await form.getByLabel('Name').fill('Hall');
    await form.getByRole('button', { name: 'Add camera' }).click();
    await form.waitFor({ state: 'hidden' });
    await says(page.getByRole('row').filter({ hasText: 'Hall' }), /Live[\s\S]*H\.264/);
    expect(await page.content()).not.toContain('Right-1');
    expect(await barriers(page)).toEqual([]);
    await expectNoSidewaysScrolling(page);

    // On its own page: who would count is seen before it is saved, above and below what is saved now.
    await page.getByRole('link', { name: 'Hall', exact: true }).click();
    await page.getByRole('heading', { name: 'Hall', level: 1 }).waitFor();
    await moves(page.locator('main'));
    const slider = page.getByRole('slider', { name: 'Confidence threshold' });
    await page.locator('[data-counts="true"]').first().waitFor();
    await slider.focus();
    await page.keyboard.press('End');
    await page.locator('[data-counts="false"]').first().waitFor();
    await says(page.locator('main'), /would not count|0 of \d faces/);
    expect(await saved()).toMatchObject({ confidence_threshold: 0.8 });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await becomes('saved', (stream) => stream?.confidence_threshold === 1);
    // Nobody counts now; they are still in the preview.
    await page.locator('[data-counts="false"]').first().waitFor();
    for (let step = 0; step < 30; step++) await slider.press('ArrowLeft');
    await page.locator('[data-counts="true"]').first().waitFor();
    await page.getByRole('button', { name: 'Reset' }).click();
    await says(page.locator('main'), /100\s?%/);
    expect(await barriers(page)).toEqual([]);
    await expectNoSidewaysScrolling(page);

    // Edited: a password that is not touched stays.
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    const edit = page.getByRole('dialog', { name: 'Edit Hall' });
    expect(await edit.getByLabel('Address').inputValue()).toContain('admin:****@');
    await edit.getByLabel('Name').fill('Great hall');
    await edit.getByRole('button', { name: 'Save changes' }).click();
    await edit.waitFor({ state: 'hidden' });
    await page.getByRole('heading', { name: 'Great hall', level: 1 }).waitFor();
    await moves(page.locator('main'));

    // Paused and taken back, stopped and started.
    await page.getByRole('switch', { name: 'Look for faces' }).click();
    await becomes('paused', (stream) => stream?.detection_enabled === false);
    await page.getByRole('button', { name: 'Undo' }).click();
    await becomes('resumed', (stream) => stream?.detection_enabled === true);
    const act = async (name: string) => {
      await page.getByRole('button', { name: 'Actions for Great hall' }).click();
      await page.getByRole('menuitem', { name, exact: true }).click();
    };
    await act('Stop');
    await becomes('stopped', (stream) => stream?.status === 'offline');
    await says(page.locator('main'), /This camera is stopped/);
    await act('Start');
    await becomes('started', (stream) => stream?.status === 'online');
    await moves(page.locator('main'));

    // Deleted, after a second thought.
    await act('Delete…');
    const question = page.getByRole('dialog', { name: 'Delete the camera Great hall?' });
    await says(question, /detections and alerts, and their images/);
    expect(await barriers(page)).toEqual([]);
    await question.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'hidden' });
    expect(await saved()).toBeDefined();
    await act('Delete…');
    await question.getByRole('button', { name: 'Delete camera' }).click();
    await page.getByRole('heading', { name: 'No camera yet' }).waitFor();
    expect(await saved()).toBeUndefined();
    expect(mistakes).toEqual([]);
    const expected = ['401 GET /api/me/', '400 POST /api/streams/check/', '400 POST /api/streams/'];
    expect([...new Set(refusals)].filter((one) => !expected.includes(one))).toEqual([]);
  }, 300_000);

  it('let a viewer see how cameras do, and neither their addresses nor what would change them', async () => {
    const address = simulator.url('/hall', { bare: true }).replace('rtsp://', 'rtsp://admin:Right-1@');
    const { id } = await service.api<Saved>('POST', '/api/streams/', { name: 'Hall', rtsp_url: address });
    const { page, mistakes } = await openPage(browser, `${service.baseUrl}/cameras`, desktop);
    await signIn(page, viewer);
    const row = page.getByRole('row').filter({ hasText: 'Hall' });
    await says(row, /Live/);
    expect(await page.getByRole('button', { name: 'Add camera' }).count()).toBe(0);
    await row.getByRole('button', { name: 'Actions for Hall' }).click();
    await eventually(
      'offering what a viewer may do',
      () => page.getByRole('menuitem').allInnerTexts(),
      (items) => items.join() === 'Watch,Details',
      patience,
    );
    await page.getByRole('menuitem', { name: 'Details' }).click();
    await page.getByRole('heading', { name: 'Hall', level: 1 }).waitFor();
    await moves(page.locator('main'));
    expect(await page.content()).not.toContain('rtsp://');
    for (const role of ['slider', 'switch'] as const) expect(await page.getByRole(role).count()).toBe(0);
    expect(await barriers(page)).toEqual([]);

    // It fails: the viewer reads that, and is offered nothing.
    await simulator.camera('/hall').die();
    await says(page.locator('main'), /Reconnecting|Trying again/);
    await service.api('PATCH', `/api/streams/${id}/status/`, { action: 'stop' });
    await page.getByRole('link', { name: 'Watch' }).click();
    await says(page.locator('main'), /This camera is stopped/);
    expect(await page.getByRole('button', { name: 'Start' }).count()).toBe(0);
    expect(mistakes).toEqual([]);
  }, 180_000);
});
