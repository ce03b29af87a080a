// A page that is kept open all day, in minutes: sleep, resizing, other views, network loss and restarts, over and over.
// `node bin/launch.mjs bench/page-soak.ts --minutes 20`: does it ever need a reload, and is its memory flat?

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { buildWeb } from '../scripts/build-web.ts';
import { stripReaderSource } from '../simulator/strip.ts';
import { launchBrowser } from '../test/support/browser.ts';
import { type Account, newAccount, type Service, startService } from '../test/support/service.ts';
import { startTcpProxy, type TcpProxy } from '../test/support/tcp-proxy.ts';
import { CameraBank } from './camera-bank.ts';
import { percentile } from './figures.ts';
import { type PageMemory, PageMemoryMeter } from './page-memory.ts';
import { pause, save } from './setting.ts';

/** After these the page must be live by itself; the back-off between two tries is part of it, ms. */
const limits = { awake: 10_000, unfrozen: 10_000, resized: 10_000, 'looked around': 10_000 };
const lossLimits = {
  'line dead': 25_000,
  'line cut': 25_000,
  'service stopped': 30_000,
  'service killed': 30_000,
};
const allLimits: Readonly<Record<string, number>> = { ...limits, ...lossLimits };
/** A picture has to be seen this often to be live. */
const framesSeen = 4;
const giveUpMs = 120_000;
const warmUpCycles = 2;
const leastCyclesForTrend = 6;
/** Of the later half over the earlier, after the warm-up: compiled code, timing entries and what the test itself records settle. */
const flat: Readonly<Record<keyof PageMemory, { readonly factor: number; readonly slack: number }>> = {
  page: { factor: 1.1, slack: 2_000_000 },
  workers: { factor: 1.1, slack: 2_000_000 },
  nodes: { factor: 1.1, slack: 300 },
  listeners: { factor: 1.1, slack: 60 },
  browser: { factor: 1.15, slack: 40_000_000 },
};

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    cameras: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number above 0');

// What runs inside the page is text: these files know Node's types and not the browser's.
const frames = `(() => {
  ${stripReaderSource}
  return [...document.querySelectorAll('li[data-camera]')].map((place) => {
    const video = place.querySelector('video');
    const source = video && video.style.visibility !== 'hidden' ? video : place.querySelector('canvas');
    const width = source?.videoWidth ?? source?.width, height = source?.videoHeight ?? source?.height;
    if (!width || !height) return null;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(source, 0, 0);
    return readStrip(context.getImageData(0, 0, width, height).data, width, height);
  });
})()`;
const hide = (hidden: boolean) => `(() => {
  Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
})()`;
const born = 'performance.timeOrigin';
const desktop = { width: 1280, height: 800 };

interface Sample extends PageMemory {
  readonly minute: number;
}

class Day {
  readonly mistakes: string[] = [];
  readonly samples: Sample[] = [];
  /** ms until live again, by what had happened. */
  readonly recoveries = new Map<string, number[]>();
  readonly #page: Page;
  readonly #proxy: TcpProxy;
  readonly #restart: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
  readonly #cameras: number;

  constructor(
    page: Page,
    proxy: TcpProxy,
    cameras: number,
    restart: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>,
  ) {
    this.#page = page;
    this.#proxy = proxy;
    this.#cameras = cameras;
    this.#restart = restart;
    page.on('pageerror', (error) => this.mistakes.push(String(error)));
    page.on('console', (message) => {
      const ofTheNetwork = /^Failed to load resource|^WebSocket connection to /.test(message.text());
      if (message.type() === 'error' && !ofTheNetwork) this.mistakes.push(message.text());
    });
  }

  /** One round of everything, each time until all cameras are live again. */
  async cycle(): Promise<void> {
    const page = this.#page;
    await page.evaluate(hide(true));
    await pause(7_000);
    await page.evaluate(hide(false));
    await this.live('awake');

    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await pause(9_000);
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    await devtools.detach();
    await this.live('unfrozen');

    for (const width of [390, 2560, 820, 1280]) {
      await page.setViewportSize({ width, height: width < 600 ? 844 : 1400 });
      await pause(500);
    }
    await page.setViewportSize(desktop);
    await this.live('resized');

    await this.#lookAround();
    await this.live('looked around');

    this.#proxy.mode('black-hole');
    await pause(8_000);
    this.#proxy.reset();
    this.#proxy.mode('pass');
    await this.live('line dead');

    this.#proxy.mode('refuse');
    await pause(4_000);
    this.#proxy.mode('pass');
    await this.live('line cut');

    await this.#restart('SIGTERM');
    await this.live('service stopped');
    await this.#restart('SIGKILL');
    await this.live('service killed');
  }

