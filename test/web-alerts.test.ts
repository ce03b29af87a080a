// Alerts and detections on the page, as somebody works through them: a long inbox, a camera that goes on alerting, a gallery.
// A real service, browser and camera; the long past is written into the database before the start.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { databaseFileName, openDatabase } from '../src/db/database.ts';
import { makeBackends, removeData } from './support/backends.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { fillDetections } from './support/many-detections.ts';
import { desktop, patience, phone } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { type Account, newAccount, type Service, startService } from './support/service.ts';
import { startWebFront, type WebFront } from './support/web-front.ts';
import { expectReadable, inPage, openSignedIn } from './support/web-page.ts';

const scene = {
  label: 'HALL',
  mood: 'day',
  seconds: 16,
  visits: [{ person: 1, from: 1, to: 7, at: 0.5 }],
} as const;

/** Of three cameras that are stopped: 200 alerts of 5 faces each, every tenth unviewed. */
const past = { streams: ['Archive', 'Cellar', 'Garage'], detections: 1_000, perAlert: 5 };

const isLoaded = inPage<boolean>('image', 'return image.complete && image.naturalWidth > 0');
const toTheEnd = inPage<void>('list', 'list.scrollTo(0, list.scrollHeight)');
const toTheTop = inPage<void>('list', 'list.scrollTo(0, 0)');
const faceIds = inPage<string[]>('tiles', 'return tiles.map((tile) => tile.dataset.face)');

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface AlertReply {
  readonly id: string;
  readonly stream: string;
  readonly viewed: boolean;
}

const rows = (page: Page) => page.locator('[id^="alert-"]');
const inbox = (page: Page) => page.getByRole('region', { name: 'Alerts', exact: true });
const openAlert = (page: Page) => page.getByRole('region', { name: 'Open alert' });
const idInAddress = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);

async function topOf(element: Locator): Promise<number> {
  const box = await element.boundingBox();
  if (!box) throw new Error('It is not in the window.');
  return box.y;
}

async function loaded(image: Locator): Promise<void> {
  await eventually(
    'loaded',
    () => image.evaluate(isLoaded),
    (yes) => yes,
    patience,
  );
}

