// What tests of the simulated server share: a server with cameras of one clip, raw clients, and their end.
// Only for tests.

import { afterEach, beforeAll } from 'vitest';
import type { Clip } from './clip.ts';
import { sceneClip } from './clips.ts';
import { emptyScene } from './scene.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from './server.ts';
import { BareClient } from './test-support.ts';

export const overTcp = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' };
export const overUdp = { Transport: 'RTP/AVP;unicast;client_port=5000-5001' };

export let clip: Clip;
export let simulator: Simulator;
const clients: BareClient[] = [];

/** To be called once in a test file: makes the clip, and closes after each test what it opened. */
export function useSimulator(): void {
  beforeAll(async () => {
    clip = await sceneClip({ scene: emptyScene(4), fps: 15, gopSeconds: 1 });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await simulator.close();
  });
}

/** For tests that start a server of their own; it is closed like the others. */
export function useThis(own: Simulator): void {
  simulator = own;
}

/** Cameras at `/cam1` and `more`. */
export async function start(
  options: Partial<SimulatorOptions['cameras'][number]> = {},
  more: readonly string[] = [],
) {
  const paths = ['/cam1', ...more];
  simulator = await startSimulator({ cameras: paths.map((path) => ({ path, clip, ...options })) });
  return simulator.camera('/cam1');
}

export async function client(path = '/cam1'): Promise<BareClient> {
  const opened = await BareClient.open(simulator.url(path));
  clients.push(opened);
  return opened;
}

/** A client that has received its first packet. */
export async function playing(path = '/cam1'): Promise<BareClient> {
  const opened = await client(path);
  await opened.play();
  await opened.until(() => opened.packets.length > 0);
  return opened;
}

/** Frames by their packets' timestamp, with a marker each when whole. */
export function wholeFrames(c: BareClient): Map<number, Buffer> {
  const frames = new Map<number, Buffer[]>();
  const whole = new Set<number>();
  for (const { timestamp, marker, data, payloadStart } of c.packets) {
    const parts = frames.get(timestamp) ?? [];
    parts.push(Buffer.from(data.subarray(payloadStart)));
    frames.set(timestamp, parts);
    if (marker) whole.add(timestamp);
  }
  return new Map(
    [...frames].filter(([ts]) => whole.has(ts)).map(([ts, parts]) => [ts, Buffer.concat(parts)]),
  );
}
