import { expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import { emptyScene } from '../simulator/scene.ts';
import { startSimulator } from '../simulator/server.ts';
import { JpegReader } from './support/jpeg.ts';
import { startService } from './support/service.ts';
import { Viewer } from './support/viewer.ts';

it('pictures of an MJPEG camera that fit are passed on without decoding; larger ones are made to fit', async () => {
  const small = await sceneClip({ codec: 'mjpeg', scene: emptyScene(4) });
  const large = await sceneClip({ codec: 'mjpeg', width: 1280, height: 720, scene: emptyScene(4) });
  await using simulator = await startSimulator({
    cameras: [
      { path: '/small', clip: small },
      { path: '/large', clip: large },
    ],
  });
  const service = await startService();
  using reader = new JpegReader();
  try {
    const watch = async (path: string) => {
      const { id } = await service.api<{ id: string }>('POST', '/api/streams/', {
        name: path,
        rtsp_url: simulator.url(path),
        detection_enabled: false,
      });
      const viewer = new Viewer(`${service.baseUrl.replace('http', 'ws')}/ws/stream/?stream_id=${id}`);
      await viewer.more(10, 20_000);
      const stats = await service.api<{ decoders: number }>('GET', `/api/streams/${id}/stats/`);
      await viewer.close();
      return { viewer, decoders: stats.decoders };
    };
    const passed = await watch('/small');
    expect(passed.decoders).toBe(0);
    const counter = reader.counter(passed.viewer.lastPicture!);
    expect(counter).not.toBeNull();
    const fitted = await watch('/large');
    expect(fitted.decoders).toBe(1);
    expect(reader.luma(fitted.viewer.lastPicture!)).toMatchObject({ width: 640, height: 360 });
    expect(fitted.viewer.messages.find((message) => message.type === 'stream_info')).toMatchObject({
      width: 640,
      height: 360,
      source: { width: 1280, height: 720 },
    });
  } finally {
    await service.stop();
  }
}, 90_000);
