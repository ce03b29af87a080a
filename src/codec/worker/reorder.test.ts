import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decoder } from './decoder.ts';
import { clearReorderClaim, inspectH264 } from './reorder.ts';
import { type ClipOptions, encodeClip } from './test-clips.ts';

const small = { codec: 'h264', width: 320, height: 240, frames: 20 } as const;
/** Says that pictures may be reordered, and never does it: what many cameras send. */
const falseClaim: ClipOptions = {
  ...small,
  bFrames: 1,
  encoder: { 'x264-params': 'bframes=1:b-adapt=1:b-bias=-100' },
};
const realB: ClipOptions = { ...small, bFrames: 2, encoder: { 'x264-params': 'b-adapt=0' } };

/** Decodes a clip. @returns the timestamps in the order in which frames came, and how many came late. */
async function decode(options: ClipOptions) {
  const decoder = await Decoder.open(options.codec);
  const order: number[] = [];
  let late = 0;
  for (const unit of encodeClip(options)) {
    const before = order.length;
    await decoder.decode(unit.data, BigInt(unit.timestamp), async (frame) => {
      order.push(Number(frame.pts));
    });
    if (order.length === before || order.at(-1) !== unit.timestamp) late += 1;
  }
  decoder.free();
  return { order, late };
}

test('a stream that claims reordering but has no B-frames is not held back', async () => {
  const units = encodeClip(falseClaim);
  expect(units.filter((unit) => inspectH264(unit.data).bSlice)).toEqual([]);
  expect(clearReorderClaim(units[0]!.data, inspectH264(units[0]!.data).sps)).not.toEqual(units[0]!.data);
  const { order, late } = await decode(falseClaim);
  expect(late).toBe(0);
  expect(order).toHaveLength(small.frames);
});

test('a stream without any claim is not held back, and its bytes stay as they are', async () => {
  const units = encodeClip(small);
  expect(clearReorderClaim(units[0]!.data, inspectH264(units[0]!.data).sps)).toBe(units[0]!.data);
  expect((await decode(small)).late).toBe(0);
  expect((await decode({ ...small, codec: 'h265' })).late).toBe(0);
});

test('a stream with B-frames comes out in order', async () => {
  const { order } = await decode(realB);
  expect(order.length).toBeGreaterThanOrEqual(small.frames - 4);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

test('damaged units are read without a crash', () => {
  const [unit] = encodeClip({ ...falseClaim, frames: 3 });
  const head = unit!.data.subarray(0, 64);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(63), fc.nat(255)), { maxLength: 20 }),
      fc.nat(64),
      (edits, length) => {
        const data = head.slice(0, length);
        for (const [at, value] of edits) if (at < length) data[at] = value;
        const { sps } = inspectH264(data);
        expect(clearReorderClaim(data, sps).length).toBeLessThanOrEqual(length + 2);
      },
    ),
    { numRuns: 5000 },
  );
});
