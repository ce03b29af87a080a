// Fragments of MP4 on their way to the page's video element: a worker has none.
// What becomes of them is mse-sink.ts's, which tells by `news`.

import type { FromEngine, SinkNews } from '../messages.ts';
import type { View, ViewListener } from './view.ts';

export interface RelayOptions {
  readonly tile: number;
  readonly mime: string;
  readonly post: (message: FromEngine, transfer?: Transferable[]) => void;
  readonly listener: ViewListener;
}

export class RelayView implements View {
  readonly #options: RelayOptions;
  dropped = 0;
  unshownSince: number | null = null;
  /** As the element tells; zeros until then. */
  figures = { fps: 0, behindMs: 0 };
  size = { width: 0, height: 0 };

  constructor(options: RelayOptions) {
    this.#options = options;
    const { post, tile, mime } = options;
    post({ type: 'mp4', tile, mime });
  }

  take(data: ArrayBuffer, now: number): void {
    this.unshownSince ??= now;
    this.#options.post({ type: 'fragment', tile: this.#options.tile, data }, [data]);
  }

  news(news: SinkNews): void {
    const { listener } = this.#options;
    if (news.kind === 'failed') {
      listener.onFail(news.reason);
      return;
    }
    if (news.kind === 'first') this.size = { width: news.width, height: news.height };
    else {
      this.figures = { fps: news.fps, behindMs: news.behindMs };
      this.dropped = news.dropped;
      if (news.hidden) this.unshownSince = null;
      if (news.fps === 0) return;
    }
    this.unshownSince = null;
    listener.onShown(null);
  }

  close(): void {
    const { post, tile } = this.#options;
    post({ type: 'mp4End', tile });
  }
}
