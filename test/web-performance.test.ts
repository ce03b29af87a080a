// The figures of the last hour on the page: those in trouble first, charts that are drawn, a table that says the same.
// A real service, browser and cameras, one of which is not there.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { patience } from './support/page.ts';
import { eventually, useParts } from './support/parts.ts';
import { startWebFront, type WebFront } from './support/web-front.ts';
import { expectReadable, inPage, openSignedIn } from './support/web-page.ts';

/** Whether the chart has a line in a colour, and not only axes in grey. */
const coloured = inPage<number>(
  'canvas',
  `const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue, alpha] = data.subarray(i, i + 4);
    if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) count++;
  }
  return count;`,
);
const labelsOf = inPage<string[]>('all', 'return all.map((one) => one.ariaLabel)');

describe.skipIf(withoutChromium)('performance on the page', () => {
  const parts = useParts(['/door'], { admin: true });
  let browser: Browser;
  let front: WebFront;

  beforeAll(async () => {
    front = await startWebFront(parts.service.baseUrl);
    browser = await launchBrowser();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await front?.close();
  });

  const chart = (page: Page, name: string) => page.getByRole('img', { name: new RegExp(`^${name} over`) });

  it('shows every camera, the one in trouble first, and goes on by itself', async () => {
    await parts.save(parts.simulator.url('/door'), { name: 'Door' });
    await parts.save(parts.simulator.url('/door').replace('/door', '/nowhere'), { name: 'Barn' });
    const { page, mistakes } = await openSignedIn(
      browser,
      `${front.baseUrl}/performance`,
      parts.service.admin!,
    );
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/performance/')) asked.push(new URL(request.url()).search);
    });
    const cameras = page.getByRole('table', { name: /^All cameras/ });
    const names = () => cameras.getByRole('rowheader').allInnerTexts();
    await eventually(
      'Barn first, with its reason',
      names,
      ([first, second]) => /^Barn\n.{10}/s.test(first ?? '') && /^Door\nFine/.test(second ?? ''),
      patience,
    );
    const door = cameras.getByRole('row', { name: /^Door/ });
    await eventually(
      'figures',
      () => door.innerText(),
      (said) => /\d fps/.test(said) && /\d kbit\/s/.test(said),
      patience,
    );

    const frames = chart(page, 'Frame rate').locator('canvas');
    await eventually(
      'drawn',
      () => frames.evaluate(coloured),
      (pixels) => pixels > 20,
      patience,
    );
    await chart(page, 'Memory').first().locator('canvas').waitFor();
    // Only what is new is asked for.
    await eventually(
      'increments',
      () => asked,
      (all) => all.filter((one) => one.startsWith('?since=')).length > 3,
      patience,
    );
    await expectReadable(page, 'charts');

    // What is drawn is chosen in the table.
    await page.getByRole('checkbox', { name: 'Show Door in the charts' }).uncheck();
    await eventually(
      'Door is not drawn',
      () => page.getByRole('img', { name: /over the last hour/ }).evaluateAll(labelsOf),
      (labels) => labels.length > 0 && labels.every((label) => !label.includes('Door')),
      patience,
    );
    await page.getByRole('checkbox', { name: 'Show Door in the charts' }).check();

    await page.getByText('Table', { exact: true }).click();
    const table = page.getByRole('table', { name: 'Frame rate over the last hour' });
    await eventually(
      'said',
      () => table.getByRole('row', { name: /^Door/ }).innerText(),
      (said) => /\d fps/.test(said),
      patience,
    );
    expect(await page.locator('canvas').count()).toBe(0);
    await expectReadable(page, 'tables');
    expect(mistakes).toEqual([]);
    await page.context().close();
  }, 240_000);
});
