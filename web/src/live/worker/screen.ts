// The canvas of one tile, drawn on from the worker, and what was drawn there lately.
// Which picture is drawn when is the views' business.

import type { Report, Room } from '../messages.ts';

const windowMs = 3_000;
const newestWeight = 0.1;

export class Screen {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  /** `performance.now()` of the pictures shown lately. */
  #shown: number[] = [];
  #since = 0;
  #paintMs = 0;
  #lastAt = 0;
  /** A large picture in a small place is drawn small; null while the place is not known. */
  room: Room | null = null;
  /** Whose picture is seen: the canvas's, or the video element's over it. */
  showing: Report['showing'] = null;
  #size = { width: 0, height: 0 };

  constructor(canvas: OffscreenCanvas) {
    const context = canvas.getContext('2d', { alpha: false });
    if (!context) throw new Error('This browser has no 2D canvas.');
    this.#canvas = canvas;
    this.#context = context;
  }

  /** Of the newest picture, in its own pixels; zeros before the first one. */
  get size(): { readonly width: number; readonly height: number } {
    return this.#size;
  }

  /** `performance.now()` of the newest picture. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** From a picture's arrival to the canvas, ms, moving average. */
  get paintMs(): number {
    return this.#paintMs;
  }

  /** Size in pixels as it is to be displayed. @param arrivedAt `performance.now()`, for the figures; null for none. */
  draw(picture: CanvasImageSource, width: number, height: number, arrivedAt: number | null): void {
    if (this.#size.width !== width || this.#size.height !== height) this.#size = { width, height };
    const canvas = this.#canvas;
    const scale = this.#scale(width, height);
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== wide) canvas.width = wide;
    if (canvas.height !== high) canvas.height = high;
    this.#context.drawImage(picture, 0, 0, wide, high);
    if (arrivedAt !== null) this.count(arrivedAt);
  }

  #scale(width: number, height: number): number {
    if (!this.room) return 1;
    const ratios = [this.room.width / width, this.room.height / height] as const;
    return Math.min(1, this.room.cover ? Math.max(...ratios) : Math.min(...ratios));
  }

  /** A picture was shown. */
  count(arrivedAt: number): void {
    const now = performance.now();
    this.#lastAt = now;
    this.#paintMs += (now - arrivedAt - this.#paintMs) * newestWeight;
    this.#shown.push(now);
    while (this.#shown[0]! < now - windowMs) this.#shown.shift();
  }

  /** Figures begin anew. */
  reset(): void {
    this.#shown = [];
    this.#since = performance.now();
    this.#paintMs = 0;
  }

  /** Pictures a second. Intervals are counted, not pictures: right from the second one on. */
  fps(now: number): number {
    const from = Math.max(now - windowMs, this.#since);
    const recent = this.#shown.filter((time) => time >= from);
    const [first, last] = [recent[0], recent.at(-1)];
    if (first === undefined || last === undefined || last === first) return 0;
    return ((recent.length - 1) * 1000) / (last - first);
  }
}
