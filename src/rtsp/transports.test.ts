import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, codeOf, connect, ScriptedCamera } from './testing.ts';

afterEach(closeAll);

describe('transports', () => {
  it('fall back from a silent UDP to TCP', async () => {
    const camera = await ScriptedCamera.start((request) => {
      const transport = request.headers.get('Transport') ?? '';
      if (request.method !== 'SETUP' || !transport.includes('client_port')) return null;
      return { status: 200, headers: { Session: 'udp', Transport: `${transport};server_port=9-10` } };
    });
    const client = await connect(camera.url(), { transport: 'udp' });
    expect(client.stats.transport).toBe('tcp');
    expect(camera.requests.filter((method) => method === 'TEARDOWN')).toHaveLength(1);
  });

  it.each([461, 400])('change to UDP when the camera refuses TCP with %i', async (status) => {
    const camera = await ScriptedCamera.start((request) => {
      const transport = request.headers.get('Transport') ?? '';
      if (request.method !== 'SETUP') return null;
      return transport.includes('interleaved')
        ? { status }
        : { status: 200, headers: { Session: 'udp', Transport: transport } };
    });
    expect(await codeOf(camera.url())).toBe('no_packets');
    expect(camera.requests.filter((method) => method === 'SETUP')).toHaveLength(2);
    expect(camera.requests.at(-1)).toBe('TEARDOWN');
  });
});
