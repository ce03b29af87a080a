import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import { startSimulator } from '../simulator/server.ts';
import { eventually, useParts } from './support/parts.ts';
import { processTree } from './support/process-figures.ts';
import { startService } from './support/service.ts';
import { Viewer } from './support/viewer.ts';

const parts = useParts(['/stall', '/path', '/crash1', '/crash2', '/edit', '/stopped']);

/** Process ids of the codec workers: the service's children that decode something. */
function workersOf(pid: number): number[] {
  return processTree(pid).slice(1);
}

describe('recovery', () => {
  it('brings a camera that was killed and restarted back to viewers that kept their socket, every time', async () => {
    const { service } = parts;
    // With a port of its own, which closes when its only camera dies.
    await using simulator = await startSimulator({
      cameras: [{ path: '/cycle', clip: await sceneClip({ gopSeconds: 1 }) }],
    });
    const camera = simulator.camera('/cycle');
    const stream = await parts.save(simulator.url('/cycle'));
    const viewer = parts.watch(stream);
    await viewer.more(3);
    const fds = service.fds();
    for (let cycle = 0; cycle < 8; cycle++) {
      await camera.die(cycle % 2 === 0 ? 'reset' : 'fin');
      await viewer.until('told of the loss', () => viewer.status === 'reconnecting', 5_000);
      const message = viewer.messages.findLast((each) => each.type === 'status');
      expect(message).toMatchObject({ message: expect.stringMatching(/connection|listens|session/i) });
      await camera.comeBack();
      await viewer.until('online again', () => viewer.status === 'online', 10_000);
      await viewer.more(2);
    }
    expect(viewer.closed).toBeNull();
    expect(camera.stats.sessionsMax).toBe(1);
    expect(service.fds()).toBeLessThanOrEqual(fds + 3);
  }, 120_000);

  it('notices a camera that stops sending with the connection open, and goes on when it sends again', async () => {
    const camera = parts.simulator.camera('/stall');
    const stream = await parts.save(parts.simulator.url('/stall'));
    const viewer = parts.watch(stream);
    await viewer.more(3);
    camera.stall();
    await viewer.until('told of the stall', () => viewer.status === 'reconnecting', 8_000);
    expect(viewer.messages.findLast((each) => each.type === 'status')).toMatchObject({
      message: /stopped sending/,
    });
    camera.resume();
    await viewer.until('online again', () => viewer.status === 'online', 10_000);
    await viewer.more(3);
    expect(camera.stats.sessions).toBe(1);
  });

  it('asks for a person after a wrong password within two attempts, and tries an edit at once', async () => {
    const { service } = parts;
    const password = 'right:p@ss/word';
    await using simulator = await startSimulator({
      cameras: [{ path: '/password', clip: await sceneClip({ gopSeconds: 1 }), username: 'admin', password }],
    });
    const camera = simulator.camera('/password');
    const url = simulator.url('/password', { bare: true });
    const stream = await parts.save(url.replace('rtsp://', 'rtsp://admin:wrong@'));
    const failed = await eventually(
      'in error',
      () => parts.status(stream.id),
      ({ status }) => status === 'error',
    );
    expect(failed.last_error).toMatch(/wrong user name or password/);
    expect(failed.rtsp_url).toContain('admin:****@');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(camera.stats.wrongPasswords).toBeLessThanOrEqual(2);
    const rtsp_url = url.replace('rtsp://', `rtsp://admin:${encodeURIComponent(password)}@`);
    await service.api('PATCH', `/api/streams/${stream.id}/`, { rtsp_url });
    await eventually(
      'online',
      () => parts.status(stream.id),
      ({ status }) => status === 'online',
    );
    expect(service.logs()).not.toMatch(/right:p|p%40ss/);
  });

  it('tells a path that does not exist from a camera that is away', async () => {
    const { simulator } = parts;
    const wrong = await parts.save(simulator.url('/path').replace('/path', '/no-such-path'));
    const away = await parts.save('rtsp://127.0.0.1:9/x');
    const first = await eventually(
      'in error',
      () => parts.status(wrong.id),
      ({ status }) => status === 'error',
    );
    expect(first.last_error).toMatch(/no stream at this path/);
    const second = await eventually(
      'retried',
      () => parts.status(away.id),
      ({ status }) => status === 'reconnecting',
    );
    expect(second.last_error).toMatch(/Nothing listens/);
  });

  it('picks up a new address while running, with the viewers kept', async () => {
    const { simulator, service } = parts;
    const stream = await parts.save(simulator.url('/edit'));
    const viewer = parts.watch(stream);
    await viewer.more(3);
    await service.api('PATCH', `/api/streams/${stream.id}/`, { rtsp_url: simulator.url('/path') });
    await eventually(
      'moved',
      () => simulator.camera('/edit').stats.sessions,
      (open) => open === 0,
    );
    await viewer.more(3);
    expect(simulator.camera('/path').stats.sessions).toBe(1);
    await service.api('PATCH', `/api/streams/${stream.id}/`, { name: 'Renamed' });
    expect(simulator.camera('/path').stats.sessionsTotal).toBe(1);
  });

  it('disconnects a stopped stream, says so to its viewers, and starts it again', async () => {
    const { simulator, service } = parts;
    const stream = await parts.save(simulator.url('/stopped'));
    const viewer = parts.watch(stream);
    await viewer.more(2);
    await service.api('PATCH', `/api/streams/${stream.id}/status/`, { action: 'stop' });
    await viewer.until('told', () => viewer.status === 'offline');
    await eventually(
      'torn down',
      () => simulator.camera('/stopped').stats.sessions,
      (open) => open === 0,
    );
    await service.api('PATCH', `/api/streams/${stream.id}/status/`, { action: 'start' });
    await viewer.more(2);
    expect(viewer.closed).toBeNull();
  });

  it('replaces a codec worker that crashes without asking the camera anew, and other cameras lose nothing', async () => {
    const { simulator } = parts;
    // A service of its own: its workers are known to decode these two cameras only.
    const service = await startService();
    try {
      const save = (path: string) =>
        service.api<{ id: string }>('POST', '/api/streams/', { name: path, rtsp_url: simulator.url(path) });
      const watch = ({ id }: { id: string }) =>
        new Viewer(`${service.baseUrl.replace('http', 'ws')}/ws/stream/?stream_id=${id}`);
      const one = watch(await save('/crash1'));
      await one.more(5);
      const two = watch(await save('/crash2'));
      await two.more(5);
      const { sessionsTotal } = simulator.camera('/crash1').stats;

      const workers = workersOf(service.pid);
      expect(workers.length).toBeGreaterThanOrEqual(2);
      for (const pid of workers) {
        process.kill(pid, 'SIGSEGV');
        await Promise.all([one.more(8), two.more(8)]);
      }
      expect(one.interruptions + two.interruptions).toBe(0);
      expect(simulator.camera('/crash1').stats.sessionsTotal).toBe(sessionsTotal);
      expect(simulator.camera('/crash2').stats.sessionsTotal).toBe(1);
      await Promise.all([one.close(), two.close()]);
    } finally {
      await service.stop();
    }
  }, 60_000);

  it('tells its viewers and cameras when it ends, leaves no process behind, and has its streams after a restart', async () => {
    const { simulator } = parts;
    const first = await startService();
    const { dataDir } = first;
    let again: typeof first | null = null;
    try {
      const stream = await first.api<{ id: string }>('POST', '/api/streams/', {
        name: 'Kept',
        rtsp_url: simulator.url('/crash1'),
      });
      const viewer = new Viewer(`${first.baseUrl.replace('http', 'ws')}/ws/stream/?stream_id=${stream.id}`);
      await viewer.more(3);
      const workers = workersOf(first.pid);
      process.kill(first.pid, 'SIGTERM');
      await viewer.until('closed', () => viewer.closed !== null);
      expect(viewer.closed!.code).toBe(1001);
      await eventually(
        'ended',
        () => first.exitCode,
        (code) => code !== null,
        6_000,
      );
      expect(first.exitCode).toBe(0);
      const alive = new Set(readdirSync('/proc'));
      expect(workers.filter((pid) => alive.has(String(pid)))).toEqual([]);
      expect(simulator.camera('/crash1').stats.sessions).toBe(0);

      again = await startService({ dataDir });
      const { streams } = await again.api<{ streams: { id: string; status: string }[] }>(
        'GET',
        '/api/streams/',
      );
      expect(streams.map(({ id }) => id)).toEqual([stream.id]);
      const returned = new Viewer(`${again.baseUrl.replace('http', 'ws')}/ws/stream/?stream_id=${stream.id}`);
      await returned.more(2);
      await returned.close();
    } finally {
      await again?.stop();
      await first.stop();
    }
  }, 60_000);
});
