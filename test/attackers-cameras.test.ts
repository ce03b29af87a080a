// Rows of "Attackers" that come by a camera's address or by what a camera sends, against the running service.
// Those that come by sign-in, requests and sockets are in attackers-doors.test.ts; secrets in attackers-secrets.test.ts.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clip, clipFromUnits } from '../simulator/clip.ts';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { hostileUrls } from './corpus/hostile-urls.ts';
import { embedded } from './support/backends.ts';
import { withH264Sps } from './support/hostile-video.ts';
import { eventually, type SavedStreamReply } from './support/parts.ts';
import { type Service, startService } from './support/service.ts';
import { Viewer } from './support/viewer.ts';

/** Listens and counts who connects; nothing is ever answered. */
class Canary {
  readonly #servers: Server[] = [];
  connections = 0;
  port = 0;

  /** On every one of `hosts`, at one port that is free on all. */
  async open(hosts: readonly string[]): Promise<void> {
    for (const host of hosts) {
      const server = createServer((socket) => {
        this.connections += 1;
        socket.destroy();
      });
      server.listen(this.port, host);
      await once(server, 'listening');
      this.port = (server.address() as AddressInfo).port;
      this.#servers.push(server);
    }
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }
}

/** The service may reach cameras on 127.0.0.3 only by luck of not being denied; the canary's addresses are denied. */
const cameraHost = '127.0.0.3';
const denied = '127.0.0.1/32,127.0.0.2/32,::1/128';

const canary = new Canary();
let simulator: Simulator;
let service: Service;
let clip: Clip;

beforeAll(async () => {
  clip = await sceneClip({ gopSeconds: 1 });
  await canary.open(['127.0.0.1', '127.0.0.2', '::1']);
  simulator = await startSimulator({
    host: cameraHost,
    cameras: [
      { path: '/good', clip },
      { path: '/redirects', clip, behaviour: { redirectTo: `rtsp://127.0.0.2:${canary.port}/stream` } },
      {
        path: '/redirects-mapped',
        clip,
        behaviour: { redirectTo: `rtsp://[::ffff:127.0.0.2]:${canary.port}/stream` },
      },
      { path: '/redirects-name', clip, behaviour: { redirectTo: `rtsp://localhost:${canary.port}/stream` } },
      { path: '/redirects-http', clip, behaviour: { redirectTo: `http://127.0.0.2:${canary.port}/` } },
      { path: '/redirects-file', clip, behaviour: { redirectTo: 'file:///etc/passwd' } },
    ],
  });
  service = await startService({ env: { RTSP_DENIED_NETWORKS: denied } });
}, 120_000);

afterAll(async () => {
  await service.stop();
  await simulator.close();
  canary.close();
});

function create(rtspUrl: string, more: Record<string, unknown> = {}): Promise<SavedStreamReply> {
  return service.api<SavedStreamReply>('POST', '/api/streams/', {
    name: 'Camera',
    rtsp_url: rtspUrl,
    detection_enabled: false,
    ...more,
  });
}

function remove(id: string): Promise<unknown> {
  return service.api('DELETE', `/api/streams/${id}/`);
}

async function streamOf(id: string): Promise<SavedStreamReply> {
  const { stream } = await service.api<{ stream: SavedStreamReply }>('GET', `/api/streams/${id}/`);
  return stream;
}

/** The good camera shows pictures: what came before did no harm. */
async function stillWorks(): Promise<void> {
  const viewer = new Viewer(service.viewerUrl(simulator.url('/good')));
  await viewer.more(2, 20_000);
  await viewer.close();
  expect(service.exitCode).toBeNull();
}

