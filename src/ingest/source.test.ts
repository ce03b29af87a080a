import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { parseCameraUrl } from '../media/camera-url.ts';
import { closeAll, type Script, ScriptedCamera } from '../rtsp/testing.ts';
import { Stream } from '../stream/stream.ts';
import { Source } from './source.ts';

const sources: Source[] = [];

afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.stop()));
  await closeAll();
});

function hold(camera: ScriptedCamera): { source: Source; stream: Stream } {
  const stream = new Stream();
  const source = new Source({
    stream,
    address: parseCameraUrl(camera.url()),
    resolve: async (host) => [host],
    clock: systemClock,
    log: silentLog,
  });
  sources.push(source);
  source.setWatched(true);
  return { source, stream };
}

/** Leaves PLAY unanswered and takes 200 ms for TEARDOWN: the session stands at the camera meanwhile. */
function slowToEnd(journal: string[]): Script {
  return (request, camera) => {
    journal.push(request.method);
    if (request.method === 'PLAY') return 'silence';
    if (request.method !== 'TEARDOWN') return null;
    setTimeout(() => {
      journal.push('gone');
      camera.socket?.destroy();
    }, 200);
    return 'silence';
  };
}

describe('a source', () => {
  it('that is stopped during an attempt has told the camera before it says so', async () => {
    const journal: string[] = [];
    const camera = await ScriptedCamera.start(slowToEnd(journal));
    const { source, stream } = hold(camera);
    source.start();
    await expect.poll(() => journal.at(-1)).toBe('PLAY');
    await source.stop();
    expect(journal.slice(-2)).toEqual(['TEARDOWN', 'gone']);
    expect(stream.status).toBe('offline');
    expect(source.state.retryAt).toBeNull();
  });

  it('that gets another address during an attempt asks for a new session once the old one is gone', async () => {
    const journal: string[] = [];
    const first = await ScriptedCamera.start(slowToEnd(journal));
    const second = await ScriptedCamera.start((request) => {
      journal.push(`new ${request.method}`);
      return null;
    });
    const { source, stream } = hold(first);
    source.start();
    await expect.poll(() => journal.at(-1)).toBe('PLAY');
    source.setAddress(parseCameraUrl(second.url()));
    expect(stream.status).toBe('connecting');
    await expect.poll(() => journal.at(-1)).toBe('new PLAY');
    expect(journal.indexOf('gone')).toBeGreaterThan(0);
    expect(journal.indexOf('gone')).toBeLessThan(journal.indexOf('new OPTIONS'));
    second.sendFrame(1, 3000);
    await expect.poll(() => stream.status).toBe('online');
    expect(first.connections).toBe(1);
    expect(second.connections).toBe(1);
  });

  it('goes from address to address and from start to stop without leaving anything behind', async () => {
    const camera = await ScriptedCamera.start();
    const { source, stream } = hold(camera);
    for (let i = 0; i < 20; i++) {
      source.start();
      if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 5 * (i % 4)));
      source.setAddress(parseCameraUrl(`${camera.url()}&i=${i}`));
      if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
      await source.stop();
      expect(stream.status).toBe('offline');
    }
    await expect.poll(() => camera.open).toBe(0);
    const setUp = camera.requests.filter((method) => method === 'PLAY').length;
    expect(camera.requests.filter((method) => method === 'TEARDOWN').length).toBeGreaterThanOrEqual(setUp);
  });

  it('remembers that a picture came even when it came in one piece with the answer to PLAY', async () => {
    let refuses = false;
    const camera = await ScriptedCamera.start((request, self) => {
      if (refuses) return { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="a"' } };
      if (request.method !== 'PLAY') return null;
      self.socket!.cork();
      setImmediate(() => {
        self.sendFrame(1, 3000);
        self.socket!.uncork();
      });
      return { status: 200 };
    });
    const { source, stream } = hold(camera);
    source.start();
    await expect.poll(() => stream.status).toBe('online');
    refuses = true;
    camera.socket!.destroy();
    await expect.poll(() => source.state.code, { timeout: 10_000 }).toBe('wrong_password');
    expect(stream.status).toBe('reconnecting');
  });
});
