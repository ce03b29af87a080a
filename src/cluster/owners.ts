// Which instance runs which camera, as the instances tell each other on the bus; the higher fence is right.
// Knowledge only: the truth is the database's, and nothing is held or let go here.

import type { Bus } from './ports.ts';

export interface Owner {
  readonly instance: string;
  readonly fence: number;
}

/** Streams with fences, as `[id, fence]`. Members that are missing count as empty or false. */
interface Told {
  readonly held?: unknown;
  readonly freed?: unknown;
  /** `held` is all that the sender holds. */
  readonly all?: unknown;
  /** Everybody is to tell all it holds. */
  readonly ask?: unknown;
}

interface Known extends Owner {
  /** Runs there, as far as is known; the fence is remembered without, so that older words are not believed. */
  runs: boolean;
  /** Let go by its owner: what it said earlier does not count any more. */
  freed: boolean;
}

export interface OwnersListener {
  /** Every change, also those of this instance. */
  onOwner(streamId: string, owner: Owner | null): void;
  /** Another instance has claimed the stream. */
  onClaim(streamId: string, fence: number): void;
}

export class Owners {
  readonly #bus: Bus;
  readonly #listener: OwnersListener;
  readonly #known = new Map<string, Known>();
  readonly #waiting = new Set<{ streamId: string; seen: () => void }>();
  readonly #ends: (() => void)[];

  constructor(bus: Bus, listener: OwnersListener) {
    this.#bus = bus;
    this.#listener = listener;
    this.#ends = [
      bus.subscribe('owners', (message, _, from) => this.#hear((message ?? {}) as Told, from)),
      bus.onChange((up) => {
        if (up) this.introduce();
      }),
    ];
  }

  get(streamId: string): Owner | null {
    const known = this.#known.get(streamId);
    return known?.runs ? { instance: known.instance, fence: known.fence } : null;
  }

  /** The highest fence heard of; 0 when none. */
  fence(streamId: string): number {
    return this.#known.get(streamId)?.fence ?? 0;
  }

  /** Whether the owner with this fence has said that it let the camera go, and nobody was heard of since. */
  isFreed(streamId: string, fence: number): boolean {
    const known = this.#known.get(streamId);
    return known?.fence === fence && known.freed;
  }

  /** This instance holds it from now on. */
  announce(streamId: string, fence: number): void {
    this.#learn(streamId, { instance: this.#bus.instance, fence });
    this.#bus.publish('owners', { held: [[streamId, fence]] });
  }

  /** This instance has let it go: no connection to the camera is left here. */
  free(streamId: string, fence: number): void {
    this.#free(streamId, { instance: this.#bus.instance, fence });
    this.#bus.publish('owners', { freed: [[streamId, fence]] });
  }

  /** Repeats all that this instance holds, for those who missed it. */
  repeat(): void {
    this.#bus.publish('owners', { all: true, held: this.#heldBy(this.#bus.instance) });
  }

  /** Tells all and asks all. */
  introduce(): void {
    this.#bus.publish('owners', { all: true, ask: true, held: this.#heldBy(this.#bus.instance) });
  }

  /** Instances that are gone run nothing. */
  onlyLive(live: ReadonlySet<string>): void {
    for (const [streamId, known] of this.#known)
      if (known.runs && !live.has(known.instance)) this.#stop(streamId, known);
  }

  /** Streams that are not to run need not be remembered; a late word on one is then believed, and told anew. */
  prune(isWanted: (streamId: string) => boolean): void {
    for (const [streamId, known] of this.#known)
      if (!known.runs && !isWanted(streamId)) this.#known.delete(streamId);
  }

  /**
   * Resolves when another instance has claimed it with a fence higher than `fence`. Begin before it can happen.
   * @returns ends it, too: then the promise stays pending.
   */
  whenTaken(streamId: string, fence: number): { readonly taken: Promise<void>; readonly end: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry = {
      streamId,
      seen: () => {
        const owner = this.get(streamId);
        if (owner === null || owner.fence <= fence || owner.instance === this.#bus.instance) return;
        this.#waiting.delete(entry);
        resolve();
      },
    };
    this.#waiting.add(entry);
    return { taken: promise, end: () => this.#waiting.delete(entry) };
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  #hear(told: Told, from: string): void {
    const held = fences(told.held);
    for (const [streamId, fence] of held) {
      const higher = fence > this.fence(streamId);
      this.#learn(streamId, { instance: from, fence });
      if (higher) this.#listener.onClaim(streamId, fence);
    }
    for (const [streamId, fence] of fences(told.freed)) this.#free(streamId, { instance: from, fence });
    if (told.all === true) {
      const kept = new Set(held.map(([streamId]) => streamId));
      for (const [streamId, known] of this.#known)
        if (known.runs && known.instance === from && !kept.has(streamId)) this.#stop(streamId, known);
    }
    if (told.ask === true) this.repeat();
  }

  #learn(streamId: string, owner: Owner): void {
    const known = this.#known.get(streamId);
    if (known !== undefined && owner.fence < known.fence) return;
    if (known?.fence === owner.fence && (known.runs || known.freed)) return;
    this.#known.set(streamId, { ...owner, runs: true, freed: false });
    this.#changed(streamId);
  }

  #free(streamId: string, owner: Owner): void {
    const known = this.#known.get(streamId);
    if (known !== undefined && owner.fence < known.fence) return;
    this.#known.set(streamId, { ...owner, runs: false, freed: true });
    if (known?.runs) this.#changed(streamId);
  }

  #stop(streamId: string, known: Known): void {
    known.runs = false;
    this.#changed(streamId);
  }

  #changed(streamId: string): void {
    this.#listener.onOwner(streamId, this.get(streamId));
    for (const entry of this.#waiting) if (entry.streamId === streamId) entry.seen();
  }

  #heldBy(instance: string): [string, number][] {
    return [...this.#known].flatMap(([streamId, known]): [string, number][] =>
      known.runs && known.instance === instance ? [[streamId, known.fence]] : [],
    );
  }
}

function fences(told: unknown): [string, number][] {
  if (!Array.isArray(told)) return [];
  return told.filter(
    (pair): pair is [string, number] =>
      Array.isArray(pair) && typeof pair[0] === 'string' && Number.isSafeInteger(pair[1]),
  );
}
