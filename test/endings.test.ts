import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import { startSimulator } from '../simulator/server.ts';
import { embedded, makeBackends, removeData } from './support/backends.ts';
import { eventually } from './support/parts.ts';
import { startService } from './support/service.ts';
import { Viewer } from './support/viewer.ts';

const camera = async (path: string) => ({ path, clip: await sceneClip({ gopSeconds: 1 }) });

const launcher = fileURLToPath(new URL('../bin/rtsp-stream-viewer.mjs', import.meta.url));

async function serve(
  env: NodeJS.ProcessEnv,
  detached = false,
  [program, ...args]: readonly [string, ...string[]] = [process.execPath, launcher, 'serve'],
) {
  const dataDir = mkdtempSync(join(tmpdir(), 'rtsp-stream-viewer-endings-'));
  const child = spawn(program, args, {
    cwd: join(launcher, '..', '..'),
    env: { ...process.env, ...(await makeBackends(dataDir)), DATA_DIR: dataDir, HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  const exit = once(child, 'exit').finally(() => removeData(dataDir));
  return { child, exit, output: () => output };
}

it('a taken port ends the start with one line that names it', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { exit, output } = await serve({ PORT: String(port) });
  const [code] = await exit;
  other.close();
  expect(code).not.toBe(0);
  expect(output().trim().split('\n').at(-1)).toMatch(new RegExp(`PORT.*${port}.*in use`));
}, 30_000);

it('a refused upgrade leaves no socket behind, and the server ends in order all the same', async () => {
  const service = await startService();
  const before = service.fds();
  const { port } = new URL(service.baseUrl);
  for (const origin of ['http://evil.example', 'https://evil.example']) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `GET /ws/stream/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    let reply = '';
    for await (const chunk of socket) reply += chunk;
    expect(reply).toMatch(/^HTTP\/1.1 403 /);
  }
  await eventually(
    'closed',
    () => service.fds(),
    (fds) => fds <= before,
  );
  expect(await service.stop()).toBe(0);
  expect(service.logs()).not.toMatch(/did not close in time/);
}, 30_000);

it('a second server on the same data is refused with one line, and the first is not disturbed', async () => {
  // Several instances may share what is elsewhere; a folder with SQLite and images has one owner.
  const first = await startService({ env: embedded });
  try {
    await expect(startService({ dataDir: first.dataDir, env: embedded })).rejects.toThrow(
      /DATA_DIR.*in use by another running server/,
    );
    expect((await fetch(`${first.baseUrl}/readyz`)).status).toBe(200);
  } finally {
    await first.stop();
  }
}, 30_000);

it('a signal to the whole group, which reaches the server twice, ends it in order', async () => {
  const { child, exit, output } = await serve({ PORT: '0' }, true);
  await eventually('ready', output, (text) => text.includes('is running at'), 20_000);
  process.kill(-child.pid!, 'SIGINT');
  expect((await exit)[0]).toBe(0);
}, 30_000);

it.skipIf(process.platform === 'win32')(
  'a SIGTERM to npm, which it does not pass on, ends the server it started',
  async () => {
    const { child, output } = await serve({ PORT: '0', AUTH: 'off' }, false, ['npm', 'start']);
    await eventually('ready', output, (text) => text.includes('is running at'), 40_000);
    const address = /http:\/\/[\d.]+:\d+/.exec(output())![0];
    child.kill('SIGTERM');
    const answers = () =>
      fetch(`${address}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually('gone', answers, (ok) => !ok, 20_000);
    await eventually('closed in order', output, (text) => text.includes('"closing"'));
  },
  90_000,
);

it('a viewer that does not answer keeps the server from ending for no longer than a moment', async () => {
  await using simulator = await startSimulator({ cameras: [await camera('/cam')] });
  const service = await startService();
  const viewer = new Viewer(service.viewerUrl(simulator.url('/cam')));
  await viewer.more(2, 20_000);
  viewer.pauseReading();
  process.kill(service.pid, 'SIGTERM');
  await eventually(
    'ended',
    () => service.exitCode,
    (code) => code !== null,
    10_000,
  );
  expect(service.exitCode).toBe(0);
  expect(service.logs()).not.toMatch(/did not close in time/);
  await eventually(
    'torn down',
    () => simulator.camera('/cam').stats.sessions,
    (open) => open === 0,
  );
  await service.stop();
}, 60_000);

it('a running picture over HTTP ends with its stream, and counts as a viewer', async () => {
  await using simulator = await startSimulator({ cameras: [await camera('/cam')] });
  const service = await startService({ env: { MAX_VIEWERS: '2' } });
  try {
    const { id } = await service.api<{ id: string }>('POST', '/api/streams/', {
      name: 'Moving',
      rtsp_url: simulator.url('/cam'),
    });
    const moving = await fetch(`${service.baseUrl}/api/streams/${id}/live.mjpeg`);
    expect(moving.status).toBe(200);
    const viewer = new Viewer(`${service.baseUrl.replace('http', 'ws')}/ws/stream/?stream_id=${id}`);
    await viewer.more(1);
    const third = new Viewer(`${service.baseUrl.replace('http', 'ws')}/ws/stream/?stream_id=${id}`);
    await third.until('refused', () => third.closed !== null);
    expect(third.closed!.code).toBe(4429);
    expect((await fetch(`${service.baseUrl}/api/streams/${id}/live.mjpeg`)).status).toBe(429);

    await service.api('DELETE', `/api/streams/${id}/`);
    let bytes = 0;
    for await (const chunk of moving.body!) bytes += chunk.byteLength;
    expect(bytes).toBeGreaterThan(0);
  } finally {
    await service.stop();
  }
}, 60_000);
