// One instance asks another to let go of a camera that it has claimed, and waits for it: never two connections to a camera.
// Only for an instance that lives but has lost the job; a handover in order needs no question.

import type { Clock } from '../base/clock.ts';
import { pause } from './elapsed.ts';
import type { HeldCameras } from './held-cameras.ts';
import type { Peers } from './peers.ts';
import type { Bus } from './ports.ts';

const patienceMs = 1000;
const lookEveryMs = 200;
const noBytes = new Uint8Array(0);

/**
 * @param fence the new one.
 * @returns when `instance` has let the camera go, is gone itself, or has not answered for a second. Never rejects.
 */
export async function askToLetGo(
  { bus, peers, clock }: { readonly bus: Bus; readonly peers: Peers; readonly clock: Clock },
  instance: string,
  streamId: string,
  fence: number,
): Promise<void> {
  // Of instances as they are now: one whose locks have lapsed because it is dead is not there any more.
  const look = () => peers.look().catch(() => undefined);
  await look();
  if (!peers.isLive(instance)) return;
  let over = false;
  const end = () => {
    over = true;
  };
  const asked = bus.request(instance, 'let-go', { streamId, fence }, noBytes, patienceMs).then(end, end);
  while (!over && peers.isLive(instance)) {
    await Promise.race([asked, pause(clock, lookEveryMs)]);
    if (!over) await look();
  }
}

export function answerLetGo(bus: Bus, cameras: HeldCameras): void {
  bus.onRequest('let-go', async (message) => {
    const { streamId, fence } = (message ?? {}) as { readonly streamId?: unknown; readonly fence?: unknown };
    if (typeof streamId === 'string' && typeof fence === 'number')
      await cameras.claimedElsewhere(streamId, fence);
    return {};
  });
}
