// What can be told of a video by watching its access units for some seconds: rates, keyframes, order.
// Counting only, in constant memory; who watches and for how long is elsewhere.

import type { AccessUnit } from './media/access-unit.ts';

export interface TallyFigures {
  readonly fps: number;
  readonly kilobitsPerSecond: number;
  /** ms between keyframes; null when fewer than two came. */
  readonly keyframeInterval: number | null;
  /** Units came in another order than they are shown in: B-frames. */
  readonly reordered: boolean;
}

type Counted = Pick<AccessUnit, 'data' | 'keyframe' | 'timestamp' | 'receivedAt'>;

export class VideoTally {
  #units = 0;
  #keyframes = 0;
  #bytes = 0;
  #first = 0;
  #last = 0;
  #firstKeyframe = 0;
  #lastKeyframe = 0;
  #lastTimestamp = Number.NEGATIVE_INFINITY;
  #reordered = false;

  add({ data, keyframe, timestamp, receivedAt }: Counted): void {
    if (this.#units === 0) this.#first = receivedAt;
    this.#last = receivedAt;
    this.#units += 1;
    this.#bytes += data.byteLength;
    if (keyframe) {
      if (this.#keyframes === 0) this.#firstKeyframe = receivedAt;
      this.#lastKeyframe = receivedAt;
      this.#keyframes += 1;
    }
    if (timestamp < this.#lastTimestamp) this.#reordered = true;
    this.#lastTimestamp = timestamp;
  }

  get units(): number {
    return this.#units;
  }

  get keyframes(): number {
    return this.#keyframes;
  }

  /** `receivedAt` of the first unit. */
  get firstAt(): number {
    return this.#first;
  }

  get figures(): TallyFigures {
    const seconds = Math.max(0.001, (this.#last - this.#first) / 1000);
    const interval = (this.#lastKeyframe - this.#firstKeyframe) / (this.#keyframes - 1);
    return {
      fps: Math.max(0, this.#units - 1) / seconds,
      kilobitsPerSecond: (this.#bytes * 8) / 1000 / seconds,
      keyframeInterval: this.#keyframes < 2 ? null : interval,
      reordered: this.#reordered,
    };
  }
}
