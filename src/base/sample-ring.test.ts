import { expect, it } from 'vitest';
import { SampleRing } from './sample-ring.ts';

const ring = () => new SampleRing(['fps', 'delay'], 4);

it('gives what was put in, in order, with the slot of the first value', () => {
  const samples = ring();
  samples.put(10, { fps: 15, delay: 3.456 });
  samples.put(11, { fps: 14.5, delay: null });
  expect(samples.after(0)).toEqual({
    first: 10,
    count: 2,
    columns: { fps: [15, 14.5], delay: [3.46, null] },
  });
});

it('is empty before the first sample', () => {
  expect(ring().after(0)).toMatchObject({ count: 0, columns: { fps: [], delay: [] } });
});

it('forgets the oldest and takes no more memory', () => {
  const samples = ring();
  const { bytes } = samples;
  for (let slot = 0; slot < 100; slot++) samples.put(slot, { fps: slot, delay: 0 });
  expect(samples.after(-1)).toMatchObject({ first: 96, count: 4, columns: { fps: [96, 97, 98, 99] } });
  expect(samples.bytes).toBe(bytes);
});

it('leaves slots empty that were missed, and never shows what stood there before', () => {
  const samples = ring();
  for (let slot = 0; slot < 4; slot++) samples.put(slot, { fps: slot, delay: 0 });
  samples.put(6, { fps: 6, delay: 0 });
  expect(samples.after(-1)).toMatchObject({ first: 3, columns: { fps: [3, null, null, 6] } });
  samples.put(1000, { fps: 1, delay: 0 });
  expect(samples.after(-1)).toMatchObject({ first: 997, columns: { fps: [null, null, null, 1] } });
});

it('gives only what is newer than a slot, and nothing after the last', () => {
  const samples = ring();
  for (let slot = 10; slot < 13; slot++) samples.put(slot, { fps: slot, delay: 0 });
  expect(samples.after(11)).toMatchObject({ first: 12, count: 1, columns: { fps: [12] } });
  expect(samples.after(12)).toMatchObject({ count: 0 });
  expect(samples.after(500)).toMatchObject({ count: 0 });
});
