// Which way of playing is used: down when one fails, up again after growing pauses, never to and fro.
// Decides by times that it is given; what a step does and how it fails is known elsewhere.

import type { FallReason, Step } from '../messages.ts';

const firstPauseMs = 30_000;
const pauseGrowth = 3;
/** After so many falls from one step it is left alone until the camera sends something else. */
const mostFalls = 5;
/** Whoever stands as long has earned a clean slate. */
const steadyMs = 300_000;

interface Rung {
  readonly step: Step;
  reason: FallReason | null;
  falls: number;
  /** When it may be tried again. */
  retryAt: number;
}

export class Ladder {
  readonly #rungs: readonly Rung[];
  #at = 0;
  #since = 0;

  /** @param steps best first, at least one. */
  constructor(steps: readonly Step[]) {
    this.#rungs = steps.map((step) => ({ step, reason: null, falls: 0, retryAt: 0 }));
  }

  get current(): Step {
    return this.#rungs[this.#at]!.step;
  }

  /** The best step and why it was left; null while it is used. */
  get fall(): { readonly step: Step; readonly reason: FallReason } | null {
    const best = this.#rungs[0]!;
    return this.#at > 0 && best.reason ? { step: best.step, reason: best.reason } : null;
  }

  /**
   * Leaves the current step.
   * @param now ms on any clock.
   * @returns false when there is none below: then nothing changes.
   */
  down(reason: FallReason, now: number): boolean {
    if (this.#at === this.#rungs.length - 1) return false;
    const rung = this.#rungs[this.#at]!;
    rung.reason = reason;
    rung.falls += 1;
    const final = reason === 'unsupported' || reason === 'not_offered' || rung.falls >= mostFalls;
    rung.retryAt = final ? Number.POSITIVE_INFINITY : now + firstPauseMs * pauseGrowth ** (rung.falls - 1);
    const below = this.#rungs.findIndex(({ retryAt }, i) => i > this.#at && retryAt <= now);
    this.#at = below < 0 ? this.#rungs.length - 1 : below;
    this.#since = now;
    return true;
  }

  /** Called now and then while the current step plays well. @returns whether a better one is to be tried now. */
  up(now: number): boolean {
    const rung = this.#rungs[this.#at]!;
    if (rung.falls > 0 && now - this.#since > steadyMs) rung.falls = 0;
    const better = this.#rungs.findIndex(({ retryAt }, i) => i < this.#at && retryAt <= now);
    if (better < 0) return false;
    this.#at = better;
    this.#since = now;
    return true;
  }

  /** What was learnt does not hold any more: the camera sends something else. @returns whether the step changes. */
  reset(now: number): boolean {
    for (const rung of this.#rungs) Object.assign(rung, { reason: null, falls: 0, retryAt: 0 });
    const changes = this.#at > 0;
    this.#at = 0;
    this.#since = now;
    return changes;
  }
}
