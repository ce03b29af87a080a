// The addresses of what several instances share: Redis, PostgreSQL, a bucket. Read and checked, not used.
// They may hold passwords: a refusal never repeats one.

import { Refusal } from './setting-values.ts';

/** Redis, with the prefix of this service's keys: several services may share one. */
export interface RedisAddress {
  /** `redis://` or `rediss://`, with user, password and database number, without the prefix. */
  readonly url: string;
  /** Letters, digits, `-`, `_` and `.`; no colon. */
  readonly prefix: string;
}

/** A bucket of S3 or of something that speaks its protocol. Its keys come from where the AWS SDK looks for them. */
export interface BucketAddress {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** As in `https://minio.example.com:9000`; undefined: Amazon's own. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

export function redisAddress(text: string): RedisAddress {
  const url = parsed(text, ['redis:', 'rediss:'], 'an address such as redis://redis.example.com:6379');
  const prefix = onlyParameters(url, ['prefix']).get('prefix') ?? 'rtsp-stream-viewer';
  if (!/^[\w.-]{1,64}$/.test(prefix))
    throw new Refusal('has a prefix that cannot be used; allowed are letters, digits, "-", "_" and ".".');
  if (!/^\/?\d{0,3}$/.test(url.pathname))
    throw new Refusal('has a path that is no database number, as in redis://redis.example.com:6379/0.');
  url.search = '';
  return Object.freeze({ url: url.href, prefix });
}

/** PostgreSQL's own parameters (`sslmode` and others) are passed on. */
export function databaseAddress(text: string): string {
  const example = 'an address such as postgres://user:password@db.example.com:5432/viewer';
  const url = parsed(text, ['postgres:', 'postgresql:'], example);
  if (url.pathname.length < 2) throw new Refusal(`names no database; allowed is ${example}.`);
  return text;
}

export function bucketAddress(text: string): BucketAddress {
  const example = 's3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1';
  const url = parsed(text, ['s3:'], `an address such as ${example}`);
  if (url.username !== '' || url.password !== '')
    throw new Refusal('holds keys; give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname) || url.port !== '')
    throw new Refusal(`names no bucket; allowed is an address such as ${example}.`);
  const parameters = onlyParameters(url, ['endpoint', 'region']);
  const endpoint = parameters.get('endpoint') ?? undefined;
  if (endpoint !== undefined && !/^https?:\/\/[^/@]+\/?$/.test(endpoint))
    throw new Refusal('has an endpoint that cannot be used; allowed is one such as https://s3.example.com.');
  return Object.freeze({
    bucket: url.hostname,
    prefix: decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, ''),
    endpoint,
    region: parameters.get('region') ?? undefined,
  });
}

function parsed(text: string, protocols: readonly string[], allowed: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && protocols.includes(url.protocol) && url.hostname !== '') return url;
  throw new Refusal(`is not an address that can be used; allowed is ${allowed}.`);
}

function onlyParameters({ searchParams }: URL, known: readonly string[]): URLSearchParams {
  const unknown = [...searchParams.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Refusal(`has a parameter that is not known; allowed: ${known.join(', ')}.`);
  return searchParams;
}
