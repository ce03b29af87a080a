import { afterEach, describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../simulator/certificate.ts';
import { sceneClip } from '../simulator/clips.ts';
import { startSimulator } from '../simulator/server.ts';
import type { AccessUnit } from '../src/media/access-unit.ts';
import { parseCameraUrl } from '../src/media/camera-url.ts';
import { RtspClient, type RtspClientOptions } from '../src/rtsp/client.ts';
import { startUdpRelay } from './support/udp-relay.ts';

const clip = await sceneClip({ gopSeconds: 1 });
const keyframes = new Set(
  clip.accessUnits.filter((unit) => unit.keyframe).map(({ data }) => Buffer.from(data).toString('base64')),
);
const clients: RtspClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

async function play(url: string, more: Partial<RtspClientOptions> = {}) {
  const units: AccessUnit[] = [];
  const waiting = new Set<() => void>();
  const onAccessUnit = (unit: AccessUnit) => {
    units.push(unit);
    for (const wake of waiting) wake();
  };
  const client = await RtspClient.connect({
    url: parseCameraUrl(url),
    events: { onVideo: () => undefined, onAccessUnit },
    ...more,
  });
  clients.push(client);
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => waiting.add(resolve));
  };
  return { client, units, until };
}

function isKeyframeOfClip({ data }: AccessUnit): boolean {
  return keyframes.has(Buffer.from(data).toString('base64'));
}

describe('rtsps', () => {
  it('plays with a certificate that the camera signed itself, and tears down', async () => {
    await using simulator = await startSimulator({
      cameras: [{ path: '/cam', clip, username: 'admin', password: 'secret' }],
      tls: selfSignedCertificate(),
    });
    expect(simulator.url('/cam')).toMatch(/^rtsps:/);
    const { client, units, until } = await play(simulator.url('/cam'));
    await until(() => units.some(isKeyframeOfClip));
    await client.close();
    expect(simulator.camera('/cam').stats).toMatchObject({ sessions: 0, teardowns: 1 });
  });

  it('refuses such a certificate when told to verify, before any word of RTSP', async () => {
    await using simulator = await startSimulator({
      cameras: [{ path: '/cam', clip }],
      tls: selfSignedCertificate(),
    });
    await expect(play(simulator.url('/cam'), { tlsVerify: true })).rejects.toMatchObject({ code: 'tls' });
    expect(simulator.camera('/cam').stats.describes).toBe(0);
  });

  it('to a server without TLS fails instead of speaking in clear', async () => {
    await using simulator = await startSimulator({ cameras: [{ path: '/cam', clip }] });
    const url = simulator.url('/cam').replace('rtsp:', 'rtsps:');
    await expect(play(url)).rejects.toMatchObject({ name: 'CameraError' });
    expect(simulator.camera('/cam').stats.describes).toBe(0);
  });
});

describe('a name of several addresses', () => {
  it('is tried one after another', async () => {
    await using simulator = await startSimulator({ cameras: [{ path: '/cam', clip }] });
    const { units, until } = await play(simulator.url('/cam'), {
      resolve: async () => ['127.0.0.2', '127.0.0.1'],
    });
    await until(() => units.length > 0);
  });

  it('none of which answers is refused', async () => {
    await using simulator = await startSimulator({ cameras: [{ path: '/cam', clip }] });
    const resolve = async () => ['127.0.0.2', '127.0.0.3'];
    await expect(play(simulator.url('/cam'), { resolve })).rejects.toMatchObject({ code: 'refused' });
  });
});

describe('UDP', () => {
  it('that swaps packets loses nothing', async () => {
    await using simulator = await startSimulator({ cameras: [{ path: '/cam', clip }] });
    await using relay = await startUdpRelay(simulator.port, { swapEvery: 5 });
    const { client, units, until } = await play(relay.url(simulator.url('/cam')), { transport: 'udp' });
    await until(() => units.length >= 45);
    expect(relay.swapped).toBeGreaterThan(5);
    expect(client.stats).toMatchObject({ transport: 'udp', lostPackets: 0, droppedUnits: 0 });
    expect(units.some((unit) => unit.lossBefore)).toBe(false);
    const times = units.map((unit) => unit.timestamp);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await client.close();
  });

  it('that loses packets drops the units they were of, says so, and goes on at the next keyframe', async () => {
    await using simulator = await startSimulator({ cameras: [{ path: '/cam', clip }] });
    await using relay = await startUdpRelay(simulator.port, { swapEvery: 11, dropEvery: 40 });
    const { client, units, until } = await play(relay.url(simulator.url('/cam')), { transport: 'udp' });
    await until(() => units.filter((unit) => unit.lossBefore).length >= 3);
    const loss = units.findIndex((unit) => unit.lossBefore);
    await until(() => units.slice(loss).some(isKeyframeOfClip));
    expect(client.stats.lostPackets).toBeGreaterThan(0);
    expect(client.stats.droppedUnits).toBeGreaterThan(0);
    expect(client.stats.lostPackets).toBeLessThanOrEqual(relay.dropped);
    // What arrives is whole: a keyframe is one of the clip's, byte for byte, or it is not given at all.
    expect(units.filter((unit) => unit.keyframe).every(isKeyframeOfClip)).toBe(true);
    await client.close();
    expect(simulator.camera('/cam').stats.sessions).toBe(0);
  });
});
