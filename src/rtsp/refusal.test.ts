import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CameraError, type CameraErrorCode } from '../errors.ts';
import { closeAll, codeOf, connect, on, type Script, ScriptedCamera } from './testing.ts';

afterEach(closeAll);

describe('a refusal', () => {
  it.each<[string, Script, CameraErrorCode]>([
    ['no such path', on('DESCRIBE', { status: 404 }), 'no_such_path'],
    ['forbidden', on('DESCRIBE', { status: 403 }), 'wrong_password'],
    ['no bandwidth', on('SETUP', { status: 453 }), 'server_full'],
    ['service unavailable', on('DESCRIBE', { status: 503 }), 'server_full'],
    ['unknown session', on('PLAY', { status: 454 }), 'session_lost'],
    ['internal error', on('DESCRIBE', { status: 500 }), 'server_error'],
    ['unsupported media', on('DESCRIBE', { status: 415 }), 'codec_unsupported'],
    ['no media at all', on('DESCRIBE', { status: 200, body: '' }), 'no_video'],
    ['audio only', on('DESCRIBE', { status: 200, body: 'm=audio 0 RTP/AVP 0\n' }), 'no_video'],
    ['connection closed', on('DESCRIBE', 'close'), 'connection_lost'],
    ['too large a description', on('DESCRIBE', { status: 200, body: 'x'.repeat(1024 * 1024) }), 'protocol'],
    [
      'redirect elsewhere',
      on('DESCRIBE', { status: 302, headers: { Location: 'http://127.0.0.1/' } }),
      'redirect_refused',
    ],
    ['redirect nowhere', on('DESCRIBE', { status: 301 }), 'redirect_refused'],
    [
      'password asked for',
      on('DESCRIBE', { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="a"' } }),
      'wrong_password',
    ],
  ])('%s has a code of its own', async (_what, script, code) => {
    const camera = await ScriptedCamera.start(script);
    expect(await codeOf(camera.url())).toBe(code);
    if (camera.requests.includes('PLAY')) expect(camera.requests.at(-1)).toBe('TEARDOWN');
  });

  it('for its codec names the codec', async () => {
    const body = 'm=video 0 RTP/AVP 98\na=rtpmap:98 VP8/90000\n';
    const camera = await ScriptedCamera.start(on('DESCRIBE', { status: 200, body }));
    await expect(connect(camera.url())).rejects.toThrow(/VP8/);
  });

  it.each([
    ['an HTTP server', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['an SSH server', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['noise', '\x00\x01\x02'],
  ])('of %s is not RTSP', async (_what, banner) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write(banner);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await codeOf(`rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/`)).toBe('not_rtsp');
    server.close();
  });

  it('of the port, the name or the address policy is told apart', async () => {
    const camera = await ScriptedCamera.start();
    const url = camera.url();
    const denied = async () => {
      throw new CameraError('address_denied');
    };
    expect(await codeOf(url, { resolve: denied })).toBe('address_denied');
    expect(await codeOf(url, { resolve: async () => [] })).toBe('unknown_host');
    expect(camera.connections).toBe(0);
    await camera.stop();
    expect(await codeOf(url)).toBe('refused');
  });

  it('comes at the deadline when the camera is silent, or sends one byte at a time', async () => {
    const silent = await ScriptedCamera.start(on('DESCRIBE', 'silence'));
    expect(await codeOf(silent.url(), { timeouts: { total: 300 } })).toBe('timeout');
    const slow = await ScriptedCamera.start((_request, camera) => {
      const timer = setInterval(() => camera.socket!.write('R'), 50);
      camera.socket!.on('close', () => clearInterval(timer));
      return 'silence';
    });
    expect(['timeout', 'not_rtsp']).toContain(await codeOf(slow.url(), { timeouts: { total: 400 } }));
    expect(await codeOf(silent.url(), { timeouts: { response: 200 } })).toBe('timeout');
  });

  it('is not waited for after an abort, and the session is torn down', async () => {
    const camera = await ScriptedCamera.start((request) => {
      if (request.method === 'PLAY') queueMicrotask(() => abort.abort());
      return request.method === 'PLAY' ? 'silence' : null;
    });
    const abort = new AbortController();
    await expect(connect(camera.url(), { signal: abort.signal })).rejects.toThrow('aborted');
    expect(camera.requests.at(-1)).toBe('TEARDOWN');
  });
});
