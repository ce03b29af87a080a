// What goes wrong in a database, as errors of the service; and what SQLite's result codes mean.
// No statement is run here; what PostgreSQL says is in postgres-errors.ts.

import { AppError } from '../errors.ts';

/** https://www.sqlite.org/rescode.html: the primary code is the low byte of the extended one. */
const primary = {
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
};

function primaryCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Another connection holds the database; the statement did nothing and may be tried again. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === primary.busy || code === primary.locked;
}

export function isDamaged(error: unknown): boolean {
  const code = primaryCode(error);
  return code === primary.corrupt || code === primary.notADatabase;
}

export function databaseBusy(cause?: unknown): AppError {
  return new AppError(
    503,
    'database_busy',
    'The database is busy: another program holds it. Try again in a moment.',
    {
      cause,
    },
  );
}

/** Others were writing the same rows: nothing was written, and it may be tried again at once. */
export class RowsContended extends AppError {
  constructor(cause: unknown) {
    super(
      503,
      'database_busy',
      'The database is busy: others are changing the same. Try again in a moment.',
      {
        cause,
      },
    );
  }
}

/**
 * The connection was lost while the server was to make something lasting: whoever repeats it must bear that it happened,
 * and must not take away yet what it needs.
 */
export class UnknownOutcome extends AppError {
  constructor(sentence: string, cause: unknown) {
    super(503, 'database_unavailable', sentence, { cause });
  }
}

/** A coded error where the disk or the file is at fault; anything else (a constraint, wrong SQL) as it came. */
export function readableError(error: unknown): unknown {
  const unavailable = (sentence: string) =>
    new AppError(503, 'database_unavailable', sentence, { cause: error });
  switch (primaryCode(error)) {
    case primary.full:
      return unavailable('The disk that holds the database is full.');
    case primary.readonly:
      return unavailable('The database cannot be written: the file or its folder is read-only.');
    case primary.io:
      return unavailable('The disk that holds the database reports an error.');
    case primary.cantOpen:
      return unavailable('The database file cannot be opened.');
    case primary.corrupt:
    case primary.notADatabase:
      return unavailable('The database file is damaged.');
    default:
      return error;
  }
}
