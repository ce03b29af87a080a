// `npm run demo`: two simulated cameras and the real server showing them, in a data folder of their own.
// The server is started as `serve` starts it; only its first user is made here, so that there is nothing to set up.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { serve } from '../src/main.ts';
import type { CameraSpec } from './control.ts';
import { type ForkedSimulator, forkSimulator } from './fork.ts';
import { demoScene } from './scene.ts';

const names = ['Entrance', 'Lobby'];
const rtspPort = 8554;
const username = 'demo';

/** Runs until Ctrl-C. @returns the exit code. */
export async function demo(): Promise<number> {
  console.error('Drawing and encoding the simulated cameras (a few seconds the first time)…');
  const simulator = await startCameras();
  // Ctrl-C reaches the whole group of processes; the cameras end when the server is done with them.
  try {
    const dataDir = process.env.DATA_DIR ?? join(process.cwd(), 'data', 'demo');
    const password = demoPassword(dataDir);
    const settings = { DATA_DIR: dataDir, ADMIN_USERNAME: username, ADMIN_PASSWORD: password };
    return await serve(settings, async (app) => {
      await saveCameras(app, simulator);
      if (loadConfig(process.env).auth === 'required') tellSignIn(app.address, password);
    });
  } finally {
    await simulator.close();
  }
}

/** Of this data folder: the same at the next start, and known to nobody who cannot read the folder. */
function demoPassword(dataDir: string): string {
  const path = join(dataDir, 'demo-password');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const password = randomBytes(12).toString('base64url');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(path, `${password}\n`, { mode: 0o600 });
  return password;
}

function tellSignIn(address: string, password: string): void {
  console.error(`  Open       ${address}\n  User name  ${username}\n  Password   ${password}\n`);
}

/** On the usual port if it is free, so that the saved addresses stay the same from run to run. */
async function startCameras(): Promise<ForkedSimulator> {
  const cameras: CameraSpec[] = names.map((_, i) => ({
    path: `/cam${i + 1}`,
    clip: { scene: demoScene(i) },
    audio: { codec: 'aac', sound: 'speech' },
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
