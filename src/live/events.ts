// `/ws/events/`: every stream's status and alerts in one socket, for dashboards.
// Follows the cameras that are saved; what one viewer of one camera is told is in session.ts.

import type { LiveCamera } from '../stream/live-camera.ts';
import type { CameraDirectory } from './ports.ts';
import { type EventMessage, faceAlert, statusMessage } from './protocol.ts';

/** Follows all cameras once for all listeners, and only while there are any. */
export class EventFeed {
  readonly #cameras: CameraDirectory;
  readonly #listeners = new Map<(text: string) => void, boolean>();
  readonly #followed = new Map<LiveCamera, () => void>();
  #leaveDirectory: (() => void) | null = null;

  constructor(cameras: CameraDirectory) {
    this.#cameras = cameras;
  }

  /**
   * @param details whether cameras' own words may be told.
   * @param send gets JSON texts: the status of every stream at once, then what happens.
   * @returns ends it.
   */
  subscribe(details: boolean, send: (text: string) => void): () => void {
    this.#listeners.set(send, details);
    this.#leaveDirectory ??= this.#cameras.onSaved((camera) => this.#follow(camera));
    for (const camera of this.#followed.keys()) send(JSON.stringify(statusEvent(camera, details)));
    return () => {
      this.#listeners.delete(send);
      if (this.#listeners.size > 0) return;
      this.#leaveDirectory?.();
      this.#leaveDirectory = null;
      for (const leave of this.#followed.values()) leave();
      this.#followed.clear();
    };
  }

  #follow(camera: LiveCamera): void {
    const tellStatus = () => this.#send((details) => statusEvent(camera, details));
    const leaveStream = camera.stream.subscribe({
      onStatus: tellStatus,
      onEnd: () => this.#unfollow(camera),
    });
    const leaveFaces = camera.faces.subscribe({
      onAlert: (alert) => this.#send(() => faceAlert(alert)),
      onDetector: tellStatus,
    });
    this.#followed.set(camera, () => {
      leaveStream();
      leaveFaces();
    });
    // A camera that was saved while somebody listens.
    if (this.#leaveDirectory) tellStatus();
  }

  #unfollow(camera: LiveCamera): void {
    this.#followed.get(camera)?.();
    this.#followed.delete(camera);
  }

  #send(message: (details: boolean) => EventMessage): void {
    const full = JSON.stringify(message(true));
    const plain = JSON.stringify(message(false));
    for (const [send, details] of this.#listeners) send(details ? full : plain);
  }
}

function statusEvent(camera: LiveCamera, details: boolean): EventMessage {
  return { ...statusMessage(camera, details), stream_id: camera.id ?? '' };
}
