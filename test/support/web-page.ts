// A person at the page of web/: signing in, and what holds everywhere on it, whatever is shown.
// What each view must show is written in its tests.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { desktop, openPage, phone, type WatchedPage } from './page.ts';
import type { Account } from './service.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What runs inside the page is text: these files know Node's types and not the browser's. */
export function inPage<Result>(parameter: string, body: string): (argument: unknown) => Result {
  return new Function(parameter, body) as (argument: unknown) => Result;
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}

/** Opens a view and signs in there. */
export async function openSignedIn(browser: Browser, url: string, account: Account): Promise<WatchedPage> {
  const watched = await openPage(browser, url, desktop);
  const { page } = watched;
  await page.getByLabel('User name').fill(account.username);
  await page.getByLabel('Password', { exact: true }).fill(account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation').first().waitFor();
  return watched;
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate<readonly Violation[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations)`,
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

/** On a desk and on a phone, by day and by night: nothing that axe finds, and nothing wider than the window. */
export async function expectReadable(page: Page, what: string): Promise<void> {
  for (const viewport of [phone, desktop])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      // Sizes are measured in the frame after the change.
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      const where = `${what}, ${viewport.width} px, ${colorScheme}`;
      expect(await violations(page), where).toEqual([]);
      const room = await page.evaluate<number>(
        'document.documentElement.clientWidth - document.documentElement.scrollWidth',
      );
      expect(room, where).toBeGreaterThanOrEqual(0);
    }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