describe.skipIf(withoutChromium)('alerts and detections on the page', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'rtsp-stream-viewer-inbox-'));
  const viewer: Account = newAccount('guest');
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;
  let front: WebFront;

  beforeAll(async () => {
    const { DATABASE_URL } = await makeBackends(dataDir);
    const database = await openDatabase(DATABASE_URL ?? join(dataDir, databaseFileName));
    await fillDetections(database.db, past);
    await database.close();
    simulator = await startSimulator({
      cameras: [{ path: '/hall', clip: await sceneClip({ scene, gopSeconds: 1 }) }],
    });
    // Every visit alerts: the loop of the clip is shorter than the usual cooldown.
    service = await startService({ dataDir, admin: true, env: { ALERT_COOLDOWN_SECONDS: '1' } });
    await service.api('POST', '/api/register/', { ...viewer, role: 'viewer' });
    front = await startWebFront(service.baseUrl);
    browser = await launchBrowser();
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await front?.close();
    await service?.stop();
    await simulator?.close();
    await removeData(dataDir);
  });

  const alerts = (query = '') =>
    service.api<{ alerts: AlertReply[]; unviewed: number }>('GET', `/api/alerts/${query}`);
  const unviewed = (count: number) =>
    eventually(
      `${count} unviewed`,
      () => alerts('?limit=1'),
      (reply) => reply.unviewed === count,
      patience,
    );

  it('are marked while they are still being fetched, and shown as marked when they have come', async () => {
    const { page, mistakes } = await openSignedIn(browser, `${front.baseUrl}/alerts`, service.admin!);
    await page.getByRole('heading', { name: 'Unviewed', exact: true }).waitFor();
    const fetched = Promise.withResolvers<void>();
    await page.route(/\/api\/alerts\/[^/?]+\/?$/, async (route) => {
      if (route.request().method() === 'GET') await fetched.promise;
      await route.continue();
    });
    await page.keyboard.press('j');
    await eventually(
      'open',
      () => idInAddress(page, 'alert'),
      (id) => id !== null,
    );
    await page.keyboard.press(' ');
    await unviewed(19);
    fetched.resolve();
    await openAlert(page).getByRole('button', { name: 'Mark as unviewed' }).waitFor();
    await page.keyboard.press(' ');
    await unviewed(20);
    await openAlert(page).getByRole('button', { name: 'Mark as viewed' }).waitFor();
    expect(mistakes).toEqual([]);
    await page.context().close();
  });

  it('are worked through by keyboard, stay in place when marked, and come in live above what is read', async () => {
    const watched = await openSignedIn(browser, `${front.baseUrl}/alerts`, service.admin!);
    const { page, mistakes } = watched;
    await page.getByRole('heading', { name: 'Unviewed', exact: true }).waitFor();
    const newest = (await alerts('?viewed=false')).alerts;
    expect(newest).toHaveLength(20);

    // j opens the first, then the second; Space marks it, and it stays where it is.
    await page.keyboard.press('j');
    await openAlert(page).waitFor();
    expect(idInAddress(page, 'alert')).toBe(newest[0]!.id);
    await page.keyboard.press('j');
    await eventually(
      'the second',
      () => idInAddress(page, 'alert'),
      (id) => id === newest[1]!.id,
    );
    const second = page.locator(`#alert-${newest[1]!.id}`);
    const before = await topOf(second);
    await page.keyboard.press(' ');
    await unviewed(19);
    await openAlert(page).getByRole('button', { name: 'Mark as unviewed' }).waitFor();
    await page.getByText('19 unviewed alerts', { exact: true }).waitFor();
    expect(await topOf(second)).toBe(before);
    await page.keyboard.press('v');
    await unviewed(20);
    await page.keyboard.press('k');
    await eventually(
      'the first',
      () => idInAddress(page, 'alert'),
      (id) => id === newest[0]!.id,
    );
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('Escape');
    await eventually(
      'closed',
      () => idInAddress(page, 'alert'),
      (id) => id === null,
    );

    // To the end: all 200 come page by page, and few of them are in the document at a time.
    const list = inbox(page);
    await eventually(
      'at the end',
      async () => {
        await list.evaluate(toTheEnd);
        return page.locator('li[aria-setsize="202"]').count();
      },
      (count) => count > 0,
      patience,
    );
    await page.getByText('No older alerts.').waitFor();
    expect(await rows(page).count()).toBeLessThan(60);
    await list.evaluate(toTheTop);
    await expectReadable(page, 'inbox');

    // Of one camera only.
    await page.getByLabel('Camera', { exact: true }).selectOption({ label: 'Cellar' });
    const ofCellar = (await alerts('?stream_id=Cellar&viewed=false')).alerts.length;
    await page.getByRole('button', { name: 'Mark all of Cellar as viewed' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Mark all as viewed' }).click();
    await page.getByText(new RegExp(`^${ofCellar} alerts? marked as viewed\\.$`)).waitFor();
    await unviewed(20 - ofCellar);
    await page.getByRole('button', { name: 'Clear filters' }).click();

    // Somebody comes: what is read stays where it is, and a button says that there is more above.
    const remaining = (await alerts('?viewed=false')).alerts;
    expect(remaining.length).toBeGreaterThan(4);
    await page.locator(`#alert-${remaining[3]!.id}`).click();
    const read = page.locator(`#alert-${remaining[3]!.id}`);
    const place = await topOf(read);
    const { id: hall } = await service.api<{ id: string }>('POST', '/api/streams/', {
      name: 'Hall',
      rtsp_url: simulator.url('/hall'),
    });
    const more = page.getByRole('button', { name: /^\d+ new alerts?$/ });
    await more.waitFor();
    expect(Math.abs((await topOf(read)) - place)).toBeLessThan(2);
    await more.click();
    const live = page.getByRole('link', { name: /^Unviewed Hall/ }).first();
    await live.click();
    const picture = openAlert(page).getByRole('img');
    await loaded(picture);

    // The box is where the service has found the face, once no better picture comes.
    await service.api('PATCH', `/api/streams/${hall}/status/`, { action: 'stop' });
    const face = openAlert(page).locator('[data-face-box]');
    await face.waitFor();
    const alertId = idInAddress(page, 'alert');
    await eventually(
      'on the face',
      async () => {
        const [frame, drawn] = await Promise.all([picture.boundingBox(), face.boundingBox()]);
        const { detections } = await service.api<{ detections: { box: Box }[] }>(
          'GET',
          `/api/detections/?alert_id=${alertId}`,
        );
        const { box } = detections.at(-1)!;
        return frame && drawn
          ? {
              x: (drawn.x - frame.x) / frame.width - box.x,
              width: drawn.width / frame.width - box.width,
              y: (drawn.y - frame.y) / frame.height - box.y,
              height: drawn.height / frame.height - box.height,
            }
          : null;
      },
      (off) => off !== null && Object.values(off).every((part) => Math.abs(part) < 0.01),
      patience,
    );
    expect(await openAlert(page).getByRole('link', { name: 'Go to camera' }).getAttribute('href')).toBe(
      `/?camera=${hall}`,
    );
    await expectReadable(page, 'open alert');

    // On a phone the list makes place for the alert, and comes back.
    await page.setViewportSize(phone);
    await inbox(page).waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'All alerts' }).click();
    await inbox(page).waitFor();
    await page.setViewportSize(desktop);

    const gone = (await alerts()).alerts.find(({ stream }) => stream === 'Hall')!;
    await page.locator(`#alert-${gone.id}`).click();
    await page.getByRole('button', { name: 'Delete alert…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete alert' }).click();
    await page.locator(`#alert-${gone.id}`).waitFor({ state: 'detached' });
    expect((await service.request('GET', `/api/alerts/${gone.id}/`)).status).toBe(404);
    expect(mistakes).toEqual([]);
    await page.context().close();
  }, 420_000);

  it('are searched in a gallery whose filters are in the address, and seen large one after the other', async () => {
    const { page, mistakes } = await openSignedIn(
      browser,
      `${front.baseUrl}/detections?camera=Archive&confidence=90`,
      service.admin!,
    );
    const tiles = page.locator('[data-face]');
    await tiles.first().waitFor();
    await expectReadable(page, 'gallery');
    const { detections } = await service.api<{ detections: { id: string }[] }>(
      'GET',
      '/api/detections/?stream_id=Archive&min_confidence=0.9&limit=500',
    );
    // They are fetched as the end comes near; each stands there once, newest first.
    await eventually(
      'all there',
      async () => {
        await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
        return tiles.count();
      },
      (count) => count === detections.length,
      patience,
    );
    expect(await tiles.evaluateAll(faceIds)).toEqual(detections.map(({ id }) => id));
    await page.evaluate('scrollTo(0, 0)');

    await tiles.nth(1).click();
    const large = page.getByRole('dialog');
    await large.getByText(/^2 of \d+$/).waitFor();
    await page.keyboard.press('ArrowRight');
    await large.getByText(/^3 of \d+$/).waitFor();
    expect(idInAddress(page, 'face')).toBe(detections[2]!.id);
    await page.keyboard.press('ArrowLeft');
    await large.getByText(/^2 of \d+$/).waitFor();
    await expectReadable(page, 'face');
    await large.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('button', { name: 'Delete face' }).click();
    await eventually(
      'the next one',
      () => idInAddress(page, 'face'),
      (id) => id === detections[2]!.id,
    );
    expect((await service.request('GET', `/api/detections/${detections[1]!.id}/`)).status).toBe(404);
    await large.getByRole('link', { name: 'Open its alert' }).click();
    await openAlert(page).getByRole('heading', { name: 'Archive' }).waitFor();
    await page.goBack();
    await page.keyboard.press('Escape');
    await large.waitFor({ state: 'hidden' });

    await page.getByLabel('When', { exact: true }).selectOption({ label: 'Yesterday' });
    await page.getByLabel('Confidence at least').fill('99');
    await eventually(
      'in the address',
      () => idInAddress(page, 'confidence'),
      (least) => least === '99',
    );
    expect(idInAddress(page, 'range')).toBe('yesterday');
    await page.goto(`${front.baseUrl}/detections?camera=Archive&range=custom&until=2020-01-01T00:00`);
    await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
    await expectReadable(page, 'nothing matches');
    await page.getByRole('button', { name: 'Clear filters' }).first().click();
    await tiles.first().waitFor();
    expect(mistakes).toEqual([]);
    await page.context().close();
  }, 300_000);

  it('are looked at by viewers, who are told why they can neither mark nor delete', async () => {
    const { page, mistakes, refusals } = await openSignedIn(browser, `${front.baseUrl}/alerts`, viewer);
    await rows(page).first().waitFor();
    await page.keyboard.press('j');
    await openAlert(page)
      .getByText(/^Your role, viewer, may look at alerts/)
      .waitFor();
    for (const name of ['Mark as viewed', 'Delete alert…'])
      expect(await openAlert(page).getByRole('button', { name }).isDisabled()).toBe(true);
    await page.keyboard.press('v');
    await page
      .getByRole('list', { name: 'Failures' })
      .getByText(/^Your role, viewer/)
      .waitFor();
    const wrong = refusals.filter((refusal) => refusal.startsWith('403'));
    expect({ mistakes, wrong }).toEqual({ mistakes: [], wrong: [] });
    await page.context().close();
  }, 120_000);
});
