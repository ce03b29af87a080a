// How long a frame is on its way: camera → Stream, camera → JPEG at the viewer's socket, and both with FFmpeg's demuxer.
// One camera, 640×480 at 15 frames a second; each path measured alone, in the same run.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Sendings } from '../camera-bank.ts';
import { type Figure, percentile } from '../figures.ts';
import type { ProbeResult } from '../probe-messages.ts';
import { delays, inSetting, pause } from '../setting.ts';
import type { SeenFrame } from '../viewer-messages.ts';
import type { Section } from './section.ts';

const seconds = 12;

export const delay: Section = {
  name: 'delay',
  about: 'how long a frame is on its way, beside FFmpeg’s RTSP demuxer',
  run: () =>
    inSetting({ cameras: 1 }, async ({ cameras, fleet, streams }) => {
      await fleet.open([streams[0]!.viewerUrl]);
      await pause(2_000);
      await fleet.measure(1);
      await pause(seconds * 1_000);
      // Sending times are taken after each measurement: the clip's next round would overwrite them.
      let log = await cameras.sendings();
      const toJpeg = delaysOf(log, (await fleet.report()).viewers[0]!.seen);
      await fleet.close();
      const own = await probe('../stream-process.ts', cameras.urls[0]!);
      log = await cameras.sendings();
      const toUnit = delaysOf(log, own.units);
      const ffmpeg = await probe('../ffmpeg-process.ts', cameras.urls[0]!);
      log = await cameras.sendings();
      const ffmpegToUnit = delaysOf(log, ffmpeg.units);
      const ffmpegToJpeg = delaysOf(log, ffmpeg.jpegs);
      return [
        figure('camera → Stream, p50', toUnit, 0.5, 1, ffmpegToUnit),
        figure('camera → Stream, p99', toUnit, 0.99, null, ffmpegToUnit),
        figure('camera → JPEG at the viewer, p50', toJpeg, 0.5, 10, ffmpegToJpeg),
        figure('camera → JPEG at the viewer, p99', toJpeg, 0.99, 50, ffmpegToJpeg),
        {
          section: 'delay',
          name: 'connect → first access unit',
          value: own.firstUnitMs,
          unit: 'ms',
          comparedWith: { name: 'FFmpeg', value: ffmpeg.firstUnitMs },
        },
      ];
    }),
};

function figure(
  name: string,
  values: readonly number[],
  fraction: number,
  atMost: number | null,
  ffmpeg: readonly number[],
): Figure {
  return {
    section: 'delay',
    name,
    value: percentile(values, fraction),
    unit: 'ms',
    ...(atMost === null ? {} : { target: { atMost } }),
    comparedWith: { name: 'FFmpeg', value: percentile(ffmpeg, fraction) },
  };
}

function delaysOf(log: Sendings, seen: readonly SeenFrame[]): number[] {
  return delays(seen, ({ counter, at }) => log.sentAt(0, counter, at));
}

function probe(module: string, url: string): Promise<ProbeResult> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), [url, String(seconds)], {
    serialization: 'advanced',
  });
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as ProbeResult));
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`${module} ended (${signal ?? code})`)));
  });
}
