// The routes of detections, alerts and images, with the real server, database and image folder.

import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, startServer, type TestServer } from '../../test/support/http-server.ts';

let server: TestServer;
let streamId: string;

beforeAll(async () => {
  server = await startServer();
  streamId = await newStream('Door');
});

afterAll(() => server[Symbol.asyncDispose]());

async function newStream(name: string): Promise<string> {
  return (await call(server, 'POST', '/api/streams/', { name, rtsp_url: 'rtsp://camera.local/' })).body.id;
}

/** A JPEG as far as its header goes (ITU-T T.81, annex B): SOI, SOF0, the bytes, EOI. */
function jpeg(width = 64, height = 48, bytes = 100): Buffer {
  const header = Buffer.from([0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 0, 0, 0, 1, 1, 0x11, 0]);
  header.writeUInt16BE(height, 7);
  header.writeUInt16BE(width, 9);
  return Buffer.concat([header, Buffer.alloc(bytes, bytes), Buffer.from([0xff, 0xd9])]);
}

async function reported(members: object = {}) {
  const reply = await call(server, 'POST', '/api/detections/', {
    stream_id: streamId,
    confidence_score: 0.9,
    ...members,
  });
  expect(reply.status).toBe(201);
  return reply.body;
}

const withImage = { image: jpeg().toString('base64') };
const imageName = /^\/media\/[0-9a-f]{2}\/[0-9a-f]{30}\.jpg$/;

async function alertOf(detectionId: string) {
  const { body } = await call(server, 'GET', '/api/alerts/?limit=500');
  return body.alerts.find((alert: { detection_id: string }) => alert.detection_id === detectionId);
}

describe('clients of the earlier service', () => {
  test('report with either route and read the members at the top', async () => {
    for (const path of [
      '/api/detections/',
      '/api/detections',
      '/api/detections/create',
      '/api/detections/create/',
    ]) {
      const { status, body, headers } = await call(server, 'POST', path, {
        stream_id: streamId,
        confidence_score: 0.87,
        timestamp: '2026-01-02T03:04:05.678+01:00',
        box: { x: 0.1, y: 0.2, width: 0.3, height: 0.4 },
        ...withImage,
      });
      expect(status).toBe(201);
      expect(body).toEqual({
        id: expect.any(String),
        stream_id: streamId,
        stream: 'Door',
        timestamp: '2026-01-02T02:04:05.678Z',
        last_seen: '2026-01-02T02:04:05.678Z',
        alert_id: expect.any(String),
        confidence_score: 0.87,
        image_url: expect.stringMatching(imageName),
        thumbnail_url: expect.stringMatching(imageName),
        box: { x: 0.1, y: 0.2, width: 0.3, height: 0.4 },
        landmarks: null,
        frame: { width: 64, height: 48 },
      });
      expect(headers.get('location')).toBe(`/api/detections/${body.id}/`);
      expect((await call(server, 'GET', `/api/detections/${body.id}/`)).body).toEqual({ detection: body });
      const { detections } = (await call(server, 'GET', '/api/detections/')).body;
      expect(detections).toContainEqual(body);
    }
  });

  test('list alerts, read one, mark it with either route, delete it with either route', async () => {
    const detection = await reported(withImage);
    const alert = await alertOf(detection.id);
    expect(alert).toEqual({
      id: expect.any(String),
      detection_id: detection.id,
      detections_count: 1,
      stream_id: streamId,
      stream: 'Door',
      confidence_score: 0.9,
      image_url: detection.image_url,
      thumbnail_url: detection.thumbnail_url,
      timestamp: detection.timestamp,
      viewed: false,
    });
    expect((await call(server, 'GET', `/api/alerts/${alert.id}/`)).body).toEqual({ alert });
    expect((await call(server, 'GET', `/api/detections/?alert_id=${alert.id}`)).body).toEqual({
      detections: [{ ...detection, alert_id: alert.id }],
      next_cursor: null,
    });
    const patch = (path: string, viewed: unknown) =>
      call(server, 'PATCH', `/api/alerts/${alert.id}${path}`, { viewed });
    for (const [path, viewed] of [
      ['/', true],
      ['/update/', false],
      ['/update/', true],
    ] as const) {
      const { status, body } = await patch(path, viewed);
      expect(status).toBe(200);
      expect(body).toEqual({ message: expect.any(String), viewed, alert: { ...alert, viewed } });
    }
    expect(await patch('/', 'yes')).toMatchObject({ status: 400, body: { issues: [{ path: 'viewed' }] } });
    expect(await call(server, 'DELETE', `/api/alerts/${alert.id}/delete/`)).toMatchObject({
      status: 204,
      body: '',
    });
    expect((await call(server, 'DELETE', `/api/alerts/${alert.id}/`)).status).toBe(404);
    expect((await call(server, 'GET', `/api/detections/${detection.id}/`)).status).toBe(200);
    const other = await alertOf((await reported()).id);
    expect((await call(server, 'DELETE', `/api/alerts/${other.id}/`)).status).toBe(204);
  });
});

