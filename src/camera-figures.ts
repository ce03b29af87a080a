// A camera's figures as the outside is told them, and those of several cameras together.
// Reading and adding only; the parts count by themselves.

import type { Camera } from './camera.ts';
import type { CameraReading } from './directory-camera.ts';
import type { LiveStats } from './http/ports.ts';
import type { DetectionFigures } from './http/record-ports.ts';

/** Before anything was analysed. */
export const nothingDetected: DetectionFigures = {
  framesAnalysed: 0,
  framesSkipped: 0,
  analysisMs: 0,
  faces: 0,
  tracks: 0,
  detections: 0,
  alerts: 0,
  lostImages: 0,
  lostVisits: 0,
  waiting: 0,
};

/** Of one camera, an ad-hoc one included. */
export function detectionFiguresOf({ detections }: Camera): DetectionFigures {
  if (!detections) return nothingDetected;
  const { frames, skipped, backlog: _, ...figures } = detections.figures;
  return { ...figures, framesAnalysed: frames, framesSkipped: skipped };
}

export function sumOfDetections(all: readonly DetectionFigures[]): DetectionFigures {
  const total = { ...nothingDetected };
  for (const name of Object.keys(total) as (keyof DetectionFigures)[])
    for (const figures of all) total[name] += figures[name];
  return total;
}

/** @param now ms, monotonic. */
export function statsOf(camera: Camera, now: number): LiveStats {
  const { stream, figures } = camera;
  const pictures = camera.pictures.figures;
  const source = camera.source.figures;
  const { listeners, transcoding, units, dropped } = camera.audio.figures;
  return {
    current_fps: round(stream.unitsPerSecond(now)),
    avg_processing_time: round(pictures.processingTime),
    avg_detection_time: round(figures.detectionTime),
    total_frames: stream.totals.units,
    total_detections: figures.detections,
    detection: figures.detection,
    uptime: round(figures.uptime),
    latency_ms: round(pictures.latency),
    dropped_frames: pictures.dropped,
    bitrate_kbps: round((stream.bytesPerSecond(now) * 8) / 1000),
    packets: source.packets,
    lost_packets: source.lostPackets,
    reconnects: Math.max(0, source.connects - 1),
    transport: source.transport,
    decoders: pictures.decoders,
    pictures: pictures.pictures,
    audio: { listeners, transcoders: transcoding ? 1 : 0, units, dropped },
  };
}

/** Nothing is computed that the parts have not counted already. */
export function readingOf(camera: Camera): CameraReading {
  const { stream, viewers, usage } = camera;
  const { units, bytes } = stream.totals;
  const { pictures, latency } = camera.pictures.figures;
  const detection = camera.detections?.figures;
  return {
    wanted: stream.status !== 'offline',
    units,
    bytes,
    lostPackets: camera.source.figures.lostPackets,
    pictures,
    latency,
    framesAnalysed: detection?.frames ?? 0,
    detectionTime: detection?.detectionTime ?? 0,
    viewers,
    cpu: usage.cpu,
    memory: usage.memory,
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
