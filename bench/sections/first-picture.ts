// How long a person waits for the first picture: joining others, on a held camera, and on one that is not connected.
// Opening the WebSocket is part of the wait.

import { type Figure, percentile } from '../figures.ts';
import { inSetting, pause, type Setting } from '../setting.ts';
import type { Section } from './section.ts';

const joins = 20;
const coldStarts = 6;
const section = 'first-picture';

export const firstPicture: Section = {
  name: 'first-picture',
  about: 'from asking to the first picture: watched, held and unconnected cameras',
  run: () =>
    inSetting({ cameras: 1 + coldStarts, saved: 1 }, async (setting) => [
      ...(await watched(setting)),
      ...(await heldOnly(setting)),
      ...(await cold(setting)),
    ]),
};

async function watched({ fleet, streams }: Setting): Promise<Figure[]> {
  await fleet.open([streams[0]!.viewerUrl]);
  const waits: number[] = [];
  for (let i = 0; i < joins; i++) {
    const { startedAt, firstAt } = await fleet.first(streams[0]!.viewerUrl);
    waits.push(firstAt - startedAt);
    // Not in step with the camera's frames.
    await pause(37);
  }
  await fleet.close();
  return [
    { section, name: 'watched camera, p50', value: percentile(waits, 0.5), unit: 'ms' },
    {
      section,
      name: 'watched camera, worst',
      value: Math.max(...waits),
      unit: 'ms',
      target: { atMost: 100 },
    },
  ];
}

/** Connected, but nothing is decoded: the recent units are caught up with. */
async function heldOnly({ fleet, streams }: Setting): Promise<Figure[]> {
  const waits: number[] = [];
  for (let i = 0; i < 3; i++) {
    // The decoder stays for a while after its last viewer: it must be gone.
    await pause(6_500);
    const { startedAt, firstAt } = await fleet.first(streams[0]!.viewerUrl);
    waits.push(firstAt - startedAt);
  }
  return [
    {
      section,
      name: 'held camera without viewers, worst',
      value: Math.max(...waits),
      unit: 'ms',
      target: { atMost: 1_000 },
    },
  ];
}

/** The camera sends a keyframe when it does: what counts is the time after the first one that could be had. */
async function cold({ cameras, fleet, service }: Setting): Promise<Figure[]> {
  const beyond: number[] = [];
  for (let camera = 1; camera <= coldStarts; camera++) {
    const { startedAt, firstAt } = await fleet.first(service.viewerUrl(cameras.urls[camera]!));
    const log = await cameras.sendings();
    const keyframe = log.keyframeAfter(camera, startedAt);
    if (keyframe !== null) beyond.push(firstAt - keyframe);
  }
  return [
    {
      section,
      name: 'unconnected camera, after its next keyframe, worst',
      value: Math.max(...beyond),
      unit: 'ms',
      target: { atMost: 200 },
    },
  ];
}
