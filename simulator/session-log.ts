// When each session of a camera was there: the truth about how many clients it had at any moment.
// Noting only; what a session is and who ends it is in camera.ts.

/** Times as `epochNow()`. */
export interface SessionSpan {
  readonly openedAt: number;
  /** Null: it goes on. */
  readonly closedAt: number | null;
}

/** Of ended sessions; the oldest are forgotten. */
const keptSpans = 10_000;

export class SessionLog {
  readonly #open = new Map<object, number>();
  readonly #ended: SessionSpan[] = [];

  opened(session: object, now: number): void {
    this.#open.set(session, now);
  }

  /** A second time for the same session means nothing. */
  ended(session: object, now: number): void {
    const openedAt = this.#open.get(session);
    if (openedAt === undefined) return;
    this.#open.delete(session);
    this.#ended.push({ openedAt, closedAt: now });
    if (this.#ended.length > keptSpans) this.#ended.shift();
  }

  /** Every session there was, in the order of their ends, then those that go on. A copy. */
  spans(): SessionSpan[] {
    return [...this.#ended, ...[...this.#open.values()].map((openedAt) => ({ openedAt, closedAt: null }))];
  }
}

/** For how long there were two sessions or more, at a stretch, and how many there were at most; ms. */
export function overlapOf(spans: readonly SessionSpan[], now: number): { longest: number; most: number } {
  const changes = spans.flatMap(({ openedAt, closedAt }) => [
    { at: openedAt, by: 1 },
    { at: closedAt ?? now, by: -1 },
  ]);
  // One that ends in the moment in which another begins was not there beside it.
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  let [open, most, longest, since] = [0, 0, 0, 0];
  for (const { at, by } of changes) {
    if (open === 1 && by === 1) since = at;
    if (open === 2 && by === -1) longest = Math.max(longest, at - since);
    open += by;
    most = Math.max(most, open);
  }
  return { longest, most };
}
