// A camera as the directory keeps it: run by this process, or shown by it while another instance runs it.
// Types only; camera.ts runs one, shared-camera.ts shows either.

import type { LiveStats } from './http/ports.ts';
import type { DetectionFigures, OutsideDetection } from './http/record-ports.ts';
import type { CameraUrl } from './media/camera-url.ts';
import type { LiveCamera } from './stream/live-camera.ts';

export interface DetectionChoice {
  readonly enabled: boolean;
  /** The camera's sub-stream; null: the stream itself. */
  readonly address: CameraUrl | null;
  readonly confidenceThreshold: number;
}

/** Counters and momentary figures of a camera, as they stand when they are read. */
export interface CameraReading {
  /** False for a stopped camera: it has no rate, which is another thing than a rate of 0. */
  readonly wanted: boolean;
  readonly units: number;
  readonly bytes: number;
  readonly lostPackets: number;
  readonly pictures: number;
  /** ms; of the pictures made lately. */
  readonly latency: number;
  readonly framesAnalysed: number;
  /** ms */
  readonly detectionTime: number;
  readonly viewers: number;
  /** Cores. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
}

export interface DirectoryCamera extends LiveCamera {
  readonly address: CameraUrl;
  /** A stream of it waits for a person: a wrong password, no such path. */
  readonly inError: boolean;
  /** By viewers here, and while it is run here by those of other instances as well. */
  readonly isWatched: boolean;
  /** Wall time of the last time it came online; null: not since the service started. */
  readonly lastConnected: number | null;
  readonly stats: LiveStats;
  readonly reading: CameraReading;
  /** What this process has detected at it. */
  readonly detected: DetectionFigures;
  /** Connects, also out of `error`: somebody asked for it. */
  start(): void;
  stop(): Promise<void>;
  /** The same address changes nothing; another one is tried at once. */
  setAddress(address: CameraUrl): void;
  /** Takes effect at once, without touching the stream that people watch. */
  setDetection(detection: DetectionChoice): void;
  /** Of a saved stream: a detection made outside. @returns its id, once it is stored. */
  report(detection: OutsideDetection): Promise<string>;
  /** Access units come to its stream at least until this is ended. @returns ends it; idempotent. */
  wantUnits(): () => void;
  /** @param keep whether what was seen and is not yet stored shall be; not so for a deleted stream. */
  close(keep: boolean): Promise<void>;
}
