import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../base/log.ts';
import { handleErrors, handleUnknownRoutes } from './errors.ts';
import { servePage } from './page.ts';

const folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-page-'));
const app = fastify();
const html = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8';

beforeAll(async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'assets', 'page-1a2b.js'), 'export {};');
  writeFileSync(join(folder, '.built-from'), 'a hash');
  handleErrors(app, silentLog, false);
  handleUnknownRoutes(app);
  await servePage(app, folder);
});

afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

const get = (url: string, accept = '*/*') => app.inject({ url, headers: { accept } });

test.each(['/', '/alerts', '/cameras/7f?tab=faces'])(
  'a browser that opens %s gets the page, asked for anew each time',
  async (url) => {
    const reply = await get(url, html);
    expect([reply.statusCode, reply.headers['cache-control']]).toEqual([200, 'no-cache']);
    expect(reply.body).toContain('<title>page</title>');
  },
);

test.each(['/api/nothing', '/media/00/x.jpg', '/assets/gone.js', '/ws/nothing'])(
  'a browser that opens %s is told that nothing is there',
  async (url) => {
    const reply = await get(url, html);
    expect(reply.statusCode).toBe(404);
    expect(reply.json()).toMatchObject({ code: 'not_found' });
  },
);

test('a program that asks for a view of the page is told that nothing is there', async () => {
  expect((await get('/alerts')).statusCode).toBe(404);
});

test('files that are named by their content are kept, hidden ones are not given out', async () => {
  expect((await get('/assets/page-1a2b.js')).headers['cache-control']).toMatch(/immutable/);
  expect((await get('/.built-from')).statusCode).toBe(404);
});
