// What can go wrong between the page and the service, as one error with a sentence for people.
// How to react to it belongs to those who asked.

import { text } from '../text.ts';

/** One member of a request that is wrong: `path` as in `rtsp_url` or `box.width`. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when the service did not answer. */
  readonly status: number;
  /** Stable, snake_case; `unreachable` when the service did not answer. */
  readonly code: string;
  readonly issues: readonly Issue[];
  /** From when on it may be tried again, ms since 1970; null where the service does not say. */
  readonly retryAt: number | null;

  constructor(
    status: number,
    code: string,
    sentence: string,
    issues: readonly Issue[] = [],
    retryAt: number | null = null,
  ) {
    super(sentence);
    this.status = status;
    this.code = code;
    this.issues = issues;
    this.retryAt = retryAt;
  }
}

/** The service says that nobody is signed in here; a wrong password in a form is another matter. */
export function isSignedOut(error: unknown): error is ApiError {
  const codes = ['not_signed_in', 'setup_required', 'invalid_token'];
  return error instanceof ApiError && error.status === 401 && codes.includes(error.code);
}

/** What can be said to a person about any error. */
export function sentenceOf(error: unknown): string {
  return error instanceof ApiError ? error.message : text.errors.unknown;
}

const capital = (sentence: string) => sentence.charAt(0).toUpperCase() + sentence.slice(1);

/** What is wrong with one field of a form, as a sentence; undefined for nothing. */
export function issueOf(error: unknown, path: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const message = error.issues.find((issue) => issue.path === path)?.message;
  return message && `${capital(message)}${/[.!?]$/.test(message) ? '' : '.'}`;
}

/** What concerns the form as a whole: null when every issue stands at one of its fields. */
export function formErrorOf(error: unknown, fields: readonly string[]): string | null {
  if (error === null || error === undefined) return null;
  if (error instanceof ApiError && error.issues.length > 0) {
    const elsewhere = error.issues.find(({ path }) => !fields.includes(path));
    return elsewhere ? error.message : null;
  }
  return sentenceOf(error);
}
