import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import type { Picture } from '../media/access-unit.ts';
import { Stream } from '../stream/stream.ts';
import { Decoding } from './decoding.ts';
import { PictureFeed } from './picture-feed.ts';
import { closePools, createPool, until, wanted } from './testing.ts';

afterEach(closePools);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const faces = { width: 640, height: 480, fps: 5, minFaceSize: 40 };

test('a reader that has left is let go of once no more pictures are made for it', async () => {
  const stream = new Stream();
  const decoding = new Decoding({ stream, pool: createPool(), channel: { picture: wanted, faces } });
  const clock = {
    ...systemClock,
    after: (ms: number, call: () => void) => systemClock.after(ms / 100, call),
  };
  const feed = new PictureFeed({ stream, decoding, picture: wanted, clock });
  // Passed on as they come: no process has to be started for it.
  stream.setVideo({
    codec: 'mjpeg',
    codecString: 'mjpeg',
    width: 64,
    height: 48,
    fps: 15,
    parameterSets: [],
  });
  const reader = () => {
    const onPicture = (_picture: Picture) => undefined;
    feed.subscribe(onPicture)();
    return new WeakRef(onPicture);
  };
  const left = reader();
  await until('it is collected', () => {
    collect();
    return left.deref() === undefined;
  });
  expect(feed.figures.readers).toBe(0);
});
