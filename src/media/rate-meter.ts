// Events a second over the last few seconds, in constant memory.
// Counting only; what is counted, and who shows it, is the caller's.

const slots = 6;
const slotMs = 500;

/** A ring of half-second slots; the running one is left out, so that the figure does not sag at its start. */
export class RateMeter {
  readonly #counts = new Float64Array(slots + 1);
  #slot = Number.NaN;
  #firstSlot = Number.NaN;

  /** @param now ms, monotonic. */
  count(now: number, amount = 1): void {
    this.#advance(Math.floor(now / slotMs));
    this.#counts[this.#slot % this.#counts.length]! += amount;
  }

  perSecond(now: number): number {
    if (Number.isNaN(this.#slot)) return 0;
    this.#advance(Math.floor(now / slotMs));
    const complete = Math.min(slots, this.#slot - this.#firstSlot);
    if (complete <= 0) return 0;
    let sum = 0;
    for (let back = 1; back <= complete; back++)
      sum += this.#counts[(this.#slot - back) % this.#counts.length]!;
    return sum / ((complete * slotMs) / 1000);
  }

  #advance(slot: number): void {
    if (Number.isNaN(this.#slot) || slot - this.#slot > slots) {
      this.#counts.fill(0);
      if (Number.isNaN(this.#firstSlot)) this.#firstSlot = slot;
      this.#slot = slot;
      return;
    }
    while (this.#slot < slot) {
      this.#slot += 1;
      this.#counts[this.#slot % this.#counts.length] = 0;
    }
  }
}
