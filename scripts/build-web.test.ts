// The built page: when it is built, how much a first visit loads, and that the content policy lets it run.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildWeb, hashOfSources } from './build-web.ts';

/** What a first visit may load in scripts, gzipped, bytes. */
const mostScript = 200_000;

let folder: string;
let out: string;
let html: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rsv-web-'));
  out = join(folder, 'dist');
  expect(await buildWeb(out)).toBe(true);
  html = await readFile(join(out, 'index.html'), 'utf8');
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('it is built again only when its sources have changed', async () => {
  expect(await buildWeb(out)).toBe(false);
  expect((await readFile(join(out, '.built-from'), 'utf8')).trim()).toBe(hashOfSources());
  await rm(join(out, '.built-from'));
  expect(await buildWeb(out)).toBe(true);
  // Nothing is left beside it.
  expect(await readdir(folder)).toEqual(['dist']);
}, 120_000);

/** Whatever a script loads before it runs, and the workers it starts: names in `assets`. Not what it imports later. */
const needed = /\b(?:import|from)\s*["']\.\/([^"']+\.js)["']|new Worker\(new URL\(["'`]\/assets\/([^"'`]+)/g;

/** @returns the scripts themselves and all they need, each once. */
async function withAllNeeded(scripts: readonly string[]): Promise<Map<string, Buffer>> {
  const loaded = new Map<string, Buffer>();
  const waiting = [...scripts];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (loaded.has(name)) continue;
    const code = await readFile(join(out, 'assets', name));
    loaded.set(name, code);
    for (const [, imported, worker] of code.toString().matchAll(needed)) waiting.push((imported ?? worker)!);
  }
  return loaded;
}

test('a first visit loads at most 200 kB of scripts, gzipped, whatever page it is to', async () => {
  const ofDocument = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.js)"/g)].map(([, file]) => file!);
  expect(ofDocument.length).toBeGreaterThan(1);
  const pages = (await readdir(join(out, 'assets'))).filter((file) =>
    /-page-[^/]+\.js$|^sign-in-/.test(file),
  );
  expect(pages.length).toBeGreaterThan(8);
  for (const page of pages) {
    const scripts = await withAllNeeded([...ofDocument, page]);
    // The wall comes with its player and the worker that decodes.
    if (page.startsWith('wall-page-'))
      expect([...scripts.keys()].join()).toMatch(/(?=.*\bplayer-)(?=.*\bmain-)/);
    const bytes = [...scripts.values()].reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0);
    expect(bytes, page).toBeLessThanOrEqual(mostScript);
  }
});

test('what is built does not depend on the environment of whoever builds it', async () => {
  expect(process.env.NODE_ENV).toBe('test');
  for (const file of await readdir(join(out, 'assets')))
    if (file.endsWith('.js')) expect(await readFile(join(out, 'assets', file), 'utf8')).not.toMatch(/jsxDEV/);
});

test('the document holds nothing that the content policy would refuse', () => {
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/i);
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
  expect(html).not.toMatch(/(?:src|href)="(?!\/)/);
});

test('no script asks for eval', async () => {
  for (const file of await readdir(join(out, 'assets'))) {
    if (!file.endsWith('.js')) continue;
    expect(await readFile(join(out, 'assets', file), 'utf8'), file).not.toMatch(/\beval\(|new Function\(/);
  }
});
