// What can be seen of a live picture on the page: the frame counter that simulated cameras draw into it.
// Where on the page it is belongs to the tests.

import type { Locator } from 'playwright-core';
import { stripReaderSource } from '../../simulator/strip.ts';
import { patience } from './page.ts';
import { eventually } from './parts.ts';

// What runs inside the page is text: these files know Node's types and not the browser's.
const readFrame = new Function(
  'place',
  `${stripReaderSource}
  const video = place.querySelector('video');
  const source = video && video.style.visibility !== 'hidden' ? video : place.querySelector('canvas');
  const width = source?.videoWidth ?? source?.width, height = source?.videoHeight ?? source?.height;
  if (!width || !height) return null;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(source, 0, 0);
  return readStrip(context.getImageData(0, 0, width, height).data, width, height);`,
) as (place: unknown) => number | null;

/** Waits until so many other frames have been seen at this place. */
export async function moves(place: Locator, frames = 5): Promise<void> {
  const seen = new Set<number>();
  await eventually(
    'showing new pictures',
    async () => {
      const frame = await place.evaluate(readFrame);
      if (frame !== null) seen.add(frame);
      return seen.size;
    },
    (count) => count > frames,
    patience,
  );
}
