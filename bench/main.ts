// `npm run bench [-- NAME…] [--json]`: runs the sections one after another and prints their figures as one table.
// What is measured and how is in sections/. Linux only: processor time and memory are read from /proc.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Figure, meetsTarget, table } from './figures.ts';
import { alertDelay } from './sections/alert-delay.ts';
import { clusterJoin, clusterRolling } from './sections/cluster-change.ts';
import { clusterKill, clusterSleep } from './sections/cluster-loss.ts';
import { clusterPostgres, clusterRedis } from './sections/cluster-neighbours.ts';
import { clusterRelay } from './sections/cluster-relay.ts';
import { delay } from './sections/delay.ts';
import { density } from './sections/density.ts';
import { detection } from './sections/detection.ts';
import { detections } from './sections/detections.ts';
import { fanOut } from './sections/fan-out.ts';
import { firstPicture } from './sections/first-picture.ts';
import { held } from './sections/held.ts';
import { mtcnn } from './sections/mtcnn.ts';
import { player } from './sections/player.ts';
import { retention } from './sections/retention.ts';
import type { Section } from './sections/section.ts';
import { signIn } from './sections/sign-in.ts';
import { otherWork } from './setting.ts';

const sections: readonly Section[] = [
  delay,
  firstPicture,
  density,
  held,
  fanOut,
  player,
  mtcnn,
  detection,
  alertDelay,
  detections,
  retention,
  signIn,
  clusterRelay,
  clusterKill,
  clusterSleep,
  clusterRedis,
  clusterPostgres,
  clusterRolling,
  clusterJoin,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
/** `cluster` is all of `cluster-…`. */
const isNamed = (section: Section, name: string) =>
  section.name === name || section.name.startsWith(`${name}-`);
const unknown = positionals.filter((name) => !sections.some((section) => isNamed(section, name)));
if (unknown.length > 0) {
  console.error(
    `There is no section ${unknown.join(', ')}; known are ${sections.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}
// Broken off: the exit handlers of the helpers end the service; cameras and viewers end with their parent.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const figures: Figure[] = [];
const failed: string[] = [];
const asked = sections.filter((section) =>
  positionals.length === 0 ? !section.onRequest : positionals.some((name) => isNamed(section, name)),
);
for (const { name, about, run } of asked) {
  console.error(`${name}: ${about}…`);
  const others = otherWork();
  try {
    figures.push(...(await run()));
    figures.push({ section: name, name: 'CPU of everything else', value: others(), unit: '% of a core' });
  } catch (error) {
    failed.push(name);
    console.error(`${name} failed:`, error);
  }
}
if (values.json) console.log(JSON.stringify({ node: process.version, cpus: cpus().length, figures, failed }));
else
  console.log(
    `\n${table(figures)}\n\n${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`,
  );
// A missed target is a result, on a busy machine not even a surprising one; a section that broke is a failure.
const missed = figures.filter((figure) => meetsTarget(figure) === false).length;
if (missed > 0) console.error(`${missed} of ${figures.length} figures miss their target.`);
if (failed.length > 0) process.exitCode = 1;
process.exit();
