// `npm run demo`: two simulated cameras and the real server showing them, in a data folder of their own.
// The server is started as `serve` starts it; nothing of it is special for the demo.

import { join } from 'node:path';
import type { App } from '../src/app.ts';
import { serve } from '../src/main.ts';
import type { CameraSpec } from './control.ts';
import { type ForkedSimulator, forkSimulator } from './fork.ts';
import { demoScene } from './scene.ts';

const names = ['Entrance', 'Lobby'];
const rtspPort = 8554;

/** Runs until Ctrl-C. @returns the exit code. */
export async function demo(): Promise<number> {
  console.error('Drawing and encoding the simulated cameras (a few seconds the first time)…');
  const simulator = await startCameras();
  // Ctrl-C reaches the whole group of processes; the cameras end when the server is done with them.
  try {
    const dataDir = process.env.DATA_DIR ?? join(process.cwd(), 'data', 'demo');
    return await serve({ DATA_DIR: dataDir }, (app) => saveCameras(app, simulator));
  } finally {
    await simulator.close();
  }
}

/** On the usual port if it is free, so that the saved addresses stay the same from run to run. */
async function startCameras(): Promise<ForkedSimulator> {
  const cameras: CameraSpec[] = names.map((_, i) => ({
    path: `/cam${i + 1}`,
    clip: { scene: demoScene(i) },
  }));
  try {
    return await forkSimulator({ cameras, port: rtspPort });
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('EADDRINUSE'))) throw error;
    return await forkSimulator({ cameras, port: 0 });
  }
}

async function saveCameras({ streamService }: App, simulator: ForkedSimulator): Promise<void> {
  const saved = await streamService.list();
  for (const [i, name] of names.entries()) {
    const rtsp_url = simulator.url(`/cam${i + 1}`);
    const known = saved.find((stream) => stream.name === name);
    if (known) await streamService.update(known.id, { rtsp_url });
    else
      await streamService.create({
        name,
        rtsp_url,
        description: 'A simulated camera of the demo.',
        detection_enabled: true,
        confidence_threshold: 0.8,
        detection_url: null,
      });
  }
}
