import { describe, expect, it } from 'vitest';
import { FaceMemory } from './boxes.ts';
import type { DetectionsMessage } from './messages.ts';

const second = 1_000_000;

function frame(timestamp: number, faces: Readonly<Record<number, number>>): DetectionsMessage {
  return {
    type: 'detections',
    timestamp,
    faces: Object.entries(faces).map(([track, x]) => ({
      track: Number(track),
      confidence: 0.9,
      box: { x, y: 0.4, width: 0.1, height: 0.2 },
      landmarks: [],
    })),
  };
}

function remember(...frames: DetectionsMessage[]): FaceMemory {
  const memory = new FaceMemory();
  for (const one of frames) memory.add(one);
  return memory;
}

const xs = (memory: FaceMemory, at: number) => memory.at(at).map(({ box }) => Number(box.x.toFixed(6)));

describe('boxes in step with the picture', () => {
  it('stand between two analysed frames where the picture is between them', () => {
    const memory = remember(frame(0, { 1: 0.1 }), frame(second / 5, { 1: 0.3 }));
    expect(xs(memory, 0)).toEqual([0.1]);
    expect(xs(memory, second / 10)).toEqual([0.2]);
    expect(xs(memory, second / 5)).toEqual([0.3]);
  });

  it('move on a little with a face that moves, and stop there', () => {
    const memory = remember(frame(0, { 1: 0.1 }), frame(second / 5, { 1: 0.2 }));
    expect(xs(memory, 0.3 * second)).toEqual([0.25]);
    expect(xs(memory, 0.4 * second)).toEqual([0.3]);
    expect(xs(memory, 0.6 * second)).toEqual([0.3]);
  });

  it('stand still where the detector is merely restless', () => {
    const memory = remember(frame(0, { 1: 0.1 }), frame(second / 5, { 1: 0.102 }));
    expect(xs(memory, 0.4 * second)).toEqual([0.102]);
  });

  it('go half a second after the last news of a face that moved or was seen once, and stay with one that kept still', () => {
    const memory = remember(frame(0, { 1: 0.1, 2: 0.5 }), frame(second, { 1: 0.2, 2: 0.501, 3: 0.8 }));
    expect(xs(memory, 1.4 * second)).toHaveLength(3);
    expect(xs(memory, 1.6 * second)).toEqual([0.501]);
    expect(xs(memory, 2.6 * second)).toEqual([]);
  });

  it('never leave the picture', () => {
    const memory = remember(frame(0, { 1: 0.6 }), frame(second / 5, { 1: 0.85 }));
    expect(xs(memory, 0.4 * second)).toEqual([0.9]);
  });

  it('belong to nobody before the first frame, after an empty one, and long after the last', () => {
    const memory = remember(frame(second, { 1: 0.1, 2: 0.5 }));
    expect(memory.at(second - 1)).toEqual([]);
    expect(xs(memory, second)).toEqual([0.1, 0.5]);
    expect(memory.at(3 * second)).toEqual([]);
    memory.add(frame(1.2 * second, {}));
    expect(memory.at(1.3 * second)).toEqual([]);
    expect(xs(memory, 1.1 * second)).toEqual([0.1, 0.5]);
  });

  it('of another clock are forgotten', () => {
    const memory = remember(frame(50 * second, { 1: 0.1 }), frame(second, { 2: 0.7 }));
    expect(memory.newest).toBe(second);
    expect(memory.at(50 * second)).toEqual([]);
    expect(xs(memory, second)).toEqual([0.7]);
  });

  it('are remembered for a bounded time only', () => {
    const memory = new FaceMemory();
    for (let i = 0; i < 1_000; i++) memory.add(frame((i * second) / 5, { 1: 0.1 }));
    expect(memory.at(0)).toEqual([]);
    expect(xs(memory, (999 * second) / 5)).toEqual([0.1]);
  });
});
