// The whole service with cameras that are not ours: GStreamer's RTSP server, H.264 and H.265, over TCP and over UDP.
// Its own faults are played elsewhere by the simulated camera; here everything must simply work.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipsWithout } from '../support/components.ts';
import { type GstCamera, type GstServer, startGstServer } from '../support/gst-rtsp-server.ts';
import { JpegReader } from '../support/jpeg.ts';
import { type Service, startService } from '../support/service.ts';
import { Viewer } from '../support/viewer.ts';

const cameras: readonly GstCamera[] = (['h264', 'h265'] as const).flatMap((codec) =>
  (['tcp', 'udp'] as const).map((transport) => ({
    path: `/${codec}-${transport}`,
    codec,
    transport,
    width: 480,
    height: 360,
    // The loop's end must come within a test: pictures have to go on across it.
    keyframeEvery: 15,
  })),
);

interface Stats {
  readonly reconnects: number;
  readonly transport: string | null;
  readonly lost_packets: number;
}

describe.skipIf(skipsWithout('gst-rtsp-server'))('GStreamer’s RTSP server', () => {
  let server: GstServer;
  let service: Service;

  beforeAll(async () => {
    server = await startGstServer({ cameras, user: 'watcher', password: 'p@ss:wörd/?' });
    service = await startService();
  });

  afterAll(async () => {
    await service?.stop();
    await server?.stop();
  });

  test.for(cameras)(
    '$codec over $transport, signed in by digest, is shown without a reconnect',
    async ({ path, transport }) => {
      const { id } = await service.api<{ id: string }>('POST', '/api/streams/', {
        name: path,
        rtsp_url: server.url(path),
      });
      const viewer = new Viewer(`${service.baseUrl.replace(/^http/, 'ws')}/ws/stream/?stream_id=${id}`);
      try {
        await viewer.until('seeing a picture', ({ pictures }) => pictures > 0, 20_000);
        await viewer.more(60, 20_000);
        expect(viewer.status, viewer.story()).toBe('online');
        expect(viewer.interruptions, viewer.story()).toBe(0);
        const stats = await service.api<Stats>('GET', `/api/streams/${id}/stats/`);
        expect(stats).toMatchObject({ reconnects: 0, transport });
        using reader = new JpegReader();
        const { width, height, data } = reader.luma(viewer.lastPicture!);
        expect([width, height]).toEqual([480, 360]);
        // The test picture is a white ball on black: a decoder that only conceals would show grey.
        expect(data.some((value) => value > 200)).toBe(true);
        expect(data.filter((value) => value < 40).length / data.length).toBeGreaterThan(0.8);
      } finally {
        await viewer.close();
        await service.api('DELETE', `/api/streams/${id}/`);
      }
    },
  );
});
