// What a codec worker costs, divided among the videos it works on.
// Arithmetic only: workers measure themselves, and who shows it is elsewhere.

export interface Usage {
  /** Cores: 1 is one core all the time. */
  readonly cpu: number;
  /** Resident memory, bytes. */
  readonly memory: number;
}

export const nothingUsed: Usage = Object.freeze({ cpu: 0, memory: 0 });

export function sumOfUsage(all: Iterable<{ readonly usage: Usage }>): Usage {
  let [cpu, memory] = [0, 0];
  for (const { usage } of all) {
    cpu += usage.cpu;
    memory += usage.memory;
  }
  return { cpu, memory };
}

interface Sharer {
  /** ms spent on it since the last division. */
  worked: number;
  readonly stats: { usage: Usage };
}

/**
 * Processor time and memory of a process cannot be told apart by video, since its threads and pools serve all of them.
 * Each gets the part that its share of the time of decoding, scaling, encoding and looking for faces is; equal parts
 * when nothing was done. The parts add up to the whole.
 */
export function apportion(usage: Usage, sharers: ReadonlySet<Sharer>): void {
  let total = 0;
  for (const { worked } of sharers) total += worked;
  for (const sharer of sharers) {
    const share = total > 0 ? sharer.worked / total : 1 / sharers.size;
    sharer.stats.usage = { cpu: usage.cpu * share, memory: usage.memory * share };
    sharer.worked = 0;
  }
}
