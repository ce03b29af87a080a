// Shows one camera in an element, live and by itself: the best way that works here, back after every interruption.
// Plain class, no framework; connections and decoding are the engine's, in a worker. Never throws after construction.

import { pageAttention } from './attention.ts';
import { BoxLayer } from './box-layer.ts';
import { FaceMemory } from './boxes.ts';
import { availableSteps } from './capabilities.ts';
import { sharedEngine } from './engine.ts';
import type { FromEngine, Report, ServerMessage, Step, Want } from './messages.ts';
import { MseSink } from './mse-sink.ts';
import { Sound } from './sound.ts';
import { type SourceOptions, sourceOf } from './source.ts';
import { describe, type LiveState, type LiveStats } from './state.ts';

export interface LivePlayerOptions extends SourceOptions {
  /** `auto`: the best that works, and down and up by itself. A step: this one or the next one below it. */
  readonly format?: 'auto' | Step;
  /** The whole picture with bars beside it, or the whole place with the picture cut; default `contain`. */
  readonly fit?: 'contain' | 'cover';
  /** Boxes around faces; default yes. */
  readonly boxes?: boolean;
  /** `thumbnail`: a still every few seconds in place of video; default `live`. */
  readonly mode?: 'live' | 'thumbnail';
  /** Default yes. What cannot be seen costs nothing. */
  readonly visible?: boolean;
}

/** A frame is on the screen for about so long before its faces are known, µs. */
const detectionLagUs = 80_000;
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
  readonly #host: HTMLElement;
  readonly #canvas = document.createElement('canvas');
  readonly #boxes = new BoxLayer();
  readonly #faces = new FaceMemory();
  readonly #engine = sharedEngine();
  readonly #tile: number;
  readonly #listeners = new Set<() => void>();
  readonly #messageListeners = new Set<(message: ServerMessage) => void>();
  readonly #resize = new ResizeObserver(() => this.#resized());
  readonly #leaveAttention: () => void;
  #video: HTMLVideoElement | null = null;
  #sink: MseSink | null = null;
  #report = beforeFirstReport;
  #state: LiveState;
  #stats: LiveStats;
  #newestFacesAt = 0;
  #mode: 'live' | 'thumbnail';
  #fitting: 'contain' | 'cover';
  #visible: boolean;
  #showsBoxes: boolean;
  #muted = true;
  #sound: Sound | null = null;
  #hideTimer: ReturnType<typeof setTimeout> | undefined;
  #countdown: ReturnType<typeof setTimeout> | undefined;
  #destroyed = false;

  /** @param host becomes the picture's place; it needs a size and takes on `position: relative` if it has none. */
  constructor(host: HTMLElement, options: LivePlayerOptions) {
    const { format = 'auto', fit = 'contain', boxes = true, mode = 'live', visible = true } = options;
    this.#host = host;
    this.#mode = mode;
    this.#visible = visible;
    this.#showsBoxes = boxes;
    this.#fitting = fit;
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
    if (getComputedStyle(host).position === 'static') host.style.position = 'relative';
    this.#layOut(this.#canvas);
    host.append(this.#canvas, this.#boxes.element);
    this.#resize.observe(host);
    this.#tile = this.#engine.join((message) => this.#hear(message));
    const canvas = this.#canvas.transferControlToOffscreen();
    const source = sourceOf(options);
    this.#engine.send({ type: 'add', tile: this.#tile, canvas, source, steps }, [canvas]);
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
    this.#showsBoxes = boxes;
    if (!boxes) this.#boxes.show([]);
  }

  setFit(fit: 'contain' | 'cover'): void {
    this.#fitting = fit;
    this.#canvas.style.objectFit = fit;
    if (this.#video) this.#video.style.objectFit = fit;
    this.#fit();
  }

  /** Sound is off until somebody asks for it: browsers demand it, and so do people. */
  get muted(): boolean {
    return this.#muted;
  }

  setMuted(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    if (this.#video) this.#video.muted = muted;
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
    this.#resize.disconnect();
    this.#sink?.stop();
    this.#sound?.close();
    this.#engine.leave(this.#tile);
    this.#listeners.clear();
    this.#messageListeners.clear();
    for (const element of [this.#canvas, this.#video, this.#boxes.element]) element?.remove();
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
        this.#drawBoxes(message.timestamp);
        return;
      case 'sound':
        this.#sound?.push(message.channels, message.sampleRate);
        return;
      case 'mp4':
        this.#startMp4(message.mime);
        return;
      case 'fragment':
        this.#sink?.push(message.data);
        return;
      case 'mp4End':
        void this.#keepStill();
        this.#sink?.stop();
        return;
    }
  }

  #take(report: Report): void {
    this.#report = report;
    const mse = report.showing === 'mse';
    if (this.#video) this.#video.style.visibility = mse ? 'visible' : 'hidden';
    this.#fit();
    if (!report.fresh) this.#boxes.show([]);
    if (report.link.state !== 'open') this.#faces.clear();
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
    if (message.type === 'detections') {
      this.#faces.add(message);
      this.#newestFacesAt = performance.now();
    }
    for (const listener of this.#messageListeners) listener(message);
  }

  /** @param timestamp of the picture, µs; null where it has none: then it is about as old as it usually is. */
  #drawBoxes(timestamp: number | null): void {
    const { newest } = this.#faces;
    if (!this.#showsBoxes || newest === null) return;
    const guess = newest + (performance.now() - this.#newestFacesAt) * 1000 + detectionLagUs;
    this.#boxes.show(this.#faces.at(timestamp ?? guess));
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

  #startMp4(mime: string): void {
    this.#sink ??= this.#makeSink();
    this.#sink.start(mime);
  }

  #makeSink(): MseSink {
    const video = document.createElement('video');
    Object.assign(video, { muted: this.#muted, playsInline: true, disableRemotePlayback: true });
    video.setAttribute('disablepictureinpicture', '');
    video.style.visibility = 'hidden';
    this.#layOut(video);
    this.#canvas.after(video);
    this.#video = video;
    return new MseSink({
      video,
      onNews: (news) => this.#engine.send({ type: 'sink', tile: this.#tile, news }),
      onFrame: (timestamp) => this.#drawBoxes(timestamp),
    });
  }

  /** The element goes black when it starts anew; what it showed goes on the canvas below. */
  async #keepStill(): Promise<void> {
    const video = this.#video;
    if (!video || video.readyState < 2 || this.#report.showing !== 'mse') return;
    try {
      const bitmap = await createImageBitmap(video);
      this.#engine.send({ type: 'still', tile: this.#tile, bitmap }, [bitmap]);
    } catch (error) {
      // Nothing to keep: the element has lost its picture already.
      if (!(error instanceof DOMException)) throw error;
    }
  }

  #layOut(element: HTMLElement): void {
    element.setAttribute('aria-hidden', 'true');
    Object.assign(element.style, {
      position: 'absolute',
      inset: '0',
      width: '100%',
      height: '100%',
      objectFit: this.#fitting,
      pointerEvents: 'none',
    });
  }

  #resized(): void {
    const { clientWidth, clientHeight } = this.#host;
    // Without a place there is nothing to learn: it keeps what it has.
    if (clientWidth === 0 || clientHeight === 0) return;
    const [width, height] = [clientWidth * devicePixelRatio, clientHeight * devicePixelRatio];
    this.#engine.send({ type: 'room', tile: this.#tile, width, height });
    this.#fit();
  }

  #fit(): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (this.#report.size)
      this.#boxes.layOver({ width, height }, this.#report.size, this.#fitting === 'cover');
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
