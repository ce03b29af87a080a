import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { sceneClip } from '../simulator/clips.ts';
import type { Scene, Visit } from '../simulator/scene.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { decodeJpeg } from '../src/codec/worker/test-clips.ts';
import type { EventMessage, ServerMessage } from '../src/live/protocol.ts';
import { eventually } from './support/parts.ts';
import { type Service, startService } from './support/service.ts';
import { Viewer } from './support/viewer.ts';

interface Detection {
  readonly id: string;
  readonly stream_id: string;
  readonly stream: string;
  readonly timestamp: string;
  readonly last_seen: string;
  readonly confidence_score: number;
  readonly image_url: string;
  readonly thumbnail_url: string;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}
interface Alert {
  readonly id: string;
  readonly detection_id: string;
  readonly detections_count: number;
  readonly stream_id: string;
  readonly image_url: string;
  readonly viewed: boolean;
}

const visit = (person: number, from: number, to: number, at: number): Visit => ({ person, from, to, at });

/** The room is empty at both ends of the loop for longer than a visit needs to be over. */
const scenes: Readonly<Record<string, Scene>> = {
  '/one': { label: 'ONE', mood: 'day', seconds: 24, visits: [visit(1, 3, 18, 0.5)] },
  '/three': {
    label: 'THREE',
    mood: 'day',
    seconds: 20,
    visits: [visit(0, 3, 14, 0.2), visit(1, 3, 14, 0.5), visit(2, 3, 14, 0.8)],
  },
  '/empty': { label: 'EMPTY', mood: 'evening', seconds: 20, visits: [] },
};

