// The canvas of one tile, drawn on from the worker, and what was drawn there lately.
// Which picture is drawn when is the views' business.

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

  constructor(canvas: OffscreenCanvas) {
    const context = canvas.getContext('2d', { alpha: false });
    if (!context) throw new Error('This browser has no 2D canvas.');
    this.#canvas = canvas;
    this.#context = context;
  }

  get width(): number {
    return this.#canvas.width;
  }

  get height(): number {
    return this.#canvas.height;
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
    const canvas = this.#canvas;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    this.#context.drawImage(picture, 0, 0, width, height);
    if (arrivedAt !== null) this.count(arrivedAt);
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
