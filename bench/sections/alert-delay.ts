// From a face in front of the camera to the alert at the viewer, by the camera's clock.
// Counted from the sending of the first frame in which the whole face is inside the picture, while the person walks in.

import { forkSimulator } from '../../simulator/fork.ts';
import { type Scene, ScenePainter } from '../../simulator/scene.ts';
import { startService } from '../../test/support/service.ts';
import { epochNow, Viewer } from '../../test/support/viewer.ts';
import { type Figure, percentile } from '../figures.ts';
import { pause, save } from '../setting.ts';
import type { Section } from './section.ts';

const count = 5;
const fps = 15;
const size = { width: 640, height: 480 };
/** Everybody stays for some seconds, and is gone for longer than a visit needs to be over. */
const loopSeconds = 8;
/** After a first one that does not count: service and detector have just been started then. */
const loops = 5;
const section = 'alert-delay';

function sceneOf(camera: number): Scene {
  const visits = [{ person: camera, from: 0.5 + camera * 0.3, to: 4.5 + camera * 0.3, at: 0.5 }];
  return { label: `DOOR ${camera}`, mood: 'day', seconds: loopSeconds, visits };
}

/** The first frame of the clip that shows the whole face. */
async function firstWholeFace(scene: Scene): Promise<number> {
  const painter = await ScenePainter.prepare(scene, size.width, size.height);
  for (let index = 0; index < scene.seconds * fps; index++) {
    const face = painter.faceAt(scene.visits[0]!, index / fps);
    if (face && face.x >= 0 && face.x + face.width <= size.width) return index;
  }
  throw new Error('nobody comes in');
}

export const alertDelay: Section = {
  name: section,
  about: `face in front of the camera → alert at the viewer, ${count * loops} visits`,
  async run() {
    const scenes = Array.from({ length: count }, (_, camera) => sceneOf(camera));
    const firsts = await Promise.all(scenes.map(firstWholeFace));
    const path = (camera: number) => `/door${camera}`;
    await using simulator = await forkSimulator({
      cameras: scenes.map((scene, camera) => ({ path: path(camera), clip: { scene, gopSeconds: 2 } })),
    });
    const service = await startService({ env: { ALERT_COOLDOWN_SECONDS: '0' } });
    const viewers: Viewer[] = [];
    try {
      const measured: Promise<number>[] = [];
      let counts = false;
      for (const [camera, first] of firsts.entries()) {
        const { viewerUrl } = await save(service, path(camera), simulator.url(path(camera)), true);
        const delayOf = async (at: number) => {
          const sent = (await simulator.camera(path(camera)).sentTimes())[first]!;
          // Older than half a loop: that was the last visit, and the face of this one is not yet wholly inside.
          return at - sent > (loopSeconds * 1_000) / 2 ? 0 : at - sent;
        };
        viewers.push(
          new Viewer(viewerUrl, {
            onMessage: ({ type }) => {
              if (counts && type === 'face_alert') measured.push(delayOf(epochNow()));
            },
          }),
        );
      }
      await pause(loopSeconds * 1_000);
      counts = true;
      await pause(loops * loopSeconds * 1_000);
      return figures(await Promise.all(measured));
    } finally {
      await Promise.all(viewers.map((viewer) => viewer.close()));
      await service.stop();
    }
  },
};

function figures(delays: readonly number[]): Figure[] {
  const figure = (name: string, value: number, unit: string, target?: Figure['target']): Figure => ({
    section,
    name,
    value,
    unit,
    ...(target && { target }),
  });
  return [
    figure('alerts', delays.length, '', { atLeast: 20 }),
    figure('whole face sent → alert, p50', percentile(delays, 0.5), 'ms'),
    figure('whole face sent → alert, p95', percentile(delays, 0.95), 'ms', { atMost: 500 }),
    figure('whole face sent → alert, most', Math.max(...delays), 'ms'),
  ];
}
