// Tokens that are not what they seem: none is accepted, and those of a former secret only while it is a fallback.

import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import {
  AccessTokens,
  accessTokenSeconds,
  signAccessToken,
  signingKey,
  tokenMarks,
} from './access-tokens.ts';
import { nothing, refusalOf, secretKey, startWorld } from './testing.ts';

const now = 1_750_000_000_000;
const claims = { userId: 'user', sessionId: 'session' };

async function readIt(token: string, at = now): Promise<unknown> {
  return (await AccessTokens.create(secretKey, [])).read(token, at);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function parts(token: Promise<string>): Promise<[string, string, string]> {
  return (await token).split('.') as [string, string, string];
}

test('a token says who and which session until it expires', async () => {
  const tokens = await AccessTokens.create(secretKey, []);
  const token = await tokens.issue(claims, now);
  expect(await tokens.read(token, now)).toEqual(claims);
  expect(await tokens.read(token, now + accessTokenSeconds * 1000 - 1)).toEqual(claims);
  expect(await tokens.read(token, now + accessTokenSeconds * 1000)).toBeNull();
});

test('any changed character makes a token worthless', async () => {
  const tokens = await AccessTokens.create(secretKey, []);
  const token = await tokens.issue(claims, now);
  // The last character holds two bits that mean nothing.
  for (let index = 0; index < token.length - 1; index++) {
    const other = token[index] === 'A' ? 'B' : 'A';
    expect(await tokens.read(token.slice(0, index) + other + token.slice(index + 1), now)).toBeNull();
  }
});

test('a token without a signature is refused, whatever its header says', async () => {
  const key = await signingKey(secretKey);
  const [, payload, signature] = await parts(signAccessToken(key, claims, now / 1000));
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null]) {
    const header = encode({ alg, typ: tokenMarks.typ, kid: key.id });
    for (const end of ['', signature]) expect(await readIt(`${header}.${payload}.${end}`)).toBeNull();
  }
});

test('another algorithm is refused, also with the right key and with a public key as the secret', async () => {
  const { id } = await signingKey(secretKey);
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const base = () =>
    new SignJWT({ sid: 'session' })
      .setIssuer(tokenMarks.iss)
      .setAudience(tokenMarks.aud)
      .setSubject('user')
      .setIssuedAt(now / 1000)
      .setExpirationTime(now / 1000 + 60);
  const rs256 = await base()
    .setProtectedHeader({ alg: 'RS256', typ: tokenMarks.typ, kid: id })
    .sign(privateKey);
  expect(await readIt(rs256)).toBeNull();
  const header = encode({ alg: 'HS256', typ: tokenMarks.typ, kid: id });
  const payload = rs256.split('.')[1]!;
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const signature = createHmac('sha256', pem).update(`${header}.${payload}`).digest('base64url');
  expect(await readIt(`${header}.${payload}.${signature}`)).toBeNull();
  const hs512 = base().setProtectedHeader({ alg: 'HS512', typ: tokenMarks.typ, kid: id });
  expect(await readIt(await hs512.sign(new Uint8Array(64)))).toBeNull();
});

test('issuer, audience, type, expiry and session must be there and be ours', async () => {
  const { id, key } = await signingKey(secretKey);
  const good = {
    iss: tokenMarks.iss,
    aud: tokenMarks.aud,
    sub: 'user',
    sid: 'session',
    iat: now / 1000,
    exp: now / 1000 + 60,
  };
  const header = { alg: 'HS256', typ: tokenMarks.typ, kid: id };
  const sign = (payload: object, marks: object = {}) =>
    new SignJWT({ ...payload }).setProtectedHeader({ ...header, ...marks }).sign(key);
  expect(await readIt(await sign(good))).toEqual(claims);
  for (const name of Object.keys(good)) {
    const { [name as keyof typeof good]: _, ...less } = good;
    expect(await readIt(await sign(less)), `without ${name}`).toBeNull();
  }
  for (const wrong of [
    { iss: 'other' },
    { aud: 'other' },
    { sid: 1 },
    { exp: now / 1000 - 1 },
    { exp: 'never' },
  ])
    expect(await readIt(await sign({ ...good, ...wrong })), JSON.stringify(wrong)).toBeNull();
  for (const marks of [{ typ: 'JWT' }, { kid: 'other' }, { crit: ['b64'], b64: false }])
    expect(await readIt(await sign(good, marks).catch(() => '')), JSON.stringify(marks)).toBeNull();
});

test('a token of another secret is refused; of a former one it is accepted while that is a fallback', async () => {
  const former = await AccessTokens.create('the former secret of tests', []);
  const token = await former.issue(claims, now);
  expect(await readIt(token)).toBeNull();
  const both = await AccessTokens.create(secretKey, ['unrelated', 'the former secret of tests']);
  expect(await both.read(token, now)).toEqual(claims);
  expect(await former.read(await both.issue(claims, now), now)).toBeNull();
});

test('what is no token at all is refused', async () => {
  for (const text of ['', '.', '..', '...', 'a.b.c', '{}', 'rsr_x', '\u0000', 'é.é.é', 'a'.repeat(1_000_000)])
    expect(await readIt(text)).toBeNull();
});

test('whoever presents a forged, expired or foreign token is refused with 401', async () => {
  await using world = await startWorld();
  const { access, identity } = await world.setUp();
  const subject = { userId: identity.userId!, sessionId: identity.sessionId! };
  const seconds = Math.floor(Date.now() / 1000);
  const mine = await signingKey(secretKey);
  const present = (bearer: string) => refusalOf(world.authenticator.identify({ ...nothing, bearer }));
  expect(await present(access)).toBe('no refusal');
  const forged = [
    await signAccessToken(mine, subject, seconds - accessTokenSeconds),
    await signAccessToken(await signingKey('another secret'), subject, seconds),
    await signAccessToken(mine, { ...subject, userId: 'somebody else' }, seconds),
    await signAccessToken(mine, { ...subject, sessionId: 'another' }, seconds),
    `${access.slice(0, -10)}AAAAAAAAAA`,
    'rsv_unknown',
    'x',
    '',
  ];
  for (const token of forged) expect(await present(token)).toBe('401 invalid_token');
});
