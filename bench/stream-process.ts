// A probe process: the service's own Source and Stream alone, and when each access unit reached a reader of the Stream.
// Nothing is decoded while it measures.

import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { Source } from '../src/ingest/source.ts';
import { parseCameraUrl } from '../src/media/camera-url.ts';
import { RtspClient } from '../src/rtsp/client.ts';
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
const firstUnitMs = await timeToFirstUnit();
const units: TimedUnit[] = [];
stream.subscribe({
  onUnit: (unit) => units.push({ data: Buffer.from(unit.data), at: epochNow() }),
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

/** From asking for the connection to any whole unit, as for FFmpeg; a Stream begins at the next keyframe. */
async function timeToFirstUnit(): Promise<number> {
  const first = Promise.withResolvers<number>();
  const startedAt = epochNow();
  const client = await RtspClient.connect({
    url: parseCameraUrl(url),
    events: { onVideo: () => {}, onAccessUnit: () => first.resolve(epochNow() - startedAt) },
  });
  const ms = await first.promise;
  await client.close();
  return ms;
}
