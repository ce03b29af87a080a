// A probe process: the service's own Source and Stream alone, and when each access unit reached a reader of the Stream.
// Nothing is decoded while it measures.

import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { Source } from '../src/ingest/source.ts';
import { parseCameraUrl } from '../src/media/camera-url.ts';
import { Stream } from '../src/stream/stream.ts';
import { epochNow } from '../test/support/viewer.ts';
import type { ProbeResult } from './probe-messages.ts';
import { readUnits, type TimedUnit } from './unit-reader.ts';

const [url = '', seconds = '10'] = process.argv.slice(2);
const stream = new Stream();
const source = new Source({
  stream,
  address: parseCameraUrl(url),
  resolve: async (host) => [host],
  clock: systemClock,
  log: silentLog,
});
const units: TimedUnit[] = [];
const startedAt = epochNow();
let firstUnitMs = Number.NaN;
stream.subscribe({
  onUnit(unit) {
    const at = epochNow();
    if (units.length === 0) firstUnitMs = at - startedAt;
    units.push({ data: Buffer.from(unit.data), at });
  },
});
source.start();
// The first second is the runtime's own warming up, here as in every other probe.
await new Promise((resolve) => setTimeout(resolve, 1_000));
const measuredFrom = epochNow();
const cpuBefore = process.cpuUsage();
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1_000));
const cpu = process.cpuUsage(cpuBefore);
const elapsed = epochNow() - measuredFrom;
await source.stop();
const result: ProbeResult = {
  firstUnitMs,
  units: readUnits(units).filter(({ at }) => at >= measuredFrom),
  jpegs: [],
  cpuPercent: ((cpu.user + cpu.system) / 1_000 / elapsed) * 100,
};
process.send!(result, () => process.exit(0));
