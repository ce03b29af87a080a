// One camera of the running service: its Source, Stream and pictures joined, for the WebSocket and REST sides.
// Which cameras there are is cameras.ts's; each part's own work is in its folder.

import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { Decoding } from './codec/decoding.ts';
import type { ChannelOptions } from './codec/messages.ts';
import { PictureFeed } from './codec/picture-feed.ts';
import type { CodecPool } from './codec/pool.ts';
import { Source } from './ingest/source.ts';
import { type CameraUrl, formatCameraUrl } from './media/camera-url.ts';
import type { ResolveAddress } from './rtsp/client.ts';
import type { CameraFigures, LiveCamera } from './stream/live-camera.ts';
import { Stream } from './stream/stream.ts';

/** What every camera of the service shares. */
export interface CameraParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly pool: CodecPool;
  readonly channel: ChannelOptions;
  readonly resolve: ResolveAddress;
}

export interface CameraOptions {
  readonly id: string | null;
  readonly address: CameraUrl;
  readonly onOnline?: (wallTime: number) => void;
  /** The last viewer left. */
  readonly onUnwatched?: () => void;
}

export class Camera implements LiveCamera {
  readonly id: string | null;
  readonly stream = new Stream();
  readonly pictures: PictureFeed;
  readonly source: Source;
  readonly #decoding: Decoding;
  readonly #parts: CameraParts;
  readonly #onUnwatched: (() => void) | undefined;
  #viewers = 0;
  /** Wall time of the last time it came online. */
  lastConnected: number | null = null;

  constructor(parts: CameraParts, { id, address, onOnline, onUnwatched }: CameraOptions) {
    this.id = id;
    this.#parts = parts;
    this.#onUnwatched = onUnwatched;
    const { stream } = this;
    const { clock, log, pool, channel, resolve } = parts;
    const name = formatCameraUrl(address, 'mask');
    stream.onReaderError = (error) =>
      log.error({ err: error, camera: name }, 'a reader of this stream failed');
    this.#decoding = new Decoding({
      stream,
      pool,
      channel,
      onTrouble: (message) => log.warn({ camera: name }, message),
    });
    this.pictures = new PictureFeed({ stream, decoding: this.#decoding, picture: channel.picture, clock });
    this.source = new Source({
      stream,
      address,
      resolve,
      clock,
      log,
      onOnline: (wallTime) => {
        this.lastConnected = wallTime;
        onOnline?.(wallTime);
      },
    });
  }

  get viewers(): number {
    return this.#viewers;
  }

  get figures(): CameraFigures {
    const { onlineSince } = this.source.figures;
    return {
      faces: 0,
      detectionTime: 0,
      uptime: onlineSince === null ? 0 : (this.#parts.clock.now() - onlineSince) / 1000,
    };
  }

  join(): () => void {
    this.#viewers += 1;
    this.source.setWatched(true);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#viewers -= 1;
      if (this.#viewers > 0) return;
      this.source.setWatched(false);
      this.#onUnwatched?.();
    };
  }

  async close(): Promise<void> {
    await this.source.stop();
    this.pictures.close();
    this.#decoding.close();
  }
}
