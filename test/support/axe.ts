// Asks axe-core what keeps people with other senses or other hands from using the page as it is now.
// Which views are asked about belongs to the tests.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** @returns what axe objects to, each with the element: empty when there is nothing. Motion is waited for first. */
export async function barriers(page: Page): Promise<string[]> {
  // Not by a script element: the page's own policy would refuse it.
  await page.evaluate(`window.axe ??= (() => { ${source}; return window.axe; })()`);
  // What fades in is pale for a moment.
  await page.evaluate(`Promise.allSettled(document.getAnimations()
    .filter((one) => one.effect?.getComputedTiming().iterations !== Infinity).map((one) => one.finished))`);
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    `axe.run(document, { resultTypes: ['violations'] })`,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
  );
}
