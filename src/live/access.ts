// Which cameras somebody may watch by role: saved ones all, others from operator on; and who has opened what.
// Decides and finds; identities come from sign-in, cameras from the directory.

import type { Broadcast } from '../base/broadcast.ts';
import type { Clock } from '../base/clock.ts';
import { type Identity, mayAct } from '../base/identity.ts';
import { AppError } from '../errors.ts';
import { type CameraUrl, parseCameraUrl } from '../media/camera-url.ts';
import type { LiveCamera } from '../stream/live-camera.ts';
import type { CameraDirectory } from './ports.ts';

/** Told of an ad-hoc stream, once for each one that this identity watches. */
export type OnAdHoc = (identity: Identity, address: CameraUrl) => void;

/** Of all viewers together: who has watched which ad-hoc stream. */
export class AdHocWatchers {
  readonly #known = new WeakMap<LiveCamera, Set<string>>();

  /** @returns whether this is the first time for this account at this camera. */
  add(camera: LiveCamera, account: string): boolean {
    const accounts = this.#known.get(camera) ?? new Set();
    this.#known.set(camera, accounts);
    if (accounts.has(account)) return false;
    accounts.add(account);
    return true;
  }
}

/** An account that has been refused so many addresses may try no more of them for a while. */
export const refusalsAllowed = 30;
const refusalsMs = 15 * 60_000;

/** To the other instances: `{ account }`, which was refused an address. */
const refusedTopic = 'live.address-refused';

/**
 * Who may watch an address. Of all viewers together: an answer tells whether a camera with this address is saved.
 * Instances tell each other of refusals: what is lost on the way is one more attempt, and nobody waits for an answer.
 */
export class AddressGate {
  readonly #cameras: Pick<CameraDirectory, 'saved'>;
  readonly #clock: Clock;
  readonly #others: Broadcast | null;
  readonly #leaveOthers: () => void;
  readonly #refused = new Map<string, { readonly count: number; readonly until: number }>();

  /** @param others the other instances; null: there are none. */
  constructor(cameras: Pick<CameraDirectory, 'saved'>, clock: Clock, others: Broadcast | null = null) {
    this.#cameras = cameras;
    this.#clock = clock;
    this.#others = others;
    this.#leaveOthers =
      others?.subscribe(refusedTopic, (message) => {
        const { account } = (message ?? {}) as { account?: unknown };
        if (typeof account === 'string') this.#count(account);
      }) ?? (() => {});
  }

  /**
   * @throws AppError 403 `forbidden` for an address of no saved stream, when the role may open no other; 429
   *   `too_many_attempts` for any address, after many of these.
   */
  admit(identity: Identity, address: CameraUrl): void {
    if (mayAct(identity.role, 'operator')) return;
    const account = accountOf(identity) ?? '';
    const { count, until } = this.#refusals(account);
    if (count >= refusalsAllowed) throw tooManyAddresses(until - this.#clock.now());
    if (this.#cameras.saved(address)) return;
    this.#count(account);
    this.#others?.publish(refusedTopic, { account });
    throw new AppError(
      403,
      'forbidden',
      'You may watch saved cameras only; ask an operator to save this one.',
    );
  }

  /** Others are not listened to any more. */
  close(): void {
    this.#leaveOthers();
  }

  #refusals(account: string): { readonly count: number; readonly until: number } {
    const now = this.#clock.now();
    const known = this.#refused.get(account);
    return known && known.until > now ? known : { count: 0, until: now + refusalsMs };
  }

  #count(account: string): void {
    const { count, until } = this.#refusals(account);
    this.#refused.set(account, { count: count + 1, until });
  }
}

function tooManyAddresses(ms: number): AppError {
  const retryAfter = Math.ceil(ms / 1000);
  const sentence = `Too many addresses that you may not watch: try again in ${retryAfter} seconds.`;
  return new AppError(429, 'too_many_attempts', sentence, { retryAfter });
}

export interface AccessOptions {
  readonly cameras: Pick<CameraDirectory, 'byId' | 'byAddress'>;
  readonly gate: AddressGate;
  readonly identity: Identity;
  readonly watchers: AdHocWatchers;
  readonly onAdHoc: OnAdHoc;
}

/** What one signed-in person or program may watch. */
export class Access {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Whether a camera's own words may be told, which may repeat its address: not to a viewer (role). */
  get seesAddresses(): boolean {
    return maySeeAddresses(this.#options.identity);
  }

  /** @throws AppError 404 for an unknown id. */
  byId(id: string): LiveCamera {
    const camera = this.#options.cameras.byId(id);
    if (!camera) throw new AppError(404, 'stream_not_found', 'There is no stream with this id.');
    return camera;
  }

  /**
   * The saved stream with this address, or an ad-hoc one.
   * @throws AppError 400 for what is no address, 403 `forbidden` when the role may open none, 429 over a limit.
   */
  byAddress(text: string): LiveCamera {
    const { cameras, identity, gate, watchers, onAdHoc } = this.#options;
    const address = parseCameraUrl(text);
    gate.admit(identity, address);
    const account = accountOf(identity);
    const camera = cameras.byAddress(address, account);
    if (camera.id === null && watchers.add(camera, account ?? '')) onAdHoc(identity, address);
    return camera;
  }
}

export function maySeeAddresses({ role }: Identity): boolean {
  return mayAct(role, 'operator');
}

/** One for all sign-ins of a user, one for each API token; null for everybody, with sign-in switched off. */
function accountOf({ kind, userId, sessionId }: Identity): string | null {
  if (kind === 'none') return null;
  return userId === null ? `token ${sessionId}` : `user ${userId}`;
}
