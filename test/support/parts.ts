// A service and simulated cameras for one test file, closed after it.
// Which cameras and what is watched belongs to the tests.

import { afterAll, beforeAll } from 'vitest';
import { sceneClip } from '../../simulator/clips.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { type Service, type ServiceOptions, startService } from './service.ts';
import { Viewer, type ViewerOptions } from './viewer.ts';

export interface SavedStreamReply {
  readonly id: string;
  readonly name: string;
  readonly ws_url: string;
  readonly rtsp_url: string;
  readonly status: string;
  readonly last_error: string | null;
  readonly viewers: number;
}

export interface Parts {
  readonly service: Service;
  readonly simulator: Simulator;
  /** Saves a stream, without face detection unless `more` says so, and returns it as the API does. */
  save(rtspUrl: string, more?: Record<string, unknown>): Promise<SavedStreamReply>;
  watch(stream: { readonly id: string } | string, options?: ViewerOptions): Viewer;
  status(id: string): Promise<SavedStreamReply>;
}

/**
 * Registers the hooks of a test file. The simulator has a 640×480 H.264 camera with a keyframe a second at each path.
 * Viewers left open are closed at the end.
 */
export function useParts(paths: readonly string[], options: ServiceOptions = {}): Parts {
  let service: Service;
  let simulator: Simulator;
  const viewers = new Set<Viewer>();

  beforeAll(async () => {
    const clip = await sceneClip({ gopSeconds: 1 });
    simulator = await startSimulator({ cameras: paths.map((path) => ({ path, clip })) });
    service = await startService(options);
  }, 120_000);

  afterAll(async () => {
    await Promise.all([...viewers].map((viewer) => viewer.close()));
    await service.stop();
    await simulator.close();
  });

  return {
    get service() {
      return service;
    },
    get simulator() {
      return simulator;
    },
    save: (rtspUrl, more = {}) =>
      service.api<SavedStreamReply>('POST', '/api/streams/', {
        name: 'Camera',
        rtsp_url: rtspUrl,
        detection_enabled: false,
        ...more,
      }),
    watch(stream, viewerOptions) {
      const url =
        typeof stream === 'string'
          ? service.viewerUrl(stream)
          : service.socketUrl(`/ws/stream/?stream_id=${stream.id}`);
      const viewer = new Viewer(url, { headers: service.headers, ...viewerOptions });
      viewers.add(viewer);
      return viewer;
    },
    async status(id) {
      const { stream } = await service.api<{ stream: SavedStreamReply }>('GET', `/api/streams/${id}/`);
      return stream;
    },
  };
}

/** Asks until it is so. @throws Error with the last answer when it is not within `timeoutMs`. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T> | T,
  holds: (answer: T) => boolean,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`not ${what} within ${timeoutMs} ms; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
