// The right to run one camera that is not saved: asked for while it is wanted here, followed while another instance has it.
// Leases are cluster/ad-hoc.ts's; what the camera does with its right is shared-camera.ts's.

import { tooManyStreams } from './ad-hoc-cameras.ts';
import type { Log } from './base/log.ts';
import type { AdHocLeases, AdHocLimits } from './cluster/ad-hoc.ts';
import type { AdHocLease } from './cluster/ad-hoc-lease.ts';
import type { SharedCamera } from './shared-camera.ts';

export interface AdHocHoldingOptions {
  readonly leases: AdHocLeases;
  /** Of the stream, between instances. */
  readonly id: string;
  readonly openedBy: string | null;
  readonly limits: () => AdHocLimits;
  readonly log: Log;
  /** Settles when the camera of the same address that was here before is gone, and its right with it. Never rejects. */
  readonly after: Promise<void>;
  /** Lets the camera run here. */
  readonly hold: (camera: SharedCamera, lease: AdHocLease) => void;
}

export class AdHocHolding {
  readonly #options: AdHocHoldingOptions;
  #camera: SharedCamera | null = null;
  #lease: AdHocLease | null = null;
  #wanted = false;
  #leave: (() => void) | null = null;
  /** One step after the other. */
  #turn: Promise<void>;

  constructor(options: AdHocHoldingOptions) {
    this.#options = options;
    this.#turn = options.after;
  }

  /** To be called once, before anything else. */
  of(camera: SharedCamera): void {
    this.#camera = camera;
  }

  want(wanted: boolean): void {
    this.#wanted = wanted;
    this.#listen(wanted);
    this.#settle();
  }

  /** Resolves when all that was begun is done: to be asked when nothing is wanted any more. */
  get settled(): Promise<void> {
    return this.#turn;
  }

  #listen(wanted: boolean): void {
    const { leases, id } = this.#options;
    if (wanted && this.#leave === null) {
      const leave = [leases.onLost(id, () => this.#lost()), leases.onFree(id, () => this.#settle())];
      this.#leave = () => {
        for (const each of leave) each();
      };
    } else if (!wanted) {
      this.#leave?.();
      this.#leave = null;
    }
  }

  #settle(): void {
    const step = async () => {
      if (this.#wanted && this.#lease === null) await this.#acquire();
      if (!this.#wanted) await this.#giveBack();
    };
    this.#turn = this.#turn
      .then(step)
      .catch((error) => this.#options.log.error({ err: error }, 'the right to run a stream is not clear'));
  }

  async #acquire(): Promise<void> {
    const { leases, id, openedBy, limits, hold } = this.#options;
    const acquired = await leases.acquire(id, openedBy, limits());
    const camera = this.#camera;
    if (acquired.kind === 'held') {
      this.#lease = acquired.lease;
      if (camera && this.#wanted) hold(camera, acquired.lease);
    } else if (acquired.kind === 'too_many' && this.#wanted) camera?.stream.end(tooManyStreams());
  }

  async #giveBack(): Promise<void> {
    const lease = this.#lease;
    this.#lease = null;
    await lease?.release();
  }

  #lost(): void {
    this.#lease = null;
    this.#camera
      ?.release(false)
      .catch((error) => this.#options.log.error({ err: error }, 'a camera could not be let go in order'));
  }
}
