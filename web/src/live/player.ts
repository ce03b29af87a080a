// Shows one camera in an element, live and by itself: the best way that works here, back after every interruption.
// Plain class, no framework; connections and decoding are the engine's, in a worker. Never throws after construction.

import { pageAttention } from './attention.ts';
import { availableSteps } from './capabilities.ts';
import { sharedEngine } from './engine.ts';
import type { FromEngine, Report, ServerMessage, Step, Want } from './messages.ts';
import { Sound } from './sound.ts';
import { type SourceOptions, sourceOf } from './source.ts';
import { type Fit, Stage } from './stage.ts';
import { describe, type LiveState, type LiveStats } from './state.ts';

export interface LivePlayerOptions extends SourceOptions {
  /** `auto`: the best that works, and down and up by itself. A step: this one or the next one below it. */
  readonly format?: 'auto' | Step;
  /** The whole picture with bars beside it, or the whole place with the picture cut; default `contain`. */
  readonly fit?: Fit;
  /** Boxes around faces; default yes. */
  readonly boxes?: boolean;
  /** `thumbnail`: a still every few seconds in place of video; default `live`. */
  readonly mode?: 'live' | 'thumbnail';
  /** Default yes. What cannot be seen costs nothing. */
  readonly visible?: boolean;
}

/** Scrolled out of sight and back in again: not worth a new connection, ms. */
const hideLingerMs = 1_000;

const beforeFirstReport: Report = {
  link: { state: 'opening' },
  camera: null,
  step: 'jpeg',
  fall: null,
  codec: null,
  sound: null,
  showing: null,
  size: null,
  fresh: false,
  silentSeconds: 0,
  unreadable: false,
};

export class LivePlayer {
  readonly #engine = sharedEngine();
  readonly #tile: number;
  readonly #stage: Stage;
  readonly #listeners = new Set<() => void>();
  readonly #messageListeners = new Set<(message: ServerMessage) => void>();
  readonly #leaveAttention: () => void;
  #report = beforeFirstReport;
  #state: LiveState;
  #stats: LiveStats;
  #mode: 'live' | 'thumbnail';
  #visible: boolean;
  #muted = true;
  #sound: Sound | null = null;
  #hideTimer: ReturnType<typeof setTimeout> | undefined;
  #countdown: ReturnType<typeof setTimeout> | undefined;
  #destroyed = false;

