// The figures of face detection for /metrics, over all cameras.
// Counting is done by the parts themselves; here it is only written out.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { DetectionFigures } from './record-ports.ts';

interface DetectionMetric {
  readonly name: string;
  readonly help: string;
  readonly read: (figures: DetectionFigures) => number;
}

const counters: readonly DetectionMetric[] = [
  { name: 'frames_analysed', help: 'Frames in which faces were looked for', read: (f) => f.framesAnalysed },
  {
    name: 'frames_skipped',
    help: 'Frames that were due while the detector was busy',
    read: (f) => f.framesSkipped,
  },
  { name: 'analysis_seconds', help: 'Time spent on analysing frames', read: (f) => f.analysisMs / 1000 },
  { name: 'faces', help: 'Faces found, over all frames', read: (f) => f.faces },
  { name: 'tracks', help: 'People followed through the frames', read: (f) => f.tracks },
  { name: 'stored', help: 'Detections stored', read: (f) => f.detections },
  { name: 'alerts', help: 'Alerts stored', read: (f) => f.alerts },
  { name: 'lost_images', help: 'Images that could not be made or stored', read: (f) => f.lostImages },
  { name: 'lost_visits', help: 'Detections that could not be stored', read: (f) => f.lostVisits },
];

/** Puts them into the registry; they are read at each request for them. */
export function detectionMetrics(registry: Registry, figures: () => DetectionFigures): void {
  const registers = [registry];
  for (const { name, help, read } of counters)
    new Counter({
      name: `rtsp_viewer_detection_${name}_total`,
      help: `${help}, since the service started`,
      registers,
      collect() {
        this.reset();
        this.inc(read(figures()));
      },
    });
  new Gauge({
    name: 'rtsp_viewer_detection_waiting',
    help: 'Changes of detections and alerts that are not stored yet',
    registers,
    collect() {
      this.set(figures().waiting);
    },
  });
}
