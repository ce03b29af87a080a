// Basic and Digest authentication (RFC 2617, RFC 7616), for both sides of a connection.
// Who may do what, and how often a sign-in is tried, is decided elsewhere.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export type DigestAlgorithm = 'MD5' | 'MD5-sess' | 'SHA-256' | 'SHA-256-sess';

export type Challenge =
  | { readonly scheme: 'basic'; readonly realm: string }
  | {
      readonly scheme: 'digest';
      readonly realm: string;
      readonly nonce: string;
      readonly algorithm: DigestAlgorithm;
      /** `auth` was offered; without it the older form of RFC 2069 is used. */
      readonly qopAuth: boolean;
      readonly opaque: string | undefined;
      readonly stale: boolean;
      /** The algorithm stood in the challenge; only then it is written back. */
      readonly algorithmGiven: boolean;
    };

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const algorithms: readonly DigestAlgorithm[] = ['MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess'];
const maxHeaderLength = 4096;

/** `name=value` and `name="value"` pairs; a bare word begins the next scheme and ends the list. */
function parseParameters(text: string, start: number): { values: Map<string, string>; end: number } {
  const pattern = /[\s,]*([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y;
  const values = new Map<string, string>();
  let end = start;
  pattern.lastIndex = start;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const name = match[1]!.toLowerCase();
    if (!values.has(name)) values.set(name, match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
    end = pattern.lastIndex;
  }
  return { values, end };
}

function readChallenge(scheme: string, values: ReadonlyMap<string, string>): Challenge | null {
  const realm = values.get('realm') ?? '';
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic', realm };
  if (scheme.toLowerCase() !== 'digest') return null;
  const given = values.get('algorithm');
  const algorithm = algorithms.find((name) => name.toLowerCase() === (given || 'MD5').toLowerCase());
  const nonce = values.get('nonce');
  const qop = values.get('qop');
  const qopAuth = (qop ?? '').split(',').some((word) => word.trim().toLowerCase() === 'auth');
  // `auth-int` alone cannot be answered.
  if (algorithm === undefined || nonce === undefined || (qop && !qopAuth)) return null;
  return {
    scheme: 'digest',
    realm,
    nonce,
    algorithm,
    qopAuth,
    opaque: values.get('opaque'),
    stale: values.get('stale')?.toLowerCase() === 'true',
    algorithmGiven: Boolean(given),
  };
}

/** Every challenge that can be answered, from all WWW-Authenticate headers of a response, in their order. */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  const challenges: Challenge[] = [];
  for (const text of headers) {
    if (text.length > maxHeaderLength) continue;
    const scheme = /[\s,]*([A-Za-z][\w-]*)(?:\s+|$)/y;
    for (let match = scheme.exec(text); match; match = scheme.exec(text)) {
      const { values, end } = parseParameters(text, scheme.lastIndex);
      const challenge = readChallenge(match[1]!, values);
      if (challenge) challenges.push(challenge);
      scheme.lastIndex = end;
    }
  }
  return challenges;
}

function strength(challenge: Challenge): number {
  if (challenge.scheme === 'basic') return 0;
  return (challenge.algorithm.startsWith('SHA') ? 2 : 1) + (challenge.qopAuth ? 0.5 : 0);
}

/** The strongest: SHA-256 before MD5, with qop before without, Basic last. The first of equals. */
export function strongestChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  return challenges.reduce<Challenge | undefined>(
    (best, next) => (best === undefined || strength(next) > strength(best) ? next : best),
    undefined,
  );
}

export function formatChallenge(challenge: Challenge): string {
  if (challenge.scheme === 'basic') return `Basic realm=${quote(challenge.realm)}`;
  const parts = [`realm=${quote(challenge.realm)}`, `nonce=${quote(challenge.nonce)}`];
  if (challenge.algorithmGiven) parts.push(`algorithm=${challenge.algorithm}`);
  if (challenge.qopAuth) parts.push('qop="auth"');
  if (challenge.opaque !== undefined) parts.push(`opaque=${quote(challenge.opaque)}`);
  if (challenge.stale) parts.push('stale=true');
  return `Digest ${parts.join(', ')}`;
}

