// The page in a real browser, for tests: opening it, waiting for what it says.
// What must be said is written in the tests; the browser itself is in browser.ts.

import type { Browser, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually } from './parts.ts';

/** For anything the page does by itself; only a broken page takes so long, a busy machine does not. */
export const patience = 60_000;
export const desktop = { width: 1280, height: 800 };
export const phone = { width: 390, height: 844 };

// What runs inside the page is text: these files know Node's types and not the browser's.
const reportViolations = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('policy violated: ' + event.violatedDirective + ' by ' + event.blockedURI));`;
const widths = `({ wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth })`;
export interface WatchedPage {
  readonly page: Page;
  /** What went wrong in the page, without what the browser itself logs of requests that failed. */
  readonly mistakes: string[];
  /** Requests that the server found wrong, as in `404 GET /favicon.ico`. */
  readonly refusals: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  viewport: typeof desktop,
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const mistakes: string[] = [];
  page.on('pageerror', (error) => mistakes.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    const ofTheNetwork = /^Failed to load resource|^WebSocket connection to /.test(text);
    if (message.type() === 'error' && !ofTheNetwork) mistakes.push(text);
  });
  const refusals: string[] = [];
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (response.status() >= 400 && response.status() < 500)
      refusals.push(`${response.status()} ${response.request().method()} ${path}`);
  });
  await page.addInitScript({ content: reportViolations });
  await page.goto(url);
  return { page, mistakes, refusals };
}

/** Waits until the element says something like that. @returns what it says. */
export function says(element: Locator, words: RegExp): Promise<string> {
  return eventually(
    `saying ${words}`,
    () => element.innerText(),
    (text) => words.test(text),
    patience,
  );
}

export async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const before = page.viewportSize();
  for (const viewport of [phone, desktop]) {
    await page.setViewportSize(viewport);
    const { wide, room } = await page.evaluate<{ wide: number; room: number }>(widths);
    expect(wide, `at ${viewport.width} px`).toBeLessThanOrEqual(room);
  }
  if (before) await page.setViewportSize(before);
}
