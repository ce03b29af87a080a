// A real browser for tests: found on the machine, started with an empty profile and without its own network traffic.
// What is done with it belongs to the tests.

import { type Browser, chromium } from 'playwright-core';
import { components, findChromium, skipsWithout } from './components.ts';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** For `describe.skipIf(withoutChromium)`: true when there is no browser and leaving its tests out is allowed. */
export const withoutChromium: boolean = skipsWithout('chromium');

/** @throws Error that says how to get one, when the machine has no Chromium. */
export function requireChromium(): string {
  const path = findChromium();
  if (path === undefined)
    throw new Error(`No Chromium on this machine; to get one: ${components.chromium.install}.`);
  return path;
}

/** Headless Chromium with an empty profile, removed when the browser is closed; the caller closes it. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: requireChromium(), args: flags });
}