describe('other protocols and options by URL', () => {
  it('every hostile address is refused with 400, as a stream, as a sub-stream and as an edit', async () => {
    expect(hostileUrls.length).toBeGreaterThanOrEqual(300);
    const { id } = await create(simulator.url('/good'));
    for (const url of hostileUrls) {
      const tries = [
        service.request('POST', '/api/streams/', { name: 'x', rtsp_url: url }),
        service.request('POST', '/api/streams/', {
          name: 'x',
          rtsp_url: simulator.url('/good'),
          detection_url: url,
        }),
        service.request('PATCH', `/api/streams/${id}/`, { rtsp_url: url }),
      ];
      for (const reply of await Promise.all(tries)) {
        const text = await reply.text();
        // No sub-stream address, or none to be changed, is no address.
        if (reply.ok && (url === null || (typeof url === 'string' && url.trim() === ''))) {
          if (reply.status === 201) await remove((JSON.parse(text) as { id: string }).id);
          continue;
        }
        expect(reply.status, `${JSON.stringify(url).slice(0, 100)}: ${text}`).toBe(400);
      }
    }
    expect((await streamOf(id)).rtsp_url).toBe(simulator.url('/good'));
    await remove(id);
  }, 60_000);

  it('nested objects and lists in the place of an address are refused with 400', async () => {
    for (const rtsp_url of [
      {},
      [],
      [simulator.url('/good')],
      { href: simulator.url('/good') },
      1,
      true,
      null,
    ]) {
      const reply = await service.request('POST', '/api/streams/', { name: 'x', rtsp_url });
      expect(reply.status, JSON.stringify(rtsp_url)).toBe(400);
    }
  });

  it('a hostile address of the WebSocket opens nothing', async () => {
    const before = simulator.camera('/good').stats.sessionsTotal;
    for (const url of hostileUrls.filter((url, index) => index % 12 === 0 && String(url).isWellFormed())) {
      const viewer = new Viewer(service.viewerUrl(String(url)));
      await eventually(
        'refused',
        () => viewer.closed ?? viewer.error,
        (end) => end !== null,
      );
      expect(viewer.pictures).toBe(0);
    }
    expect(simulator.camera('/good').stats.sessionsTotal).toBe(before);
  }, 60_000);
});

describe('SSRF', () => {
  const target = (host: string) => `rtsp://${host}:${canary.port}/stream`;
  /** One address in many dresses, and names; all of them are one of the canary's. */
  const dresses = [
    '127.0.0.2',
    '2130706434',
    '0x7f000002',
    '0x7F.0.0.2',
    '0177.0.0.2',
    '017700000002',
    '127.2',
    '127.0.2',
    '127.0.0.002',
    '[::ffff:127.0.0.2]',
    '[::ffff:7f00:2]',
    '[0:0:0:0:0:ffff:127.0.0.2]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '①②⑦.0.0.2',
    '127。0。0。2',
    'localhost',
    'LOCALHOST',
  ];

  it('no dress of a denied address is connected to: saved, sub-stream, ad-hoc, or by command', async () => {
    const saved: string[] = [];
    for (const host of dresses) {
      const reply = await service.request('POST', '/api/streams/', {
        name: host,
        rtsp_url: target(host),
        detection_enabled: true,
        detection_url: target(host),
      });
      const text = await reply.text();
      expect([201, 400], `${host}: ${text}`).toContain(reply.status);
      if (reply.status === 201) saved.push((JSON.parse(text) as { id: string }).id);
      const sub = await service.request('POST', '/api/streams/', {
        name: host,
        rtsp_url: simulator.url('/good'),
        detection_enabled: true,
        detection_url: target(host),
      });
      if (sub.status === 201) saved.push(((await sub.json()) as { id: string }).id);
      const viewer = new Viewer(service.viewerUrl(target(host)));
      await eventually(
        `answered for ${host}`,
        () => [viewer.closed, viewer.error, viewer.statuses],
        ([closed, error]) => closed !== null || error !== null || viewer.status === 'error',
      );
      await viewer.close();
    }
    expect(saved.length).toBeGreaterThan(dresses.length);
    const byCommand = new Viewer(service.viewerUrl(simulator.url('/good')));
    await byCommand.more(1, 20_000);
    byCommand.send({ command: 'start', rtsp_url: target('127.0.0.2') });
    await byCommand.until('refused', ({ status, closed }) => status === 'error' || closed !== null);
    await byCommand.close();
    for (const id of saved) {
      const { status, rtsp_url, last_error } = await eventually(
        'settled',
        () => streamOf(id),
        (stream) => stream.status === 'error' || stream.status === 'online',
        20_000,
      );
      if (rtsp_url === simulator.url('/good')) continue;
      expect([status, last_error]).toEqual([
        'error',
        expect.stringMatching(/not allowed by the address policy/),
      ]);
    }
    for (const id of saved) await remove(id);
    expect(canary.connections).toBe(0);
  }, 120_000);

  it.each([
    ['/redirects', /address policy|not followed/],
    ['/redirects-mapped', /address policy|not followed/],
    ['/redirects-name', /address policy|not followed/],
    ['/redirects-http', /not followed|address/],
    ['/redirects-file', /not followed|address/],
  ])(
    'a redirect is judged like any other address (%s)',
    async (path, reason) => {
      const { id } = await create(simulator.url(path));
      const { last_error } = await eventually(
        'refused',
        () => streamOf(id),
        ({ status }) => status === 'error',
      );
      expect(last_error).toMatch(reason);
      expect(canary.connections).toBe(0);
      await remove(id);
    },
    30_000,
  );

  it('link-local addresses and the metadata services of clouds are denied whatever the settings say', async () => {
    for (const host of [
      '169.254.169.254',
      '2852039166',
      '0xa9fea9fe',
      '[::ffff:a9fe:a9fe]',
      '[64:ff9b::a9fe:a9fe]',
      '[fe80::1]',
      '[fd00:ec2::254]',
      '100.100.100.200',
      '0.0.0.0',
      '[::]',
    ]) {
      const { id } = await create(`rtsp://${host}/latest/meta-data/`);
      const { last_error } = await eventually(
        `${host} denied`,
        () => streamOf(id),
        ({ status }) => status === 'error',
      );
      expect(last_error, host).toMatch(/address policy/);
      await remove(id);
    }
  }, 60_000);

  it('the doctor keeps to the address policy as well', async () => {
    const launcher = fileURLToPath(new URL('../bin/rtsp-stream-viewer.mjs', import.meta.url));
    for (const address of [target('127.0.0.2'), target('[::ffff:127.0.0.2]'), simulator.url('/redirects')]) {
      const child = spawn(process.execPath, [launcher, 'doctor', address], {
        cwd: service.dataDir,
        env: { ...process.env, ...embedded, RTSP_DENIED_NETWORKS: denied },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text) => (said += text));
      const [code] = await once(child, 'exit');
      expect(code, said).not.toBe(0);
      expect(said).toMatch(/address policy|not followed/);
    }
    expect(canary.connections).toBe(0);
  }, 60_000);
});

