// Access units as they go over the bus: a row of numbers for each, their bytes one behind the other.
// Writing and reading only; their order is followed-units.ts's.

import type { AccessUnit, VideoCodec } from '../media/access-unit.ts';
import { ageOf, oneOf, videoCodecs } from './relay-messages.ts';

/** Of one unit: its sequence number, 1 for a keyframe, media time in µs, age in ms, 1 after a loss, its length. */
export type UnitRow = readonly [
  number: number,
  keyframe: 0 | 1,
  time: number,
  age: number,
  loss: 0 | 1,
  length: number,
];

export function unitRow(number: number, unit: AccessUnit, now: number): UnitRow {
  const { keyframe, timestamp, receivedAt, lossBefore, data } = unit;
  return [number, keyframe ? 1 : 0, timestamp, ageOf(receivedAt, now), lossBefore ? 1 : 0, data.byteLength];
}

export interface NumberedUnit {
  readonly number: number;
  readonly unit: AccessUnit;
}

/**
 * @param rows of all units whose bytes follow each other in `bytes`.
 * @param now local, ms, monotonic: when they came from the bus.
 * @returns null when they are not what they should be.
 */
export function readUnits(
  rows: unknown,
  codec: unknown,
  bytes: Uint8Array,
  now: number,
): NumberedUnit[] | null {
  const known = oneOf<VideoCodec>(codec, videoCodecs);
  if (known === null || !Array.isArray(rows)) return null;
  const units: NumberedUnit[] = [];
  let at = 0;
  for (const row of rows) {
    if (!isNumbers(row, 6)) return null;
    const [number, keyframe, timestamp, age, loss, length] = row as unknown as UnitRow;
    if (length < 0 || at + length > bytes.byteLength) return null;
    units.push({
      number,
      unit: {
        codec: known,
        data: bytes.subarray(at, at + length),
        keyframe: keyframe === 1,
        timestamp,
        receivedAt: now - age,
        lossBefore: loss === 1,
      },
    });
    at += length;
  }
  return units;
}

function isNumbers(value: unknown, least: number): value is readonly number[] {
  return Array.isArray(value) && value.length >= least && value.every(Number.isFinite);
}
