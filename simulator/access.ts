// Whether a request may pass: Basic or Digest, with nonces that can be made stale.
// One object per camera; it decides, the connection answers.

import { randomBytes } from 'node:crypto';
import {
  type Challenge,
  formatChallenge,
  parseAuthorization,
  verifyAuthorization,
} from '../src/rtsp/digest.ts';
import type { RtspRequest } from '../src/rtsp/message.ts';

/** `digest-md5` is RFC 2069 as older cameras speak it, `digest-md5-qop` the same with `qop=auth`. */
export type AuthScheme = 'none' | 'basic' | 'digest-md5' | 'digest-md5-qop' | 'digest-sha256';

export type Verdict = 'granted' | 'missing' | 'stale' | 'wrong';

const realm = 'Simulated camera';

export class AccessControl {
  readonly scheme: AuthScheme;
  readonly username: string;
  readonly password: string;
  #nonce = randomBytes(16).toString('hex');
  readonly #outdated = new Set<string>();

  constructor(scheme: AuthScheme, username: string, password: string) {
    this.scheme = scheme;
    this.username = username;
    this.password = password;
  }

  /** The nonce given out so far is not accepted any more. */
  renewNonce(): void {
    this.#outdated.add(this.#nonce);
    this.#nonce = randomBytes(16).toString('hex');
  }

  check(request: RtspRequest): Verdict {
    if (this.scheme === 'none') return 'granted';
    const header = request.headers.get('Authorization');
    const authorization = header === undefined ? null : parseAuthorization(header);
    if (!authorization) return 'missing';
    const credentials = { username: this.username, password: this.password };
    if (authorization.scheme === 'basic')
      return this.scheme === 'basic' && verifyAuthorization(authorization, request.method, credentials)
        ? 'granted'
        : 'wrong';
    const algorithm = this.scheme === 'digest-sha256' ? 'SHA-256' : 'MD5';
    if (this.scheme === 'basic' || authorization.algorithm !== algorithm || authorization.realm !== realm)
      return 'wrong';
    if (authorization.uri !== request.uri || !verifyAuthorization(authorization, request.method, credentials))
      return 'wrong';
    if (authorization.nonce === this.#nonce) return 'granted';
    return this.#outdated.has(authorization.nonce) ? 'stale' : 'wrong';
  }

  /** The value of WWW-Authenticate. */
  challenge(stale: boolean): string {
    if (this.scheme === 'basic') return formatChallenge({ scheme: 'basic', realm });
    const challenge: Challenge = {
      scheme: 'digest',
      realm,
      nonce: this.#nonce,
      algorithm: this.scheme === 'digest-sha256' ? 'SHA-256' : 'MD5',
      algorithmGiven: this.scheme !== 'digest-md5',
      qopAuth: this.scheme !== 'digest-md5',
      opaque: undefined,
      stale,
    };
    return formatChallenge(challenge);
  }
}
