// Access tokens: signed statements (JWT, RFC 7519 and 9068) that name a user and a session for some minutes.
// Whether the session still stands is not theirs to say: the caller looks it up.

import { webcrypto } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { deriveKey } from '../base/derived-key.ts';

export const accessTokenSeconds = 15 * 60;

/** What every token of this service says of itself; anything else is not accepted. */
export const tokenMarks = {
  alg: 'HS256',
  typ: 'at+jwt',
  iss: 'rtsp-stream-viewer',
  aud: 'rtsp-stream-viewer',
} as const;

/** Tokens are about 400 characters long; whatever is much longer is none. */
const maxLength = 2_048;

export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
}

export interface SigningKey {
  /** `kid`: which secret it was derived from, without telling anything of it. */
  readonly id: string;
  readonly key: webcrypto.CryptoKey;
}

/** The key that `SECRET_KEY`, or an entry of `SECRET_KEY_FALLBACKS`, stands for. */
export async function signingKey(secretKey: string): Promise<SigningKey> {
  const bytes = new Uint8Array(deriveKey(secretKey, 'access tokens'));
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return {
    id: deriveKey(secretKey, 'access tokens key id', 6).toString('base64url'),
    key: await webcrypto.subtle.importKey('raw', bytes, algorithm, false, ['sign', 'verify']),
  };
}

/** @param issuedAt s since 1970. */
export function signAccessToken(
  { id, key }: SigningKey,
  { userId, sessionId }: AccessClaims,
  issuedAt: number,
): Promise<string> {
  return new SignJWT({ sid: sessionId })
    .setProtectedHeader({ alg: tokenMarks.alg, typ: tokenMarks.typ, kid: id })
    .setIssuer(tokenMarks.iss)
    .setAudience(tokenMarks.aud)
    .setSubject(userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + accessTokenSeconds)
    .sign(key);
}

export class AccessTokens {
  readonly #current: SigningKey;
  readonly #byId: ReadonlyMap<string, SigningKey>;

  private constructor(current: SigningKey, former: readonly SigningKey[]) {
    this.#current = current;
    this.#byId = new Map([...former, current].map((key) => [key.id, key]));
  }

  /** @param fallbacks former secrets, whose tokens are still accepted but no longer made. */
  static async create(secretKey: string, fallbacks: readonly string[]): Promise<AccessTokens> {
    return new AccessTokens(await signingKey(secretKey), await Promise.all(fallbacks.map(signingKey)));
  }

  /** @param now ms since 1970. */
  issue(claims: AccessClaims, now: number): Promise<string> {
    return signAccessToken(this.#current, claims, Math.floor(now / 1000));
  }

  /** @param now ms since 1970. @returns null for whatever is not a valid token of this service. */
  async read(token: string, now: number): Promise<AccessClaims | null> {
    if (token.length > maxLength) return null;
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#keyOf(kid), {
        algorithms: [tokenMarks.alg],
        typ: tokenMarks.typ,
        issuer: tokenMarks.iss,
        audience: tokenMarks.aud,
        requiredClaims: ['sub', 'sid', 'iat', 'exp'],
        currentDate: new Date(now),
      });
      const { sub, sid } = payload;
      return typeof sub === 'string' && typeof sid === 'string' ? { userId: sub, sessionId: sid } : null;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  #keyOf(kid: string | undefined): webcrypto.CryptoKey {
    const known = this.#byId.get(kid ?? '');
    if (known === undefined) throw new errors.JWSInvalid('signed with an unknown key');
    return known.key;
  }
}