test('what an outside detector does not say is null, and the time is now', async () => {
  const body = await reported({ timestamp: null, box: null, image: null });
  expect(body).toMatchObject({
    image_url: null,
    thumbnail_url: null,
    box: null,
    landmarks: null,
    frame: null,
  });
  expect(Math.abs(Date.parse(body.timestamp) - Date.now())).toBeLessThan(60_000);
  expect((await reported({ timestamp: '2026-01-02T03:04:05' })).timestamp).toBe('2026-01-02T03:04:05.000Z');
});

test.each([
  ['no stream', { stream_id: undefined }, 'stream_id'],
  ['a confidence over 1', { confidence_score: 1.1 }, 'confidence_score'],
  ['a confidence that is no number', { confidence_score: '0.9' }, 'confidence_score'],
  ['no confidence', { confidence_score: undefined }, 'confidence_score'],
  ['a time that is none', { timestamp: 'yesterday' }, 'timestamp'],
  ['a time in a month that is none', { timestamp: '2026-13-01T00:00:00Z' }, 'timestamp'],
  ['a time far ahead', { timestamp: '2999-01-01T00:00:00Z' }, 'timestamp'],
  ['a time before there were cameras', { timestamp: '0001-01-01T00:00:00Z' }, 'timestamp'],
  ['a box in pixels', { box: { x: 10, y: 20, width: 100, height: 100 } }, 'box.x'],
  ['a box beyond the frame', { box: { x: 0.8, y: 0, width: 0.5, height: 0.5 } }, 'box.width'],
  ['a box without a height', { box: { x: 0.1, y: 0.1, width: 0.5, height: 0 } }, 'box.height'],
  ['an image that is no base64', { image: '%%%' }, 'image'],
  ['an image that is no JPEG', { image: Buffer.from('<svg onload="x">').toString('base64') }, 'image'],
  ['an image that is only a start', { image: jpeg().subarray(0, 10).toString('base64') }, 'image'],
  ['an image that is no text', { image: 5 }, 'image'],
])('%s: 400 that names the member', async (_what, members, path) => {
  const { status, body } = await call(server, 'POST', '/api/detections/', {
    stream_id: streamId,
    confidence_score: 0.9,
    ...members,
  });
  expect(status).toBe(400);
  expect(body.code).toMatch(/^invalid_/);
  expect(body.issues[0].path).toBe(path);
  expect(body.error).toMatch(new RegExp(`^${path}: .*\\.$`));
});

test('an image is taken with line breaks or as a data URL, up to its limits', async () => {
  const data = jpeg(640, 480, 4_000_000);
  const { image_url, frame } = await reported({
    image: `data:image/jpeg;base64,${data.toString('base64').replace(/.{76}/g, '$&\n')}`,
  });
  expect(frame).toEqual({ width: 640, height: 480 });
  const served = await fetch(server.base + image_url);
  expect(Buffer.from(await served.arrayBuffer()).equals(data)).toBe(true);
  for (const large of [jpeg(64, 48, 5 * 1024 * 1024), jpeg(65_000, 65_000)]) {
    const image = large.toString('base64');
    const reply = await call(server, 'POST', '/api/detections/', {
      stream_id: streamId,
      confidence_score: 0.9,
      image,
    });
    expect(reply).toMatchObject({
      status: 413,
      body: { code: 'image_too_large', issues: [{ path: 'image' }] },
    });
  }
  const image = 'A'.repeat(20_000_000);
  const huge = await call(server, 'POST', '/api/detections/', {
    stream_id: streamId,
    confidence_score: 0.9,
    image,
  });
  expect(huge).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
});

test('unknown streams, detections and alerts are a 404 with a code', async () => {
  const id = '01890000-0000-7000-8000-000000000000';
  const detection = { stream_id: id, confidence_score: 0.9 };
  expect(await call(server, 'POST', '/api/detections/', detection)).toMatchObject({
    status: 404,
    body: { code: 'stream_not_found' },
  });
  for (const unknown of [id, '__proto__', '%27']) {
    for (const method of ['GET', 'DELETE'])
      expect(await call(server, method, `/api/detections/${unknown}/`)).toMatchObject({
        status: 404,
        body: { code: 'detection_not_found' },
      });
    for (const [method, path, body] of [
      ['GET', '/'],
      ['PATCH', '/', { viewed: true }],
      ['PATCH', '/update/', { viewed: true }],
      ['DELETE', '/'],
      ['DELETE', '/delete/'],
    ] as const)
      expect(await call(server, method, `/api/alerts/${unknown}${path}`, body)).toMatchObject({
        status: 404,
        body: { code: 'alert_not_found' },
      });
  }
});

