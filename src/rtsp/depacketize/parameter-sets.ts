// The parameter sets that hold at the moment: those of the SDP until in-band ones come, then the in-band ones.
// Knows what a codec's sets are through ParameterSetRules only.

import type { VideoParameters } from '../../media/access-unit.ts';
import { joinAnnexB, splitAnnexB } from '../../media/nal.ts';

export interface ParameterSetRules {
  /** NAL unit types of the sets, in the order in which they are written; the description needs all of them. */
  readonly types: readonly number[];
  /** Without which nothing can be decoded. */
  readonly required: readonly number[];
  typeOf(firstByte: number): number;
  /** The set's own id; null when it is damaged. */
  idOf(nal: Uint8Array): number | null;
  describe(sets: readonly Uint8Array[]): VideoParameters | null;
}

interface StoredSet {
  readonly type: number;
  readonly id: number;
  readonly nal: Uint8Array;
  readonly inBand: boolean;
}

const maxSets = 48;
const maxSetBytes = 4096;

export class ParameterSets {
  readonly #rules: ParameterSetRules;
  #sets: StoredSet[] = [];
  #video: VideoParameters | null = null;
  #prefix: Uint8Array = new Uint8Array();

  /** @param declared those of the SDP; damaged ones are ignored. */
  constructor(rules: ParameterSetRules, declared: readonly Uint8Array[]) {
    this.#rules = rules;
    for (const nal of declared) this.#store(nal, false);
  }

  /** Null until all that a decoder needs is there. Another object after each change. */
  get video(): VideoParameters | null {
    return this.#video;
  }

  /** All sets in Annex B, as they stand before a keyframe. */
  get prefix(): Uint8Array {
    return this.#prefix;
  }

  /** Takes a set that came in-band; the bytes are copied. True when it changed something. */
  update(nal: Uint8Array): boolean {
    // Known byte for byte, as nearly always: nothing to parse.
    if (this.#sets.some((set) => set.inBand && Buffer.compare(set.nal, nal) === 0)) return false;
    return this.#store(nal, true);
  }

  #store(bytes: Uint8Array, inBand: boolean): boolean {
    // Cameras join SPS and PPS with a start code in what should be one NAL unit.
    const parts = splitAnnexB(bytes);
    if (parts.length === 0) return this.#storeOne(bytes, inBand);
    const first = bytes.subarray(0, parts[0]!.byteOffset - bytes.byteOffset - 3);
    let end = first.length;
    while (end > 0 && first[end - 1] === 0) end--;
    let changed = end > 0 && this.#storeOne(first.subarray(0, end), inBand);
    for (const part of parts) changed = this.#storeOne(part, inBand) || changed;
    return changed;
  }

  #storeOne(nal: Uint8Array, inBand: boolean): boolean {
    if (nal.length === 0 || nal.length > maxSetBytes) return false;
    const type = this.#rules.typeOf(nal[0]!);
    const id = this.#rules.types.includes(type) ? this.#rules.idOf(nal) : null;
    if (id === null) return false;
    const same = this.#sets.find((set) => set.type === type && set.id === id);
    const equal = same !== undefined && Buffer.compare(same.nal, nal) === 0;
    // The camera has spoken for itself: what the SDP said about this type is void.
    const kept = this.#sets.filter((set) => set !== same && (set.inBand || !inBand || set.type !== type));
    const changed = !equal || kept.length !== this.#sets.length - 1;
    if (kept.length >= maxSets) return false;
    this.#sets = [...kept, { type, id, nal: equal ? same.nal : Uint8Array.from(nal), inBand }];
    if (changed) this.#rebuild();
    return changed;
  }

  #rebuild(): void {
    const { types, required } = this.#rules;
    this.#sets.sort((a, b) => types.indexOf(a.type) - types.indexOf(b.type) || a.id - b.id);
    const nals = this.#sets.map((set) => set.nal);
    const complete = required.every((type) => this.#sets.some((set) => set.type === type));
    this.#video = complete ? this.#rules.describe(nals) : null;
    this.#prefix = joinAnnexB(nals);
  }
}
