import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { serializeRequest } from './message.ts';
import { buildBye } from './rtcp.ts';
import { closeAll, codeOf, connect, on, type Script, ScriptedCamera, Watcher } from './testing.ts';

afterEach(closeAll);

/** What Node would end the process for, unless somebody listens. */
async function strayErrorsDuring(work: () => Promise<void>): Promise<unknown[]> {
  const stray: unknown[] = [];
  const note = (error: unknown) => stray.push(error);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', note);
  try {
    await work();
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    process.off('unhandledRejection', note);
    for (const other of others) process.on('unhandledRejection', other);
  }
  return stray;
}

describe('a hostile camera', () => {
  it.each<[string, Script]>([
    ['session', on('SETUP', { status: 200, raw: 'Session: a\rb' })],
    ['nonce', on('DESCRIBE', { status: 401, raw: 'WWW-Authenticate: Digest realm="a", nonce="a\0b"' })],
    ['realm', on('OPTIONS', { status: 401, raw: 'WWW-Authenticate: Digest realm="a\0b", nonce="a"' })],
  ])('with a line break or a NUL in its %s ends its own session and nothing else', async (_what, script) => {
    const camera = await ScriptedCamera.start(script);
    const stray = await strayErrorsDuring(async () => {
      expect(await codeOf(camera.url('user:topsecret@'))).toBe('protocol');
    });
    expect(stray).toEqual([]);
  });

  it('with a line break in the number of its request is not answered with it', async () => {
    const camera = await ScriptedCamera.start();
    const client = await connect(camera.url());
    const request = serializeRequest({ method: 'OPTIONS', uri: '*', headers: { CSeq: '@' } });
    camera.socket!.write(String(request).replace('@', '1\r2'));
    expect((await client.closed)?.code).toBe('protocol');
  });

  it('that names port 0 for UDP is taken for one that names none', async () => {
    const camera = await ScriptedCamera.start((request) => {
      const transport = request.headers.get('Transport') ?? '';
      if (request.method !== 'SETUP' || !transport.includes('client_port')) return null;
      return { status: 200, headers: { Session: 'udp', Transport: `${transport};server_port=0-0` } };
    });
    const client = await connect(camera.url(), { transport: 'udp' });
    expect(client.stats.transport).toBe('tcp');
  });

  it('that says goodbye for another source ends nothing', async () => {
    const camera = await ScriptedCamera.start();
    const watcher = new Watcher();
    const client = await connect(camera.url(), { events: watcher });
    camera.sendFrame(1, 3000);
    camera.send(5, buildBye(8));
    camera.sendFrame(2, 6000);
    await watcher.have(2);
    camera.send(5, buildBye(7));
    expect((await client.closed)?.code).toBe('session_lost');
  });
});

describe('an abort', () => {
  it('in the very moment of success is a refusal all the same, and leaves nothing open', async () => {
    const abort = new AbortController();
    const watcher = new Watcher();
    watcher.onAccessUnit = () => abort.abort();
    const camera = await ScriptedCamera.start((request, self) => {
      if (request.method !== 'PLAY') return null;
      // The answer and a picture in one piece: the picture is handed on before `connect` returns.
      self.socket!.cork();
      setImmediate(() => {
        self.sendFrame(1, 3000);
        self.socket!.uncork();
      });
      return { status: 200 };
    });
    const connecting = connect(camera.url(), { events: watcher, signal: abort.signal });
    await expect(connecting).rejects.toThrow('aborted');
    expect(camera.requests.at(-1)).toBe('TEARDOWN');
  });

  it('while a name is looked up, or the port does not answer, is obeyed at once', async () => {
    const abort = new AbortController();
    const never = connect('rtsp://camera.invalid/', {
      signal: abort.signal,
      resolve: () => new Promise(() => undefined),
    });
    abort.abort();
    await expect(never).rejects.toThrow('aborted');
  });

  it('during a TLS handshake closes the socket', async () => {
    const server = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const abort = new AbortController();
    const connecting = connect(`rtsps://127.0.0.1:${port}/`, { signal: abort.signal });
    connecting.catch(() => undefined);
    const [socket] = await once(server, 'connection');
    const closed = once(socket, 'close');
    abort.abort();
    await expect(connecting).rejects.toThrow('aborted');
    await closed;
    server.close();
  });
});
