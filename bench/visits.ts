// Visits at real speed, as people make them: who stays, who leaves and returns, and what real clips of people give.
// `node bin/launch.mjs bench/visits.ts [--backs FILE] [--face FILE]`, about 4 minutes; by hand, as it waits most of the time.

import { parseArgs } from 'node:util';
import { forkSimulator } from '../simulator/fork.ts';
import type { Scene, Visit } from '../simulator/scene.ts';
import { type GstServer, startGstServer } from '../test/support/gst-rtsp-server.ts';
import { type Service, startService } from '../test/support/service.ts';
import { pause, save } from './setting.ts';

interface Seen {
  readonly detections: number;
  /** `detections_count` of each alert, oldest first. */
  readonly alerts: readonly number[];
}

interface Case {
  readonly name: string;
  readonly seconds: number;
  readonly scene: Scene;
  readonly expected: Seen;
}

const { values } = parseArgs({
  options: {
    /** People seen from behind only: 45 s, for which there must be no alert in five loops. */
    backs: { type: 'string' },
    /** One face all along. */
    face: { type: 'string' },
  },
});

const visit = (person: number, from: number, to: number, at: number): Visit => ({ person, from, to, at });
const scene = (label: string, seconds: number, visits: readonly Visit[]): Scene => ({
  label,
  mood: 'day',
  seconds,
  visits,
});

/** Each is watched for a little less than its loop. The cooldown is the usual one of 30 s. */
const cases: readonly Case[] = [
  {
    name: 'one person in view for 97 s',
    seconds: 106,
    scene: scene('STAYS', 110, [visit(1, 3, 100, 0.5)]),
    expected: { detections: 1, alerts: [1] },
  },
  {
    name: 'leaves for 10 s and returns within the cooldown',
    seconds: 52,
    scene: scene('RETURNS', 60, [visit(0, 3, 13, 0.5), visit(0, 23, 33, 0.5)]),
    expected: { detections: 2, alerts: [2] },
  },
  {
    name: 'leaves and returns after the cooldown',
    seconds: 60,
    scene: scene('LATER', 66, [visit(2, 3, 11, 0.5), visit(2, 40, 50, 0.5)]),
    expected: { detections: 2, alerts: [1, 1] },
  },
  {
    name: 'three people at once',
    seconds: 24,
    scene: scene('THREE', 30, [visit(0, 3, 16, 0.2), visit(1, 3, 16, 0.5), visit(2, 3, 16, 0.8)]),
    expected: { detections: 3, alerts: [3] },
  },
];
const backsSeconds = 5 * 45 + 3;
const faceStarts = 3;
const faceSeconds = 15;

let failures = 0;

async function seenOf(service: Service, id: string): Promise<Seen> {
  const query = `?stream_id=${id}&limit=500`;
  const [{ detections }, { alerts }] = await Promise.all([
    service.api<{ detections: unknown[] }>('GET', `/api/detections/${query}`),
    service.api<{ alerts: { detections_count: number }[] }>('GET', `/api/alerts/${query}`),
  ]);
  return { detections: detections.length, alerts: alerts.map((alert) => alert.detections_count).reverse() };
}

function tell(name: string, seen: Seen, expected: Partial<Seen>): void {
  const right = Object.entries(expected).every(
    ([member, value]) => JSON.stringify(seen[member as keyof Seen]) === JSON.stringify(value),
  );
  if (!right) failures += 1;
  console.log(
    `${right ? 'ok   ' : 'WRONG'} ${name}: ${seen.detections} detections, ` +
      `${seen.alerts.length} alerts [${seen.alerts.join(', ')}]`,
  );
}

async function simulated(service: Service): Promise<void> {
  const path = (index: number) => `/case${index}`;
  const clips = cases.map((each, index) => ({
    path: path(index),
    clip: { scene: each.scene, gopSeconds: 1 },
  }));
  await using simulator = await forkSimulator({ cameras: clips });
  await Promise.all(
    cases.map(async ({ name, seconds, expected }, index) => {
      const { id } = await save(service, name, simulator.url(path(index)), true);
      await pause(seconds * 1_000);
      tell(name, await seenOf(service, id), expected);
      await service.api('DELETE', `/api/streams/${id}/`);
    }),
  );
}

async function peopleFromBehind(service: Service, server: GstServer): Promise<void> {
  const { id } = await save(service, 'backs', server.url('/backs'), true);
  await pause(backsSeconds * 1_000);
  tell(`people seen from behind, ${backsSeconds} s`, await seenOf(service, id), { alerts: [] });
}

async function oneFaceAllAlong(service: Service, server: GstServer): Promise<void> {
  const { id } = await save(service, 'face', server.url('/face'), true);
  const act = (action: string) => service.api('PATCH', `/api/streams/${id}/status/`, { action });
  for (let start = 1; start <= faceStarts; start++) {
    if (start > 1) await act('start');
    await pause(faceSeconds * 1_000);
    await act('stop');
    await pause(3_000);
    tell(`one face all along, start ${start}`, await seenOf(service, id), { detections: start });
  }
}

const files = [
  ...(values.backs === undefined ? [] : [{ path: '/backs', file: values.backs, codec: 'h264' as const }]),
  ...(values.face === undefined ? [] : [{ path: '/face', file: values.face, codec: 'h264' as const }]),
];
const server = files.length === 0 ? null : await startGstServer({ cameras: files });
const service = await startService();
try {
  await Promise.all([
    simulated(service),
    server && values.backs !== undefined && peopleFromBehind(service, server),
    server && values.face !== undefined && oneFaceAllAlong(service, server),
  ]);
} finally {
  await service.stop();
  await server?.stop();
}
process.exitCode = failures === 0 ? 0 : 1;
