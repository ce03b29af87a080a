// The cameras that this instance runs, and its neighbours, for /metrics; the metrics that decide how many instances are needed.
// Counting is done by the parts themselves; here it is only written out.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { ClusterFigures, HeldCameras } from './metrics-ports.ts';

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name: `rtsp_viewer_${name}`,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/** Puts them into the registry; they are read at each request for them. */
export function heldMetrics(registry: Registry, cameras: HeldCameras): void {
  gauge(registry, 'cameras_held', 'Cameras that this instance runs', () => cameras.held);
  new Counter({
    name: 'rtsp_viewer_camera_seconds_total',
    help: 'Seconds for which this instance ran cameras, over all of them: its rate is how many it runs',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(cameras.seconds);
    },
  });
}

/** For one of several instances only. */
export function clusterMetrics(registry: Registry, figures: () => ClusterFigures): void {
  gauge(registry, 'instance_capacity', 'Cameras that this instance runs at most', () => figures().capacity);
  gauge(registry, 'instances', 'Instances that are there; the same on each', () => figures().instances);
  gauge(
    registry,
    'cameras_waiting',
    'Cameras that no instance has taken yet; the same on each',
    () => figures().waiting,
  );
  new Counter({
    name: 'rtsp_viewer_relay_bytes_total',
    help: 'Bytes of video, sound and whatever else goes between instances',
    labelNames: ['direction'],
    registers: [registry],
    collect() {
      const { sent, received } = figures().relay.bytes;
      this.reset();
      this.inc({ direction: 'sent' }, sent);
      this.inc({ direction: 'received' }, received);
    },
  });
  new Counter({
    name: 'rtsp_viewer_relay_dropped_total',
    help: 'Messages to other instances left out',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(figures().relay.dropped);
    },
  });
}
