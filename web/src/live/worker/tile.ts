// One camera on the screen, as the engine sees it: its connection, the way it is played, and when to change that.
// The ways themselves are views; what the page says of all this is state.ts's.

import {
  type CameraStatus,
  type FallReason,
  type FromEngine,
  formatOf,
  type LinkView,
  type Report,
  type ServerMessage,
  type ServiceStats,
  type SinkNews,
  type Source,
  type Step,
  type StreamInfo,
  type Want,
} from '../messages.ts';
import { CodecView } from './codec-view.ts';
import { JpegView } from './jpeg-view.ts';
import { Ladder } from './ladder.ts';
import { Link } from './link.ts';
import { RelayView } from './relay-view.ts';
import { Screen } from './screen.ts';
import { SoundDecoder } from './sound-decoder.ts';
import { Thumbnail, type ThumbnailNews } from './thumbnail.ts';
import type { View, ViewListener } from './view.ts';

/** Data comes, and nothing is to be seen: this way does not work here, ms. */
const unshownMs = 4_000;
/** A picture older than this is not called live, ms. */
const freshMs = 3_000;
/** So many new starts within the time, and the way is given up. */
const mostLosses = 3;
const lossWindowMs = 30_000;
/** Of binary messages in `annexb`. */
const soundKind = 2;
/** Faces are in step with pictures for as long after the last news of them, ms. */
const facesMs = 3_000;

