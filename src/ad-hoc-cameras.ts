// Cameras that are watched without being saved: opened by their first viewer, closed a while after their last.
// Who may open one by role is decided in live/access.ts.

import type { Clock } from './base/clock.ts';
import type { CameraOptions } from './camera.ts';
import type { DirectoryCamera } from './directory-camera.ts';
import { AppError } from './errors.ts';
import { type CameraUrl, formatCameraUrl } from './media/camera-url.ts';

/** An ad-hoc stream ends this long after its last viewer. */
const lingerMs = 10_000;
const most = 32;
/** Of one user or API token. */
const mostEach = 8;

export interface AdHocCamerasOptions {
  readonly clock: Clock;
  readonly make: (options: CameraOptions) => DirectoryCamera;
  /** Whether there may be so many streams that are not saved. */
  readonly room: (open: number) => boolean;
}

interface Open {
  readonly camera: DirectoryCamera;
  readonly openedBy: string | null;
}

export class AdHocCameras {
  readonly #options: AdHocCamerasOptions;
  /** By address with its password: who does not know it must not join the stream of somebody who does. */
  readonly #open = new Map<string, Open>();
  #closing = false;

  constructor(options: AdHocCamerasOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  *all(): Generator<DirectoryCamera> {
    for (const { camera } of this.#open.values()) yield camera;
  }

  /** @throws AppError 429 over a limit, 503 while closing. */
  at(address: CameraUrl, openedBy: string | null): DirectoryCamera {
    const key = formatCameraUrl(address, 'keep');
    const known = this.#open.get(key);
    if (known) return known.camera;
    if (this.#closing) throw new AppError(503, 'server_leaving', 'The server is leaving; come back.');
    if (!this.#mayOpen(openedBy)) throw tooManyStreams();
    return this.#begin(key, address, openedBy);
  }

  /** What was asked for meanwhile would be connected to for good: nothing is opened any more. */
  async close(): Promise<void> {
    this.#closing = true;
    const cameras = [...this.all()];
    this.#open.clear();
    await Promise.all(cameras.map((camera) => camera.close(true)));
  }

  #mayOpen(openedBy: string | null): boolean {
    if (this.size >= most || !this.#options.room(this.size)) return false;
    if (openedBy === null) return true;
    let own = 0;
    for (const each of this.#open.values()) if (each.openedBy === openedBy) own++;
    return own < mostEach;
  }

  #begin(key: string, address: CameraUrl, openedBy: string | null): DirectoryCamera {
    let cancel: (() => void) | null = null;
    const end = () => {
      if (this.#open.get(key)?.camera !== camera) return;
      this.#open.delete(key);
      void camera.close(false);
    };
    const camera = this.#options.make({
      id: null,
      address,
      openedBy,
      onUnwatched: () => {
        cancel?.();
        cancel = this.#options.clock.after(lingerMs, () => {
          if (!camera.isWatched) end();
        });
      },
    });
    this.#open.set(key, { camera, openedBy });
    // It may turn out that other instances have as many as there may be.
    camera.stream.subscribe({ onEnd: end });
    camera.start();
    return camera;
  }
}

/** Over all instances. @param room how many streams there may be beside the saved ones. */
export function adHocLimits(room: number): { readonly all: number; readonly each: number } {
  return { all: Math.max(0, Math.min(most, room)), each: mostEach };
}

export function tooManyStreams(): AppError {
  const sentence = 'Too many streams are open; close one, or save this camera.';
  return new AppError(429, 'too_many_streams', sentence);
}
