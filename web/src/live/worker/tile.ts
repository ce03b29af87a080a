// One camera on the screen, as the engine sees it: live, as a still now and then, or left alone; and what the page is told of it.
// Live video is live-feed.ts's, stills are thumbnail.ts's.

import type { LinkView, Report, Room, SinkNews, Source, Step, Want } from '../messages.ts';
import { LiveFeed, type Post } from './live-feed.ts';
import { Screen } from './screen.ts';
import { Thumbnail, type ThumbnailNews } from './thumbnail.ts';

export interface TileOptions {
  readonly tile: number;
  readonly canvas: OffscreenCanvas;
  readonly source: Source;
  readonly steps: readonly Step[];
  readonly post: Post;
}

export class Tile {
  readonly #options: TileOptions;
  readonly #screen: Screen;
  readonly #feed: LiveFeed;
  #want: Want = 'nothing';
  #thumbnail: Thumbnail | null = null;
  #thumbnailLink: LinkView | null = null;
  #reported = '';

  constructor(options: TileOptions) {
    this.#options = options;
    this.#screen = new Screen(options.canvas);
    const { tile, source, steps, post } = options;
    const onChange = () => this.#report();
    this.#feed = new LiveFeed({ tile, screen: this.#screen, source, steps, post, onChange });
  }

  want(want: Want): void {
    if (want === this.#want) return;
    this.#want = want;
    this.#thumbnail?.close();
    this.#thumbnail = null;
    this.#thumbnailLink = null;
    this.#feed.play(want === 'live');
    if (want === 'thumbnail') {
      this.#thumbnailLink = { state: 'opening' };
      const { source } = this.#options;
      this.#thumbnail = new Thumbnail(source, this.#screen, (news) => this.#onThumbnail(news));
    }
    this.#report();
  }

  /** Tries at once what waits. @param again also what has ended. */
  hurry(again: boolean): void {
    if (this.#want === 'live') this.#feed.hurry(again);
    else if (this.#want === 'thumbnail' && again) {
      this.want('nothing');
      this.want('thumbnail');
    }
  }

  room(room: Room): void {
    this.#screen.room = room;
  }

  /** Whether its sound is to be heard. */
  sound(on: boolean): void {
    this.#feed.sound(on);
  }

  onSink(news: SinkNews): void {
    this.#feed.onSink(news);
  }

  /** Takes the place of the video element's picture, unless there is a newer one. */
  still(bitmap: ImageBitmap): void {
    if (this.#screen.showing === 'mse') {
      this.#screen.draw(bitmap, bitmap.width, bitmap.height, null);
      this.#screen.showing = 'still';
      this.#report();
    }
  }

  close(): void {
    this.want('nothing');
  }

  /** Once a second. @param slept the machine slept meanwhile. */
  look(now: number, slept: boolean): void {
    if (this.#want === 'live') this.#feed.look(now, slept);
  }

  /** Tells the page, if there is news. */
  #report(): void {
    const { showing, size } = this.#screen;
    const feed = this.#feed.view(performance.now());
    const report: Report = {
      ...feed,
      link: this.#thumbnailLink ?? feed.link,
      showing,
      size: showing === null ? null : showing === 'mse' ? this.#feed.videoSize : size,
    };
    const text = JSON.stringify(report);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#options.post({ type: 'report', tile: this.#options.tile, report });
  }

  #onThumbnail(news: ThumbnailNews): void {
    if (news.kind === 'shown') {
      this.#thumbnailLink = { state: 'open' };
      this.#screen.showing = 'jpeg';
    } else if ('retryMs' in news) {
      const why = news.kind === 'unreachable' ? 'unreachable' : 'lost';
      const { words, retryMs } = news;
      this.#thumbnailLink = { state: 'waiting', why, words, retryAt: Date.now() + retryMs };
    } else this.#thumbnailLink = { state: 'ended', why: news.kind, words: news.words };
    this.#report();
  }
}
