// A camera as the service holds it, without the service: a Source and its Stream, with everything they told.
// For tests of what a camera's faults look like from inside; viewers and decoders are elsewhere.

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { Source, type SourceOptions } from '../../src/ingest/source.ts';
import type { AccessUnit, VideoParameters } from '../../src/media/access-unit.ts';
import { parseCameraUrl } from '../../src/media/camera-url.ts';
import type { StreamStatus } from '../../src/stream/status.ts';
import { Stream } from '../../src/stream/stream.ts';

export class WatchedCamera {
  readonly stream = new Stream();
  readonly source: Source;
  readonly statuses: StreamStatus[] = [];
  readonly messages: string[] = [];
  readonly videos: VideoParameters[] = [];
  readonly units: Pick<AccessUnit, 'keyframe' | 'timestamp' | 'receivedAt' | 'lossBefore'>[] = [];
  readonly #waiting = new Set<() => void>();

  /** Watched from the beginning, as by somebody in front of a browser, unless `watched` is false. */
  constructor(url: string, options: Partial<SourceOptions> & { readonly watched?: boolean } = {}) {
    const { watched = true, ...more } = options;
    this.stream.subscribe({
      onStatus: (status, message) => {
        this.statuses.push(status);
        if (message !== null) this.messages.push(message);
        this.#wake();
      },
      onVideo: (video) => this.videos.push(video),
      onUnit: ({ keyframe, timestamp, receivedAt, lossBefore }) => {
        this.units.push({ keyframe, timestamp, receivedAt, lossBefore });
        this.#wake();
      },
    });
    this.source = new Source({
      stream: this.stream,
      address: parseCameraUrl(url),
      resolve: async (host) => [host],
      clock: systemClock,
      log: silentLog,
      ...more,
    });
    if (watched) this.source.setWatched(true);
    this.source.start();
  }

  get status(): StreamStatus {
    return this.stream.status;
  }

  /** Waits for a state or a picture after which this holds. @throws Error with what was told when it never does. */
  async until(what: string, holds: () => boolean, timeoutMs = 20_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`not ${what} within ${timeoutMs} ms: ${this.statuses} ${this.messages}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, Math.min(left, 100));
        const waiting = this.#waiting;
        waiting.add(wake);
        function wake() {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        }
      });
    }
  }

  async untilStatus(status: StreamStatus, timeoutMs?: number): Promise<void> {
    await this.until(status, () => this.status === status, timeoutMs);
  }

  /** Online, and so many units more. */
  async plays(units = 3): Promise<void> {
    await this.untilStatus('online');
    const from = this.units.length;
    await this.until(`${units} pictures further`, () => this.units.length >= from + units);
  }

  async stop(): Promise<void> {
    await this.source.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
