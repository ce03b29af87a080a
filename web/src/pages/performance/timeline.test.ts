// Columns of several cameras on one time, and what is read out of them.

import { expect, test } from 'vitest';
import type { CameraPerformance, Stream } from '../../api/types.ts';
import { healthOf, latest, summarise, withUnit } from './figures.ts';
import { timelineOf } from './timeline.ts';

const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1000).toISOString();

test('histories of different length lie on the same time, with nothing where they have nothing', () => {
  const long = { start: at(0), end: at(1_000), interval_s: 5 };
  const short = { start: at(990), end: at(1_000), interval_s: 5 };
  const { times, place } = timelineOf([long, short, undefined]);
  expect(times).toHaveLength(201);
  expect(times.at(-1)).toBe(1_800_001_000);
  const placed = place(short, [1, null, 3]);
  expect(placed).toHaveLength(201);
  expect(placed.slice(-4)).toEqual([null, 1, null, 3]);
  expect(place(undefined, [])).toEqual(new Array(201).fill(null));
});

test('the first minutes do not look like an hour, and nothing at all is no time', () => {
  expect(timelineOf([{ start: at(0), end: at(10), interval_s: 5 }]).times).toHaveLength(121);
  expect(timelineOf([undefined]).times).toEqual([]);
});

test('a figure that is not measured any more is no current one', () => {
  expect(latest([1, 2, null])).toBe(2);
  expect(latest([1, null, null, null])).toBeNull();
  expect(summarise([null, 4, 2])).toEqual({ now: 2, lowest: 2, average: 3, highest: 4 });
  expect(summarise([null])).toEqual({ now: null, lowest: null, average: null, highest: null });
  expect([withUnit(null, 'ms'), withUnit(15, 'fps'), withUnit(0.04, '%'), withUnit(1234.5, 'MB')]).toEqual([
    '–',
    '15.0 fps',
    '0.04 %',
    '1,235 MB',
  ]);
});

test('who needs a person comes before who is slow, and who was stopped comes last', () => {
  const stream = (status: Stream['status'], last_error: string | null = null) =>
    ({ status, last_error, video: { codec: 'h264', width: 640, height: 480, fps: 15 } }) as Stream;
  const history = (fps: number, lost: number) =>
    ({ series: { fps: [fps], lost_packets: [lost], delay_ms: [null] } }) as unknown as CameraPerformance;
  const wrong = healthOf(stream('error', 'Wrong password.'), undefined);
  const slow = healthOf(stream('online'), history(7, 0));
  const lossy = healthOf(stream('online'), history(15, 9));
  const fine = healthOf(stream('online'), history(15, 0));
  const stopped = healthOf(stream('offline'), undefined);
  const weights = [wrong, slow, lossy, fine, stopped].map(({ weight }) => weight);
  expect(weights).toEqual(weights.toSorted((a, b) => b - a));
  expect(new Set(weights).size).toBe(5);
  expect(wrong).toMatchObject({ tone: 'bad', sentence: 'Wrong password.' });
  expect(slow.sentence).toBe('Only 7 of 15 frames a second');
  expect(fine.tone).toBe('good');
});
