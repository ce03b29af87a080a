// Readers that stay while one camera takes the place of another: times go on, and nothing is told twice.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Timeline } from './shown-sources.ts';

const frame = 66_667;

it('leaves the times of the first source as they are', () => {
  const timeline = new Timeline();
  timeline.change();
  expect([5_000_000, 5_066_667, 5_033_333].map((time, i) => timeline.time(time, 100 + i * 66))).toEqual([
    5_000_000, 5_066_667, 5_033_333,
  ]);
});

it('goes on where the source before was, by the time that passed between', () => {
  const timeline = new Timeline();
  timeline.time(9_000_000, 1_000);
  timeline.change();
  expect(timeline.time(40, 3_500)).toBe(11_500_000);
  expect(timeline.time(40 + frame, 3_566)).toBe(11_500_000 + frame);
});

it('keeps the order of B-frames after a change', () => {
  const timeline = new Timeline();
  timeline.time(1_000_000, 0);
  timeline.change();
  const times = [0, 3 * frame, frame, 2 * frame].map((time, i) => timeline.time(time, 1_000 + i * 66));
  expect(times.map((time) => time - times[0]!)).toEqual([0, 3 * frame, frame, 2 * frame]);
});

it('never begins a source before the one it follows ended, whatever the clocks of cameras say', () => {
  const source = fc.record({
    begin: fc.integer({ min: -1_000_000_000, max: 1_000_000_000_000 }),
    lengths: fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 20 }),
    pause: fc.integer({ min: -500, max: 10_000 }),
  });
  fc.assert(
    fc.property(fc.array(source, { minLength: 1, maxLength: 6 }), (sources) => {
      const timeline = new Timeline();
      let at = 10_000;
      let last = Number.NEGATIVE_INFINITY;
      for (const { begin, lengths, pause } of sources) {
        timeline.change();
        at += pause;
        let time = begin;
        for (const length of lengths) {
          const shown = timeline.time(time, at);
          expect(shown).toBeGreaterThan(last);
          last = shown;
          time += length;
          at += length / 1000;
        }
      }
    }),
  );
});

it('passes a piece on untouched while there is nothing to move', () => {
  const timeline = new Timeline();
  const piece = { timestamp: 7, receivedAt: 1, data: new Uint8Array(3) };
  expect(timeline.place(piece)).toBe(piece);
  timeline.change();
  const moved = timeline.place({ ...piece, timestamp: 1 });
  expect(moved.timestamp).toBeGreaterThan(7);
  expect(moved.data).toBe(piece.data);
});
