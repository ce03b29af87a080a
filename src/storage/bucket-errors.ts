// What a bucket, or the way to it, answers when something is wrong, as errors that people can act on.
// Of its errors only the name is passed on: they carry the key, what was signed, and the address.

import { ConfigError } from '../config.ts';
import { AppError } from '../errors.ts';
import { imageNotFound } from './image-store.ts';

interface Trouble {
  /** For those who use the service. */
  readonly message: string;
  /** For those who start it: set when it does not pass by itself. Follows the name of the setting. */
  readonly setting?: string;
}

const noBucket: Trouble = {
  message: 'The bucket for images does not exist.',
  setting: 'names a bucket that does not exist; create it, or correct the name.',
};
const refused: Trouble = {
  message: 'The bucket for images refuses the keys.',
  setting:
    'names a bucket that refuses the keys; correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN).',
};
const denied: Trouble = {
  message: 'The keys do not allow what is done with the bucket for images.',
  setting:
    'names a bucket that these keys may not use; they need the rights to get, put, delete and list what is in it.',
};
const noKeys: Trouble = {
  message: 'There are no keys for the bucket for images.',
  setting: 'needs keys; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
};
const wrongRegion: Trouble = {
  message: 'The bucket for images is in another region.',
  setting: 'names no region, or not that of its bucket; add it, as in ?region=eu-central-1.',
};
const unreachable: Trouble = { message: 'The bucket for images cannot be reached.' };
const wrongClock: Trouble = { message: 'The bucket for images and this machine disagree about the time.' };
const busy: Trouble = { message: 'The bucket for images asks for fewer requests.' };

const troubles: Readonly<Record<string, Trouble>> = {
  NoSuchBucket: noBucket,
  InvalidAccessKeyId: refused,
  SignatureDoesNotMatch: refused,
  InvalidToken: refused,
  ExpiredToken: refused,
  AccessDenied: denied,
  Forbidden: denied,
  AllAccessDisabled: denied,
  CredentialsProviderError: noKeys,
  AuthorizationHeaderMalformed: wrongRegion,
  PermanentRedirect: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  RequestTimeTooSkewed: wrongClock,
  SlowDown: busy,
  SlowDownWrite: busy,
  SlowDownRead: busy,
  TooManyRequests: busy,
  AbortError: unreachable,
  TimeoutError: unreachable,
};

const full = /^(XMinio.*(StorageFull|QuotaExceeded)|QuotaExceeded|InsufficientStorage|NoSpaceLeft)$/;

/** @returns AppError: 404 `image_not_found`, 507 `storage_full`, 503 `storage_unavailable`. */
export function bucketError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const { name, status } = read(cause);
  if (name === 'NoSuchKey') return imageNotFound();
  const detail = { detail: name };
  if (status === 507 || full.test(name))
    return new AppError(507, 'storage_full', 'The bucket for images is full.', detail);
  const message = troubleOf(cause)?.message ?? 'The bucket for images reports an error.';
  return new AppError(503, 'storage_unavailable', message, detail);
}

/** @returns a ConfigError for `STORAGE_URL` when nothing but another setting can help; else as `bucketError`. */
export function bucketErrorAtStart(cause: unknown): ConfigError | AppError {
  const setting = troubleOf(cause)?.setting;
  return setting === undefined ? bucketError(cause) : new ConfigError('STORAGE_URL', setting);
}

function troubleOf(cause: unknown): Trouble | undefined {
  const { name, code } = read(cause);
  // The SDK has no name for this one.
  if (cause instanceof Error && cause.message === 'Region is missing') return wrongRegion;
  return Object.hasOwn(troubles, name) ? troubles[name] : code === undefined ? undefined : unreachable;
}

interface Answer {
  /** Of the answer, or the system's code when there was none. */
  readonly name: string;
  readonly status: number | undefined;
  /** As in ECONNREFUSED or CERT_HAS_EXPIRED: there was no answer. */
  readonly code: string | undefined;
}

function read(cause: unknown): Answer {
  const { name, code, $metadata } = (cause ?? {}) as Partial<
    Error & { code: unknown; $metadata: { httpStatusCode?: number } }
  >;
  const system = typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : undefined;
  const said = typeof name === 'string' && /^\w{1,60}$/.test(name) ? name : 'Error';
  return { name: system ?? said, status: $metadata?.httpStatusCode, code: system };
}