describe('hostile media', () => {
  const units = () => clip.accessUnits.map(({ data }) => data);
  const size = { width: 640, height: 480, fps: 15 };

  it('a stream that announces monstrous or tiny pictures, an unknown profile or noise is told as trouble and harms nobody', async () => {
    const noise = units().map((data, index) => {
      const bent = data.slice();
      for (let at = 40 + (index % 7); at < bent.length; at += 97) bent[at]! ^= 0x5a;
      return bent;
    });
    const hostile: readonly (readonly [string, readonly Uint8Array[]])[] = [
      ['/monstrous', withH264Sps(units(), { width: 16_384, height: 16_384 })],
      ['/cropped', withH264Sps(units(), { width: 16_384, height: 16_384, crop: [8160, 8160] })],
      ['/tiny', withH264Sps(units(), { width: 16, height: 16, crop: [7, 7] })],
      ['/profile', withH264Sps(units(), { width: 640, height: 480, profile: 254 })],
      ['/noise', noise],
    ];
    for (const [path, each] of hostile)
      simulator.addCamera({ path, clip: { ...clipFromUnits('h264', size, each), parameterSets: [] } });
    const good = new Viewer(service.viewerUrl(simulator.url('/good')));
    await good.more(2, 20_000);
    const memoryBefore = service.figures().anonymous;
    const viewers = hostile.map(([path]) => new Viewer(service.viewerUrl(simulator.url(path))));
    for (const [index, [path]] of hostile.entries())
      await eventually(
        `${path} being watched for a while`,
        () => simulator.camera(path).stats.unitsSent,
        (sent) => sent > 45 || viewers[index]!.closed !== null,
        20_000,
      );
    await good.more(5);
    expect(good.interruptions).toBe(0);
    for (const viewer of viewers) await viewer.close();
    await good.close();
    expect(service.exitCode).toBeNull();
    expect(service.figures().anonymous - memoryBefore).toBeLessThan(400e6);
    expect(service.logs()).not.toMatch(/codec worker died/);
  }, 120_000);
});

describe('ad-hoc stream flood', () => {
  it('1,000 addresses at once: refused beyond a few, descriptors flat, and one address is one stream', async () => {
    await stillWorks();
    const before = service.fds();
    const one = Array.from({ length: 20 }, () => new Viewer(service.viewerUrl(simulator.url('/good'))));
    for (const viewer of one) await viewer.more(1, 20_000);
    expect(simulator.camera('/good').stats.sessions).toBe(1);
    for (const viewer of one) await viewer.close();

    let refused = 0;
    for (let batch = 0; batch < 20; batch += 1) {
      const viewers = Array.from(
        { length: 50 },
        (_, index) => new Viewer(service.viewerUrl(`rtsp://${cameraHost}:9/flood-${batch}-${index}`)),
      );
      await eventually(
        'answered',
        () =>
          viewers.every(
            (viewer) => viewer.closed !== null || viewer.error !== null || viewer.status !== null,
          ),
        Boolean,
        30_000,
      );
      refused += viewers.filter(
        ({ closed, error }) => closed?.code === 4429 || /429/.test(error?.message ?? ''),
      ).length;
      for (const viewer of viewers) await viewer.close();
    }
    expect(refused).toBeGreaterThan(900);
    await eventually(
      'descriptors as before',
      () => service.fds(),
      (now) => now <= before + 8,
      30_000,
    );
    await stillWorks();
  }, 120_000);
});
