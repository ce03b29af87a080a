// What people see in a browser: how late, at which rate on a wall of tiles, and what each way of playing costs the service.
// Real Chromium, without a graphics card; each figure of the three ways is of the same run.

import type { Browser, Page } from 'playwright-core';
import { launchBrowser, requireChromium } from '../../test/support/browser.ts';
import { servePlayerPage, tilesOf } from '../../test/support/player-page.ts';
import { type Figure, percentile } from '../figures.ts';
import { costMeter, delays, inSetting, pause, type Setting, type SettingOptions } from '../setting.ts';
import type { SeenFrame } from '../viewer-messages.ts';
import type { Section } from './section.ts';

const section = 'player';
const ways = { webcodecs: 'WebCodecs', mse: 'MSE', jpeg: 'JPEG' } as const;
type Way = keyof typeof ways;
const seconds = 10;
const settleMs = 6_000;

export const player: Section = {
  name: section,
  about: 'the player in a browser: delay, tiles at full rate, cost for the service',
  async run() {
    requireChromium();
    return [
      ...(await delaysAt('640×480@15', { cameras: 1 }, 80)),
      ...(await delaysAt('1920×1080@25', { cameras: 1, video: { width: 1920, height: 1080, fps: 25 } }, 80)),
      ...(await walls()),
    ];
  },
};

// What runs inside the page is text: these files know Node's types and not the browser's.
/** Looks at the tile at each repaint and notes when a frame is there for the first time. */
const watch = `globalThis.seen = []; globalThis.watching = true;
const look = () => {
  if (!globalThis.watching) return;
  const counter = live.glimpse('tile');
  if (counter !== null && counter !== seen.at(-1)?.counter)
    seen.push({ counter, at: performance.timeOrigin + performance.now() });
  requestAnimationFrame(look);
};
requestAnimationFrame(look);`;
const stopWatching = 'globalThis.watching = false; globalThis.seen';

type Measure<T> = (setting: Setting, page: Page) => Promise<T>;

function onPage<T>(options: SettingOptions, measure: Measure<T>): Promise<T> {
  return inSetting(options, async (setting) => {
    const site = await servePlayerPage(setting.service.baseUrl);
    let browser: Browser | undefined;
    try {
      browser = await launchBrowser();
      const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
      await page.goto(site.url);
      await page.waitForFunction('globalThis.live !== undefined');
      return await measure(setting, page);
    } finally {
      await browser?.close();
      await site.close();
    }
  });
}

async function untilLive(page: Page, name: string, way: Way): Promise<void> {
  const tiles = tilesOf(page);
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { state } = await tiles.look(name);
    if (state.code === 'live' && state.step === way) return;
    if (performance.now() > deadline)
      throw new Error(`${name} is ${state.code} by ${state.step}, not live by ${way}`);
    await pause(100);
  }
}

function delaysAt(video: string, options: SettingOptions, atMost: number): Promise<Figure[]> {
  return onPage(options, async ({ cameras, streams }, page) => {
    const tiles = tilesOf(page);
    // Half the window wide, as a camera is seen beside others.
    await tiles.columns(2);
    const of = new Map<Way, number[]>();
    for (const way of Object.keys(ways) as Way[]) {
      await tiles.add('tile', { streamId: streams[0]!.id, format: way });
      await untilLive(page, 'tile', way);
      await pause(settleMs);
      await page.evaluate(watch);
      await pause(seconds * 1_000);
      const seen = await page.evaluate<SeenFrame[]>(stopWatching);
      const log = await cameras.sendings();
      // The first one may have been there for a while.
      of.set(
        way,
        delays(seen.slice(1), ({ counter, at }) => log.sentAt(0, counter, at)),
      );
      await tiles.remove('tile');
    }
    const jpeg = percentile(of.get('jpeg')!, 0.5);
    return [...of].flatMap(([way, values]) => [
      {
        section,
        name: `camera → pixels, ${video}, ${ways[way]}, p50`,
        value: percentile(values, 0.5),
        unit: 'ms',
        ...(way === 'webcodecs' && { target: { atMost } }),
        ...(way !== 'jpeg' && { comparedWith: { name: 'JPEG', value: jpeg } }),
      },
      {
        section,
        name: `camera → pixels, ${video}, ${ways[way]}, p99`,
        value: percentile(values, 0.99),
        unit: 'ms',
      },
    ]);
  });
}

interface Wall {
  readonly slowest: number;
  readonly cpuPercent: number;
}

/** So many tiles at once, each of its own camera. */
async function wall({ service, streams }: Setting, page: Page, count: number, way: Way): Promise<Wall> {
  const tiles = tilesOf(page);
  const names = Array.from({ length: count }, (_, i) => `tile ${i}`);
  await tiles.columns(Math.ceil(Math.sqrt(count)));
  for (const [i, name] of names.entries()) await tiles.add(name, { streamId: streams[i]!.id, format: way });
  for (const name of names) await untilLive(page, name, way);
  await pause(settleMs);
  const cost = costMeter(service.pid);
  const rates = new Map(names.map((name) => [name, [] as number[]]));
  // The player's own figure is that of the last three seconds.
  for (let sample = 0; sample < 4; sample++) {
    await pause(3_000);
    for (const name of names) rates.get(name)!.push((await tiles.look(name)).stats.fps);
  }
  const { cpuPercent } = cost();
  for (const name of names) await tiles.remove(name);
  const means = [...rates.values()].map((fps) => fps.reduce((sum, one) => sum + one, 0) / fps.length);
  return { slowest: Math.min(...means), cpuPercent };
}

function walls(): Promise<Figure[]> {
  return onPage({ cameras: 16 }, async (setting, page) => {
    // What the cameras cost without anybody watching is no cost of the viewers.
    const idle = costMeter(setting.service.pid);
    await pause(6_000);
    const { cpuPercent: unwatched } = idle();
    const nine = await wall(setting, page, 9, 'webcodecs');
    const sixteen = await wall(setting, page, 16, 'webcodecs');
    const jpeg = await wall(setting, page, 9, 'jpeg');
    const cost = ({ cpuPercent }: Wall) => Math.max(0.1, cpuPercent - unwatched);
    return [
      {
        section,
        name: '9 tiles, WebCodecs: slowest',
        value: nine.slowest,
        unit: 'fps',
        target: { atLeast: 14.5 },
      },
      { section, name: '16 tiles, WebCodecs: slowest', value: sixteen.slowest, unit: 'fps' },
      { section, name: '9 tiles, JPEG: slowest', value: jpeg.slowest, unit: 'fps' },
      {
        section,
        name: '16 cameras that nobody watches: CPU of the service',
        value: unwatched,
        unit: '% of a core',
      },
      {
        section,
        name: '9 tiles, WebCodecs: CPU of the service for them',
        value: cost(nine),
        unit: '% of a core',
        comparedWith: { name: 'JPEG', value: cost(jpeg) },
      },
      {
        section,
        name: '9 tiles: CPU for passthrough ÷ for JPEG',
        value: cost(nine) / cost(jpeg),
        unit: '',
        target: { atMost: 0.2 },
      },
    ];
  });
}
