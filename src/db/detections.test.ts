// Detections and alerts on a real database: what is kept together, what goes with what.

import { beforeEach, describe, expect, test } from 'vitest';
import { onEachDatabase } from '../../test/support/databases.ts';
import { SecretBox } from '../auth/secrets.ts';
import { parseCameraUrl } from '../media/camera-url.ts';
import type { SavedSighting } from '../media/saved-detection.ts';
import { AlertRepository } from './alerts.ts';
import type { Database } from './database.ts';
import { DetectionRepository, type NewDetection } from './detections.ts';
import { newId } from './id.ts';
import { StreamRepository } from './streams.ts';

onEachDatabase((databases) => {
  let database: Database;
  let detections: DetectionRepository;
  let alerts: AlertRepository;
  let streams: StreamRepository;
  let streamId: string;

  beforeEach(async () => {
    database = await databases.open();
    detections = new DetectionRepository(database.db);
    alerts = new AlertRepository(database.db);
    streams = new StreamRepository(database.db, new SecretBox('a secret for tests only'));
    streamId = await newStream('Door');
  });

  async function newStream(name: string): Promise<string> {
    const address = parseCameraUrl('rtsp://camera.local/');
    const choice = { name, description: '', address, detectionAddress: null, detectionEnabled: true };
    return (await streams.create({ ...choice, confidenceThreshold: 0.8, wanted: 'running' })).id;
  }

  const sighting: SavedSighting = {
    confidence: 0.9,
    box: { x: 0.1, y: 0.2, width: 0.3, height: 0.4 },
    landmarks: [
      { x: 0.1, y: 0.2 },
      { x: 1 / 3, y: 0.25 },
    ],
    frame: { width: 640, height: 480 },
  };
  const nothingSaid: SavedSighting = { confidence: 0.8, box: null, landmarks: null, frame: null };

  let images = 0;
  function imageNames(): { frame: string; face: string } {
    images += 2;
    const name = (n: number) => `aa/${n.toString(16).padStart(30, '0')}.jpg`;
    return { frame: name(images), face: name(images + 1) };
  }

  async function stored(change: Partial<NewDetection> = {}): Promise<NewDetection> {
    const detection = {
      id: newId(),
      streamId,
      sighting,
      time: 1_000,
      lastSeen: 2_000,
      images: imageNames(),
      ...change,
    };
    expect(await detections.insert(detection)).toBe('stored');
    return detection;
  }

  async function raised(detection: NewDetection, raisedAt = 5_000): Promise<string> {
    const id = newId();
    const { id: detectionId, time } = detection;
    expect(
      await alerts.raise({ id, streamId: detection.streamId, detectionId, confidence: 0.9, time, raisedAt }),
    ).not.toBeNull();
    return id;
  }

  const namesOf = ({ images: names }: NewDetection) => [names!.frame, names!.face!];

  describe('a detection', () => {
    test('reads back as it was stored, whatever was not said of it', async () => {
      const full = await stored();
      expect(await detections.get(full.id)).toEqual({
        ...sighting,
        id: full.id,
        streamId,
        streamName: 'Door',
        time: 1_000,
        lastSeen: 2_000,
        alertId: null,
        images: full.images,
      });
      const bare = await stored({ sighting: nothingSaid, images: null });
      expect(await detections.get(bare.id)).toMatchObject({ ...nothingSaid, images: null });
      const faceless = await stored({ images: { frame: 'aa/1.jpg', face: null } });
      expect((await detections.get(faceless.id))?.images).toEqual({ frame: 'aa/1.jpg', face: null });
    });

    test('is stored once, however often it is tried', async () => {
      const detection = await stored();
      expect(await detections.insert({ ...detection, images: imageNames() })).toBe('known');
      expect((await detections.get(detection.id))?.images).toEqual(detection.images);
    });

    test('of a stream that is gone is refused', async () => {
      const detection = { id: newId(), streamId: newId(), sighting, time: 1, lastSeen: 1, images: null };
      expect(await detections.insert(detection)).toBe('stream_gone');
      expect(await detections.get(detection.id)).toBeUndefined();
    });

    test('takes a better picture and gives the old ones free; a repeated try frees what it brought before', async () => {
      const first = await stored();
      const better = {
        id: first.id,
        sighting: { ...sighting, confidence: 0.95 },
        images: imageNames(),
        lastSeen: 3_000,
      };
      expect(await detections.improve(better)).toEqual(namesOf(first));
      expect(await detections.improve(better)).toEqual([]);
      const again = { ...better, images: imageNames(), lastSeen: 2_500 };
      expect(await detections.improve(again)).toEqual(Object.values(better.images));
      expect(await detections.get(first.id)).toMatchObject({
        confidence: 0.95,
        images: again.images,
        lastSeen: 3_000,
      });
      const late = { ...again, id: newId(), images: imageNames() };
      expect(await detections.improve(late)).toEqual(Object.values(late.images));
    });

    test('is seen later, never earlier', async () => {
      const { id } = await stored();
      await detections.seen({ id, lastSeen: 9_000 });
      await detections.seen({ id, lastSeen: 8_000 });
      await detections.seen({ id: newId(), lastSeen: 10_000 });
      expect((await detections.get(id))?.lastSeen).toBe(9_000);
    });
  });

  describe('an alert', () => {
    test('is stored together with the membership of its first detection, once', async () => {
      const first = await stored();
      const alert = {
        id: newId(),
        streamId,
        detectionId: first.id,
        confidence: 0.9,
        time: 1_000,
        raisedAt: 5_000,
      };
      const expected = {
        id: alert.id,
        streamId,
        streamName: 'Door',
        detectionId: first.id,
        detectionsCount: 1,
        confidence: 0.9,
        time: 1_000,
        viewed: false,
        images: first.images,
      };
      expect(await detections.withoutAlert(streamId)).toEqual([
        { id: first.id, time: 1_000, confidence: 0.9 },
      ]);
      expect(await alerts.raise(alert)).toEqual(expected);
      expect(await alerts.raise(alert)).toEqual(expected);
      expect(await detections.withoutAlert(streamId)).toEqual([]);
      expect(await alerts.last(streamId)).toEqual({ id: alert.id, raisedAt: 5_000 });
      expect(await alerts.last(newId())).toBeNull();
    });

    test('counts each further detection once', async () => {
      const alertId = await raised(await stored());
      const second = await stored({ time: 1_500 });
      for (let attempt = 0; attempt < 3; attempt++) await alerts.extend({ alertId, detectionId: second.id });
      await alerts.extend({ alertId, detectionId: newId() });
      expect((await alerts.get(alertId))?.detectionsCount).toBe(2);
    });

    test('is not raised of a detection that is gone, nor again after people deleted it', async () => {
      const gone = await stored();
      await detections.delete(gone.id);
      const alert = { id: newId(), streamId, confidence: 0.9, time: 1_000, raisedAt: 5_000 };
      expect(await alerts.raise({ ...alert, detectionId: gone.id })).toBeNull();
      const kept = await stored();
      const alertId = await raised(kept);
      expect(await alerts.delete(alertId)).toEqual([]);
      expect(await alerts.delete(alertId)).toBeUndefined();
      expect(await alerts.raise({ ...alert, id: alertId, detectionId: kept.id })).toBeNull();
      expect(await detections.withoutAlert(streamId)).toEqual([]);
      expect(await detections.get(kept.id)).toBeDefined();
      const later = await stored();
      await alerts.extend({ alertId, detectionId: later.id });
      expect(await alerts.get(alertId)).toBeUndefined();
    });

    test('keeps the picture it was raised with, whatever becomes of its first detection', async () => {
      const first = await stored();
      const alertId = await raised(first);
      const better = { id: first.id, sighting, images: imageNames(), lastSeen: 3_000 };
      expect(await detections.improve(better)).toEqual([]);
      expect((await alerts.get(alertId))?.images).toEqual(first.images);
      expect((await detections.knownImages([...namesOf(first), ...Object.values(better.images)])).size).toBe(
        4,
      );
      const best = { ...better, images: imageNames() };
      expect(await detections.improve(best)).toEqual(Object.values(better.images));
      const second = await stored();
      await alerts.extend({ alertId, detectionId: second.id });
      expect(await detections.delete(first.id)).toEqual(Object.values(best.images));
      expect((await alerts.get(alertId))?.images).toEqual(first.images);
      expect(await alerts.delete(alertId)).toEqual(namesOf(first));
      expect(await detections.delete(second.id)).toEqual(namesOf(second));
    });

    test('raised without a picture takes the first that comes, of its first detection only', async () => {
      const first = await stored({ images: null });
      const alertId = await raised(first);
      const second = await stored({ images: null });
      await alerts.extend({ alertId, detectionId: second.id });
      expect((await alerts.get(alertId))?.images).toBeNull();
      const images = imageNames();
      await detections.improve({ id: second.id, sighting, images: imageNames(), lastSeen: 3_000 });
      await detections.improve({ id: first.id, sighting, images, lastSeen: 3_000 });
      expect((await alerts.get(alertId))?.images).toEqual(images);
    });

    test('is marked as viewed, one or all, of one stream or of every one', async () => {
      const other = await newStream('Gate');
      const mine = await raised(await stored());
      for (let count = 0; count < 3; count++) await raised(await stored());
      await raised(await stored({ streamId: other }));
      expect((await alerts.setViewed(mine, true))?.viewed).toBe(true);
      expect(await alerts.setViewed(newId(), true)).toBeUndefined();
      expect([
        await alerts.unviewed(),
        await alerts.unviewed(streamId),
        await alerts.unviewed(other),
      ]).toEqual([4, 3, 1]);
      expect(await alerts.markAllViewed(streamId)).toBe(3);
      expect(await alerts.markAllViewed()).toBe(1);
      expect(await alerts.unviewed()).toBe(0);
      expect((await alerts.setViewed(mine, false))?.viewed).toBe(false);
      expect(await alerts.list({ limit: 10, viewed: false })).toMatchObject([{ id: mine }]);
    });
  });

  describe('what goes with what', () => {
    test('a detection takes its images along, and its alert when that has no other', async () => {
      const only = await stored();
      const alertId = await raised(only);
      expect(await detections.delete(only.id)).toEqual(namesOf(only));
      expect(await detections.delete(only.id)).toBeUndefined();
      expect(await alerts.get(alertId)).toBeUndefined();
    });

    test('an alert that loses its first detection names the next one, and keeps its picture', async () => {
      const first = await stored({ time: 1_000 });
      const third = await stored({ time: 3_000 });
      const second = await stored({ time: 2_000 });
      const alertId = await raised(first);
      for (const { id } of [third, second]) await alerts.extend({ alertId, detectionId: id });
      await detections.delete(third.id);
      expect(await alerts.get(alertId)).toMatchObject({ detectionId: first.id, detectionsCount: 2 });
      await detections.delete(first.id);
      expect(await alerts.get(alertId)).toMatchObject({
        detectionId: second.id,
        detectionsCount: 1,
        images: first.images,
      });
      expect(await detections.delete(second.id)).toEqual([...namesOf(second), ...namesOf(first)]);
      expect(await alerts.get(alertId)).toBeUndefined();
    });

    test('the oldest go first, only those before a moment when one is given', async () => {
      const rows = [];
      for (const time of [5_000, 1_000, 3_000, 2_000, 4_000]) rows.push(await stored({ time }));
      const byTime = rows.toSorted((a, b) => a.time - b.time);
      expect(await detections.removeOldest(10, 3_000)).toEqual({
        removed: 2,
        images: byTime.slice(0, 2).flatMap(namesOf),
      });
      expect(await detections.removeOldest(1, null)).toEqual({ removed: 1, images: namesOf(byTime[2]!) });
      expect(await detections.removeOldest(10, 3_000)).toEqual({ removed: 0, images: [] });
      expect((await detections.list({ limit: 10 })).map(({ time }) => time)).toEqual([5_000, 4_000]);
    });

    test('a stream takes everything of its own along, and nothing else', async () => {
      const other = await newStream('Gate');
      const mine = [await stored({ time: 1 }), await stored({ time: 2 }), await stored({ time: 3 })];
      const alertId = await raised(mine[0]!);
      const theirs = await stored({ streamId: other });
      const theirAlert = await raised(theirs);
      expect(await detections.removeOfStream(streamId, 2)).toMatchObject({ removed: 2 });
      expect(await streams.delete(streamId)).toEqual(namesOf(mine[2]!));
      expect(await alerts.get(alertId)).toBeUndefined();
      expect((await detections.list({ limit: 10 })).map(({ id }) => id)).toEqual([theirs.id]);
      expect(await alerts.get(theirAlert)).toBeDefined();
    });

    test('images are known while a row has them', async () => {
      const kept = await stored();
      const gone = await stored();
      await detections.delete(gone.id);
      const known = await detections.knownImages([...namesOf(kept), ...namesOf(gone), "' or 1=1 --"]);
      expect([...known].sort()).toEqual(namesOf(kept).sort());
      expect(await detections.knownImages([])).toEqual(new Set());
    });
  });

  test('pages follow each other without gap or repetition, also where times are equal', async () => {
    const ids = [];
    for (let index = 0; index < 11; index++) ids.push((await stored({ time: 1_000 + (index >> 2) })).id);
    const read = [];
    let after: { time: number; id: string } | undefined;
    for (;;) {
      const page = await detections.list({ limit: 3, after });
      read.push(...page.map(({ id }) => id));
      after = page.at(-1);
      if (page.length < 3) break;
    }
    expect(read).toHaveLength(11);
    expect(new Set(read)).toEqual(new Set(ids));
    const times = (await detections.list({ limit: 20 })).map(({ time }) => time);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  test('filters go together', async () => {
    const other = await newStream('Gate');
    for (const [time, confidence, stream] of [
      [1_000, 0.9, streamId],
      [2_000, 0.7, streamId],
      [3_000, 0.95, streamId],
      [3_000, 0.95, other],
      [4_000, 0.9, streamId],
    ] as const)
      await stored({ time, sighting: { ...sighting, confidence }, streamId: stream });
    const found = async (filter: object) =>
      (await detections.list({ limit: 10, ...filter })).map(({ time }) => time);
    expect(await found({ streamId, since: 2_000, until: 4_000 })).toEqual([3_000, 2_000]);
    expect(await found({ streamId, minConfidence: 0.9 })).toEqual([4_000, 3_000, 1_000]);
    expect(await found({ minConfidence: 0.95, since: 1_000 })).toEqual([3_000, 3_000]);
    expect(await found({ streamId: newId() })).toEqual([]);
    expect(await found({ alertId: newId() })).toEqual([]);
  });
});
