import { expect, it } from 'vitest';
import { encodeFrames } from '../simulator/encode.ts';
import { startSimulator } from '../simulator/server.ts';
import { decodeJpeg, psnr, testCard } from '../src/codec/worker/test-clips.ts';
import type { VideoCodec } from '../src/media/access-unit.ts';
import { startService } from './support/service.ts';
import { Viewer } from './support/viewer.ts';

const codecs: readonly VideoCodec[] = ['h264', 'h265', 'mjpeg'];

it('a test card comes through camera, network, decoder and JPEG with its colours (PSNR ≥ 35 dB)', async () => {
  const card = testCard(640, 480);
  const cameras = await Promise.all(
    codecs.map(async (codec) => {
      const frames = Array.from({ length: 30 }, () => card.data);
      const clip = await encodeFrames(frames, {
        codec,
        width: 640,
        height: 480,
        fps: 15,
        gopSeconds: 1,
        quality: codec === 'mjpeg' ? 2 : 18,
      });
      return { path: `/${codec}`, clip };
    }),
  );
  await using simulator = await startSimulator({ cameras });
  const service = await startService();
  try {
    for (const codec of codecs) {
      const viewer = new Viewer(service.viewerUrl(simulator.url(`/${codec}`)));
      await viewer.more(10, 20_000);
      await viewer.close();
      expect(psnr(decodeJpeg(viewer.lastPicture!), card), codec).toBeGreaterThan(35);
    }
  } finally {
    await service.stop();
  }
}, 60_000);
