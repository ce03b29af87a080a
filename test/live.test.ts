import { describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import type { ServerMessage } from '../src/live/protocol.ts';
import { JpegReader } from './support/jpeg.ts';
import { eventually, useParts } from './support/parts.ts';
import { Viewer } from './support/viewer.ts';

const parts = useParts(['/a', '/b', '/adhoc', '/many', '/gone', '/slow']);

function errors(messages: readonly ServerMessage[]): string[] {
  return messages.flatMap((message) => (message.type === 'error' ? [message.code] : []));
}

describe('live view', () => {
  it('serves the client of the earlier service: create, list, ws_url, start, pause, resume', async () => {
    const { service, simulator } = parts;
    const created = await service.api<{ id: string; ws_url: string; message: string }>(
      'POST',
      '/api/streams/create/',
      {
        name: 'Front door',
        rtsp_url: simulator.url('/a'),
      },
    );
    expect(created.message).toEqual(expect.any(String));
    const list = await service.api<{ streams: { id: string }[] }>('GET', '/api/streams');
    expect(list.streams.map(({ id }) => id)).toContain(created.id);

    const viewer = new Viewer(`${created.ws_url}&stream_id=${created.id}`);
    await viewer.until('told its status', () => viewer.status !== null);
    viewer.send({ command: 'start', ws_url: created.ws_url });
    await viewer.more(10);
    expect(viewer.lastPicture!.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));

    viewer.send({ command: 'pause' });
    await viewer.until('told of the pause', () =>
      viewer.messages.some((message) => message.type === 'status' && /paused/i.test(message.message ?? '')),
    );
    const held = viewer.pictures;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(viewer.pictures).toBe(held);
    viewer.send({ command: 'resume' });
    await viewer.more(5);

    const types = viewer.messages.map(({ type }) => type);
    expect(types.slice(0, 2).sort()).toEqual(['performance_stats', 'status']);
    expect(types).toContain('stream_info');
    expect(viewer.closed).toBeNull();
    viewer.send({ command: 'close' });
    await viewer.until('closed', () => viewer.closed !== null);
    expect(viewer.closed!.code).toBe(1000);
  });

  it('shows the frames of the camera, in order, at its rate, as JPEG of 640×480', async () => {
    const stream = await parts.save(parts.simulator.url('/b'));
    using reader = new JpegReader();
    const shown: number[] = [];
    const viewer = parts.watch(stream, {
      onPicture: (jpeg) => {
        const counter = reader.counter(jpeg);
        if (counter !== null) shown.push(counter);
      },
    });
    await viewer.more(45, 20_000);
    await viewer.close();
    const info = viewer.messages.find((message) => message.type === 'stream_info');
    expect(info).toMatchObject({ mime: 'image/jpeg', width: 640, height: 480 });
    const steps = shown.slice(1).map((counter, i) => counter - shown[i]!);
    // The clip is a loop: its end is followed by its beginning.
    const forward = steps.filter((step) => step >= 1 || step < -100);
    expect(forward.length).toBe(steps.length);
    expect(steps.filter((step) => step === 1).length).toBeGreaterThan(steps.length * 0.8);
  });

  it('holds one session at the camera, one decoder and one encoder for many viewers', async () => {
    const { simulator, service } = parts;
    const stream = await parts.save(simulator.url('/many'));
    const viewers = Array.from({ length: 20 }, () => parts.watch(stream));
    await Promise.all(viewers.map((viewer) => viewer.more(10, 20_000)));
    expect(simulator.camera('/many').stats).toMatchObject({ sessions: 1, sessionsTotal: 1 });
    const stats = await service.api<{ decoders: number; viewers: number }>(
      'GET',
      `/api/streams/${stream.id}/stats/`,
    );
    expect(stats).toMatchObject({ decoders: 1, viewers: 20 });
    await Promise.all(viewers.map((viewer) => viewer.close()));
    await eventually(
      'left by all',
      () => service.api<{ decoders: number; viewers: number }>('GET', `/api/streams/${stream.id}/stats/`),
      ({ decoders, viewers: left }) => decoders === 0 && left === 0,
      15_000,
    );
    expect(simulator.camera('/many').stats).toMatchObject({ sessions: 1, sessionsTotal: 1 });
  });

  it('joins a saved stream by its address, and ends an ad-hoc one after its last viewer', async () => {
    const { simulator } = parts;
    const first = parts.watch(simulator.url('/adhoc'));
    const second = parts.watch(simulator.url('/adhoc'));
    await Promise.all([first.more(3), second.more(3)]);
    expect(simulator.camera('/adhoc').stats).toMatchObject({ sessions: 1, sessionsTotal: 1 });
    await Promise.all([first.close(), second.close()]);
    await eventually(
      'closed',
      () => simulator.camera('/adhoc').stats.sessions,
      (sessions) => sessions === 0,
      20_000,
    );

    const saved = parts.watch(simulator.url('/a'));
    await saved.more(3);
    expect(simulator.camera('/a').stats.sessions).toBe(1);
  });

  it('answers what it cannot follow with an error, keeps the socket, and limits the rate of commands', async () => {
    const viewer = parts.watch(parts.simulator.url('/a'));
    await viewer.more(1);
    const wrong = [
      '',
      'no json',
      '[]',
      '{"command":7}',
      '{"command":"fly"}',
      '{"command":"start","rtsp_url":"http://x"}',
    ];
    for (const text of wrong) viewer.socket.send(text);
    viewer.socket.send(Buffer.from([1, 2, 3]));
    await viewer.until('told each', () => errors(viewer.messages).length === wrong.length + 1);
    for (let i = 0; i < 10_000; i++) viewer.socket.send('{"command":"fly"}');
    await viewer.until('limited', () => errors(viewer.messages).includes('rate_limited'));
    await viewer.more(5);
    expect(errors(viewer.messages).length).toBeLessThan(200);
    expect(viewer.closed).toBeNull();

    viewer.socket.send('x'.repeat(1_000_000));
    await viewer.until('closed', () => viewer.closed !== null);
    expect(viewer.closed!.code).toBe(1009);
  });

  it.each([
    ['an unknown id', 'stream_id=nothing', 4404],
    ['no stream at all', '', 4400],
    ['a file', 'url=file:///etc/passwd', 4400],
    ['a concat list', 'url=concat:rtsp://127.0.0.1/a|b', 4400],
    ['an HTTP address', 'url=http://127.0.0.1/', 4400],
    ['a missing host', 'url=rtsp://', 4400],
    ['a bad port', 'url=rtsp://127.0.0.1:99999/a', 4400],
    ['7 kB of path', `url=rtsp://127.0.0.1/${'a'.repeat(7000)}`, 4400],
    ['line breaks', 'url=rtsp://127.0.0.1/a%0d%0aX: y', 4400],
    ['an unknown format', 'url=rtsp://127.0.0.1/&format=tape', 4400],
    ['a negative rate', 'url=rtsp://127.0.0.1/&fps=-1', 4400],
  ])('answers %s with a reason, and closes', async (_name, query, code) => {
    const viewer = new Viewer(`${parts.service.baseUrl.replace('http', 'ws')}/ws/stream/?${query}`);
    await viewer.until('closed', () => viewer.closed !== null);
    expect(viewer.closed!.code).toBe(code);
    expect(viewer.closed!.reason.length).toBeGreaterThan(10);
  });

  it('refuses a socket to a page of another origin', async () => {
    const socket = new WebSocket(parts.service.viewerUrl(parts.simulator.url('/a')), {
      origin: 'https://evil.example',
    });
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('open', () => resolve('opened'));
      socket.on('error', (error) => resolve(error.message));
    });
    expect(status).toBe(403);
  });

  it('tells viewers of a deleted stream that it is gone', async () => {
    const stream = await parts.save(parts.simulator.url('/gone'));
    const viewer = parts.watch(stream);
    await viewer.more(2);
    await parts.service.api('DELETE', `/api/streams/${stream.id}/`);
    await viewer.until('closed', () => viewer.closed !== null);
    expect(viewer.closed!.code).toBe(4404);
    await eventually(
      'torn down',
      () => parts.simulator.camera('/gone').stats.sessions,
      (open) => open === 0,
    );
  });

  it('sends fewer pictures when a viewer asks for fewer', async () => {
    const viewer = new Viewer(`${parts.service.viewerUrl(parts.simulator.url('/a'))}&fps=3`);
    await viewer.more(1);
    const first = performance.now();
    await viewer.more(6);
    expect(performance.now() - first).toBeGreaterThan(1_500);
    await viewer.close();
  });

  it('drops pictures for a viewer that stops reading, holds nothing back from the others, and lets it go', async () => {
    const stream = await parts.save(parts.simulator.url('/slow'));
    const reader = parts.watch(stream);
    const stuck = parts.watch(stream);
    await Promise.all([reader.more(5), stuck.more(5)]);
    stuck.pauseReading();
    const before = reader.pictures;
    await eventually(
      'let go',
      () => parts.status(stream.id),
      ({ viewers }) => viewers === 1,
      45_000,
    );
    expect(reader.pictures - before).toBeGreaterThan(100);
    expect(reader.closed).toBeNull();
  }, 60_000);

  it('gives the newest picture and a moving one over plain HTTP', async () => {
    const stream = await parts.save(parts.simulator.url('/a'));
    const url = `${parts.service.baseUrl}/api/streams/${stream.id}`;
    const snapshot = await fetch(`${url}/snapshot.jpg`);
    expect(snapshot.headers.get('content-type')).toBe('image/jpeg');
    expect(Buffer.from(await snapshot.arrayBuffer()).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
    const abort = new AbortController();
    const moving = await fetch(`${url}/live.mjpeg`, { signal: abort.signal });
    expect(moving.headers.get('content-type')).toMatch(/^multipart\/x-mixed-replace/);
    let bytes = 0;
    for await (const chunk of moving.body!) {
      bytes += chunk.byteLength;
      if (bytes > 100_000) break;
    }
    abort.abort();
    expect(bytes).toBeGreaterThan(100_000);
  });
});
