// Lists and filters over a database that has been in use for long, and what removing much of it costs the rest.
// The server with its database runs in this very process: the client's share is in the figures.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openDatabase } from '../../src/db/database.ts';
import { DetectionRepository } from '../../src/db/detections.ts';
import { startServer, testDatabaseFile } from '../../test/support/http-server.ts';
import { fillDetections } from '../../test/support/many-detections.ts';
import { type Figure, percentile } from '../figures.ts';
import type { Section } from './section.ts';

const rows = 100_000;
const streams = Array.from({ length: 16 }, (_, index) => `camera-${index}`);
const warmUps = 10;
const requests = 60;
const section = 'detections';

/** One page of each kind that people and programs ask for; the filter that lets hardly anything pass is the dearest. */
const pages: readonly (readonly [name: string, path: (middle: string) => string])[] = [
  ['newest 50', () => '/api/detections/'],
  ['newest 500', () => '/api/detections/?limit=500'],
  ['50 of one camera', () => '/api/detections/?stream_id=camera-7'],
  ['50 before a day in the middle', (middle) => `/api/detections/?until=${middle}`],
  ['the one in 3,000 that is surest', () => '/api/detections/?min_confidence=0.9999'],
  ['the surest of one camera', () => '/api/detections/?min_confidence=0.9999&stream_id=camera-7'],
  ['a confidence nobody has', () => '/api/detections/?min_confidence=1'],
  ['50 alerts', () => '/api/alerts/'],
  ['alerts not viewed', () => '/api/alerts/?viewed=false'],
  ['alerts of one camera not viewed', () => '/api/alerts/?viewed=false&stream_id=camera-7'],
];

export const detections: Section = {
  name: section,
  about: `lists and filters over ${rows} detections`,
  async run() {
    const dataDir = await mkdtemp(join(tmpdir(), 'rtsp-stream-viewer-bench-'));
    try {
      const database = await openDatabase(join(dataDir, testDatabaseFile));
      await fillDetections(database.db, { streams, detections: rows, perAlert: 2 });
      await database.close();
      return [...(await listing(dataDir)), await removing(dataDir)];
    } finally {
      await rm(dataDir, { recursive: true });
    }
  },
};

async function listing(dataDir: string): Promise<Figure[]> {
  await using server = await startServer({ dataDir });
  const middle = new Date(Date.now() - (rows / 2) * 60_000).toISOString();
  const figures: Figure[] = [];
  for (const [name, path] of pages) {
    const times: number[] = [];
    for (let request = -warmUps; request < requests; request++) {
      const startedAt = performance.now();
      const response = await fetch(server.base + path(middle));
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`${path(middle)}: ${response.status}`);
      if (request >= 0) times.push(performance.now() - startedAt);
    }
    figures.push({
      section,
      name: `${name}, p95`,
      value: percentile(times, 0.95),
      unit: 'ms',
      target: { atMost: 50 },
    });
  }
  return figures;
}

/** Everything else waits while a step runs: the video too. */
async function removing(dataDir: string): Promise<Figure> {
  const database = await openDatabase(join(dataDir, testDatabaseFile));
  const repository = new DetectionRepository(database.db);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (let step = 0; step < 200; step++) {
    await repository.removeOldest(100, null);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  delay.disable();
  await database.close();
  const name = 'longest stall while retention removes 20,000';
  return { section, name, value: delay.max / 1e6, unit: 'ms', target: { atMost: 50 } };
}
