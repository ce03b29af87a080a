// The setting of a measurement: cameras, service and viewers, each in a process of its own, always stopped at the end.
// What is measured is in sections/.

import { machineCpuMs, type ProcessFigures, processFigures } from '../test/support/process-figures.ts';
import { type Service, startService } from '../test/support/service.ts';
import { CameraBank, type CameraBankOptions } from './camera-bank.ts';
import { ViewerFleet } from './viewer-fleet.ts';
import type { SeenFrame } from './viewer-messages.ts';

export interface SettingOptions extends CameraBankOptions {
  /** Whether faces are looked for; default no, so that the figures are those of the video alone. */
  readonly detection?: boolean;
  /** Settings of the service beside the usual ones. */
  readonly env?: NodeJS.ProcessEnv;
  /** A data folder to use and keep; default a new one. */
  readonly dataDir?: string;
  /** How many of the cameras are saved as streams and so connected from the start; default all. */
  readonly saved?: number;
}

export interface Setting {
  readonly cameras: CameraBank;
  readonly service: Service;
  readonly fleet: ViewerFleet;
  /** The saved streams, one for each saved camera, in its order. */
  readonly streams: readonly SavedStream[];
}

export interface SavedStream {
  readonly id: string;
  /** Where its JPEG viewers connect. */
  readonly viewerUrl: string;
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Starts everything, saves the cameras as streams, waits until all are online, measures, stops everything. */
export async function inSetting<T>(
  options: SettingOptions,
  measure: (setting: Setting) => Promise<T>,
): Promise<T> {
  const stops: (() => Promise<unknown>)[] = [];
  let logs = () => '';
  try {
    const cameras = await CameraBank.start(options);
    stops.unshift(() => cameras.stop());
    const service = await startService({
      env: { MAX_STREAMS: '512', ...options.env },
      ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    });
    stops.unshift(() => service.stop());
    logs = service.logs;
    const fleet = new ViewerFleet();
    stops.unshift(() => fleet.stop());
    const streams: SavedStream[] = [];
    for (const [index, url] of cameras.urls.slice(0, options.saved).entries())
      streams.push(await save(service, `camera ${index}`, url, options.detection));
    await allOnline(service, streams.length);
    return await measure({ cameras, service, fleet, streams });
  } catch (error) {
    throw new Error(`${(error as Error).message}; the service said:\n${logs().slice(-2_000)}`, {
      cause: error,
    });
  } finally {
    for (const stop of stops) await stop();
  }
}

export async function save(
  service: Service,
  name: string,
  url: string,
  detection = false,
): Promise<SavedStream> {
  const { id } = await service.api<{ id: string }>('POST', '/api/streams/', {
    name,
    rtsp_url: url,
    detection_enabled: detection,
  });
  return { id, viewerUrl: `${service.baseUrl.replace(/^http/, 'ws')}/ws/stream/?stream_id=${id}` };
}

async function allOnline(service: Service, count: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { streams } = await service.api<{ streams: { status: string; last_error: string | null }[] }>(
      'GET',
      '/api/streams/?limit=500',
    );
    const online = streams.filter(({ status }) => status === 'online').length;
    if (online === count) return;
    if (performance.now() > deadline) {
      const reason = streams.find(({ status }) => status !== 'online');
      throw new Error(
        `${online} of ${count} cameras online after 30 s: ${reason?.status} ${reason?.last_error}`,
      );
    }
    await pause(100);
  }
}

/** Milliseconds from the camera's sending of a frame to its being seen; frames of unknown sending are left out. */
export function delays(seen: readonly SeenFrame[], sentAt: (frame: SeenFrame) => number | null): number[] {
  return seen.flatMap((frame) => {
    const sent = sentAt(frame);
    return sent === null ? [] : [frame.at - sent];
  });
}

/** Reads a process's figures before and after, with the time between. */
export function costMeter(
  pid: number,
): () => { readonly cpuPercent: number; readonly after: ProcessFigures } {
  const before = processFigures(pid);
  const startedAt = performance.now();
  return () => {
    const after = processFigures(pid);
    return { cpuPercent: ((after.cpuMs - before.cpuMs) / (performance.now() - startedAt)) * 100, after };
  };
}

/**
 * What the rest of the machine does meanwhile, percent of a core: figures of a busy machine are figures of that, too.
 * Children count once they have ended, so it is to be asked when all have.
 */
export function otherWork(): () => number {
  const own = processFigures(process.pid).cpuMs;
  const all = machineCpuMs();
  const startedAt = performance.now();
  return () => {
    const others = machineCpuMs() - all - (processFigures(process.pid).cpuMs - own);
    return Math.max(0, (others / (performance.now() - startedAt)) * 100);
  };
}
