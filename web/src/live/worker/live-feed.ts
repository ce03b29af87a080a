// Live video of one camera: its connection, the way it is played, and when to change that.
// The ways themselves are views; whether it is to be played at all is tile.ts's.

import {
  type CameraStatus,
  type FallReason,
  type FromEngine,
  formatOf,
  type Report,
  type ServerMessage,
  type ServiceStats,
  type SinkNews,
  type Source,
  type Step,
  type StreamInfo,
} from '../messages.ts';
import { CodecView } from './codec-view.ts';
import { Flow, unshownMs } from './flow.ts';
import { JpegView } from './jpeg-view.ts';
import { Ladder } from './ladder.ts';
import { Link } from './link.ts';
import { RelayView } from './relay-view.ts';
import type { Screen } from './screen.ts';
import { soundKind, TileSound } from './tile-sound.ts';
import type { View, ViewListener } from './view.ts';

/** A picture older than this is not called live, ms. */
const freshMs = 3_000;
/** So many new starts within the time, and the way is given up. */
const mostLosses = 3;
const lossWindowMs = 30_000;
/** Faces are in step with pictures for as long after the last news of them, ms. */
const facesMs = 3_000;

export type Post = (message: FromEngine, transfer?: Transferable[]) => void;

export interface LiveFeedOptions {
  readonly tile: number;
  readonly screen: Screen;
  readonly source: Source;
  readonly steps: readonly Step[];
  readonly post: Post;
  /** Something of it has changed. */
  readonly onChange: () => void;
}

