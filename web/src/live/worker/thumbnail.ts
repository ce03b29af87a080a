// A still picture now and then in place of live video: for tiles that are small or only glanced at.
// Fetches and draws; what a failure looks like is put into words in the page.

import type { Source } from '../messages.ts';
import { bitmapOf } from './jpeg-view.ts';
import { headersOf, meaningOf, wordsOf } from './refusal.ts';
import type { Screen } from './screen.ts';

const everyMs = 10_000;
const patienceMs = 8_000;

export type ThumbnailNews =
  | { readonly kind: 'shown' }
  | { readonly kind: 'unreachable' | 'no_picture'; readonly words: string | null; readonly retryMs: number }
  | { readonly kind: 'signed_out' | 'forbidden' | 'deleted'; readonly words: string | null };

export class Thumbnail {
  readonly #source: Source;
  readonly #screen: Screen;
  readonly #onNews: (news: ThumbnailNews) => void;
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(source: Source, screen: Screen, onNews: (news: ThumbnailNews) => void) {
    this.#source = source;
    this.#screen = screen;
    this.#onNews = onNews;
    void this.#run();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    const news = await this.#fetch();
    if (this.#abort.signal.aborted) return;
    this.#onNews(news);
    if (news.kind === 'shown' || 'retryMs' in news) this.#timer = setTimeout(() => void this.#run(), everyMs);
  }

  async #fetch(): Promise<ThumbnailNews> {
    const { snapshotUrl } = this.#source;
    if (snapshotUrl === null) return { kind: 'no_picture', words: null, retryMs: everyMs };
    try {
      const response = await fetch(snapshotUrl, {
        headers: headersOf(this.#source),
        credentials: 'include',
        cache: 'no-store',
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(patienceMs)]),
      });
      const kind = meaningOf(response.status);
      if (kind) return { kind, words: await wordsOf(response) };
      if (!response.ok) return { kind: 'no_picture', words: await wordsOf(response), retryMs: everyMs };
      const bitmap = await bitmapOf(await response.blob());
      if (!bitmap) return { kind: 'no_picture', words: null, retryMs: everyMs };
      if (!this.#abort.signal.aborted) this.#screen.draw(bitmap, bitmap.width, bitmap.height, null);
      bitmap.close();
      return { kind: 'shown' };
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      return { kind: 'unreachable', words: null, retryMs: everyMs };
    }
  }
}
