// Plays fragments of MP4 in a video element by Media Source Extensions, close to the newest one.
// What comes from the service and what follows from failures is decided in the engine.

import type { FallReason, SinkNews } from './messages.ts';

/** Behind the newest fragment by more than this it plays faster, s. */
const nudgeAboveS = 0.25;
/** This close again, it plays at its own pace, s. */
const contentS = 0.12;
const nudgeRate = 1.15;
/** Behind by more than this it jumps, s. */
const jumpAboveS = 1;
const landingS = 0.08;
/** What lies behind is thrown away beyond this, s. */
const keptS = 12;
const trimAtS = 30;
/** Fragments not taken by the browser; more are a second or so of delay, so it cannot keep up. */
const mostWaiting = 120;
const startMs = 4_000;
const figuresEveryMs = 1_000;

export interface MseSinkOptions {
  readonly video: HTMLVideoElement;
  readonly onNews: (news: SinkNews) => void;
  /** A frame is on the screen. @param timestamp its media time, µs. */
  readonly onFrame: (timestamp: number) => void;
}

export class MseSink {
  readonly #options: MseSinkOptions;
  #source: MediaSource | null = null;
  #buffer: SourceBuffer | null = null;
  #waiting: ArrayBuffer[] = [];
  #url: string | null = null;
  #frameCallback = 0;
  #seenFrame = false;
  #startedAt = 0;
  #framesBefore = 0;
  #frames = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: MseSinkOptions) {
    this.#options = options;
    options.video.addEventListener('error', () => {
      if (this.#source) this.#fail('failed');
    });
  }

  /** A new video; what was played so far ends. */
  start(mime: string): void {
    this.stop();
    if (!MediaSource.isTypeSupported(mime)) {
      this.#options.onNews({ kind: 'failed', reason: 'unsupported' });
      return;
    }
    const { video } = this.#options;
    const source = new MediaSource();
    this.#source = source;
    this.#url = URL.createObjectURL(source);
    this.#seenFrame = false;
    this.#startedAt = performance.now();
    this.#frames = this.#framesBefore = 0;
    source.onsourceopen = () => this.#open(source, mime);
    video.src = this.#url;
    this.#watchFrames();
    this.#timer = setInterval(() => this.#tellFigures(), figuresEveryMs);
  }

  push(data: ArrayBuffer): void {
    if (!this.#source) return;
    this.#waiting.push(data);
    if (this.#waiting.length > mostWaiting && performance.now() - this.#startedAt > startMs)
      this.#fail('slow');
    else this.#feed();
  }

  stop(): void {
    const { video } = this.#options;
    clearInterval(this.#timer);
    video.cancelVideoFrameCallback(this.#frameCallback);
    this.#source = this.#buffer = null;
    this.#waiting = [];
    if (this.#url === null) return;
    URL.revokeObjectURL(this.#url);
    this.#url = null;
    video.removeAttribute('src');
    video.load();
  }

  #open(source: MediaSource, mime: string): void {
    if (source !== this.#source) return;
    try {
      const buffer = source.addSourceBuffer(mime);
      this.#buffer = buffer;
      buffer.onupdateend = () => {
        if (buffer !== this.#buffer) return;
        this.#chase();
        this.#feed();
      };
      this.#feed();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.#fail('unsupported');
    }
  }

  #feed(): void {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || this.#source?.readyState !== 'open') return;
    const [first] = this.#waiting;
    if (!first) return;
    try {
      if (this.#trim(buffer)) return;
      buffer.appendBuffer(first);
      this.#waiting.shift();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.#fail('failed');
    }
  }

  /** @returns whether something is being removed; feeding goes on after it. */
  #trim(buffer: SourceBuffer): boolean {
    const { buffered } = buffer;
    const { currentTime } = this.#options.video;
    if (buffered.length === 0 || currentTime - buffered.start(0) < trimAtS) return false;
    buffer.remove(0, currentTime - keptS);
    return true;
  }

  /** Keeps close to the newest fragment. */
  #chase(): void {
    const { video } = this.#options;
    const { buffered } = video;
    if (buffered.length === 0) return;
    const last = buffered.length - 1;
    const end = buffered.end(last);
    const behind = end - video.currentTime;
    // Also from before the beginning, and over a gap that nothing will fill.
    if (behind > jumpAboveS || behind < 0 || video.currentTime < buffered.start(last))
      video.currentTime = Math.max(buffered.start(last), end - landingS);
    else if (behind > nudgeAboveS) video.playbackRate = nudgeRate;
    else if (behind < contentS) video.playbackRate = 1;
    if (video.paused) video.play().catch(() => this.#options.video.paused);
  }

  #watchFrames(): void {
    const { video, onFrame, onNews } = this.#options;
    this.#frameCallback = video.requestVideoFrameCallback(
      (_, { mediaTime, presentedFrames, width, height }) => {
        if (!this.#source) return;
        this.#frames = presentedFrames;
        if (!this.#seenFrame) {
          this.#seenFrame = true;
          this.#framesBefore = presentedFrames;
          onNews({ kind: 'first', width, height });
        }
        onFrame(Math.round(mediaTime * 1e6));
        this.#watchFrames();
      },
    );
  }

  #tellFigures(): void {
    const { video, onNews } = this.#options;
    const { hidden } = document;
    if (!this.#seenFrame && !hidden) return;
    const fps = ((this.#frames - this.#framesBefore) * 1000) / figuresEveryMs;
    this.#framesBefore = this.#frames;
    const { buffered, currentTime } = video;
    const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : currentTime;
    const behindMs = Math.max(0, (end - currentTime) * 1000);
    const dropped = video.getVideoPlaybackQuality().droppedVideoFrames;
    onNews({ kind: 'figures', fps, behindMs, dropped, hidden });
  }

  #fail(reason: FallReason): void {
    this.stop();
    this.#options.onNews({ kind: 'failed', reason });
  }
}