describe('lists', () => {
  test('are filtered, newest first, and read in pages', async () => {
    await using own = await startServer();
    const add = async (name: string) =>
      (await call(own, 'POST', '/api/streams/', { name, rtsp_url: 'rtsp://camera.local/' })).body.id;
    const [one, two] = [await add('one'), await add('two')];
    for (let index = 0; index < 10; index++)
      await call(own, 'POST', '/api/detections/', {
        stream_id: index % 2 ? one : two,
        confidence_score: 0.5 + index / 20,
        timestamp: `2026-01-01T00:00:0${index}Z`,
      });
    const seconds = (rows: { timestamp: string }[]) => rows.map(({ timestamp }) => Number(timestamp.at(18)));
    const read = async (path: string, member: string) => {
      const { status, body } = await call(own, 'GET', path);
      expect(status, path).toBe(200);
      return seconds(body[member]);
    };
    for (const member of ['detections', 'alerts']) {
      const path = `/api/${member}/`;
      expect(await read(path, member)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
      expect(await read(`${path}?stream_id=${one}`, member)).toEqual([9, 7, 5, 3, 1]);
      const between = 'since=2026-01-01T00:00:03Z&until=2026-01-01T01:00:07%2B01:00';
      expect(await read(`${path}?${between}`, member)).toEqual([6, 5, 4, 3]);
      const pages: number[][] = [];
      for (let cursor = ''; ; ) {
        const { body } = await call(own, 'GET', `${path}?limit=4${cursor && `&cursor=${cursor}`}`);
        pages.push(seconds(body[member]));
        cursor = body.next_cursor;
        if (cursor === null) break;
      }
      expect(pages).toEqual([
        [9, 8, 7, 6],
        [5, 4, 3, 2],
        [1, 0],
      ]);
    }
    expect(await read('/api/detections/?min_confidence=0.8', 'detections')).toEqual([9, 8, 7, 6]);
    const { alerts, unviewed } = (await call(own, 'GET', `/api/alerts/?stream_id=${one}`)).body;
    expect(unviewed).toBe(5);
    await call(own, 'PATCH', `/api/alerts/${alerts[0].id}/`, { viewed: true });
    expect(await read('/api/alerts/?viewed=true', 'alerts')).toEqual([9]);
    expect(await read(`/api/alerts/?viewed=False&stream_id=${one}`, 'alerts')).toEqual([7, 5, 3, 1]);
    const markAll = async (body: object) => (await call(own, 'PATCH', '/api/alerts/', body)).body;
    expect(await markAll({ viewed: true, stream_id: one })).toEqual({ updated: 4 });
    expect((await call(own, 'GET', '/api/alerts/')).body.unviewed).toBe(5);
    expect(await markAll({ viewed: true })).toEqual({ updated: 5 });
    expect((await call(own, 'GET', '/api/alerts/')).body.unviewed).toBe(0);
    expect(await call(own, 'PATCH', '/api/alerts/', { viewed: false })).toMatchObject({ status: 400 });
  });

  test('refuse what is no filter, and name it', async () => {
    const wrong = {
      limit: ['0', '501', 'x', '1.5'],
      cursor: ['x', '%00', 'MTIzIA', 'AAAA'.repeat(20)],
      since: ['yesterday', '', '5'],
      until: ['2026-02-30T00:00:00Z'],
    };
    const paths = {
      '/api/detections/': { ...wrong, min_confidence: ['2', 'x'] },
      '/api/alerts/': { ...wrong, viewed: ['perhaps'] },
    };
    for (const [path, filters] of Object.entries(paths))
      for (const [name, values] of Object.entries(filters))
        for (const value of values)
          expect(
            await call(server, 'GET', `${path}?${name}=${value}`),
            `${path} ${name} ${value}`,
          ).toMatchObject({
            status: 400,
            body: { issues: [{ path: name }] },
          });
  });

  test('refuse filters that they do not know, and name them', async () => {
    for (const path of ['/api/streams/', '/api/detections/', '/api/alerts/'])
      for (const name of ['strem_id', '__proto__', 'toString'])
        expect(await call(server, 'GET', `${path}?limit=5&${name}=x`), `${path} ${name}`).toMatchObject({
          status: 400,
          body: { code: 'invalid_request', issues: [{ path: name, message: 'is not known here' }] },
        });
  });

  test('refuse the cursor of another list', async () => {
    for (let count = 0; count < 2; count++) await reported();
    await newStream('Another');
    const lists = ['streams', 'detections', 'alerts'];
    for (const one of lists) {
      const { next_cursor } = (await call(server, 'GET', `/api/${one}/?limit=1`)).body;
      expect(next_cursor).toEqual(expect.any(String));
      for (const other of lists) {
        const reply = await call(server, 'GET', `/api/${other}/?limit=1&cursor=${next_cursor}`);
        if (one === other) expect(reply.status).toBe(200);
        else
          expect(reply).toMatchObject({
            status: 400,
            body: { code: 'invalid_cursor', issues: [{ path: 'cursor' }] },
          });
      }
    }
    const { streams } = (await call(server, 'GET', '/api/streams/')).body;
    expect((await call(server, 'GET', `/api/streams/?cursor=${streams[0].id}`)).status).toBe(400);
  });
});

describe('images', () => {
  test('are served as they are, may be kept for ever by one user, and are asked for once', async () => {
    const { image_url, thumbnail_url } = await reported(withImage);
    expect(thumbnail_url).not.toBe(image_url);
    for (const url of [image_url, thumbnail_url]) {
      const response = await fetch(server.base + url);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('image/jpeg');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
      expect(Buffer.from(await response.arrayBuffer()).equals(jpeg())).toBe(true);
      const etag = response.headers.get('etag')!;
      for (const tag of [etag, `"other", W/${etag}`, '*'])
        expect((await fetch(server.base + url, { headers: { 'if-none-match': tag } })).status).toBe(304);
      expect((await fetch(server.base + url, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    }
  });

  test('that no row names, other names and paths are not found, and nothing is listed', async () => {
    const { image_url } = await reported(withImage);
    const orphan = await server.images.put(jpeg());
    const paths = [
      `/media/${orphan}`,
      '/media/',
      '/media',
      image_url.slice(0, 9),
      `${image_url}/x`,
      image_url.toUpperCase(),
      image_url.replace('.jpg', '.JPG'),
      image_url.replace('.jpg', '.jpg%00'),
      image_url.replace(/\/([^/]*)$/, '/%2e%2e%2f$1'),
      image_url.replace('/media/', '/media/..%2fimages%2f'),
      '/media/%2e%2e/test.sqlite',
      '/media/..%2f..%2f/secret.key',
    ];
    for (const path of paths) {
      const { status, headers } = await call(server, 'GET', path);
      expect(status, path).toBe(404);
      expect(headers.get('cache-control') ?? '', path).not.toContain('immutable');
    }
    // As no fetch would send it.
    const sent = request(`${server.base}`, { path: `/media/../media${image_url.slice(6)}` }).end();
    const status = await new Promise((resolve) =>
      sent.once('response', (response) => resolve(response.resume().statusCode)),
    );
    expect([403, 404]).toContain(status);
  });

  test('of a row whose file is gone are not found, and not kept by the browser', async () => {
    const { image_url } = await reported(withImage);
    await rm(join(server.dataDir, 'images', image_url.slice('/media/'.length)));
    const { status, body, headers } = await call(server, 'GET', image_url);
    expect(status).toBe(404);
    expect(body.code).toBe('image_not_found');
    expect(headers.get('cache-control')).toBeNull();
    expect(headers.get('etag')).toBeNull();
  });
});

/** Images go in the background, right after their rows. */
async function gone(url: string): Promise<boolean> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const there = await server.images.get(url.slice('/media/'.length)).catch(() => null);
    if (there === null) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

test('a deleted detection takes its images along, and its alert', async () => {
  const { id, image_url, thumbnail_url } = await reported(withImage);
  const alert = await alertOf(id);
  expect((await call(server, 'DELETE', `/api/detections/${id}/`)).status).toBe(204);
  for (const path of [`/api/detections/${id}/`, `/api/alerts/${alert.id}/`, image_url, thumbnail_url])
    expect((await call(server, 'GET', path)).status, path).toBe(404);
  expect(await gone(image_url)).toBe(true);
  expect(await gone(thumbnail_url)).toBe(true);
});

test('a deleted stream takes its detections, alerts and images along, and nothing of others', async () => {
  const other = await newStream('Gate');
  const kept = await reported(withImage);
  const detections = [];
  for (let count = 0; count < 3; count++) detections.push(await reported({ stream_id: other, ...withImage }));
  expect((await call(server, 'DELETE', `/api/streams/${other}/`)).status).toBe(204);
  for (const path of ['/api/detections/', '/api/alerts/'])
    expect(JSON.stringify((await call(server, 'GET', `${path}?stream_id=${other}`)).body)).not.toContain(
      other,
    );
  for (const { id, image_url, thumbnail_url } of detections) {
    for (const path of [`/api/detections/${id}/`, image_url, thumbnail_url])
      expect((await call(server, 'GET', path)).status, path).toBe(404);
    expect(await gone(image_url)).toBe(true);
    expect(await gone(thumbnail_url)).toBe(true);
  }
  expect((await fetch(server.base + kept.image_url)).status).toBe(200);
  expect((await alertOf(kept.id)).stream_id).toBe(streamId);
});