  /** @param host becomes the picture's place; it needs a size and takes on `position: relative` if it has none. */
  constructor(host: HTMLElement, options: LivePlayerOptions) {
    const { format = 'auto', fit = 'contain', boxes = true, mode = 'live', visible = true } = options;
    const source = sourceOf(options);
    this.#mode = mode;
    this.#visible = visible;
    const available = availableSteps();
    const steps = format === 'auto' ? available : available.slice(Math.max(0, available.indexOf(format)));
    // The engine tells of changes, and begins at rest.
    const wanted = visible && pageAttention().looking;
    const link = { state: wanted ? 'opening' : 'resting' } as const;
    this.#report = { ...beforeFirstReport, link, step: steps[0] ?? 'jpeg' };
    this.#state = describe(this.#report, Date.now());
    this.#stats = {
      ...{ fps: 0, delayMs: null, dropped: 0, width: 0, height: 0, viewers: null },
      ...{ step: this.#report.step, codec: null, audio: false },
    };
    const tile = this.#engine.join((message) => this.#hear(message));
    this.#tile = tile;
    this.#stage = new Stage(host, {
      fit,
      boxes,
      onSink: (news) => this.#engine.send({ type: 'sink', tile, news }),
      onStill: (bitmap) => this.#engine.send({ type: 'still', tile, bitmap }, [bitmap]),
      onRoom: (room) => this.#engine.send({ type: 'room', tile, room }),
    });
    const canvas = this.#stage.giveCanvas();
    this.#engine.send({ type: 'add', tile, canvas, source, steps }, [canvas]);
    this.#leaveAttention = pageAttention().subscribe(() => this.#decide());
    this.#decide();
  }

  /** The same object until something changes. */
  readonly getState = (): LiveState => this.#state;

  /** Renewed once a second while live. */
  readonly getStats = (): LiveStats => this.#stats;

  /** Hears of every change of state and figures. @returns ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Hears every text message of the service, such as `face_alert`. @returns ends it. */
  onMessage(listener: (message: ServerMessage) => void): () => void {
    this.#messageListeners.add(listener);
    return () => this.#messageListeners.delete(listener);
  }

  /** What cannot be seen has no connection; the last picture stays. */
  setVisible(visible: boolean): void {
    if (visible === this.#visible) return;
    this.#visible = visible;
    clearTimeout(this.#hideTimer);
    if (visible) this.#decide();
    else this.#hideTimer = setTimeout(() => this.#decide(), hideLingerMs);
  }

  setMode(mode: 'live' | 'thumbnail'): void {
    this.#mode = mode;
    this.#decide();
  }

  setBoxes(boxes: boolean): void {
    this.#stage.setBoxes(boxes);
  }

  setFit(fit: Fit): void {
    this.#stage.setFit(fit);
  }

  /** Sound is off until somebody asks for it: browsers demand it, and so do people. */
  get muted(): boolean {
    return this.#muted;
  }

  setMuted(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#stage.setMuted(muted);
    this.#engine.send({ type: 'sound', tile: this.#tile, on: !muted });
    this.#tuneSound();
    this.#changed();
  }

  /** Goes on at once: where it waits, and where it has ended, such as after signing in again. */
  retry(): void {
    this.#engine.send({ type: 'hurry', tile: this.#tile });
  }

  /** Ends everything and leaves the host as it was. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    clearTimeout(this.#hideTimer);
    clearTimeout(this.#countdown);
    this.#leaveAttention();
    this.#stage.destroy();
    this.#sound?.close();
    this.#engine.leave(this.#tile);
    this.#listeners.clear();
    this.#messageListeners.clear();
  }

  #decide(): void {
    if (this.#destroyed) return;
    const want: Want = this.#visible && pageAttention().looking ? this.#mode : 'nothing';
    this.#engine.send({ type: 'want', tile: this.#tile, want });
  }

  #hear(message: Extract<FromEngine, { tile: number }>): void {
    switch (message.type) {
      case 'report':
        this.#take(message.report);
        return;
      case 'stats':
        this.#stats = {
          ...message.stats,
          step: this.#report.step,
          codec: this.#report.codec,
          audio: this.#report.sound !== null,
        };
        this.#changed();
        return;
      case 'message':
        this.#read(message.message);
        return;
      case 'drawn':
        this.#stage.drawn(message.timestamp);
        return;
      case 'sound':
        this.#sound?.push(message.channels, message.sampleRate);
        return;
      case 'mp4':
        this.#stage.startMp4(message.mime);
        return;
      case 'fragment':
        this.#stage.push(message.data);
        return;
      case 'mp4End':
        this.#stage.endMp4();
        return;
    }
  }

  #take(report: Report): void {
    this.#report = report;
    this.#stage.follow(report);
    this.#stats = { ...this.#stats, audio: report.sound !== null };
    this.#tuneSound();
    this.#describe();
  }

  #describe(): void {
    clearTimeout(this.#countdown);
    this.#state = describe(this.#report, Date.now());
    // The engine reports changes only; what counts down changes by itself.
    if (this.#report.link.state === 'waiting') this.#countdown = setTimeout(() => this.#describe(), 1_000);
    this.#changed();
  }

  #read(message: ServerMessage): void {
    if (message.type === 'detections') this.#stage.addFaces(message);
    for (const listener of this.#messageListeners) listener(message);
  }

  /** The context runs at the camera's own rate, so that pieces follow each other without a seam. */
  #tuneSound(): void {
    const rate =
      this.#muted || this.#report.step !== 'webcodecs' ? null : (this.#report.sound?.sampleRate ?? null);
    if (this.#sound && this.#sound.sampleRate !== rate) {
      this.#sound.close();
      this.#sound = null;
    }
    if (rate !== null) this.#sound ??= new Sound(rate);
    this.#sound?.resume();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
