// What a visit leaves when the database goes away in the very moment in which it is stored.
// The order of images and rows otherwise is tested with the whole service.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { inPostgres } from '../test/support/databases.ts';
import { SecretBox } from './auth/secrets.ts';
import { silentLog } from './base/log.ts';
import { AlertRepository } from './db/alerts.ts';
import { openDatabase } from './db/database.ts';
import { DetectionRepository } from './db/detections.ts';
import { UnknownOutcome } from './db/errors.ts';
import { newId } from './db/id.ts';
import { StreamRepository } from './db/streams.ts';
import { parseCameraUrl } from './media/camera-url.ts';
import { FolderImageStore } from './storage/folder.ts';
import { VisitStore } from './visit-store.ts';

inPostgres((server) => {
  test('images stay when nobody knows whether their row was stored, and the repeated visit has its own', async () => {
    const { db, close } = await openDatabase(await server().createDatabase());
    onTestFinished(close);
    const folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-visits-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const kept: string[] = [];
    const images = new (class extends FolderImageStore {
      override async put(image: Uint8Array): Promise<string> {
        const name = await super.put(image);
        kept.push(name);
        return name;
      }
      override async delete(names: readonly string[]): Promise<void> {
        for (const name of names) kept.splice(kept.indexOf(name), 1);
        return super.delete(names);
      }
    })(folder);
    const streams = new StreamRepository(db, new SecretBox('a secret for tests only'));
    const { id: streamId } = await streams.create({
      name: 'Door',
      description: '',
      address: parseCameraUrl('rtsp://camera.local/'),
      detectionAddress: null,
      detectionEnabled: true,
      confidenceThreshold: 0.8,
      wanted: 'running',
    });
    const detections = new DetectionRepository(db);
    const alerts = new AlertRepository(db);
    const makeRoom = async () => undefined;
    const visits = new VisitStore({ detections, alerts, images, makeRoom, log: silentLog });
    // The server ends the connection while it commits.
    await sql`create function cut() returns trigger language plpgsql as $$ begin
      perform pg_terminate_backend(pg_backend_pid()); return null; end $$`.execute(db);
    await sql`create constraint trigger cut after insert on detections deferrable initially deferred
      for each row execute function cut()`.execute(db);
    const detection = {
      id: newId(),
      streamId,
      sighting: { confidence: 0.9, box: null, landmarks: null, frame: null },
      time: 1_000,
      lastSeen: 2_000,
      images: { frame: Buffer.from([0xff, 0xd8, 1]), face: null },
    };
    await expect(visits.detectionStarted(detection)).rejects.toThrow(UnknownOutcome);
    expect(kept).toHaveLength(1);
    await sql`drop trigger cut on detections`.execute(db);
    await visits.detectionStarted(detection);
    expect(kept).toHaveLength(2);
    const saved = await detections.get(detection.id);
    expect(kept).toContain(saved!.images!.frame);
    // Once more after all: the row keeps what it has, and the images of this time go.
    await visits.detectionStarted(detection);
    expect(kept).toHaveLength(2);
    expect(await detections.get(detection.id)).toEqual(saved);
  });
});
