// Faces as people see them on the page: boxes on the picture and alerts beside it.
// A real browser and service, and cameras in whose rooms we know who is.

import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import type { Scene } from '../simulator/scene.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { desktop, expectNoSidewaysScrolling, openPage, patience, says, tileOf } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { type Service, startService } from './support/service.ts';

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const scenes: Readonly<Record<string, Scene>> = {
  '/hall': {
    label: 'HALL',
    mood: 'day',
    // Empty for longer than it takes until a visit is over.
    seconds: 16,
    visits: [{ person: 1, from: 1, to: 7, at: 0.5 }],
  },
  '/attic': { label: 'ATTIC', mood: 'evening', seconds: 16, visits: [] },
};

/** Middle of `inner` as fractions of `outer`, both elements on the screen. */
async function placeIn(outer: Locator, inner: Locator): Promise<{ x: number; y: number } | null> {
  const [frame, box] = await Promise.all([outer.boundingBox(), inner.boundingBox()]);
  if (!frame || !box) return null;
  return {
    x: (box.x + box.width / 2 - frame.x) / frame.width,
    y: (box.y + box.height / 2 - frame.y) / frame.height,
  };
}

// What runs inside the page is text: these files know Node's types and not the browser's.
const isLoaded = new Function('image', 'return image.complete && image.naturalWidth > 0') as (
  image: unknown,
) => boolean;

function loaded(image: Locator): Promise<boolean> {
  return eventually(
    'loaded',
    () => image.evaluate(isLoaded),
    (yes) => yes,
    patience,
  );
}

describe.skipIf(withoutChromium)('faces on the page', () => {
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;

  beforeAll(async () => {
    const cameras = await Promise.all(
      Object.entries(scenes).map(async ([path, scene]) => ({
        path,
        clip: await sceneClip({ scene, gopSeconds: 1 }),
      })),
    );
    simulator = await startSimulator({ cameras });
    // Every visit alerts: the loop of the clip is shorter than the usual cooldown.
    service = await startService({ env: { ALERT_COOLDOWN_SECONDS: '1' } });
    browser = await launchBrowser();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await simulator?.close();
  });

  const save = (name: string, path: string) =>
    service.api<{ id: string }>('POST', '/api/streams/', { name, rtsp_url: simulator.url(path) });

  it('are boxed in the picture, raise alerts with their image, and are gone when the person is', async () => {
    await save('Attic', '/attic');
    const { page, mistakes, refusals } = await openPage(browser, service.baseUrl, desktop);
    const attic = tileOf(page, 'Attic');
    const panel = page.getByRole('complementary', { name: 'Alerts' });
    await says(attic.locator('.word'), /^Live$/);
    await says(panel.locator('#alerts-empty'), /^No faces noticed yet$/);

    // Someone comes into the hall: a box on the face, and an alert without a reload.
    const { id } = await save('Hall', '/hall');
    const hall = tileOf(page, 'Hall');
    const boxes = hall.locator('.face');
    await boxes.first().waitFor();
    const alert = panel.getByRole('listitem').first();
    await says(alert, /^Hall\n\d.*\n\d\d%/s);
    await says(panel.locator('#alerts-unviewed'), /^\d+ new$/);
    await loaded(alert.locator('img'));
    expect(await attic.locator('.face').count()).toBe(0);

    // The scene says where the person stands.
    await eventually(
      'on the face',
      async () => ((await boxes.count()) === 1 ? placeIn(hall.locator('canvas'), boxes) : null),
      (place) => place !== null && Math.abs(place.x - 0.5) < 0.1 && place.y > 0.2 && place.y < 0.6,
      patience,
    );
    await eventually(
      'gone with the person',
      () => boxes.count(),
      (count) => count === 0,
      patience,
    );
    await boxes.first().waitFor();
    await expectNoSidewaysScrolling(page);

    // The alert large; whoever opens it has viewed it.
    await panel.getByRole('button', { name: /^Hall/ }).last().click();
    const large = page.getByRole('dialog', { name: 'Hall' });
    await loaded(large.getByRole('img'));
    await large.locator('.face').waitFor();
    const { detections } = await service.api<{ detections: { box: Box }[] }>('GET', '/api/detections/');
    const { box } = detections.at(-1)!;
    const place = await placeIn(large.getByRole('img'), large.locator('.face'));
    expect(place?.x).toBeCloseTo(box.x + box.width / 2, 1);
    expect(place?.y).toBeCloseTo(box.y + box.height / 2, 1);
    await expectNoSidewaysScrolling(page);
    await page.keyboard.press('Escape');
    await large.waitFor({ state: 'hidden' });
    const alerts = (query = '') =>
      service.api<{ alerts: unknown[]; unviewed: number }>('GET', `/api/alerts/${query}`);
    const viewed = (least: number) =>
      eventually(
        'viewed',
        () => alerts('?viewed=true'),
        (reply) => reply.alerts.length >= least,
        patience,
      );
    await viewed(1);

    // Of two more visits one is marked by its own button, and with the detector switched off the rest by the other.
    await eventually(
      'raised',
      () => alerts(),
      ({ unviewed }) => unviewed >= 2,
      patience,
    );
    await panel
      .getByRole('button', { name: /^Mark alert of Hall/ })
      .first()
      .click();
    await viewed(2);
    const action = (name: string) => service.api('PATCH', `/api/streams/${id}/status/`, { action: name });
    await action('pause');
    await says(hall.locator('.note'), /^Face detection is off$/);
    await eventually(
      'gone',
      () => boxes.count(),
      (count) => count === 0,
      patience,
    );
    await panel.getByRole('button', { name: 'Mark all viewed' }).click();
    await eventually(
      'all viewed',
      () => alerts(),
      ({ unviewed }) => unviewed === 0,
      patience,
    );
    await says(panel.locator('#alerts-unviewed'), /^$/);
    await action('resume');
    await says(hall.locator('.note'), /^$/);
    await boxes.first().waitFor();

    // A picture may be replaced by a better one between the list and the request for it.
    const wrong = refusals.filter((refusal) => !refusal.startsWith('404 GET /media/'));
    expect({ mistakes, wrong }).toEqual({ mistakes: [], wrong: [] });
    await page.context().close();
  }, 420_000);
});
