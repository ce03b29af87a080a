import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FaceInFrame } from '../media/faces.ts';
import { faceInFrame } from '../media/faces.ts';
import { face, frameAt } from './testing.ts';
import { type TrackEvent, Tracker } from './tracks.ts';

const interval = 200;

interface Seen {
  readonly events: TrackEvent[];
  /** Track ids of each frame, in the order of the faces given by `order`. */
  readonly frames: number[][];
}

/** Shows the tracker one list of faces after the other, 5 a second. */
function show(tracker: Tracker, frames: readonly (readonly FaceInFrame[])[], from = 0): Seen {
  const events: TrackEvent[] = [];
  const ids = frames.map((faces, index) => {
    const result = tracker.analyse(frameAt(from + index * interval, faces));
    events.push(...result.events);
    return faces.map((one) => result.faces.find((tracked) => tracked.face === one)?.track ?? 0);
  });
  return { events, frames: ids };
}

function count(events: readonly TrackEvent[], type: TrackEvent['type']): number {
  return events.filter((event) => event.type === type).length;
}

/** `frames` times the same, made anew each time from the index. */
function times<Item>(frames: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: frames }, (_, index) => make(index));
}

describe('tracks', () => {
  it('confirms a person seen in two of three analysed frames, and nobody seen once', () => {
    expect(count(show(new Tracker(0.8), [[face()], []]).events, 'confirmed')).toBe(0);
    expect(count(show(new Tracker(0.8), [[face()], [], [], [face()], [], []]).events, 'confirmed')).toBe(0);
    expect(count(show(new Tracker(0.8), [[face()], [face()]]).events, 'confirmed')).toBe(1);
    expect(count(show(new Tracker(0.8), [[face()], [], [face()]]).events, 'confirmed')).toBe(1);
  });

  it('is one visit for 90 s in view, however the box jitters', () => {
    const jitter = (index: number) => Math.sin(index * 12.9898) * 0.012;
    const { events } = show(
      new Tracker(0.8),
      times(450, (n) => [face({ x: 0.4 + jitter(n), y: 0.3 + jitter(n + 7), width: 0.08 + jitter(n) / 2 })]),
    );
    expect(count(events, 'confirmed')).toBe(1);
    expect(count(events, 'ended')).toBe(0);
  });

  it('is one visit while the face flickers for less than 2 s, and two with a gap of 2 s', () => {
    const there = times(5, () => [face()]);
    const away = (frames: number) => times(frames, () => [] as FaceInFrame[]);
    const short = show(new Tracker(0.8), [...there, ...away(8), ...there, ...away(1), ...there]);
    expect(count(short.events, 'confirmed')).toBe(1);
    const long = show(new Tracker(0.8), [...there, ...away(9), ...there]);
    expect(count(long.events, 'confirmed')).toBe(2);
    expect(count(long.events, 'ended')).toBe(1);
  });

  it('counts time, not frames: a detector that skips frames neither ends nor doubles a visit', () => {
    const tracker = new Tracker(0.8);
    show(tracker, [[face()], [face()]]);
    expect(show(tracker, [[face()]], 2_000).events.map((event) => event.type)).toEqual(['seen']);
    expect(count(show(tracker, [[face()], [face()]], 4_000).events, 'confirmed')).toBe(1);
  });

  it.each([2_000, 5_000, 10_000])('sees somebody at their second look when it looks every %i ms', (every) => {
    const tracker = new Tracker(0.8);
    const events = times(12, (n) => tracker.analyse(frameAt(n * every, [face()])).events);
    expect(events[1]!.map((event) => event.type)).toEqual(['confirmed']);
    expect(count(events.flat(), 'confirmed')).toBe(1);
  });

  it('still sees one visit when a slow detector looks every 1.6 s and misses once', () => {
    const tracker = new Tracker(0.8);
    const events = times(
      20,
      (n) => tracker.analyse(frameAt(n * 1_600, n === 10 ? [] : [face()])).events,
    ).flat();
    expect(count(events, 'confirmed')).toBe(1);
  });

  it('ends a visit by time alone when no frames come, leaving room for a late result', () => {
    const tracker = new Tracker(0.8);
    show(tracker, [[face()], [face()]]);
    expect(tracker.tick(interval + 2_900)).toEqual([]);
    expect(tracker.tick(interval + 3_000)).toEqual([{ type: 'ended', track: 1, lastSeen: interval }]);
    expect(tracker.active).toBe(false);
  });

  it('keeps two people apart who cross, also when one hides the other', () => {
    const left = (n: number) => face({ x: 0.1 + n * 0.03 });
    const right = (n: number) => face({ x: 0.7 - n * 0.03, y: 0.32 });
    const { events, frames } = show(
      new Tracker(0.8),
      times(21, (n) => (n >= 9 && n <= 11 ? [left(n)] : [left(n), right(n)])),
    );
    expect(count(events, 'confirmed')).toBe(2);
    expect(frames[20]).toEqual(frames[0]);
  });

  it('follows a person who walks through the picture a face and a half per frame', () => {
    const { events } = show(
      new Tracker(0.8),
      times(8, (n) => [face({ x: 0.02 + n * 0.12 })]),
    );
    expect(count(events, 'confirmed')).toBe(1);
  });

  it('tells three people at once apart, and goes on with two when one leaves', () => {
    const at = (x: number) => face({ x });
    const { events } = show(new Tracker(0.8), [
      ...times(5, () => [at(0.1), at(0.4), at(0.7)]),
      ...times(15, () => [at(0.1), at(0.7)]),
    ]);
    expect(count(events, 'confirmed')).toBe(3);
    expect(events.filter((event) => event.type === 'ended')).toHaveLength(1);
  });

  it('does not hand a track on to a neighbour when somebody is missed', () => {
    const at = (x: number) => face({ x, width: 0.08 });
    const { frames } = show(new Tracker(0.8), [...times(4, () => [at(0.1), at(0.22)]), [at(0.22), at(0.34)]]);
    expect(frames[4]![0]).toBe(frames[0]![1]);
    expect(frames[0]).not.toContain(frames[4]![1]);
  });

  it('takes two boxes around one face as one', () => {
    const twice = () => [
      face({}, { confidence: 0.99 }),
      face({ x: 0.41, width: 0.085 }, { confidence: 0.85 }),
    ];
    expect(count(show(new Tracker(0.8), times(5, twice)).events, 'confirmed')).toBe(1);
  });

  it('counts with the next frame by a threshold that was changed', () => {
    const tracker = new Tracker(0.9);
    const doubtful = () => [face({}, { confidence: 0.7 })];
    expect(show(tracker, times(4, doubtful)).frames.flat()).toEqual([0, 0, 0, 0]);
    tracker.setThreshold(0.6);
    expect(count(show(tracker, times(2, doubtful), 1_000).events, 'confirmed')).toBe(1);
    tracker.setThreshold(0.9);
    const { events } = show(tracker, times(11, doubtful), 1_400);
    expect(events.map((event) => event.type)).toEqual(['ended']);
  });

  it('tells of a better picture only when it is a tenth better', () => {
    const sharp = (sharpness: number) => [face({}, { sharpness })];
    const { events } = show(new Tracker(0.8), [1, 1, 1.05, 1.09, 1.2, 1.25, 0.5, 1.33].map(sharp));
    expect(events.map((event) => event.type)).toEqual([
      'confirmed',
      'seen',
      'seen',
      'better',
      'seen',
      'seen',
      'better',
    ]);
  });

  it('goes on through a change of resolution and a short reconnect', () => {
    const tracker = new Tracker(0.8);
    show(tracker, [[face()], [face()]]);
    const after = { ...frameAt(1_500, [face()]), width: 1920, height: 1080 };
    expect(tracker.analyse(after).events).toMatchObject([{ type: 'better', track: 1 }]);
  });

  it('ignores frames from the past and faces without a size', () => {
    const tracker = new Tracker(0.8);
    show(tracker, [[face()], [face()]]);
    expect(tracker.analyse(frameAt(0, [face()]))).toEqual({ faces: [], events: [] });
    expect(tracker.analyse(frameAt(500, [face({ width: 0 }), face({ x: Number.NaN })])).faces).toEqual([]);
  });

  it('follows fifty faces', () => {
    const crowd = (n: number) =>
      times(50, (i) =>
        face({ x: (i % 10) * 0.1 + n * 0.002, y: (i / 10) * 0.19, width: 0.03, height: 0.04 }),
      );
    const { events, frames } = show(new Tracker(0.8), times(25, crowd));
    expect(count(events, 'confirmed')).toBe(50);
    expect(new Set(frames[24]).size).toBe(50);
  });

  it('finds as many visits as there were, for any script of people coming and going', () => {
    // Each place is visited by stays (frames seen, then misses of less than 2 s in between), 2 s or more apart.
    const stay = fc.record({
      pause: fc.integer({ min: 10, max: 30 }),
      spells: fc.array(
        fc.record({ seen: fc.integer({ min: 2, max: 12 }), missed: fc.integer({ min: 1, max: 8 }) }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
    });
    const places = fc.array(fc.array(stay, { maxLength: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(places, (script) => {
        const rows = script.map((stays) => stays.flatMap(({ pause, spells }) => presence(pause, spells)));
        const length = Math.max(...rows.map((row) => row.length)) + 11;
        const { events } = show(
          new Tracker(0.8),
          times(length, (n) => rows.flatMap((row, place) => (row[n] ? [standing(place, n)] : []))),
        );
        const visits = script.reduce((sum, stays) => sum + stays.length, 0);
        expect(count(events, 'confirmed')).toBe(visits);
        expect(count(events, 'ended')).toBe(visits);
      }),
      { numRuns: 150 },
    );
  });
});

function presence(pause: number, spells: readonly { seen: number; missed: number }[]): boolean[] {
  const stay = spells.flatMap(({ seen, missed }, index) => [
    ...times(seen, () => true),
    ...times(index === spells.length - 1 ? 0 : missed, () => false),
  ]);
  return [...times(pause, () => false), ...stay];
}

function standing(place: number, n: number): FaceInFrame {
  const sway = Math.sin(n * 0.7 + place) * 0.004;
  const [x, y] = [(place % 3) * 0.33 + sway, place < 3 ? 0.1 : 0.6];
  return face({ x: Math.max(0, x), y, width: 0.06, height: 0.08 }, { confidence: 0.9 });
}

describe('a face in fractions of the frame', () => {
  it('is cut off at the edges', () => {
    const points = times(5, () => ({ x: 320, y: -4 })) as unknown as Parameters<
      typeof faceInFrame
    >[0]['landmarks'];
    const found = {
      box: { x: -64, y: 240, width: 128, height: 480 },
      confidence: 0.9,
      landmarks: points,
    };
    expect(faceInFrame(found, 640, 480, 3)).toEqual({
      confidence: 0.9,
      box: { x: 0, y: 0.5, width: 0.1, height: 0.5 },
      landmarks: times(5, () => ({ x: 0.5, y: 0 })),
      sharpness: 3,
    });
  });
});
