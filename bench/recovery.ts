// A camera killed and restarted again and again under a viewer: `node bin/launch.mjs bench/recovery.ts [--cycles 100]`.
// How fast the viewer is told, how fast pictures are back, and whether anything grows. Not part of `npm run bench`: minutes.

import { parseArgs } from 'node:util';
import { forkSimulator } from '../simulator/fork.ts';
import { processFigures } from '../test/support/process-figures.ts';
import { startService } from '../test/support/service.ts';
import { epochNow, Viewer } from '../test/support/viewer.ts';
import { percentile } from './figures.ts';
import { pause, save } from './setting.ts';

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '100' } } });
const cycles = Number(values.cycles);

const simulator = await forkSimulator({ cameras: [{ path: '/cam', clip: { gopSeconds: 1 } }] });
const service = await startService();
const told: number[] = [];
const back: number[] = [];
try {
  const { viewerUrl } = await save(service, 'killed', simulator.url('/cam'));
  const viewer = new Viewer(viewerUrl);
  await viewer.more(5, 30_000);
  const camera = simulator.camera('/cam');
  let before = processFigures(service.pid);
  const memory: number[] = [];
  for (let cycle = 0; cycle < cycles; cycle++) {
    // What compiles and fills up during the first cycles is no growth.
    if (cycle === Math.min(10, cycles - 1)) before = processFigures(service.pid);
    if (cycle % 25 === 0) memory.push(Math.round(processFigures(service.pid).rss / 1e6));
    const diedAt = epochNow();
    await camera.die(cycle % 2 === 0 ? 'reset' : 'fin');
    await viewer.until('told of the loss', () => viewer.status === 'reconnecting', 10_000);
    told.push(epochNow() - diedAt);
    // Dead for different times, so that the return meets every moment of the waiting between two attempts.
    await pause((cycle * 137) % 2_000);
    const pictures = viewer.pictures;
    const backAt = epochNow();
    await camera.comeBack();
    await viewer.until(
      'pictures again',
      () => viewer.pictures > pictures && viewer.status === 'online',
      20_000,
    );
    back.push(epochNow() - backAt);
  }
  const after = processFigures(service.pid);
  const { sessionsMax, sessions } = await camera.stats();
  console.log({
    cycles,
    toldMs: { p50: percentile(told, 0.5), worst: Math.max(...told) },
    picturesBackMs: { p50: percentile(back, 0.5), worst: Math.max(...back) },
    socketKept: viewer.closed === null,
    sessionsAtTheCamera: { now: sessions, most: sessionsMax },
    descriptors: { before: before.fds, after: after.fds },
    processes: { before: before.processes, after: after.processes },
    residentMBEach25Cycles: [...memory, Math.round(after.rss / 1e6)],
  });
  await viewer.close();
} finally {
  await service.stop();
  await simulator.close();
}
