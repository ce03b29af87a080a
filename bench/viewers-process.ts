// The process of a benchmark's viewers: apart from the service and the camera, so that their cost is not counted there.
// Receives and counts; pictures are only read after the measuring, so that reading slows nothing that is measured.

import { JpegReader } from '../test/support/jpeg.ts';
import { epochNow, Viewer } from '../test/support/viewer.ts';
import type { FirstPicture, FromViewers, SeenFrame, ToViewers, ViewerReport } from './viewer-messages.ts';

interface Kept {
  readonly jpeg: Buffer;
  readonly at: number;
}

class Measured {
  readonly viewer: Viewer;
  kept: Kept[] = [];
  pictures = 0;
  bytes = 0;
  longestGapMs = 0;
  #lastAt = epochNow();

  constructor(url: string) {
    this.viewer = new Viewer(url, { onPicture: (jpeg, at) => this.#count(jpeg, at) });
  }

  reset(now: number): void {
    this.kept = [];
    this.pictures = this.bytes = this.longestGapMs = 0;
    this.#lastAt = now;
  }

  #count(jpeg: Buffer, at: number): void {
    this.pictures++;
    this.bytes += jpeg.byteLength;
    this.longestGapMs = Math.max(this.longestGapMs, at - this.#lastAt);
    this.#lastAt = at;
    if (keepEvery > 0 && this.pictures % keepEvery === 0 && keptCount < keepAtMost) {
      keptCount++;
      this.kept.push({ jpeg, at });
    }
  }
}

const viewers = new Map<number, Measured>();
let keepEvery = 0;
let keepAtMost = 0;
let keptCount = 0;
let measuredSince = epochNow();

function send(message: FromViewers): void {
  process.send!(message);
}

async function open(message: Extract<ToViewers, { type: 'open' }>): Promise<FromViewers> {
  const opened = message.viewers.map(({ id, url }) => {
    const measured = new Measured(url);
    viewers.set(id, measured);
    return measured.viewer;
  });
  for (const viewer of opened) await viewer.until('seeing a picture', ({ pictures }) => pictures > 0, 30_000);
  return { type: 'done', request: message.request };
}

function measure(message: Extract<ToViewers, { type: 'measure' }>): FromViewers {
  ({ keepEvery, keepAtMost } = message);
  keptCount = 0;
  measuredSince = epochNow();
  for (const measured of viewers.values()) measured.reset(measuredSince);
  return { type: 'done', request: message.request };
}

async function report(request: number): Promise<FromViewers> {
  const elapsedMs = epochNow() - measuredSince;
  keepEvery = 0;
  // Counted before anything is read: pictures go on arriving meanwhile.
  const counted = [...viewers].map(([id, { pictures, bytes, longestGapMs, viewer, kept }]) => {
    const { interruptions, closed } = viewer;
    const end = closed && `${closed.code} ${closed.reason}`;
    return { kept, report: { id, pictures, bytes, longestGapMs, interruptions, closed: end } };
  });
  using reader = new JpegReader();
  let unreadable = 0;
  const reports: ViewerReport[] = [];
  for (const { kept, report } of counted) {
    const seen: SeenFrame[] = [];
    for (const { jpeg, at } of kept) {
      const counter = reader.counter(jpeg);
      if (counter === null) unreadable++;
      else seen.push({ counter, at });
      await new Promise((resolve) => setImmediate(resolve));
    }
    reports.push({ ...report, seen });
  }
  return { type: 'report', request, elapsedMs, viewers: reports, unreadable };
}

/** Joins, waits for the first picture, leaves again. */
async function first(message: Extract<ToViewers, { type: 'first' }>): Promise<FromViewers> {
  const viewer = new Viewer(message.url);
  await viewer.until('seeing a picture', ({ pictures }) => pictures > 0, message.timeoutMs);
  using reader = new JpegReader();
  const picture: FirstPicture = {
    startedAt: viewer.startedAt,
    firstAt: viewer.firstPictureAt!,
    counter: reader.counter(viewer.firstPicture!),
  };
  await viewer.close();
  return { type: 'first', request: message.request, picture };
}

async function close(ids: readonly number[]): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      await viewers.get(id)?.viewer.close();
      viewers.delete(id);
    }),
  );
}

async function answer(message: ToViewers): Promise<FromViewers> {
  const { request } = message;
  switch (message.type) {
    case 'open':
      return open(message);
    case 'measure':
      return measure(message);
    case 'report':
      return report(request);
    case 'first':
      return first(message);
    case 'stopReading':
      viewers.get(message.id)?.viewer.pauseReading();
      return { type: 'done', request };
    case 'close':
      await close(message.ids);
      return { type: 'done', request };
  }
}

process.on('message', (message: ToViewers) => {
  answer(message).then(send, (error: Error) =>
    send({ type: 'failed', request: message.request, message: error.message }),
  );
});
// The benchmark is gone: nobody is left to report to.
process.on('disconnect', () => process.exit(0));
