// What it costs those who watch that very many old detections and their images are removed at once.
// The whole service on a data folder that has been in use for long, and a camera with a viewer.

import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { demoScene, ScenePainter } from '../../simulator/scene.ts';
import { JpegMaker } from '../../src/codec/worker/jpeg.ts';
import { frameOf } from '../../src/codec/worker/rgb.ts';
import { databaseFileName, openDatabase } from '../../src/db/database.ts';
import { fillDetections } from '../../test/support/many-detections.ts';
import { type Figure, percentile } from '../figures.ts';
import { delays, inSetting, pause, type Setting } from '../setting.ts';
import type { Section } from './section.ts';

const rows = 100_000;
const kept = 10_000;
const minutesPerDay = 24 * 60;
/** Shorter than the clip: sending times are asked for before its next round writes over them. */
const windowSeconds = 10;
const windowsAtMost = 30;
const section = 'retention';

export const retention: Section = {
  name: section,
  about: `${rows} detections with their images become ${kept} while a camera is watched`,
  async run() {
    const dataDir = await mkdtemp(join(tmpdir(), 'rtsp-stream-viewer-bench-'));
    try {
      await fill(dataDir);
      const env = { DETECTION_RETENTION_DAYS: (kept / minutesPerDay).toFixed(6) };
      return await inSetting({ cameras: 1, dataDir, env }, (setting) => watch(setting, dataDir));
    } finally {
      await rm(dataDir, { recursive: true });
    }
  },
};

/** One detection a minute up to now, each with two images that are really there. */
async function fill(dataDir: string): Promise<void> {
  const database = await openDatabase(join(dataDir, databaseFileName));
  const streams = Array.from({ length: 16 }, (_, index) => `camera-${index}`);
  await fillDetections(database.db, { streams, detections: rows, perAlert: 2 });
  const names = await database.db.selectFrom('detections').select(['frame_image', 'face_image']).execute();
  await database.close();
  const media = join(dataDir, 'media');
  for (let shard = 0; shard < 256; shard++)
    mkdirSync(join(media, shard.toString(16).padStart(2, '0')), { recursive: true });
  const jpeg = await smallJpeg();
  for (const [index, { frame_image, face_image }] of names.entries()) {
    for (const name of [frame_image, face_image]) if (name !== null) writeFileSync(join(media, name), jpeg);
    if (index % 1_000 === 0) await nextTurn();
  }
}

/** Somebody in the demo's room, about 3 kB. */
async function smallJpeg(): Promise<Uint8Array> {
  const size = { width: 160, height: 120 };
  const painter = await ScenePainter.prepare(demoScene(), size.width, size.height);
  const frame = frameOf({ ...size, data: painter.frame(0, 6) });
  const maker = new JpegMaker({ ...size, quality: 80 });
  try {
    return (await maker.make(frame)).data;
  } finally {
    maker.free();
    frame.free();
  }
}

async function watch({ cameras, service, fleet, streams }: Setting, dataDir: string): Promise<Figure[]> {
  await fleet.open([streams[0]!.viewerUrl]);
  const startedAt = performance.now();
  const seen: number[] = [];
  let slowestFps = Number.POSITIVE_INFINITY;
  let doneAfter: number | null = null;
  for (let window = 0; window < windowsAtMost && doneAfter === null; window++) {
    await fleet.measure(1);
    doneAfter = await untilRemoved(service, startedAt, windowSeconds * 1_000);
    const log = await cameras.sendings();
    const { viewers, elapsedMs } = await fleet.report();
    slowestFps = Math.min(slowestFps, (viewers[0]!.pictures / elapsedMs) * 1_000);
    seen.push(...delays(viewers[0]!.seen, ({ counter, at }) => log.sentAt(0, counter, at)));
  }
  if (doneAfter === null) throw new Error('the old detections are still there');
  const files = await readdir(join(dataDir, 'media'), { recursive: true, withFileTypes: true });
  const images = files.filter((file) => file.isFile()).length;
  return [
    {
      section,
      name: 'delay p99 meanwhile',
      value: percentile(seen, 0.99),
      unit: 'ms',
      target: { atMost: 200 },
    },
    { section, name: 'longest delay', value: Math.max(...seen), unit: 'ms' },
    { section, name: 'frame rate meanwhile', value: slowestFps, unit: 'fps', target: { atLeast: 14.5 } },
    { section, name: `${rows - kept} detections removed in`, value: doneAfter / 1_000, unit: 's' },
    { section, name: 'images left', value: images, unit: '', target: { atMost: 2 * kept + 10 } },
  ];
}

/** @returns how long it took since `startedAt`, ms; null when the old ones are still there after `withinMs`. */
async function untilRemoved(
  service: Setting['service'],
  startedAt: number,
  withinMs: number,
): Promise<number | null> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    await pause(500);
    const until = new Date(Date.now() - kept * 60_000).toISOString();
    const { detections } = await service.api<{ detections: unknown[] }>(
      'GET',
      `/api/detections/?limit=1&until=${until}`,
    );
    if (detections.length === 0) return performance.now() - startedAt;
  }
  return null;
}
