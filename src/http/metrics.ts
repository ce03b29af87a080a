// /metrics in the Prometheus text format: the process, the requests, and each camera as it is at the moment of asking.
// Counting is done by the parts themselves; here it is only written out.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client';
import { z } from 'zod';
import { clusterMetrics, heldMetrics } from './cluster-metrics.ts';
import { detectionMetrics } from './detection-metrics.ts';
import type { ClusterFigures, HeldCameras } from './metrics-ports.ts';
import type { StreamService, StreamStats, StreamView } from './ports.ts';
import type { DetectionFigures } from './record-ports.ts';

export interface MetricsOptions {
  readonly streams: StreamService;
  /** The service's own registry; other parts may have put their metrics into it. */
  readonly registry: Registry;
  readonly detectionFigures: () => DetectionFigures;
  readonly heldCameras?: HeldCameras | undefined;
  /** One of several instances. */
  readonly cluster?: (() => ClusterFigures) | undefined;
}

interface StreamMetric {
  readonly name: string;
  readonly help: string;
  readonly read: (stats: StreamStats) => number;
}

const streamMetrics: readonly StreamMetric[] = [
  { name: 'viewers', help: 'Viewers of the camera', read: (s) => s.viewers },
  { name: 'fps', help: 'Frames a second', read: (s) => s.current_fps },
  { name: 'bitrate_bits_per_second', help: 'Received from the camera', read: (s) => s.bitrate_kbps * 1000 },
  {
    name: 'latency_seconds',
    help: 'From the last packet of a frame to its picture',
    read: (s) => s.latency_ms / 1000,
  },
  {
    name: 'processing_seconds',
    help: 'Decoding and encoding one picture',
    read: (s) => s.avg_processing_time / 1000,
  },
  {
    name: 'detection_seconds',
    help: 'Looking for faces in one frame',
    read: (s) => s.avg_detection_time / 1000,
  },
  { name: 'uptime_seconds', help: 'Since the camera came online', read: (s) => s.uptime },
  { name: 'frames', help: 'Frames received since the service started', read: (s) => s.total_frames },
  { name: 'detections', help: 'Detections since the service started', read: (s) => s.total_detections },
  {
    name: 'dropped_frames',
    help: 'Frames not shown since the service started',
    read: (s) => s.dropped_frames,
  },
  { name: 'packets', help: 'RTP packets received since the service started', read: (s) => s.packets },
  { name: 'lost_packets', help: 'RTP packets lost since the service started', read: (s) => s.lost_packets },
  { name: 'reconnects', help: 'Connections made anew since the service started', read: (s) => s.reconnects },
  { name: 'decoders', help: 'Decoders running for the camera', read: (s) => s.decoders },
  { name: 'pictures', help: 'Pictures made since the service started', read: (s) => s.pictures },
];

const statuses: readonly StreamView['status'][] = [
  'offline',
  'connecting',
  'online',
  'reconnecting',
  'error',
];

/** Fills the gauges of the cameras held here; those of deleted cameras, and of cameras that moved, disappear. */
function streamGauges(
  registry: Registry,
  streams: StreamService,
  heldHere: (streamId: string) => boolean,
): () => Promise<void> {
  const labelNames = ['stream_id', 'name'] as const;
  const registers = [registry];
  const byStatus = new Gauge({
    name: 'rtsp_viewer_streams',
    help: 'Saved streams by status, of the whole service: the same on each instance',
    labelNames: ['status'],
    registers,
  });
  const gauges = streamMetrics.map(({ name, help, read }) => ({
    gauge: new Gauge({ name: `rtsp_viewer_stream_${name}`, help, labelNames, registers }),
    read,
  }));
  return async () => {
    const all = await streams.allStats();
    for (const status of statuses)
      byStatus.set({ status }, all.filter((stats) => stats.status === status).length);
    const held = all.filter(({ stream_id }) => heldHere(stream_id));
    for (const { gauge, read } of gauges) {
      gauge.reset();
      for (const stats of held) gauge.set({ stream_id: stats.stream_id, name: stats.name }, read(stats));
    }
  };
}

export const metricsRoutes: FastifyPluginAsyncZod<MetricsOptions> = async (
  app,
  { streams, registry, detectionFigures, heldCameras, cluster },
) => {
  collectDefaultMetrics({ register: registry });
  detectionMetrics(registry, detectionFigures);
  if (heldCameras) heldMetrics(registry, heldCameras);
  if (cluster) clusterMetrics(registry, cluster);
  // A stopped camera is held by nobody; alone, an instance tells of it all the same.
  const fill = streamGauges(registry, streams, (id) => !cluster || (heldCameras?.heldHere(id) ?? true));

  app.get(
    '/metrics',
    {
      config: { access: 'viewer' },
      exposeHeadRoute: false,
      schema: {
        tags: ['operation'],
        summary: 'Figures for Prometheus',
        response: {
          200: { description: 'Prometheus text.', content: { 'text/plain': { schema: z.string() } } },
        },
      },
    },
    async (_request, reply) => {
      await fill();
      const text = await registry.metrics();
      return reply.type(registry.contentType).serializer(String).send(text);
    },
  );
};

/** A histogram of answered requests, by route and not by path, so that their number stays small. */
export function requestHistogram(registry: Registry): Histogram<'method' | 'route' | 'status'> {
  return new Histogram({
    name: 'rtsp_viewer_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
}
