// What one of several instances tells of itself and of the cameras it runs.

import { expect, test } from 'vitest';
import { call, startServer, type TestServer } from '../../test/support/http-server.ts';
import type { ClusterFigures, HeldCameras } from './metrics-ports.ts';

const neighbours: ClusterFigures = {
  capacity: 60,
  instances: 3,
  waiting: 2,
  relay: { bytes: { sent: 1_000, received: 20 }, dropped: 3 },
};

async function metricsOf(server: TestServer): Promise<(line: RegExp) => number | null> {
  const { status, body } = await call(server, 'GET', '/metrics');
  expect(status).toBe(200);
  return (line) => {
    const found = new RegExp(`^${line.source} (\\S+)$`, 'm').exec(body);
    return found ? Number(found[1]) : null;
  };
}

async function addCamera(server: TestServer, name: string): Promise<string> {
  const input = { name, rtsp_url: `rtsp://${name}.local/` };
  return (await call(server, 'POST', '/api/streams/', input)).body.id;
}

test('an instance tells how many cameras it runs and for how long, alone too', async () => {
  const heldCameras = { held: 4, seconds: 12.5, heldHere: () => false };
  await using server = await startServer({ http: { metrics: { heldCameras } } });
  await addCamera(server, 'door');
  const read = await metricsOf(server);
  expect(read(/rtsp_viewer_cameras_held/)).toBe(4);
  expect(read(/rtsp_viewer_camera_seconds_total/)).toBe(12.5);
  expect(read(/rtsp_viewer_instances/)).toBeNull();
  // A stopped camera is run by nobody, but alone it is still this instance's to tell of.
  expect(read(/rtsp_viewer_stream_fps\{.*name="door"\}/)).not.toBeNull();

  heldCameras.held = 5;
  heldCameras.seconds = 20;
  const later = await metricsOf(server);
  expect(later(/rtsp_viewer_cameras_held/)).toBe(5);
  expect(later(/rtsp_viewer_camera_seconds_total/)).toBe(20);
});

test('of several instances only the one that runs a camera tells its figures, so that sums are right', async () => {
  const here = new Set<string>();
  const heldCameras: HeldCameras = { held: 1, seconds: 1, heldHere: (id) => here.has(id) };
  await using server = await startServer({ http: { metrics: { heldCameras, cluster: () => neighbours } } });
  const mine = await addCamera(server, 'mine');
  const moving = await addCamera(server, 'moving');
  await addCamera(server, 'elsewhere');
  here.add(mine).add(moving);
  const before = await metricsOf(server);
  expect(before(/rtsp_viewer_stream_viewers\{.*name="mine"\}/)).toBe(0);
  expect(before(/rtsp_viewer_stream_viewers\{.*name="moving"\}/)).toBe(0);
  expect(before(/rtsp_viewer_stream_viewers\{.*name="elsewhere"\}/)).toBeNull();

  here.delete(moving);
  expect((await metricsOf(server))(/rtsp_viewer_stream_viewers\{.*name="moving"\}/)).toBeNull();
});

test('one of several instances tells of its neighbours and of what passes between them', async () => {
  let figures = neighbours;
  const heldCameras: HeldCameras = { held: 0, seconds: 0, heldHere: () => true };
  await using server = await startServer({ http: { metrics: { heldCameras, cluster: () => figures } } });
  const read = await metricsOf(server);
  expect(read(/rtsp_viewer_instance_capacity/)).toBe(60);
  expect(read(/rtsp_viewer_instances/)).toBe(3);
  expect(read(/rtsp_viewer_cameras_waiting/)).toBe(2);
  expect(read(/rtsp_viewer_relay_bytes_total\{direction="sent"\}/)).toBe(1_000);
  expect(read(/rtsp_viewer_relay_bytes_total\{direction="received"\}/)).toBe(20);
  expect(read(/rtsp_viewer_relay_dropped_total/)).toBe(3);

  figures = { ...neighbours, relay: { ...neighbours.relay, bytes: { sent: 1_500, received: 20 } } };
  expect((await metricsOf(server))(/rtsp_viewer_relay_bytes_total\{direction="sent"\}/)).toBe(1_500);
});
