// Faults of the face detector and of the image store under a running camera: pictures go on, the reason is told, all heals.
// Each fault is made from outside, to the real service: its processes are killed, its files are taken away.

import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import type { Scene, Visit } from '../simulator/scene.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { decodeJpeg } from '../src/codec/worker/test-clips.ts';
import type { ServerMessage } from '../src/live/protocol.ts';
import { embedded } from './support/backends.ts';
import { eventually } from './support/parts.ts';
import { processTree } from './support/process-figures.ts';
import { type Service, startService } from './support/service.ts';
import { Viewer } from './support/viewer.ts';

const models = fileURLToPath(new URL('../models', import.meta.url));
/** Beyond this a viewer sees that something is wrong; a healthy camera gives 15 pictures a second. */
const visibleGapMs = 2_000;

const visit = (person: number, from: number, to: number): Visit => ({ person, from, to, at: 0.5 });
const scenes: Readonly<Record<string, Scene>> = {
  // Nearly always somebody in view.
  '/busy': { label: 'BUSY', mood: 'day', seconds: 12, visits: [visit(1, 0.2, 11.8)] },
  // One visit, then nobody for much longer than a test takes.
  '/once': { label: 'ONCE', mood: 'day', seconds: 60, visits: [visit(1, 3, 18)] },
};

const simulators = new Set<Simulator>();
let folder: string;
let service: Service | null = null;
let viewers: Viewer[] = [];

beforeAll(async () => {
  await Promise.all(Object.values(scenes).map((scene) => sceneClip({ scene, gopSeconds: 1 })));
}, 120_000);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtsp-stream-viewer-faults-'));
});
afterEach(async () => {
  await Promise.all(viewers.map((viewer) => viewer.close()));
  viewers = [];
  await service?.stop();
  service = null;
  for (const simulator of simulators) await simulator.close();
  simulators.clear();
  await rm(folder, { recursive: true });
});

/** A camera whose scene begins when it is connected, saved and watched. */
async function watched(path: string, env: NodeJS.ProcessEnv = {}) {
  const started = await startService({ env });
  service = started;
  const clip = await sceneClip({ scene: scenes[path]!, gopSeconds: 1 });
  const simulator = await startSimulator({ cameras: [{ path, clip }] });
  simulators.add(simulator);
  const camera = async () => {
    const { id } = await started.api<{ id: string }>('POST', '/api/streams/', {
      name: path,
      rtsp_url: simulator.url(path),
    });
    const viewer = new Viewer(`${started.baseUrl.replace('http', 'ws')}/ws/stream/?stream_id=${id}`);
    viewers.push(viewer);
    await viewer.more(1, 20_000);
    return { id, viewer };
  };
  return { service: started, camera, sessions: () => simulator.camera(path).stats.sessionsTotal };
}

const ofType = <T extends ServerMessage['type']>(viewer: Viewer, type: T) =>
  viewer.messages.filter((message): message is Extract<ServerMessage, { type: T }> => message.type === type);
const detector = (viewer: Viewer) => ofType(viewer, 'status').at(-1)?.detection;

/** Told from now on: another frame in which faces were found. */
async function facesAgain(viewer: Viewer): Promise<void> {
  const told = (face: ServerMessage) => face.type === 'detections' && face.faces.length > 0;
  const before = viewer.messages.findLast(told);
  await viewer.until('shown faces', () => viewer.messages.findLast(told) !== before, 40_000);
}

async function readiness(of: Service) {
  const response = await fetch(`${of.baseUrl}/readyz`);
  const { checks, degraded } = (await response.json()) as {
    checks: Record<string, string>;
    degraded?: string[];
  };
  return { status: response.status, checks, degraded };
}

/** Codec workers, serving and spare. */
function killWorkers(of: Service): void {
  const workers = processTree(of.pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('codec/worker/main.ts');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  });
  expect(workers.length).toBeGreaterThan(0);
  for (const pid of workers) process.kill(pid, 'SIGKILL');
}