export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #screen: Screen;
  readonly #ladder: Ladder;
  readonly #link: Link;
  readonly #sound: TileSound;
  #view: View | null = null;
  #info: StreamInfo | null = null;
  #camera: CameraStatus | null = null;
  #stats: ServiceStats | null = null;
  #codec: string | null = null;
  #unreadable = false;
  #droppedBefore = 0;
  #onlineSince = 0;
  #losses: number[] = [];
  #facesAt = Number.NEGATIVE_INFINITY;
  #shownAt = Number.NEGATIVE_INFINITY;
  #wasFresh = false;
  #switchedAt = 0;
  readonly #flow = new Flow();

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#screen = options.screen;
    this.#ladder = new Ladder(options.steps);
    this.#sound = new TileSound({
      ask: (on) => this.#link.send({ command: 'audio', on }),
      onSamples: (channels, sampleRate) => this.#giveSound(channels, sampleRate),
    });
    this.#link = new Link(options.source, {
      url: () => this.#url(),
      onText: (text) => this.#read(JSON.parse(text)),
      onBinary: (data) => this.#take(data),
      onChange: () => this.#onLink(),
    });
  }

  /** Of what the video element shows; null when it shows nothing. */
  get videoSize(): Report['size'] {
    return this.#view instanceof RelayView ? this.#view.size : null;
  }

  /** Connected and played, or neither. */
  play(on: boolean): void {
    if (on) this.#link.open();
    else this.#link.rest();
  }

  /** @param again also what has ended is tried anew. */
  hurry(again: boolean): void {
    this.#link.hurry(again);
  }

  /** Whether its sound is to be heard. */
  sound(on: boolean): void {
    this.#sound.want(on);
  }

  onSink(news: SinkNews): void {
    if (this.#view instanceof RelayView) this.#view.news(news);
  }

  /** Once a second. */
  look(now: number, slept: boolean): void {
    this.#link.look(now, slept);
    if (this.#stuckMs(now) > unshownMs) this.#fall('failed');
    else if (this.#fresh(now) && this.#ladder.up(now)) this.#switch();
    this.#options.onChange();
    this.#tellStats(now);
  }

  /** For how long something should have been seen. */
  #stuckMs(now: number): number {
    if (this.#view) return this.#flow.unshownMs(this.#view.unshownSince);
    // Online, and no word of what it sends in this format.
    const since = Math.max(this.#onlineSince, this.#switchedAt);
    return this.#onlineSince === 0 || this.#ladder.current === 'jpeg' ? 0 : now - since;
  }

  /** All but whose picture is on the screen, and its size. */
  view(now: number): Omit<Report, 'showing' | 'size'> {
    const fresh = this.#fresh(now);
    this.#wasFresh = fresh;
    const due = this.#link.view.state === 'open' && this.#camera?.status === 'online' && !fresh;
    const since = Math.max(this.#screen.lastAt, this.#onlineSince);
    const sound = this.#sound.offered;
    return {
      link: this.#link.view,
      camera: this.#camera,
      step: this.#ladder.current,
      fall: this.#ladder.fall,
      codec: this.#codec,
      sound: sound && { sampleRate: sound.sample_rate },
      fresh,
      silentSeconds: due && this.#onlineSince > 0 ? Math.floor((now - since) / 1000) : 0,
      unreadable: this.#unreadable,
    };
  }

  #url(): string {
    const url = new URL(this.#options.source.socketUrl);
    url.searchParams.set('format', formatOf[this.#ladder.current]);
    if (this.#sound.connect()) url.searchParams.set('audio', '1');
    return url.href;
  }

  #onLink(): void {
    const { state } = this.#link.view;
    if (state !== 'open') {
      this.#closeView();
      this.#info = this.#camera = this.#stats = null;
      this.#onlineSince = 0;
    }
    this.#options.onChange();
  }

  #read(message: ServerMessage): void {
    if (message.type === 'stream_info') this.#onInfo(message);
    else if (message.type === 'audio') this.#sound.change(message.audio);
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
    this.#options.onChange();
  }

  #onError(code: string, words: string): void {
    this.#link.noteError(words);
    if (code !== 'format_unavailable') return;
    // What was asked for is not to be had; in the format jpeg there is always something.
    while (this.#ladder.current !== 'jpeg' && this.#ladder.down('not_offered', performance.now()));
    if (this.#info?.format !== 'jpeg') this.#link.send({ command: 'format', format: 'jpeg' });
    this.#options.onChange();
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
    this.#sound.begin(info);
    this.#options.onChange();
  }

  #giveSound(channels: Float32Array<ArrayBuffer>[], sampleRate: number): void {
    const { tile, post } = this.#options;
    const buffers = channels.map(({ buffer }) => buffer);
    post({ type: 'sound', tile, sampleRate, channels }, buffers);
  }

  #take(data: ArrayBuffer): void {
    const kind = this.#info?.format === 'annexb' ? new Uint8Array(data, 0, 1)[0] : null;
    if (kind === soundKind) this.#sound.take(data);
    else this.#view?.take(data, this.#flow.take(performance.now()));
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
    const news = this.#screen.showing !== step || this.#unreadable || !this.#wasFresh;
    this.#screen.showing = step;
    this.#unreadable = false;
    this.#shownAt = now;
    if (news) this.#options.onChange();
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
    this.#options.onChange();
  }

  #switch(): void {
    this.#closeView();
    this.#switchedAt = performance.now();
    this.#sound.switch();
    this.#link.send({ command: 'format', format: formatOf[this.#ladder.current] });
    this.#options.onChange();
  }

  #closeView(): void {
    this.#sound.close();
    const view = this.#view;
    this.#view = null;
    if (!view) return;
    this.#droppedBefore += view.dropped;
    view.close();
  }

  #tellStats(now: number): void {
    const { tile, post } = this.#options;
    const view = this.#view;
    const relay = view instanceof RelayView ? view : null;
    const service = this.#stats?.latency_ms || null;
    const here = relay ? relay.figures.behindMs : this.#screen.paintMs;
    post({
      type: 'stats',
      tile,
      stats: {
        fps: relay ? relay.figures.fps : view ? this.#screen.fps(now) : 0,
        delayMs: service === null || !this.#fresh(now) ? null : service + here,
        dropped: this.#droppedBefore + (view?.dropped ?? 0) + (this.#stats?.dropped_frames ?? 0),
        ...(this.videoSize ?? this.#screen.size),
        viewers: this.#stats?.viewers ?? null,
      },
    });
  }
}
