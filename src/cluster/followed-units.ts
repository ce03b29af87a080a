// Access units of a camera run elsewhere: put in order, and held back after a gap until something decodable begins.
// Pure: numbers and units in, units out.

import type { NumberedUnit } from './unit-rows.ts';

export class UnitOrder {
  /** Number of the last one given out; null: only a keyframe may come next. */
  #last: number | null = null;
  #gap = false;
  #missed = 0;

  /** Units that came, but could not be shown since one before them did not. */
  get missed(): number {
    return this.#missed;
  }

  /** What comes next has nothing to do with what came. */
  reset(): void {
    this.#last = null;
    this.#gap = false;
  }

  /** @returns whether it is given out now. */
  take({ number, unit }: NumberedUnit): 'next' | 'after-loss' | 'no' {
    const last = this.#last;
    if (last !== null && number <= last) return 'no';
    const follows = last !== null && number === last + 1;
    if (!follows && last !== null) this.#gap = true;
    if (!follows && !unit.keyframe) {
      this.#last = null;
      if (this.#gap) this.#missed += 1;
      return 'no';
    }
    this.#last = number;
    if (!this.#gap) return 'next';
    this.#gap = false;
    return 'after-loss';
  }
}
