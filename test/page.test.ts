// The page as people use it: a real browser, the real service and cameras that answer, die and come back.
// How a state looks in words and colours is the page's own business; here it is enough that it tells the truth.

import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SimulatedCamera } from '../simulator/camera.ts';
import { sceneClip } from '../simulator/clips.ts';
import { startSimulator } from '../simulator/server.ts';
import { stripReaderSource } from '../simulator/strip.ts';
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
import { type Service, startService } from './support/service.ts';

// What runs inside the page is text: these files know Node's types and not the browser's.
const focused = `document.activeElement.getAttribute('aria-label')`;
/** The moment this document began: another one after a reload. */
const born = 'performance.timeOrigin';
const readFrame = new Function(
  'canvas',
  `${stripReaderSource}
  const { width, height } = canvas;
  return readStrip(canvas.getContext('2d').getImageData(0, 0, width, height).data, width, height);`,
) as (canvas: unknown) => number | null;

/** The frame of the clip that is on the canvas now; null when none can be read. */
function shownFrame(view: Locator): Promise<number | null> {
  return view.locator('canvas').evaluate(readFrame);
}

/** Watches two seconds of video, measured in pictures and not in time. @returns how many were sent and shown. */
async function watchSome(view: Locator, camera: SimulatedCamera): Promise<{ sent: number; shown: number }> {
  const first = await eventually(
    'shown',
    () => shownFrame(view),
    (frame) => frame !== null,
    patience,
  );
  const sentBefore = camera.stats.unitsSent;
  const length = camera.loop.clip.accessUnits.length;
  const ahead = (frame: number | null) => (frame === null ? 0 : (frame - first! + length) % length);
  const last = await eventually(
    'moving',
    () => shownFrame(view),
    (frame) => ahead(frame) >= 30,
    patience,
  );
  return { sent: camera.stats.unitsSent - sentBefore, shown: ahead(last) };
}

/** Ends it without a word to anyone, and starts another on the same port and data. */
async function crashAndRestart(service: Service, whileAway: () => Promise<unknown>): Promise<Service> {
  process.kill(service.pid, 'SIGKILL');
  await whileAway();
  return startService({ dataDir: service.dataDir, env: { PORT: new URL(service.baseUrl).port } });
}

