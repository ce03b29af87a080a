// What the WebSocket side needs from the rest of the service; app joins it to the real parts.
// Types only.

import type { CameraUrl } from '../media/camera-url.ts';
import type { LiveCamera } from '../stream/live-camera.ts';

export interface CameraDirectory {
  /** A saved stream, or null. */
  byId(id: string): LiveCamera | null;
  /**
   * The saved stream with this address (its password does not count), or an ad-hoc stream, started now if need be.
   * @param openedBy whom an ad-hoc stream counts for; null for nobody in particular.
   * @throws AppError 429 when no further stream may be opened, by anybody or by this one.
   */
  byAddress(address: CameraUrl, openedBy: string | null): LiveCamera;
  /** Whether a saved stream has this address (its password does not count). */
  saved(address: CameraUrl): boolean;
  /** Calls `onCamera` with each saved stream now and with each one saved from now on. @returns ends it. */
  onSaved(onCamera: (camera: LiveCamera) => void): () => void;
}
