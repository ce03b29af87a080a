// A camera as people saved it: what it is called, where it is, and whether it is wanted.
// The words only; the database keeps it, the REST routes change it, the live side acts on it.

import type { CameraUrl } from './camera-url.ts';

/** What people choose of a saved stream. */
export interface StreamChoice {
  readonly name: string;
  readonly description: string;
  /** With its secrets: never to be logged or shown as it is. */
  readonly address: CameraUrl;
  /** The camera's small sub-stream, for the detector; null means the main one. */
  readonly detectionAddress: CameraUrl | null;
  readonly detectionEnabled: boolean;
  /** 0–1: faces below it are not reported. */
  readonly confidenceThreshold: number;
  /** `running`: the camera is held connected; `stopped`: it is left alone. */
  readonly wanted: 'running' | 'stopped';
}

export interface SavedStream extends StreamChoice {
  /** Opaque. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** When the camera last gave a picture, ms since 1970; null for never. */
  readonly lastConnected: number | null;
  /**
   * Why this camera must not be contacted, as a sentence: its stored password can no longer be read. Shown as status
   * `error`. The addresses are then without their passwords, and masked where they hold other secrets.
   */
  readonly problem: string | null;
}
