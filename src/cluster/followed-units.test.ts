import { expect, test } from 'vitest';
import { UnitOrder } from './followed-units.ts';
import type { NumberedUnit } from './unit-rows.ts';

function unit(number: number, keyframe = false): NumberedUnit {
  const data = new Uint8Array(1);
  return {
    number,
    unit: { codec: 'h264', data, keyframe, timestamp: number, receivedAt: 0, lossBefore: false },
  };
}

function taken(order: UnitOrder, units: readonly NumberedUnit[]): string[] {
  return units.map((numbered) => `${numbered.number} ${order.take(numbered)}`);
}

test('units are given out from a keyframe on, each once', () => {
  const order = new UnitOrder();
  const units = [unit(4), unit(5, true), unit(6), unit(6), unit(5, true), unit(7)];
  expect(taken(order, units)).toEqual(['4 no', '5 next', '6 next', '6 no', '5 no', '7 next']);
});

test('after a gap nothing is given out until a keyframe, which says that something is missing', () => {
  const order = new UnitOrder();
  const units = [unit(1, true), unit(3), unit(4), unit(5, true), unit(6)];
  expect(taken(order, units)).toEqual(['1 next', '3 no', '4 no', '5 after-loss', '6 next']);
  expect(order.missed).toBe(2);
});

test('a beginning that overlaps with what came already continues it', () => {
  const order = new UnitOrder();
  expect(taken(order, [unit(1, true), unit(2)])).toEqual(['1 next', '2 next']);
  expect(taken(order, [unit(1, true), unit(2), unit(3), unit(4)])).toEqual([
    '1 no',
    '2 no',
    '3 next',
    '4 next',
  ]);
});

test('a new session begins with a keyframe, whatever its numbers', () => {
  const order = new UnitOrder();
  order.take(unit(100, true));
  order.reset();
  expect(taken(order, [unit(2), unit(3, true)])).toEqual(['2 no', '3 next']);
});
