// What an instance tells the others of a camera that it runs, beside what the relay itself knows: figures.
// A neighbouring version may tell less or more: what is missing counts as nothing.

import type { Camera } from './camera.ts';
import type { CameraReading } from './directory-camera.ts';
import type { LiveStats } from './http/ports.ts';

export interface Told {
  readonly stats: LiveStats;
  readonly reading: CameraReading;
  readonly lastConnected: number | null;
}

const noStats: LiveStats = {
  current_fps: 0,
  avg_processing_time: 0,
  avg_detection_time: 0,
  total_frames: 0,
  total_detections: 0,
  detection: { frames_analysed: 0, frames_skipped: 0, backlog: 0, faces: 0, tracks: 0, alerts: 0 },
  uptime: 0,
  latency_ms: 0,
  dropped_frames: 0,
  bitrate_kbps: 0,
  packets: 0,
  lost_packets: 0,
  reconnects: 0,
  transport: null,
  decoders: 0,
  pictures: 0,
  audio: { listeners: 0, transcoders: 0, units: 0, dropped: 0 },
};

const noReading: CameraReading = {
  wanted: false,
  units: 0,
  bytes: 0,
  lostPackets: 0,
  pictures: 0,
  latency: 0,
  framesAnalysed: 0,
  detectionTime: 0,
  viewers: 0,
  cpu: 0,
  memory: 0,
};

export function toldOf({ stats, reading, lastConnected }: Camera): Told {
  return { stats, reading, lastConnected };
}

/** @param told as it came from another instance; null: nothing did. */
export function readTold(told: unknown): Told {
  const { stats, reading, lastConnected } = (told ?? {}) as Partial<Told>;
  return {
    stats: {
      ...noStats,
      ...stats,
      detection: { ...noStats.detection, ...stats?.detection },
      audio: { ...noStats.audio, ...stats?.audio },
    },
    reading: { ...noReading, ...reading },
    lastConnected: lastConnected ?? null,
  };
}
