// Puts RTP packets that came over UDP back in order, waiting a little for late ones.
// Bounded in packets and time; has no timer of its own: its owner calls `expire`.

import { sequenceDistance } from './rtp.ts';

export interface ReorderOptions {
  /** How many packets wait for a missing one at most; a power of two. */
  readonly maxPackets: number;
  /** ms. */
  readonly maxDelay: number;
}

type Emit = (data: Uint8Array) => void;

/** A packet this far behind is not late but begins a new count. */
const restartDistance = 1000;

export class ReorderBuffer {
  readonly #slots: (Uint8Array | null)[];
  readonly #maxDelay: number;
  #expected = -1;
  #held = 0;
  #heldSince = 0;
  /** Packets that came twice or too late. */
  dropped = 0;

  constructor(options: ReorderOptions = { maxPackets: 64, maxDelay: 50 }) {
    this.#slots = new Array<Uint8Array | null>(options.maxPackets).fill(null);
    this.#maxDelay = options.maxDelay;
  }

  /** When `expire` should be called at the latest (ms, the clock of `now`); null when nothing waits. */
  get deadline(): number | null {
    return this.#held === 0 ? null : this.#heldSince + this.#maxDelay;
  }

  get held(): number {
    return this.#held;
  }

  /** Takes over `data`; gives every packet that is in order now. */
  push(sequence: number, data: Uint8Array, now: number, emit: Emit): void {
    let ahead = this.#expected === -1 ? 0 : sequenceDistance(this.#expected, sequence);
    if (ahead < 0 && ahead > -restartDistance) {
      this.dropped++;
      return;
    }
    if (ahead < 0 || ahead >= this.#slots.length) {
      ahead = this.#makeRoom(sequence, ahead, emit);
    }
    if (ahead === 0) {
      this.#expected = (sequence + 1) & 0xffff;
      emit(data);
      this.#drain(now, emit);
    } else this.#hold(sequence, data, now);
    this.expire(now, emit);
  }

  /** Gives up on missing packets that were waited for long enough. */
  expire(now: number, emit: Emit): void {
    while (this.#held > 0 && now - this.#heldSince >= this.#maxDelay) {
      this.#skipGap();
      this.#drain(now, emit);
    }
  }

  #hold(sequence: number, data: Uint8Array, now: number): void {
    const slot = sequence % this.#slots.length;
    if (this.#slots[slot]) {
      this.dropped++;
      return;
    }
    this.#slots[slot] = data;
    if (this.#held++ === 0) this.#heldSince = now;
  }

  /** Gives what waits until `sequence` fits; how far ahead it then is. */
  #makeRoom(sequence: number, distance: number, emit: Emit): number {
    let ahead = distance;
    const fits = () => ahead >= 0 && ahead < this.#slots.length;
    while (this.#held > 0 && !fits()) {
      this.#skipGap();
      this.#emitRun(emit);
      ahead = sequenceDistance(this.#expected, sequence);
    }
    return fits() ? ahead : 0;
  }

  #skipGap(): void {
    while (!this.#slots[this.#expected % this.#slots.length]) this.#expected = (this.#expected + 1) & 0xffff;
  }

  #emitRun(emit: Emit): void {
    for (;;) {
      const slot = this.#expected % this.#slots.length;
      const data = this.#slots[slot];
      if (!data) return;
      this.#slots[slot] = null;
      this.#held--;
      this.#expected = (this.#expected + 1) & 0xffff;
      emit(data);
    }
  }

  #drain(now: number, emit: Emit): void {
    const before = this.#held;
    if (before === 0) return;
    this.#emitRun(emit);
    // What still waits, waits for another gap: its time begins now.
    if (this.#held !== before) this.#heldSince = now;
  }
}
