import { expect, it } from 'vitest';
import type { AccessUnit } from '../media/access-unit.ts';
import { packingOf } from './packing.ts';

const periodUs = 40_000;

/** Packs units at these times, µs; every tenth and those named are keyframes. @returns their durations, µs. */
function durations(times: readonly number[], keyframes: ReadonlySet<number>): number[] {
  let fragments = 0;
  const packing = packingOf('mp4', 0, () => ++fragments);
  return times.map((timestamp, i) => {
    const data = Uint8Array.of(0, 0, 0, 1, 0x65, 1, 2, 3);
    const unit: AccessUnit = {
      codec: 'h264',
      data,
      timestamp,
      keyframe: keyframes.has(i),
      receivedAt: 0,
      lossBefore: false,
    };
    const packed = packing.pack(unit, i);
    // The first sample's entry in `trun`, behind one fragment's headers.
    return new DataView(packed.buffer, packed.byteOffset).getUint32(88);
  });
}

const steady = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i * periodUs);

it('tells the duration of pictures as they have come', () => {
  expect(new Set(durations(steady(40), new Set([0])))).toEqual(new Set([periodUs]));
});

it('keeps to it after an interruption, which ends with a keyframe', () => {
  const times = [...steady(40), ...steady(40, 8_000_000)];
  expect(Math.max(...durations(times, new Set([0, 40])))).toBe(periodUs);
});

it('makes room for a camera that sends seldom, so that no picture is dropped as late', () => {
  const times = Array.from({ length: 20 }, (_, i) => i * 3_000_000);
  expect(durations(times, new Set([0])).at(-1)).toBe(3_000_000);
});
