import { describe, expect, it } from 'vitest';
import {
  Authenticator,
  type Challenge,
  formatChallenge,
  parseAuthorization,
  parseChallenges,
  strongestChallenge,
  verifyAuthorization,
} from './digest.ts';

const credentials = { username: 'Mufasa', password: 'Circle of Life' };
const legacy = { username: 'Mufasa', password: 'Circle Of Life' };

function digest(of: Partial<Extract<Challenge, { scheme: 'digest' }>> = {}): Challenge {
  return {
    scheme: 'digest',
    realm: 'cam',
    nonce: 'n1',
    algorithm: 'MD5',
    qopAuth: false,
    opaque: undefined,
    stale: false,
    algorithmGiven: false,
    ...of,
  };
}

describe('digest', () => {
  it('gives the responses that RFC 2617 §3.5 and RFC 7616 §3.9.1 print', () => {
    const text =
      'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"';
    const [challenge] = parseChallenges([text]);
    const header = new Authenticator(challenge!, legacy, () => '0a4f113b').authorize(
      'GET',
      '/dir/index.html',
    );
    expect(header).toContain('response="6629fae49393a05397450978507c4ef1"');
    const sha =
      'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
    const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
    const answer = new Authenticator(parseChallenges([sha])[0]!, credentials, () => cnonce);
    expect(answer.authorize('GET', '/dir/index.html')).toContain(
      'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"',
    );
  });

  it.each([
    digest(),
    digest({ qopAuth: true, opaque: 'o"p' }),
    digest({ algorithm: 'SHA-256', algorithmGiven: true, qopAuth: true }),
    digest({ algorithm: 'MD5-sess', algorithmGiven: true, qopAuth: true }),
    digest({ algorithm: 'SHA-256-sess', algorithmGiven: true }),
    { scheme: 'basic', realm: 'cam' } satisfies Challenge,
  ])('is understood by the other side: %o', (challenge) => {
    const [parsed] = parseChallenges([formatChallenge(challenge)]);
    expect(parsed).toEqual(challenge);
    const client = new Authenticator(parsed!, credentials);
    for (let i = 0; i < 2; i++) {
      const authorization = parseAuthorization(client.authorize('PLAY', 'rtsp://h/s'))!;
      expect(verifyAuthorization(authorization, 'PLAY', credentials)).toBe(true);
      expect(verifyAuthorization(authorization, 'PLAY', { ...credentials, password: 'x' })).toBe(false);
      expect(verifyAuthorization(authorization, 'PLAY', { ...credentials, username: 'x' })).toBe(false);
      if (challenge.scheme === 'digest')
        expect(verifyAuthorization(authorization, 'TEARDOWN', credentials)).toBe(false);
    }
  });

  it('counts its requests for each nonce', () => {
    const client = new Authenticator(digest({ qopAuth: true }), credentials);
    expect(client.authorize('A', '*')).toContain('nc=00000001');
    expect(client.authorize('A', '*')).toContain('nc=00000002');
  });

  it('takes the strongest of several challenges, in one header or many', () => {
    const headers = [
      'Basic realm="a", Digest realm="b", nonce="1"',
      'Digest realm="c", nonce="2", algorithm=SHA-256',
    ];
    expect(parseChallenges(headers)).toHaveLength(3);
    expect(strongestChallenge(parseChallenges(headers))).toMatchObject({ algorithm: 'SHA-256', realm: 'c' });
    expect(strongestChallenge(parseChallenges(headers.slice(0, 1)))).toMatchObject({ scheme: 'digest' });
    expect(strongestChallenge(parseChallenges(['Negotiate', 'Digest realm="x"']))).toBeUndefined();
    expect(parseChallenges(['Digest nonce=n,stale=TRUE,realm=r'])).toMatchObject([
      { stale: true, nonce: 'n' },
    ]);
  });

  it('never hangs on hostile headers', () => {
    for (const text of ['Digest '.repeat(500), 'a=b,'.repeat(900), `Digest realm="${'\\'.repeat(4000)}`]) {
      expect(parseChallenges([text]).length).toBeLessThan(10);
      expect(parseAuthorization(text)).toBeNull();
    }
  });
});