function quote(text: string): string {
  return `"${text.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}

interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly realm: string;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  /** `nc` as 8 hex digits; absent without qop. */
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
}

/** The `response` of RFC 7616 §3.4.1, or of RFC 2069 when `nc` is absent. */
function digestResponse(input: DigestInput, { username, password }: Credentials): string {
  const hash = (text: string) =>
    createHash(input.algorithm.startsWith('SHA') ? 'sha256' : 'md5')
      .update(text)
      .digest('hex');
  let a1 = hash(`${username}:${input.realm}:${password}`);
  if (input.algorithm.endsWith('-sess')) a1 = hash(`${a1}:${input.nonce}:${input.cnonce ?? ''}`);
  const a2 = hash(`${input.method}:${input.uri}`);
  if (input.nc === undefined) return hash(`${a1}:${input.nonce}:${a2}`);
  return hash(`${a1}:${input.nonce}:${input.nc}:${input.cnonce ?? ''}:auth:${a2}`);
}

/** The client's side: answers one challenge for as many requests as the server lets it. */
export class Authenticator {
  readonly challenge: Challenge;
  readonly #credentials: Credentials;
  readonly #randomCnonce: () => string;
  #count = 0;

  constructor(
    challenge: Challenge,
    credentials: Credentials,
    randomCnonce: () => string = () => randomBytes(12).toString('hex'),
  ) {
    this.challenge = challenge;
    this.#credentials = credentials;
    this.#randomCnonce = randomCnonce;
  }

  /** The value of the Authorization header. `uri` exactly as on the request line. */
  authorize(method: string, uri: string): string {
    const { challenge } = this;
    const { username, password } = this.#credentials;
    if (challenge.scheme === 'basic')
      return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const { realm, nonce, algorithm, opaque, qopAuth } = challenge;
    const nc = qopAuth ? (++this.#count).toString(16).padStart(8, '0') : undefined;
    const cnonce = qopAuth || algorithm.endsWith('-sess') ? this.#randomCnonce() : undefined;
    const response = digestResponse({ algorithm, realm, nonce, method, uri, nc, cnonce }, this.#credentials);
    const parts = [
      `username=${quote(username)}`,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      `uri=${quote(uri)}`,
      `response="${response}"`,
    ];
    if (challenge.algorithmGiven) parts.push(`algorithm=${algorithm}`);
    if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`);
    if (nc !== undefined) parts.push('qop=auth', `nc=${nc}`);
    if (cnonce !== undefined) parts.push(`cnonce="${cnonce}"`);
    return `Digest ${parts.join(', ')}`;
  }
}

export type Authorization =
  | { readonly scheme: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly scheme: 'digest';
      readonly username: string;
      readonly realm: string;
      readonly nonce: string;
      readonly uri: string;
      readonly response: string;
      readonly algorithm: DigestAlgorithm;
      readonly nc: string | undefined;
      readonly cnonce: string | undefined;
    };

/** The server's side: reads an Authorization header; null when it makes no sense. */
export function parseAuthorization(header: string): Authorization | null {
  if (header.length > maxHeaderLength) return null;
  const basic = /^\s*Basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(header);
  if (basic) {
    const text = Buffer.from(basic[1]!, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon === -1) return null;
    return { scheme: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  const digest = /^\s*Digest\s+/iy;
  if (!digest.test(header)) return null;
  const { values } = parseParameters(header, digest.lastIndex);
  const given = values.get('algorithm') || 'MD5';
  const algorithm = algorithms.find((name) => name.toLowerCase() === given.toLowerCase());
  const [username, realm, nonce, uri, response] = ['username', 'realm', 'nonce', 'uri', 'response'].map((n) =>
    values.get(n),
  );
  if (algorithm === undefined || username === undefined || realm === undefined) return null;
  if (nonce === undefined || uri === undefined || response === undefined) return null;
  const nc = values.get('qop') ? values.get('nc') : undefined;
  return {
    scheme: 'digest',
    username,
    realm,
    nonce,
    uri,
    response,
    algorithm,
    nc,
    cnonce: values.get('cnonce'),
  };
}

/**
 * Whether `authorization` proves these credentials for `method`. Whether its realm and nonce are the ones that
 * were handed out is for the caller to compare. Takes the same time for every wrong password.
 */
export function verifyAuthorization(
  authorization: Authorization,
  method: string,
  credentials: Credentials,
): boolean {
  if (authorization.scheme === 'basic')
    return (
      sameText(authorization.username, credentials.username) &&
      sameText(authorization.password, credentials.password)
    );
  if (authorization.username !== credentials.username) return false;
  return sameText(
    authorization.response.toLowerCase(),
    digestResponse({ ...authorization, method }, credentials),
  );
}

function sameText(a: string, b: string): boolean {
  const hashed = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hashed(a), hashed(b));
}
