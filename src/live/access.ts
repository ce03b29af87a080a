// Which cameras somebody may watch by role: saved ones all, others from operator on; and who has opened what.
// Decides and finds; identities come from sign-in, cameras from the directory.

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

export interface AccessOptions {
  readonly cameras: Pick<CameraDirectory, 'byId' | 'byAddress' | 'saved'>;
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
    const { cameras, identity, watchers, onAdHoc } = this.#options;
    const address = parseCameraUrl(text);
    requireMayWatch(cameras, identity, address);
    const account = accountOf(identity);
    const camera = cameras.byAddress(address, account);
    if (camera.id === null && watchers.add(camera, account ?? '')) onAdHoc(identity, address);
    return camera;
  }
}

export function maySeeAddresses({ role }: Identity): boolean {
  return mayAct(role, 'operator');
}

/** @throws AppError 403 `forbidden` for an address of no saved stream, when the role may open no other. */
export function requireMayWatch(
  cameras: Pick<CameraDirectory, 'saved'>,
  { role }: Identity,
  address: CameraUrl,
): void {
  if (mayAct(role, 'operator') || cameras.saved(address)) return;
  throw new AppError(403, 'forbidden', 'You may watch saved cameras only; ask an operator to save this one.');
}

/** One for all sign-ins of a user, one for each API token; null for everybody, with sign-in switched off. */
function accountOf({ kind, userId, sessionId }: Identity): string | null {
  if (kind === 'none') return null;
  return userId === null ? `token ${sessionId}` : `user ${userId}`;
}
