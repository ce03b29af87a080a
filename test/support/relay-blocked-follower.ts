// A program for relay-faults.test.ts: follows a camera, blocks its own event loop, and tells how it goes on.
// Prints one line of JSON.

import { openInstance, until } from '../../src/cluster/testing.ts';
import type { AccessUnit } from '../../src/media/access-unit.ts';

const blockedMs = 10_000;
const url = process.argv[2]!;
const instance = await openInstance(url, 'faults', 'blocked');
const followed = instance.receiver.follow('s1');
let last: AccessUnit | null = null;
let seen = 0;
let gaps = 0;
followed.stream.subscribe({
  onUnit: (unit) => {
    if (last && !unit.keyframe && unit.timestamp <= last.timestamp) gaps += 1;
    if (last && !unit.keyframe && unit.timestamp - last.timestamp > 1_000_000) gaps += 1;
    last = unit;
    seen += 1;
  },
});
followed.wantUnits();
await until('units come', () => seen > 0);
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockedMs);
seen = 0;
const since = performance.now();
// What had piled up meanwhile is read, and then there is something new.
await until('units come again', () => last !== null && last.receivedAt > since + 1_000);
const { rss } = process.memoryUsage();
const ageMs = performance.now() - last!.receivedAt;
process.stdout.write(`${JSON.stringify({ rss, seen, gaps, ageMs })}\n`);
instance.close();
