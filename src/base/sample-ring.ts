// Samples of several figures on a fixed grid of time, the newest so many, in memory that is taken once.
// Keeping only; what is measured, when, and what a slot of the grid means is the caller's.

/** One array for each figure, oldest value first; null where nothing was measured. */
export type Columns<Name extends string> = Record<Name, (number | null)[]>;

export interface Samples<Name extends string> {
  /** Slot of the first value; each further value is of the next slot. */
  readonly first: number;
  readonly count: number;
  readonly columns: Columns<Name>;
}

/** Four bytes a value: seven digits, which is more than any figure here is exact to. */
export class SampleRing<Name extends string> {
  readonly #names: readonly Name[];
  readonly #capacity: number;
  readonly #values: readonly Float32Array[];
  #first = 0;
  /** Before `#first` while there is nothing. */
  #last = -1;

  /** @param capacity slots that are kept. */
  constructor(names: readonly Name[], capacity: number) {
    this.#names = names;
    this.#capacity = capacity;
    this.#values = names.map(() => new Float32Array(capacity));
  }

  get bytes(): number {
    return this.#values.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** @param slot after that of the sample before; slots in between stay empty. @param sample null or NaN: not known. */
  put(slot: number, sample: Readonly<Record<Name, number | null>>): void {
    if (this.#last < this.#first) this.#first = slot;
    else for (let gap = Math.max(this.#last + 1, slot - this.#capacity); gap < slot; gap++) this.#clear(gap);
    this.#last = slot;
    this.#first = Math.max(this.#first, slot - this.#capacity + 1);
    this.#names.forEach((name, i) => {
      this.#values[i]![slot % this.#capacity] = sample[name] ?? Number.NaN;
    });
  }

  /** The samples of later slots than `slot`; values are rounded to hundredths. */
  after(slot: number): Samples<Name> {
    const first = Math.max(this.#first, Math.min(slot, this.#last) + 1);
    const count = this.#last - first + 1;
    const columns = this.#names.map((name, i) => [name, this.#read(this.#values[i]!, first, count)] as const);
    return { first, count, columns: Object.fromEntries(columns) as Columns<Name> };
  }

  #read(values: Float32Array, first: number, count: number): (number | null)[] {
    const column: (number | null)[] = [];
    for (let slot = first; slot < first + count; slot++) {
      const value = values[slot % this.#capacity]!;
      column.push(Number.isNaN(value) ? null : Math.round(value * 100) / 100);
    }
    return column;
  }

  #clear(slot: number): void {
    for (const values of this.#values) values[slot % this.#capacity] = Number.NaN;
  }
}
