// How many cameras each instance should run, and who should give one away: by capacity, with as few moves as can be.
// Pure arithmetic on what instances tell of themselves; taking and moving are done elsewhere.

export interface Member {
  readonly instance: string;
  /** Cameras that it can run at most; ≥ 0. */
  readonly capacity: number;
  readonly held: number;
}

/**
 * Gives each camera in turn to the member that would then be filled least, up to its capacity. Of members filled alike,
 * the one that holds more cameras than it was given so far comes first: so what is balanced already stays as it is.
 *
 * @returns how many each should hold, by instance; in all `total`, or all capacities when these are fewer.
 */
export function fairShares(total: number, members: readonly Member[]): Map<string, number> {
  const all = members.reduce((sum, { capacity }) => sum + capacity, 0);
  const cameras = Math.min(total, all);
  // Everybody gets at least this by the rule, so the rest is never more than there are members.
  const atLeast = (capacity: number) => (capacity === 0 ? 0 : Math.floor((cameras * capacity) / all));
  const shares = new Map(members.map(({ instance, capacity }) => [instance, atLeast(capacity)]));
  const inOrder = members.toSorted((a, b) => (a.instance < b.instance ? -1 : 1));
  let left = [...shares.values()].reduce((rest, share) => rest - share, cameras);
  for (; left > 0; left -= 1) {
    let next: Member | undefined;
    for (const member of inOrder) {
      if (shares.get(member.instance)! >= member.capacity) continue;
      if (next === undefined || comesBefore(member, next, shares)) next = member;
    }
    if (next === undefined) break;
    shares.set(next.instance, shares.get(next.instance)! + 1);
  }
  return shares;
}

function comesBefore(a: Member, b: Member, shares: ReadonlyMap<string, number>): boolean {
  const [ofA, ofB] = [shares.get(a.instance)!, shares.get(b.instance)!];
  // (ofA + 1) / a.capacity < (ofB + 1) / b.capacity, without the rounding of a division.
  const difference = (ofA + 1) * b.capacity - (ofB + 1) * a.capacity;
  if (difference !== 0) return difference < 0;
  return a.held > ofA && b.held <= ofB;
}

/**
 * Whether `instance` is to give one camera away: it holds more than its share, and one of the others that could take it
 * holds less than its own.
 */
export function shouldGive(
  instance: string,
  total: number,
  members: readonly Member[],
  takers: ReadonlySet<string>,
): boolean {
  const shares = fairShares(total, members);
  const self = members.find((member) => member.instance === instance);
  if (self === undefined || self.held <= shares.get(instance)!) return false;
  return members.some((member) => takers.has(member.instance) && member.held < shares.get(member.instance)!);
}
