// The page of docs/guide/embed.md as it stands there, on an origin of its own: it shows the camera of a service elsewhere.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { stripReaderSource } from '../simulator/strip.ts';
import { launchBrowser, withoutChromium } from './support/browser.ts';
import { desktop, openPage, patience } from './support/page.ts';
import { eventually } from './support/parts.ts';
import { type Service, startService } from './support/service.ts';

const guide = readFileSync(new URL('../docs/guide/embed.md', import.meta.url), 'utf8');
const example = /```html\n(.*?)```/s.exec(guide)?.[1] ?? '';

// What runs inside the page is text: these files know Node's types and not the browser's.
const frame = `(() => { ${stripReaderSource}
  const source = document.querySelector('#door canvas');
  const { width, height } = source;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(source, 0, 0);
  return readStrip(context.getImageData(0, 0, width, height).data, width, height);
})()`;

describe.skipIf(withoutChromium)('the page of the guide', { timeout: 240_000 }, () => {
  let browser: Browser;
  let simulator: Simulator;
  let service: Service;
  let elsewhere: Server;
  let origin: string;
  let html = '';

  beforeAll(async () => {
    elsewhere = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(html);
    });
    elsewhere.listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    simulator = await startSimulator({
      cameras: [{ path: '/door', clip: await sceneClip({ gopSeconds: 1 }) }],
    });
    service = await startService({ admin: true, env: { CORS_ALLOWED_ORIGINS: origin } });
    const { id } = await service.api<{ id: string }>('POST', '/api/streams/', {
      name: 'Front door',
      rtsp_url: simulator.url('/door'),
    });
    const { secret } = await service.api<{ secret: string }>('POST', '/api/tokens/', {
      name: 'Intranet',
      role: 'viewer',
    });
    html = example
      .replaceAll('http://127.0.0.1:8000', service.baseUrl)
      .replace('ID OF THE CAMERA', id)
      .replace('rsv_…', secret);
    browser = await launchBrowser();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await simulator?.close();
    elsewhere?.closeAllConnections();
    elsewhere?.close();
  });

  it('shows the camera, and says so when the token is not valid any more', async () => {
    const { page } = await openPage(browser, `${origin}/`, desktop);
    const first = await eventually(
      'seen',
      () => page.evaluate<number | null>(frame),
      (number) => number !== null,
      patience,
    );
    await eventually(
      'moving',
      () => page.evaluate(frame),
      (number) => number !== null && number !== first,
      patience,
    );
    expect(await page.locator('#words').innerText()).toBe('');

    const { tokens } = await service.api<{ tokens: { id: string }[] }>('GET', '/api/tokens/');
    for (const { id } of tokens) await service.api('DELETE', `/api/tokens/${id}/`);
    await page.getByText(/signed out/).waitFor();
    await page.context().close();
  });
});