  /** Through every view by its links, as somebody who looks for something; ends on the wall. */
  async #lookAround(): Promise<void> {
    const page = this.#page;
    await page.locator('li[data-camera] > a').first().click();
    await page.getByRole('button', { name: /^Back to the wall/ }).click();
    const navigation = page.getByRole('navigation');
    for (const name of ['Cameras', 'Alerts', 'Detections', 'Performance', 'Settings', 'Wall']) {
      await navigation.getByRole('link', { name }).first().click();
      await page.getByRole('heading', { name, level: 1 }).waitFor();
      await pause(1_000);
    }
  }

  /** Waits until every camera has shown several frames. @throws Error when one never does. */
  async live(after: string): Promise<void> {
    const startedAt = performance.now();
    const seen = Array.from({ length: this.#cameras }, () => new Set<number>());
    while (seen.some(({ size }) => size < framesSeen)) {
      const now = await this.#page.evaluate<(number | null)[]>(frames);
      for (const [camera, frame] of now.entries()) if (frame !== null) seen[camera]?.add(frame);
      if (performance.now() - startedAt > giveUpMs)
        throw new Error(
          `${after}: not live within ${giveUpMs} ms; the page says: ${await this.#page.locator('body').innerText()}`,
        );
      await pause(50);
    }
    const known = this.recoveries.get(after) ?? [];
    known.push(performance.now() - startedAt);
    this.recoveries.set(after, known);
  }
}

const account: Account = newAccount('soak');
const dataDir = mkdtempSync(join(tmpdir(), 'rtsp-viewer-page-soak-'));
const stops: (() => Promise<unknown>)[] = [];
try {
  await buildWeb();
  const count = Number(values.cameras);
  const bank = await CameraBank.start({ cameras: count });
  stops.unshift(() => bank.stop());
  let service: Service = await startService({ dataDir, admin: account });
  stops.unshift(() => service.stop());
  for (const [index, url] of bank.urls.entries()) await save(service, `Camera ${index + 1}`, url);
  const port = new URL(service.baseUrl).port;
  const proxy = await startTcpProxy({ port: Number(port) });
  stops.unshift(() => proxy.close());
  const browser: Browser = await launchBrowser();
  stops.unshift(() => browser.close());
  const page = await (await browser.newContext({ viewport: desktop })).newPage();
  page.setDefaultTimeout(giveUpMs);

  const day = new Day(page, proxy, count, async (signal) => {
    if (signal === 'SIGKILL') process.kill(service.pid, 'SIGKILL');
    await service.stop();
    await pause(3_000);
    service = await startService({ dataDir, admin: account, env: { PORT: port } });
  });
  await page.goto(`http://127.0.0.1:${proxy.port}/`);
  await page.getByLabel('User name').fill(account.username);
  await page.getByLabel('Password', { exact: true }).fill(account.password);
  await page.keyboard.press('Enter');
  await day.live('opened');
  const document = await page.evaluate<number>(born);
  const meter = await PageMemoryMeter.attach(browser, page);
  const startedAt = performance.now();
  do {
    await day.cycle();
    const minute = (performance.now() - startedAt) / 60_000;
    const sample = { minute, ...(await meter.read()) };
    day.samples.push(sample);
    if (!values.json) console.log(line(sample));
  } while (performance.now() - startedAt < minutes * 60_000);
  conclude(day, (await page.evaluate<number>(born)) !== document);
} finally {
  for (const stop of stops) await stop();
  rmSync(dataDir, { recursive: true, force: true });
}

function line({ minute, page, workers, nodes, listeners, browser }: Sample): string {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(2).padStart(7);
  return (
    `${minute.toFixed(1).padStart(5)} min  page ${mb(page)} MB  workers ${mb(workers)} MB  browser ${mb(browser)} MB  ` +
    `nodes ${nodes}  listeners ${listeners}`
  );
}

function conclude({ samples, recoveries, mistakes }: Day, reloaded: boolean): void {
  const settled = samples.slice(warmUpCycles);
  const half = Math.floor(settled.length / 2);
  const median = (part: readonly Sample[], name: keyof PageMemory) =>
    percentile(
      part.map((sample) => sample[name]),
      0.5,
    );
  const growth = Object.entries(flat).map(([key, { factor, slack }]) => {
    const name = key as keyof PageMemory;
    const [before, after] = [median(settled.slice(0, half), name), median(settled.slice(half), name)];
    return { name, before, after, flat: after <= before * factor + slack };
  });
  // Within some rounds everything still grows into its place: no trend can be told.
  const told = settled.length >= leastCyclesForTrend;
  const again = [...recoveries].map(([after, times]) => ({
    after,
    times: times.length,
    medianMs: Math.round(percentile(times, 0.5)),
    longestMs: Math.round(Math.max(...times)),
    inTime: percentile(times, 0.5) <= (allLimits[after] ?? Number.POSITIVE_INFINITY),
  }));
  if (values.json) console.log(JSON.stringify({ minutes, reloaded, mistakes, again, growth, samples }));
  else {
    console.table(again);
    if (told) console.table(growth);
    console.log({
      rounds: samples.length,
      reloaded,
      mistakes,
      memoryFlat: told ? growth.every((one) => one.flat) : null,
    });
  }
  const leaks = told && growth.some((one) => !one.flat);
  if (reloaded || mistakes.length > 0 || leaks || again.some(({ inTime }) => !inTime)) process.exitCode = 1;
}
