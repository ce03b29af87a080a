// A viewer of a service of several instances: stays where it is as long as it can, then goes to another one.
// What one connection gets is counted in viewer.ts; which instances there are is told by who makes it.

import { epochNow, Viewer } from './viewer.ts';

export interface RoamingViewerOptions {
  readonly format?: 'jpeg' | 'annexb' | 'mp4';
  readonly headers?: () => Readonly<Record<string, string>>;
  readonly onPicture?: (bytes: Buffer, arrivedAt: number) => void;
}

export interface Place {
  readonly url: string;
  /** Number of the instance. */
  readonly place: number;
}

export interface Gap {
  /** `epochNow` of the last picture before it. */
  readonly from: number;
  readonly ms: number;
  /** Instances on which it began and ended: the same when the viewer kept its socket. */
  readonly places: readonly [number, number];
}

/** Shorter ones are not worth a line. */
const notedGapMs = 500;
/** Where nobody answers, it is tried again after this. */
const pauseMs = 100;
/** A connection on which nothing comes for so long is given up: longer than any test allows a picture to take. */
const patienceMs = 12_000;

export class RoamingViewer {
  pictures = 0;
  /** Connections there were; 1 for a viewer that was never lost. */
  connections = 0;
  /** Number of the instance it watches on. */
  place = -1;
  /** Pauses between pictures of half a second or more. */
  readonly gaps: Gap[] = [];
  lastPictureAt: number | null = null;
  #viewer: Viewer | null = null;
  #lastPlace = -1;
  #since = epochNow();
  #closed = false;
  readonly #done: Promise<void>;

  /** @param next the instance to go to; null while there is none. */
  constructor(next: () => Place | null, options: RoamingViewerOptions = {}) {
    this.#done = this.#roam(next, options);
  }

  /** The connection of this moment. */
  get viewer(): Viewer | null {
    return this.#viewer;
  }

  /** Gaps count from now on. */
  reset(): void {
    this.gaps.length = 0;
    this.#since = epochNow();
  }

  /** The longest time without a picture since `reset`, the one that may go on included, ms. */
  get longestGap(): number {
    const now = epochNow();
    const current = now - Math.max(this.lastPictureAt ?? this.#since, this.#since);
    return Math.max(current, ...this.gaps.map(({ ms }) => ms));
  }

  /** @throws Error when so many more pictures do not come in time. */
  async more(pictures: number, timeoutMs = 15_000): Promise<void> {
    const wanted = this.pictures + pictures;
    const deadline = performance.now() + timeoutMs;
    while (this.pictures < wanted) {
      if (performance.now() > deadline)
        throw new Error(
          `${this.pictures + pictures - wanted} of ${pictures} more pictures within ${timeoutMs} ms: ${this.story()}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  story(): string {
    return `on instance ${this.place}, connection ${this.connections}, ${this.#viewer?.story()}; gaps ${JSON.stringify(this.gaps)}`;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#viewer?.close();
    await this.#done;
  }

  async #roam(next: () => Place | null, options: RoamingViewerOptions): Promise<void> {
    while (!this.#closed) {
      const found = next();
      if (found) await this.#watch(found, options);
      if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #watch({ url, place }: Place, { headers, onPicture }: RoamingViewerOptions): Promise<void> {
    this.place = place;
    this.connections++;
    const viewer = new Viewer(url, {
      headers: headers?.() ?? {},
      onPicture: (bytes, arrivedAt) => {
        this.#count(arrivedAt, place);
        onPicture?.(bytes, arrivedAt);
      },
    });
    this.#viewer = viewer;
    const watchdog = setInterval(() => {
      if (epochNow() - (viewer.lastPictureAt ?? viewer.startedAt) > patienceMs) viewer.socket.terminate();
    }, 500);
    await new Promise((resolve) => viewer.socket.once('close', resolve));
    clearInterval(watchdog);
  }

  #count(now: number, place: number): void {
    const from = Math.max(this.lastPictureAt ?? this.#since, this.#since);
    if (now - from >= notedGapMs) this.gaps.push({ from, ms: now - from, places: [this.#lastPlace, place] });
    this.lastPictureAt = now;
    this.#lastPlace = place;
    this.pictures++;
  }
}