describe('faces', () => {
  let simulator: Simulator;
  let service: Service;

  beforeAll(async () => {
    const cameras = await Promise.all(
      Object.entries(scenes).map(async ([path, scene]) => ({
        path,
        clip: await sceneClip({ scene, gopSeconds: 1 }),
      })),
    );
    simulator = await startSimulator({ cameras });
    service = await startService();
  }, 120_000);

  afterAll(async () => {
    await service.stop();
    await simulator.close();
  });

  const save = (path: string, more: Record<string, unknown> = {}) =>
    service.api<{ id: string }>('POST', '/api/streams/', {
      name: path,
      rtsp_url: simulator.url(path),
      ...more,
    });
  const watch = (id: string) =>
    new Viewer(`${service.baseUrl.replace('http', 'ws')}/ws/stream/?stream_id=${id}`);
  const detections = async (id: string) =>
    (await service.api<{ detections: Detection[] }>('GET', `/api/detections/?stream_id=${id}`)).detections;
  const alerts = async (id: string) =>
    (await service.api<{ alerts: Alert[] }>('GET', `/api/alerts/?stream_id=${id}`)).alerts;
  const ofType = <T extends ServerMessage['type']>(viewer: Viewer, type: T) =>
    viewer.messages.filter(
      (message): message is Extract<ServerMessage, { type: T }> => message.type === type,
    );

  it('one person in view is one detection with its best picture, one alert, told at once to all who watch', async () => {
    const events: EventMessage[] = [];
    const dashboard = new WebSocket(`${service.baseUrl.replace('http', 'ws')}/ws/events/`);
    dashboard.on('message', (data) => events.push(JSON.parse(String(data)) as EventMessage));
    const { id } = await save('/one');
    const viewer = watch(id);
    await viewer.until('alerted', () => ofType(viewer, 'face_alert').length > 0, 60_000);
    const [told] = ofType(viewer, 'face_alert');
    expect(told).toMatchObject({
      stream_id: id,
      confidence: expect.any(Number),
      snapshot: expect.stringMatching(/^\/media\//),
    });
    // What was told is stored already, with its image.
    expect(await alerts(id)).toMatchObject([
      { id: told!.alert_id, detection_id: told!.detection_id, viewed: false },
    ]);
    const image = await fetch(`${service.baseUrl}${told!.snapshot}`);
    expect(image.headers.get('content-type')).toBe('image/jpeg');
    expect(decodeJpeg(new Uint8Array(await image.arrayBuffer()))).toMatchObject({ width: 640, height: 480 });

    await viewer.until(
      'the person gone',
      () => ofType(viewer, 'detections').at(-1)?.faces.length === 0,
      60_000,
    );
    const boxes = ofType(viewer, 'detections').filter(({ faces }) => faces.length > 0);
    expect(boxes.length).toBeGreaterThan(10);
    expect(new Set(boxes.flatMap(({ faces }) => faces.map(({ track }) => track))).size).toBe(1);
    await viewer.until(
      'told the figures',
      () => (ofType(viewer, 'performance_stats').at(-1)?.detection.tracks ?? 0) > 0,
      20_000,
    );
    const { detection } = ofType(viewer, 'performance_stats').at(-1)!;
    expect(detection).toMatchObject({ tracks: 1, alerts: 1, frames_skipped: expect.any(Number) });
    expect(detection.faces).toBeLessThanOrEqual(detection.frames_analysed);
    const [seen, ...others] = await detections(id);
    expect(others).toEqual([]);
    expect(seen).toMatchObject({
      stream_id: id,
      stream: '/one',
      image_url: expect.stringMatching(/^\/media\//),
    });
    expect(Date.parse(seen!.last_seen) - Date.parse(seen!.timestamp)).toBeGreaterThan(4_000);
    expect(seen!.box.width).toBeGreaterThan(0.08);
    const thumbnail = await fetch(`${service.baseUrl}${seen!.thumbnail_url}`);
    expect(decodeJpeg(new Uint8Array(await thumbnail.arrayBuffer())).width).toBeGreaterThan(60);

    const raised = events.filter(({ type }) => type === 'face_alert');
    expect(raised).toMatchObject([{ alert_id: told!.alert_id, stream_id: id }]);
    expect(
      events.some((event) => event.type === 'status' && event.stream_id === id && event.status === 'online'),
    ).toBe(true);
    dashboard.close();
    await viewer.close();
    await service.api('DELETE', `/api/streams/${id}/`);
    expect((await fetch(`${service.baseUrl}${told!.snapshot}`)).status).toBe(404);
  }, 120_000);

  it('three people at once are three detections of one alert', async () => {
    const { id } = await save('/three');
    const all = await eventually(
      'all three stored',
      () => detections(id),
      (found) => found.length >= 3,
      60_000,
    );
    expect(all).toHaveLength(3);
    await eventually(
      'one alert of three',
      () => alerts(id),
      (found) => found[0]?.detections_count === 3,
      20_000,
    );
    expect(await alerts(id)).toHaveLength(1);
    await service.api('DELETE', `/api/streams/${id}/`);
  }, 120_000);

  it('an empty room is analysed and gives neither; detection is switched off and on without reconnecting', async () => {
    const { id } = await save('/empty');
    const state = (viewer: Viewer) => ofType(viewer, 'status').at(-1)?.detection?.state;
    const viewer = watch(id);
    await viewer.until('the detector ready', () => state(viewer) === 'ready', 20_000);
    const analysed = async () => (await service.metrics())('rtsp_viewer_detection_frames_analysed_total');
    const before = await analysed();
    await eventually('analysed', analysed, (count) => count > before + 5, 30_000);
    await service.api('PATCH', `/api/streams/${id}/status/`, { action: 'pause' });
    await viewer.until('told that it is off', () => state(viewer) === 'off');
    await service.api('PATCH', `/api/streams/${id}/status/`, { action: 'resume' });
    await viewer.until('on again', () => state(viewer) === 'ready', 20_000);
    await viewer.more(5);
    expect(viewer.interruptions).toBe(0);
    expect(simulator.camera('/empty').stats.sessionsTotal).toBe(1);
    expect(await detections(id)).toEqual([]);
    await viewer.close();
    await service.api('DELETE', `/api/streams/${id}/`);
  }, 120_000);

  it('a sub-stream is analysed in place of the main stream, which then is not decoded for it', async () => {
    const { id } = await save('/empty', { detection_url: simulator.url('/one') });
    await eventually(
      'noticed there',
      () => detections(id),
      (found) => found.length === 1,
      60_000,
    );
    const stats = await service.api<{ decoders: number }>('GET', `/api/streams/${id}/stats/`);
    expect(stats.decoders).toBe(0);
    expect(simulator.camera('/one').stats.sessions).toBe(1);
    await service.api('PATCH', `/api/streams/${id}/`, { detection_url: null });
    await eventually(
      'left',
      () => simulator.camera('/one').stats.sessions,
      (open) => open === 0,
    );
    await service.api('DELETE', `/api/streams/${id}/`);
  }, 120_000);

  it('a report from outside goes through the same alert policy', async () => {
    const { id } = await save('/empty', { detection_enabled: false });
    const viewer = watch(id);
    await viewer.more(1);
    const report = (confidence_score: number) =>
      service.api<{ id: string }>('POST', '/api/detections/', { stream_id: id, confidence_score });
    const first = await report(0.93);
    const second = await report(0.95);
    await viewer.until('alerted', () => ofType(viewer, 'face_alert').length > 0);
    expect(ofType(viewer, 'face_alert')).toMatchObject([{ detection_id: first.id, confidence: 0.93 }]);
    expect((await detections(id)).map((each) => each.id).sort()).toEqual([first.id, second.id].sort());
    await eventually(
      'joined',
      () => alerts(id),
      ([alert]) => alert?.detections_count === 2,
    );
    await viewer.close();
    await service.api('DELETE', `/api/streams/${id}/`);
  }, 60_000);
});
