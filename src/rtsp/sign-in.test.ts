import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, codeOf, connect, guarded, on, ScriptedCamera } from './testing.ts';

afterEach(closeAll);

describe('signing in', () => {
  it('takes one refusal and one answer', async () => {
    const camera = await ScriptedCamera.start(
      guarded(
        () => 'a',
        () => false,
      ),
    );
    await connect(camera.url('user:topsecret@'));
    expect(camera.requests).toEqual(['OPTIONS', 'OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY']);
    expect(camera.seen.every((request) => !request.uri.includes('topsecret'))).toBe(true);
  });

  it('with a wrong password is tried once', async () => {
    const camera = await ScriptedCamera.start(
      guarded(
        () => 'a',
        () => false,
      ),
    );
    expect(await codeOf(camera.url('user:topsecret2@'))).toBe('wrong_password');
    expect(camera.requests).toEqual(['OPTIONS', 'OPTIONS']);
  });

  it.each([true, false])('goes on when the nonce changes (stale=%s)', async (stale) => {
    let nonce = 1;
    const check = guarded(
      () => String(nonce),
      () => stale,
    );
    const camera = await ScriptedCamera.start((request, self) => {
      if (request.method === 'SETUP' && nonce === 1) nonce = 2;
      return check(request, self);
    });
    const client = await connect(camera.url('user:topsecret@'));
    expect(camera.requests).toEqual(['OPTIONS', 'OPTIONS', 'DESCRIBE', 'SETUP', 'SETUP', 'PLAY']);
    await client.close();
  });

  it('that was accepted and is refused later is a lost session, not a wrong password', async () => {
    let password = 'topsecret';
    const camera = await ScriptedCamera.start((request, self) => {
      if (request.method === 'PLAY') password = 'changed';
      return guarded(
        () => 'a',
        () => false,
        password,
      )(request, self);
    });
    expect(await codeOf(camera.url('user:topsecret@'))).toBe('session_lost');
  });
});

describe('a redirect', () => {
  it('is followed without the password to another port, and resolved anew', async () => {
    const target = await ScriptedCamera.start();
    const camera = await ScriptedCamera.start(
      on('DESCRIBE', { status: 302, headers: { Location: target.url('spy:spy@') } }),
    );
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return [host];
    };
    await connect(camera.url('user:topsecret@'), { resolve });
    expect(asked).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(target.requests).toEqual(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY']);
    expect(target.seen.some((request) => request.headers.has('Authorization'))).toBe(false);
  });

  it('is followed three times at most', async () => {
    const camera: ScriptedCamera = await ScriptedCamera.start((request) =>
      request.method === 'DESCRIBE' ? { status: 307, headers: { Location: camera.url() } } : null,
    );
    expect(await codeOf(camera.url())).toBe('redirect_refused');
    expect(camera.connections).toBe(4);
  });
});
