// The place in a list of detections or alerts where the next page begins, as a text that clients hand back.
// Opaque to them; what is in it may change.

import { AppError } from '../errors.ts';

export interface Place {
  /** ms since 1970 */
  readonly time: number;
  readonly id: string;
}

export function cursorOf({ time, id }: Place): string {
  return Buffer.from(`${time} ${id}`).toString('base64url');
}

/** @throws AppError 400 `invalid_cursor`. */
export function placeOf(cursor: string): Place {
  const [, time, id] =
    /^(-?\d{1,15}) ([\x21-\x7e]{1,100})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (time === undefined || id === undefined) {
    const message = 'is not a cursor of this list';
    throw new AppError(400, 'invalid_cursor', `cursor: ${message}.`, {
      issues: [{ path: 'cursor', message }],
    });
  }
  return { time: Number(time), id };
}
