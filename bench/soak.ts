// Cameras through the service for a long time, one viewer each: is memory flat, are there reconnects, do pictures come?
// `node bin/launch.mjs bench/soak.ts --minutes 20 --url rtsp://… [--url …]`; without --url, simulated cameras.

import { parseArgs } from 'node:util';
import { type Service, startService } from '../test/support/service.ts';
import { Viewer } from '../test/support/viewer.ts';
import { CameraBank } from './camera-bank.ts';
import { slope } from './figures.ts';
import { pause, save } from './setting.ts';

const everyMs = 10_000;
/** Caches and compiled code grow at first: the trend is taken after this part of the time. */
const warmUpFraction = 0.25;
/** The collector's saw-tooth alone makes a trend of some MB an hour out of twenty minutes: beyond this it is growth. */
const flatBytesPerHour = 20 * 1024 * 1024;
const leastMinutesForTrend = 10;

interface Sample {
  readonly minute: number;
  readonly rss: number;
  readonly anonymous: number;
  readonly fds: number;
  readonly processes: number;
  /** Of the slowest viewer since the last sample. */
  readonly fps: number;
  readonly reconnects: number;
  readonly lostPackets: number;
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    url: { type: 'string', multiple: true },
    cameras: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number above 0');

const bank = values.url ? null : await CameraBank.start({ cameras: Number(values.cameras) });
const service = await startService();
const samples: Sample[] = [];
let viewers: Viewer[] = [];
try {
  viewers = await openViewers(service, values.url ?? bank!.urls);
  const startedAt = performance.now();
  let counted = viewers.map(({ pictures }) => pictures);
  let countedAt = startedAt;
  while (performance.now() - startedAt < minutes * 60_000) {
    await pause(everyMs);
    const now = performance.now();
    const rates = viewers.map(({ pictures }, i) => ((pictures - counted[i]!) / (now - countedAt)) * 1_000);
    counted = viewers.map(({ pictures }) => pictures);
    countedAt = now;
    const sample = await take(service, (now - startedAt) / 60_000, Math.min(...rates));
    samples.push(sample);
    if (!values.json) console.log(line(sample));
  }
} finally {
  for (const viewer of viewers) await viewer.close();
  await service.stop();
  await bank?.stop();
}
conclude();

async function openViewers(to: Service, urls: readonly string[]): Promise<Viewer[]> {
  const opened: Viewer[] = [];
  for (const [index, url] of urls.entries()) {
    const { viewerUrl } = await save(to, `camera ${index}`, url);
    opened.push(new Viewer(viewerUrl));
  }
  for (const viewer of opened) await viewer.until('seeing a picture', ({ pictures }) => pictures > 0, 30_000);
  return opened;
}

async function take(of: Service, minute: number, fps: number): Promise<Sample> {
  const { rss, anonymous, fds, processes } = of.figures();
  const metric = await of.metrics();
  return {
    minute,
    rss,
    anonymous,
    fds,
    processes,
    fps,
    reconnects: metric('rtsp_viewer_stream_reconnects'),
    lostPackets: metric('rtsp_viewer_stream_lost_packets'),
  };
}

function line({ minute, rss, anonymous, fds, processes, fps, reconnects, lostPackets }: Sample): string {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1).padStart(6);
  return (
    `${minute.toFixed(1).padStart(5)} min  rss ${mb(rss)} MB  own ${mb(anonymous)} MB  fds ${fds}  processes ${processes}  ` +
    `slowest viewer ${fps.toFixed(1)} fps  reconnects ${reconnects}  packets lost ${lostPackets}`
  );
}

function conclude(): void {
  const settled = samples.slice(Math.floor(samples.length * warmUpFraction));
  const last = samples.at(-1);
  if (!last) throw new Error('too short for a single sample');
  const bytesPerHour = slope(settled.map(({ minute, anonymous }) => ({ x: minute / 60, y: anonymous })));
  const fdsPerHour = slope(settled.map(({ minute, fds }) => ({ x: minute / 60, y: fds })));
  const interruptions = viewers.reduce((sum, viewer) => sum + viewer.interruptions, 0);
  const closed = viewers.filter((viewer) => viewer.closed && viewer.closed.code !== 1005).length;
  const result = {
    minutes,
    viewers: viewers.length,
    pictures: viewers.reduce((sum, { pictures }) => sum + pictures, 0),
    slowestFps: Math.min(...samples.map(({ fps }) => fps)),
    longestGapMs: Math.round(Math.max(...viewers.map(({ longestGap }) => longestGap))),
    reconnects: last.reconnects,
    interruptions,
    viewersClosed: closed,
    ownMBPerHour: Math.round(bytesPerHour / 1e5) / 10,
    // Within some minutes everything still grows into its place: no trend can be told.
    memoryFlat: minutes < leastMinutesForTrend ? null : bytesPerHour <= flatBytesPerHour,
    fdsPerHour: Math.round(fdsPerHour * 10) / 10,
    samples,
  };
  if (values.json) console.log(JSON.stringify(result));
  else console.log({ ...result, samples: samples.length });
  if (result.memoryFlat === false || result.reconnects > 0 || interruptions > 0 || closed > 0)
    process.exitCode = 1;
}