describe('the face detector', () => {
  it('comes back by itself when its process is killed, and the camera does not notice', async () => {
    const { service, camera, sessions } = await watched('/busy');
    const { viewer } = await camera();
    for (let kill = 0; kill < 2; kill++) {
      await facesAgain(viewer);
      killWorkers(service);
      await viewer.more(15, 20_000);
    }
    await facesAgain(viewer);
    expect(detector(viewer)).toEqual({ state: 'ready' });
    expect(viewer.interruptions).toBe(0);
    expect(sessions()).toBe(1);
  }, 120_000);

  it('whose file is missing or damaged costs no picture, says why, and heals when the file is back', async () => {
    const copy = join(folder, 'models');
    await cp(models, copy, { recursive: true });
    const network = join(copy, 'rnet.onnx');
    const bytes = readFileSync(network);
    await rm(network);
    const { service, camera } = await watched('/busy', { MODELS_DIR: copy });
    const { viewer } = await camera();

    await viewer.until('told that a file is missing', () => detector(viewer)?.state === 'failed', 20_000);
    const missing = 'The face detector’s file models/rnet.onnx is missing.';
    expect(detector(viewer)?.message).toBe(missing);
    expect(await readiness(service)).toMatchObject({
      status: 200,
      checks: { detector: missing, database: 'ok', storage: 'ok' },
      degraded: ['detector'],
    });
    await viewer.more(15, 20_000);
    await writeFile(network, bytes);
    await facesAgain(viewer);
    expect(detector(viewer)).toEqual({ state: 'ready' });
    expect(await readiness(service)).toMatchObject({ status: 200, checks: { detector: 'ok' }, degraded: [] });
    expect(viewer.longestGap).toBeLessThan(visibleGapMs);

    const damaged = new Uint8Array(bytes);
    damaged[damaged.length >> 1]! ^= 1;
    await writeFile(network, damaged);
    killWorkers(service);
    await viewer.until('told that a file is damaged', () => detector(viewer)?.state === 'failed', 20_000);
    expect(detector(viewer)?.message).toMatch(/models\/rnet\.onnx is damaged/);
    await viewer.more(15, 20_000);
    await writeFile(network, bytes);
    await facesAgain(viewer);
    expect(viewer.interruptions).toBe(0);
  }, 180_000);

  it('that hangs is replaced, which is told, and costs no picture', async () => {
    const { service, camera } = await watched('/busy', { DETECTION_PAUSE_MS: '600000@12' });
    const { viewer } = await camera();
    await facesAgain(viewer);
    await viewer.until('told that it is restarted', () => detector(viewer)?.state === 'restarting', 40_000);
    expect(detector(viewer)?.message).toBe('The face detector did not answer within 5 s.');
    const analysed = (await service.metrics())('rtsp_viewer_detection_frames_analysed_total');
    // One that came before the last alert was read from the database does not count.
    expect([11, 12]).toContain(analysed);
    await facesAgain(viewer);
    expect(detector(viewer)).toEqual({ state: 'ready' });
    expect(viewer.longestGap).toBeLessThan(visibleGapMs);
    expect(viewer.interruptions).toBe(0);
  }, 120_000);
});

describe('a folder for images that cannot be used', () => {
  it('keeps visits waiting, not the pictures; what waited is stored once when it heals, and told then', async () => {
    const { service, camera } = await watched('/once', embedded);
    const media = join(service.dataDir, 'media');
    const aside = join(service.dataDir, 'media-aside');
    await rename(media, aside);
    await writeFile(media, 'a file in the way');
    const { id, viewer } = await camera();
    const alerts = () => ofType(viewer, 'face_alert');

    const waiting = async () => (await service.metrics())('rtsp_viewer_detection_waiting');
    await eventually('waiting', waiting, (count) => count > 0, 40_000);
    expect(await readiness(service)).toMatchObject({
      status: 503,
      checks: { storage: 'The folder for images is not a folder.', database: 'ok' },
    });
    const shownMeanwhile = viewer.pictures;
    await viewer.more(30, 20_000);
    expect(viewer.pictures).toBeGreaterThan(shownMeanwhile);
    expect(alerts()).toEqual([]);
    expect(await service.api('GET', `/api/detections/?stream_id=${id}`)).toMatchObject({ detections: [] });

    await rm(media);
    await rename(aside, media);
    await viewer.until('alerted', () => alerts().length > 0, 40_000);
    const [alert] = alerts();
    await eventually('nothing waiting', waiting, (count) => count === 0, 40_000);
    expect(await readiness(service)).toMatchObject({ status: 200 });
    const stored = await service.api<{ alerts: { image_url: string }[] }>('GET', '/api/alerts/');
    expect(stored).toMatchObject({
      alerts: [{ id: alert!.alert_id, detection_id: alert!.detection_id, detections_count: 1 }],
    });
    const image = await fetch(`${service.baseUrl}${stored.alerts[0]!.image_url}`);
    expect(decodeJpeg(new Uint8Array(await image.arrayBuffer()))).toMatchObject({ width: 640, height: 480 });
    await viewer.until(
      'the person gone',
      () => ofType(viewer, 'detections').at(-1)?.faces.length === 0,
      60_000,
    );
    expect(await service.api('GET', `/api/detections/?stream_id=${id}`)).toMatchObject({
      detections: [{ id: alert!.detection_id }],
    });
    expect(alerts()).toHaveLength(1);
    expect(viewer.longestGap).toBeLessThan(visibleGapMs);
    expect(viewer.interruptions).toBe(0);
  }, 120_000);
});
