// A probe process: the same camera through FFmpeg's own RTSP demuxer, decoder and JPEG encoder, for comparison.
// With the options that FFmpeg has for low delay, and without a socket behind it: as good as it can be here.

import { Decoder, Demuxer, Encoder, FilterAPI } from 'node-av/api';
import {
  AV_CODEC_FLAG_LOW_DELAY,
  AV_CODEC_FLAG_QSCALE,
  AV_LOG_FATAL,
  FF_ENCODER_MJPEG,
} from 'node-av/constants';
import { Log } from 'node-av/lib';
import { JpegReader } from '../test/support/jpeg.ts';
import { epochNow } from '../test/support/viewer.ts';
import type { ProbeResult } from './probe-messages.ts';
import { readUnits, type TimedUnit } from './unit-reader.ts';

const [url = '', seconds = '10'] = process.argv.slice(2);
Log.setLevel(AV_LOG_FATAL);
const startedAt = epochNow();
await using demuxer = await Demuxer.open(url, {
  // What it would look for is in the stream anyway, and the search takes seconds.
  skipStreamInfo: true,
  options: {
    rtsp_transport: 'tcp',
    fflags: 'nobuffer',
    flags: 'low_delay',
    max_delay: 0,
    reorder_queue_size: 0,
  },
});
const video = demuxer.video();
if (!video) throw new Error('no video');
using decoder = await Decoder.create(video, {
  threadCount: 1,
  // It may join in the middle of a picture.
  exitOnError: false,
  configure: (context) => context.setFlags(AV_CODEC_FLAG_LOW_DELAY),
});
using filter = FilterAPI.create('scale=640:480:out_range=full,format=yuvj420p');
using encoder = await Encoder.create(FF_ENCODER_MJPEG, {
  threadCount: 1,
  configure: (context) => {
    context.setFlags(AV_CODEC_FLAG_QSCALE);
    context.globalQuality = 4 * 118;
  },
});
const units: TimedUnit[] = [];
const jpegs: TimedUnit[] = [];
let firstUnitMs = Number.NaN;
let measuredFrom = 0;
let cpuBefore = process.cpuUsage();
for await (const packet of demuxer.packets(video.index)) {
  if (!packet?.data) break;
  const at = epochNow();
  if (units.length === 0) firstUnitMs = at - startedAt;
  units.push({ data: Buffer.from(packet.data), at });
  for (const frame of await decoder.decodeAll(packet)) {
    for (const scaled of await filter.processAll(frame)) {
      for (const jpeg of await encoder.encodeAll(scaled)) {
        jpegs.push({ data: Buffer.from(jpeg.data!), at: epochNow() });
        jpeg.free();
      }
      scaled.free();
    }
    frame.free();
  }
  packet.free();
  // Its start-up backlog is not counted against it.
  if (measuredFrom === 0 && at - startedAt > 3_000) {
    measuredFrom = at;
    cpuBefore = process.cpuUsage();
  }
  if (measuredFrom > 0 && at - measuredFrom > Number(seconds) * 1_000) break;
}
const cpu = process.cpuUsage(cpuBefore);
const elapsed = epochNow() - measuredFrom;
using reader = new JpegReader();
const result: ProbeResult = {
  firstUnitMs,
  units: readUnits(units).filter(({ at }) => at >= measuredFrom),
  jpegs: jpegs
    .filter(({ at }) => at >= measuredFrom)
    .flatMap(({ data, at }) => {
      const counter = reader.counter(data);
      return counter === null ? [] : [{ counter, at }];
    }),
  cpuPercent: ((cpu.user + cpu.system) / 1_000 / elapsed) * 100,
};
process.send!(result, () => process.exit(0));
