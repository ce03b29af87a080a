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

test('a first visit loads at most 200 kB of scripts, gzipped', async () => {
  const files = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, file]) => file as string);
  expect(files.length).toBeGreaterThan(1);
  let bytes = 0;
  for (const file of files) bytes += gzipSync(await readFile(join(out, file)), { level: 9 }).length;
  expect(bytes).toBeLessThanOrEqual(mostScript);
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