describe.skipIf(withoutChromium)('the page', () => {
  const parts = useParts(['/door', '/yard']);
  let browser: Browser;
  let restarted: Service | undefined;

  beforeAll(async () => {
    browser = await launchBrowser();
  }, patience);

  beforeEach(async () => {
    const service = restarted ?? parts.service;
    const { streams } = await service.api<{ streams: { id: string }[] }>('GET', '/api/streams/');
    for (const { id } of streams) await service.api('DELETE', `/api/streams/${id}/`);
  });

  afterAll(async () => {
    await browser.close();
    await restarted?.stop();
  });

  it('tells a wrong password, and shows the picture once the address is corrected', async () => {
    await using simulator = await startSimulator({
      cameras: [
        { path: '/locked', clip: await sceneClip({ gopSeconds: 1 }), username: 'admin', password: 'Right' },
      ],
    });
    const address = simulator.url('/locked', { bare: true });
    const saved = await parts.save(address.replace('rtsp://', 'rtsp://admin:wrong@'), { name: 'Safe' });
    const { page, mistakes, refusals } = await openPage(browser, parts.service.baseUrl, phone);
    const tile = tileOf(page, 'Safe');
    await says(tile.locator('.word'), /^Error$/);
    await says(tile.locator('.sentence'), /wrong user name or password/);
    expect(await page.content()).not.toContain('wrong@');

    await tile.getByRole('button', { name: 'Edit Safe' }).click();
    expect(await page.getByLabel('Address').inputValue()).toContain('admin:****@');
    await page.getByLabel('Address').fill(address.replace('rtsp://', 'rtsp://admin:Right@'));
    await page.getByRole('button', { name: 'Save' }).click();
    await says(tile.locator('.word'), /^Live$/);
    await expectNoSidewaysScrolling(page);

    await parts.service.api('DELETE', `/api/streams/${saved.id}/`);
    await page.locator('#empty').waitFor();
    expect({ mistakes, refusals }).toEqual({ mistakes: [], refusals: [] });
    await page.context().close();
  }, 240_000);

  it('goes with a camera through its life: added, lost, found, restarted, enlarged, stopped, deleted', async () => {
    const camera = parts.simulator.camera('/door');
    const { page, mistakes, refusals } = await openPage(browser, parts.service.baseUrl, desktop);
    const tile = tileOf(page, 'Front door');
    const word = tile.locator('.word');
    const sentence = tile.locator('.sentence');

    // The first camera: its address is wrong, then right.
    await page.getByRole('heading', { name: 'No camera yet' }).waitFor();
    await expectNoSidewaysScrolling(page);
    await page.getByRole('button', { name: 'Add the first camera' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Front door');
    await page.getByLabel('Address').fill('http://192.168.1.20/stream');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await says(page.locator('#rtsp_url-error'), /must start with rtsp:/);
    expect(await page.getByLabel('Address').getAttribute('aria-invalid')).toBe('true');
    await expectNoSidewaysScrolling(page);
    await page.getByLabel('Address').fill(parts.simulator.url('/door'));
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });

    // Live: as many pictures as the camera sends, and what is said of them.
    await says(word, /^Live$/);
    const { sent, shown } = await watchSome(tile, camera);
    // With room for a delay that changes by a second in between.
    expect(shown / sent).toBeGreaterThan(0.5);
    expect(shown / sent).toBeLessThan(2);
    expect(await sentence.innerText()).toBe('');
    await says(tile.locator('.fps'), /^\d+(\.\d)? fps$/);
    await says(tile.locator('.delay'), /^\d+ ms$/);
    await says(tile.locator('.viewers'), /^1 viewer$/);
    await says(page.locator('#summary'), /^1 of 1 live$/);
    await expectNoSidewaysScrolling(page);
    const pageBorn = await page.evaluate(born);

    // The camera dies and comes back.
    await camera.die();
    await says(word, /^Reconnecting$/);
    await says(sentence, /\S+ .*Trying again…$/s);
    await camera.comeBack();
    await says(word, /^Live$/);
    await watchSome(tile, camera);

    // So does the service.
    restarted = await crashAndRestart(parts.service, async () => {
      await says(word, /^Disconnected$/);
      await says(page.locator('#trouble'), /does not answer/);
    });
    await says(word, /^Live$/);
    await watchSome(tile, camera);
    await page.locator('#trouble').waitFor({ state: 'hidden' });
    expect(await page.evaluate(born)).toBe(pageBorn);

    // Large by mouse, and by keyboard through the cameras and back to where it began.
    const large = page.getByRole('dialog', { name: 'Front door' });
    await tile.getByRole('button', { name: 'Show Front door large' }).click();
    await large.waitFor();
    await watchSome(large, camera);
    await expectNoSidewaysScrolling(page);
    await large.getByRole('button', { name: 'Close' }).click();
    await large.waitFor({ state: 'hidden' });

    await restarted.api('POST', '/api/streams/', { name: 'Yard', rtsp_url: parts.simulator.url('/yard') });
    await says(tileOf(page, 'Yard').locator('.word'), /^Live$/);
    await tile.getByRole('button', { name: 'Show Front door large' }).focus();
    await page.keyboard.press('Enter');
    await large.waitFor();
    await page.keyboard.press('ArrowRight');
    const other = page.getByRole('dialog', { name: 'Yard' });
    await watchSome(other, parts.simulator.camera('/yard'));
    await page.keyboard.press('Escape');
    await other.waitFor({ state: 'hidden' });
    await eventually(
      'focused',
      () => page.evaluate(focused),
      (label) => label === 'Show Yard large',
      patience,
    );
    await watchSome(tile, camera);
    await expectNoSidewaysScrolling(page);

    // Stopped and started.
    await tile.getByRole('button', { name: 'Stop Front door' }).click();
    await says(word, /^Offline$/);
    await eventually(
      'left alone',
      () => camera.stats.sessions,
      (sessions) => sessions === 0,
      patience,
    );
    await tile.getByRole('button', { name: 'Start Front door' }).click();
    await says(word, /^Live$/);
    await watchSome(tile, camera);

    // Deleted, after a second thought.
    const question = page.getByRole('dialog', { name: 'Delete “Front door”?' });
    await tile.getByRole('button', { name: 'Delete Front door' }).click();
    await question.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'hidden' });
    expect(await tile.count()).toBe(1);
    for (const name of ['Front door', 'Yard']) {
      await page.getByRole('button', { name: `Delete ${name}` }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
      await tileOf(page, name).waitFor({ state: 'detached' });
    }
    await page.getByRole('heading', { name: 'No camera yet' }).waitFor();
    await eventually(
      'left alone',
      () => camera.stats.sessions,
      (sessions) => sessions === 0,
      patience,
    );
    expect({ mistakes, refusals }).toEqual({ mistakes: [], refusals: ['400 POST /api/streams/'] });
    await page.context().close();
  }, 420_000);
});