export type Post = (message: FromEngine, transfer?: Transferable[]) => void;

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
  readonly #ladder: Ladder;
  readonly #link: Link;
  #want: Want = 'nothing';
  #thumbnail: Thumbnail | null = null;
  #thumbnailLink: LinkView | null = null;
  #view: View | null = null;
  #info: StreamInfo | null = null;
  #camera: CameraStatus | null = null;
  #stats: ServiceStats | null = null;
  #showing: Report['showing'] = null;
  #codec: string | null = null;
  #unreadable = false;
  #droppedBefore = 0;
  #onlineSince = 0;
  #losses: number[] = [];
  #facesAt = Number.NEGATIVE_INFINITY;
  #shownAt = Number.NEGATIVE_INFINITY;
  #reported = '';
  #reportedFresh = false;
  #switchedAt = 0;
  #soundWanted = false;
  /** On this connection, in this format. */
  #soundAsked = false;
  #sound: SoundDecoder | null = null;

  constructor(options: TileOptions) {
    this.#options = options;
    this.#screen = new Screen(options.canvas);
    this.#ladder = new Ladder(options.steps);
    this.#link = new Link(options.source, {
      url: () => this.#url(),
      onText: (text) => this.#read(JSON.parse(text)),
      onBinary: (data) => this.#take(data),
      onChange: () => this.#onLink(),
    });
  }

  want(want: Want): void {
    if (want === this.#want) return;
    this.#want = want;
    this.#thumbnail?.close();
    this.#thumbnail = null;
    this.#thumbnailLink = null;
    const { source } = this.#options;
    if (want === 'live') this.#link.open();
    else this.#link.rest();
    if (want === 'thumbnail') {
      this.#thumbnailLink = { state: 'opening' };
      this.#thumbnail = new Thumbnail(source, this.#screen, (news) => this.#onThumbnail(news));
    }
    this.report();
  }

  hurry(again: boolean): void {
    if (this.#want === 'live') this.#link.hurry(again);
    else if (this.#want === 'thumbnail' && again) {
      this.#want = 'nothing';
      this.want('thumbnail');
    }
  }

  /** In device pixels. */
  room(width: number, height: number): void {
    this.#screen.room(width, height);
  }

  /** Whether its sound is to be heard. */
  sound(on: boolean): void {
    this.#soundWanted = on;
    this.#soundAsked = false;
    if (on) this.#askForSound();
    else {
      this.#link.send({ command: 'audio', on: false });
      this.#closeSound();
    }
  }

  onSink(news: SinkNews): void {
    if (this.#view instanceof RelayView) this.#view.news(news);
  }

  still(bitmap: ImageBitmap): void {
    if (this.#showing === 'mse') {
      this.#screen.draw(bitmap, bitmap.width, bitmap.height, null);
      this.#showing = 'still';
      this.report();
    }
    bitmap.close();
  }

  close(): void {
    this.want('nothing');
    this.#closeView();
  }

  /** Once a second. */
  look(now: number, slept: boolean): void {
    if (this.#want !== 'live') return;
    this.#link.look(now, slept);
    const view = this.#view;
    if (this.#stuckMs(now) > unshownMs) this.#fall('failed');
    else if (view && this.#fresh(now) && this.#ladder.up(now)) this.#switch();
    this.report();
    this.#tellStats(now);
  }

  /** For how long something should have been seen. */
  #stuckMs(now: number): number {
    if (this.#view) return this.#view.unshownSince === null ? 0 : now - this.#view.unshownSince;
    // Online, and no word of what it sends in this format.
    const since = Math.max(this.#onlineSince, this.#switchedAt);
    return this.#onlineSince === 0 || this.#ladder.current === 'jpeg' ? 0 : now - since;
  }

  /** Tells the page, if there is news. */
  report(): void {
    const now = performance.now();
    const fresh = this.#fresh(now);
    const due = this.#link.view.state === 'open' && this.#camera?.status === 'online' && !fresh;
    const since = Math.max(this.#screen.lastAt, this.#onlineSince);
    const report: Report = {
      link: this.#thumbnailLink ?? this.#link.view,
      camera: this.#camera,
      step: this.#ladder.current,
      fall: this.#ladder.fall,
      codec: this.#codec,
      sound: this.#soundInfo && { sampleRate: this.#soundInfo.sample_rate },
      showing: this.#showing,
      size: this.#showing === null ? null : this.#size,
      fresh,
      silentSeconds: due && this.#onlineSince > 0 ? Math.floor((now - since) / 1000) : 0,
      unreadable: this.#unreadable,
    };
    const text = JSON.stringify(report);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#reportedFresh = fresh;
    this.#options.post({ type: 'report', tile: this.#options.tile, report });
  }

  get #size(): { readonly width: number; readonly height: number } {
    if (this.#view instanceof RelayView && this.#showing === 'mse') return this.#view.size;
    return this.#screen.size;
  }

  #url(): string {
    const url = new URL(this.#options.source.socketUrl);
    url.searchParams.set('format', formatOf[this.#ladder.current]);
    if (this.#soundWanted) url.searchParams.set('audio', '1');
    this.#soundAsked = this.#soundWanted;
    return url.href;
  }

  #onLink(): void {
    const { state } = this.#link.view;
    if (state !== 'open') {
      this.#closeView();
      this.#info = null;
      this.#camera = null;
      this.#stats = null;
      this.#onlineSince = 0;
    }
    this.report();
  }

  #read(message: ServerMessage): void {
    if (message.type === 'stream_info') this.#onInfo(message);
    else if (message.type === 'audio') this.#onSound(message.audio);
    else if (message.type === 'status') this.#onStatus(message);
    else if (message.type === 'performance_stats') this.#stats = message;
    else if (message.type === 'detections') this.#facesAt = performance.now();
    else if (message.type === 'error') this.#onError(message.code, message.error);
    this.#options.post({ type: 'message', tile: this.#options.tile, message });
  }

  #onStatus(status: CameraStatus): void {
    if (status.status !== 'online') this.#onlineSince = 0;
    else if (this.#onlineSince === 0) this.#onlineSince = performance.now();
    this.#camera = status;
    this.report();
  }

  #onError(code: string, words: string): void {
    this.#link.noteError(words);
    if (code !== 'format_unavailable') return;
    // What was asked for is not to be had; in the format jpeg there is always something.
    while (this.#ladder.current !== 'jpeg' && this.#ladder.down('not_offered', performance.now()));
    if (this.#info?.format !== 'jpeg') this.#link.send({ command: 'format', format: 'jpeg' });
    this.report();
  }

  /** Pictures of another kind begin: what is played so far ends. */
  #onInfo(info: StreamInfo): void {
    const codec = info.source?.codec ?? null;
    const changed = codec !== null && this.#codec !== null && codec !== this.#codec;
    this.#codec = codec ?? this.#codec;
    this.#info = info;
    this.#closeView();
    if (changed && this.#ladder.reset(performance.now())) {
      this.#switch();
      return;
    }
    // Still in the format before: the change has been asked for and is under way.
    if (info.format !== formatOf[this.#ladder.current]) return;
    this.#screen.reset();
    this.#view = this.#viewOf(info);
    this.#setUpSound();
    this.report();
  }

  get #soundInfo(): StreamInfo['audio'] {
    if (!this.#info?.audio || this.#info.format === 'jpeg') return null;
    return this.#info.format === 'annexb' && !('AudioDecoder' in globalThis) ? null : this.#info.audio;
  }

  #askForSound(): void {
    if (!this.#soundWanted || this.#soundAsked || !this.#soundInfo) return;
    this.#soundAsked = true;
    this.#link.send({ command: 'audio', on: true });
  }

  #onSound(audio: StreamInfo['audio']): void {
    if (this.#info) this.#info = { ...this.#info, audio };
    this.#setUpSound();
    this.report();
  }

  #setUpSound(): void {
    this.#closeSound();
    this.#askForSound();
    const info = this.#soundInfo;
    if (!info?.sent || this.#info?.format !== 'annexb') return;
    const { tile, post } = this.#options;
    this.#sound = new SoundDecoder(info, (channels, sampleRate) =>
      post(
        { type: 'sound', tile, sampleRate, channels },
        channels.map(({ buffer }) => buffer),
      ),
    );
  }

  #closeSound(): void {
    this.#sound?.close();
    this.#sound = null;
  }

  #take(data: ArrayBuffer): void {
    const kind = this.#info?.format === 'annexb' ? new Uint8Array(data, 0, 1)[0] : null;
    if (kind === soundKind) this.#sound?.take(data);
    else this.#view?.take(data, performance.now());
  }

  #viewOf(info: StreamInfo): View {
    const { tile, post } = this.#options;
    const listener: ViewListener = {
      onShown: (timestamp) => this.#onShown(timestamp),
      onFail: (reason) => this.#fall(reason),
      onLost: () => this.#startAnew(),
    };
    if (info.format === 'annexb') return new CodecView(info, this.#screen, listener);
    if (info.format === 'mp4') return new RelayView({ tile, mime: info.mime, post, listener });
    return new JpegView(this.#screen, listener);
  }

  #onShown(timestamp: number | null): void {
    const now = performance.now();
    const step = this.#ladder.current;
    const news = this.#showing !== step || this.#unreadable || !this.#reportedFresh;
    this.#showing = step;
    this.#unreadable = false;
    this.#shownAt = now;
    if (news) this.report();
    if (step !== 'mse' && now - this.#facesAt < facesMs)
      this.#options.post({ type: 'drawn', tile: this.#options.tile, timestamp });
  }

  #fresh(now: number): boolean {
    return this.#view !== null && now - this.#shownAt < freshMs;
  }

  /** Asks for a keyframe and what follows, unless that has not helped before. */
  #startAnew(): void {
    const now = performance.now();
    this.#losses = [...this.#losses.filter((time) => time > now - lossWindowMs), now];
    if (this.#losses.length >= mostLosses) this.#fall('failed');
    else this.#switch();
  }

  #fall(reason: FallReason): void {
    this.#losses = [];
    if (this.#ladder.down(reason, performance.now())) this.#switch();
    else this.#unreadable = true;
    this.report();
  }

  #switch(): void {
    this.#closeView();
    this.#switchedAt = performance.now();
    this.#soundAsked = false;
    this.#link.send({ command: 'format', format: formatOf[this.#ladder.current] });
    this.report();
  }

  #closeView(): void {
    this.#closeSound();
    const view = this.#view;
    this.#view = null;
    if (!view) return;
    this.#droppedBefore += view.dropped;
    view.close();
  }

  #onThumbnail(news: ThumbnailNews): void {
    if (news.kind === 'shown') {
      this.#thumbnailLink = { state: 'open' };
      this.#showing = 'jpeg';
    } else if ('retryMs' in news) {
      const why = news.kind === 'unreachable' ? 'unreachable' : 'lost';
      const { words, retryMs } = news;
      this.#thumbnailLink = { state: 'waiting', why, words, retryAt: Date.now() + retryMs };
    } else this.#thumbnailLink = { state: 'ended', why: news.kind, words: news.words };
    this.report();
  }

  #tellStats(now: number): void {
    const { tile, post } = this.#options;
    const view = this.#view;
    const relay = view instanceof RelayView ? view : null;
    const service = this.#stats?.latency_ms || null;
    const here = relay ? relay.figures.behindMs : this.#screen.paintMs;
    const { width, height } = this.#size;
    post({
      type: 'stats',
      tile,
      stats: {
        fps: relay ? relay.figures.fps : view ? this.#screen.fps(now) : 0,
        delayMs: service === null || !this.#fresh(now) ? null : service + here,
        dropped: this.#droppedBefore + (view?.dropped ?? 0) + (this.#stats?.dropped_frames ?? 0),
        width,
        height,
        viewers: this.#stats?.viewers ?? null,
      },
    });
  }
}
