// Who wants to know when a sign-in ends: sockets that were opened with it. Told at once of what this process ends, within
// a second of what another instance ends, and soon of whatever else ends in the database. Ends nothing itself.

import type { Broadcast } from '../base/broadcast.ts';
import type { Clock } from '../base/clock.ts';
import type { Identity } from '../base/identity.ts';
import type { Log } from '../base/log.ts';
import type { Standing } from './ports.ts';

/** All that is followed is looked up so often, in one query for sessions and one for API tokens. */
const checkEveryMs = 5_000;
/**
 * What is new is looked up after this: it may have ended between being identified and being followed. So is what
 * another instance says it has ended: the word may come late, when the user has signed in again.
 */
const firstCheckMs = 250;
/** To the other instances: `{ session }`, of a session or API token, or `{ user }`, of all sessions but perhaps one. */
const endedTopic = 'sign-in.ended';

interface Follower {
  readonly identity: Identity;
  readonly sessionId: string;
  readonly onEnd: () => void;
}

export interface FollowersOptions {
  /** Of these sessions and API tokens, what still stands. */
  readonly standing: (kind: 'session' | 'api_token', ids: readonly string[]) => Promise<readonly Standing[]>;
  /** A session that is followed is in use. */
  readonly onUse: (session: Standing) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** The other instances; null: there are none. */
  readonly others: Broadcast | null;
}

export class Followers {
  readonly #options: FollowersOptions;
  readonly #bySession = new Map<string, Set<Follower>>();
  readonly #unchecked = new Set<Follower>();
  #cancelFirst: (() => void) | null = null;
  #cancelCheck: (() => void) | null = null;
  readonly #leaveOthers: () => void;
  #closed = false;

  constructor(options: FollowersOptions) {
    this.#options = options;
    const { others } = options;
    this.#leaveOthers =
      others?.subscribe(endedTopic, (message) => this.#onEndedElsewhere(message)) ?? (() => {});
  }

  /** Calls `onEnd` once, when what the identity stands on ends. @returns ends the following; idempotent. */
  follow(identity: Identity, onEnd: () => void): () => void {
    const { sessionId } = identity;
    if (sessionId === null || this.#closed) return () => {};
    const follower: Follower = { identity, sessionId, onEnd };
    let others = this.#bySession.get(sessionId);
    if (!others) this.#bySession.set(sessionId, (others = new Set()));
    others.add(follower);
    this.#checkSoon(follower);
    this.#cancelCheck ??= this.#options.clock.after(checkEveryMs, () => this.#checkAll());
    return () => this.#forget(follower);
  }

  /** The session or API token has ended, in the database already. */
  end(sessionId: string): void {
    this.#options.others?.publishLasting(endedTopic, { session: sessionId });
    for (const follower of this.#bySession.get(sessionId) ?? []) this.#tell(follower);
  }

  /** All sessions of the user have ended, but `except`; in the database already. */
  endUser(userId: string, except: string | null = null): void {
    this.#options.others?.publishLasting(endedTopic, { user: userId });
    for (const follower of this.#ofUser(userId)) if (follower.sessionId !== except) this.#tell(follower);
  }

  /** Nobody is told any more. */
  close(): void {
    this.#closed = true;
    this.#leaveOthers();
    this.#cancelFirst?.();
    this.#cancelCheck?.();
    this.#bySession.clear();
    this.#unchecked.clear();
  }

  #onEndedElsewhere(message: unknown): void {
    const { session, user } = (message ?? {}) as { session?: unknown; user?: unknown };
    if (typeof session === 'string')
      for (const follower of this.#bySession.get(session) ?? []) this.#checkSoon(follower);
    if (typeof user === 'string') for (const follower of this.#ofUser(user)) this.#checkSoon(follower);
  }

  #ofUser(userId: string): readonly Follower[] {
    const all = [...this.#bySession.values()].flatMap((each) => [...each]);
    return all.filter(({ identity }) => identity.userId === userId);
  }

  #checkSoon(follower: Follower): void {
    this.#unchecked.add(follower);
    this.#cancelFirst ??= this.#options.clock.after(firstCheckMs, () => this.#checkNew());
  }

  #checkNew(): void {
    this.#cancelFirst = null;
    const followers = [...this.#unchecked];
    this.#unchecked.clear();
    void this.#check(followers);
  }

  #checkAll(): void {
    const followers = [...this.#bySession.values()].flatMap((each) => [...each]);
    void this.#check(followers).finally(() => {
      this.#cancelCheck = null;
      if (this.#closed || this.#bySession.size === 0) return;
      this.#cancelCheck = this.#options.clock.after(checkEveryMs, () => this.#checkAll());
    });
  }

  async #check(followers: readonly Follower[]): Promise<void> {
    const { standing, log } = this.#options;
    const isToken = ({ identity }: Follower) => identity.kind === 'api_token';
    const idsOf = (some: readonly Follower[]) => [...new Set(some.map(({ sessionId }) => sessionId))];
    try {
      const sessions = idsOf(followers.filter((each) => !isToken(each)));
      const tokens = idsOf(followers.filter(isToken));
      const found = new Map<string, Standing>();
      for (const each of sessions.length > 0 ? await standing('session', sessions) : []) {
        found.set(each.id, each);
        this.#options.onUse(each);
      }
      for (const each of tokens.length > 0 ? await standing('api_token', tokens) : [])
        found.set(each.id, each);
      for (const follower of followers) this.#judge(follower, found.get(follower.sessionId));
    } catch (error) {
      // Better a socket that stays some seconds longer than all pictures gone because the database is busy.
      log.warn({ err: error }, 'the sign-ins of open sockets cannot be looked up at the moment');
    }
  }

  #judge(follower: Follower, standing: Standing | undefined): void {
    const { clock } = this.#options;
    const left = (standing?.expiresAt ?? Number.POSITIVE_INFINITY) - clock.wallTime();
    if (standing === undefined || standing.role !== follower.identity.role || left <= 0) this.#tell(follower);
    // On the spot, not at the check after it. A session in use has got a later end by then.
    else if (left <= checkEveryMs && this.#isFollowing(follower))
      clock.after(left, () => {
        if (this.#isFollowing(follower)) void this.#check([follower]);
      });
  }

  #isFollowing(follower: Follower): boolean {
    return this.#bySession.get(follower.sessionId)?.has(follower) ?? false;
  }

  #tell(follower: Follower): void {
    if (!this.#isFollowing(follower)) return;
    this.#forget(follower);
    try {
      follower.onEnd();
    } catch (error) {
      this.#options.log.error({ err: error }, 'a socket could not be told that its sign-in has ended');
    }
  }

  #forget(follower: Follower): void {
    this.#unchecked.delete(follower);
    const others = this.#bySession.get(follower.sessionId);
    if (others?.delete(follower) && others.size === 0) this.#bySession.delete(follower.sessionId);
  }
}
