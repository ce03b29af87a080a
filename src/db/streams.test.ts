// The table of saved streams on a real database: what is kept, what is sealed, what a changed secret means.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { onEachDatabase } from '../../test/support/databases.ts';
import { SecretBox } from '../auth/secrets.ts';
import { parseCameraUrl } from '../media/camera-url.ts';
import type { StreamChoice } from '../media/saved-stream.ts';
import { type Database, openDatabase } from './database.ts';
import { newId } from './id.ts';
import { StreamRepository } from './streams.ts';

function choice(change: Partial<StreamChoice> = {}): StreamChoice {
  return {
    name: 'Door',
    description: 'the front door',
    address: parseCameraUrl('rtsp://admin:canary%40pass@camera.local/main'),
    detectionAddress: parseCameraUrl('rtsp://admin:canary%40sub@camera.local/sub'),
    detectionEnabled: true,
    confidenceThreshold: 0.75,
    wanted: 'running',
    ...change,
  };
}

const withParameters = choice({
  address: parseCameraUrl(
    'rtsp://admin:canary-info@camera.local/?user=admin&password=canary-query&channel=1',
  ),
  detectionAddress: parseCameraUrl(
    'rtsp://camera.local/user=admin_password=canary-path_channel=1_stream=1.sdp',
  ),
});

onEachDatabase((databases) => {
  let database: Database;
  let streams: StreamRepository;

  beforeEach(async () => {
    database = await databases.open();
    streams = new StreamRepository(database.db, new SecretBox('a secret for tests only'));
  });

  test('a stream reads back as it was saved', async () => {
    const saved = await streams.create(choice());
    expect(saved).toMatchObject({ ...choice(), problem: null, lastConnected: null });
    expect(Math.abs(saved.createdAt - Date.now())).toBeLessThan(60_000);
    expect(await streams.get(saved.id)).toEqual(saved);
    expect(await streams.list()).toEqual([saved]);
    expect(await streams.count()).toBe(1);
  });

  test('an address without a password, with an empty one, and no detection address are told apart', async () => {
    for (const text of [
      'rtsp://camera.local/',
      'rtsp://admin@camera.local/',
      'rtsp://admin:@camera.local/',
    ]) {
      const saved = await streams.create(choice({ address: parseCameraUrl(text), detectionAddress: null }));
      expect((await streams.get(saved.id))?.address).toEqual(parseCameraUrl(text));
      expect((await streams.get(saved.id))?.detectionAddress).toBeNull();
    }
  });

  test('secrets in path and query are sealed as well and come back in their places', async () => {
    const saved = await streams.create(withParameters);
    expect(await streams.get(saved.id)).toMatchObject(withParameters);
    const row = await database.db.selectFrom('streams').selectAll().executeTakeFirstOrThrow();
    expect(row.rtsp_url).toBe('rtsp://admin@camera.local/?user=admin&password=****&channel=1');
    expect(row.detection_url).toBe('rtsp://camera.local/user=admin_password=****_channel=1_stream=1.sdp');
    expect(JSON.stringify(row)).not.toContain('canary');
    const locked = await new StreamRepository(database.db, new SecretBox('another secret for tests')).get(
      saved.id,
    );
    expect(locked?.problem).toMatch(/password must be entered again/);
    expect(locked?.address).toEqual(parseCameraUrl(row.rtsp_url));
  });

  test('a row that has only its password sealed is still read', async () => {
    const saved = await streams.create(choice());
    const rtsp_password = new SecretBox('a secret for tests only').seal('p@ss word');
    await database.db
      .updateTable('streams')
      .set({ rtsp_url: 'rtsp://admin@camera.local/?token=clear', rtsp_password })
      .execute();
    expect((await streams.get(saved.id))?.address).toEqual(
      parseCameraUrl('rtsp://admin:p%40ss%20word@camera.local/?token=clear'),
    );
  });

  test('only the given members change', async () => {
    const saved = await streams.create(choice());
    expect(await streams.update(saved.id, {})).toEqual(saved);
    expect(await streams.update(saved.id, { name: 'Gate' })).toEqual({ ...saved, name: 'Gate' });
    expect(await streams.setWanted(saved.id, 'stopped')).toEqual({
      ...saved,
      name: 'Gate',
      wanted: 'stopped',
    });
    const other = {
      detectionAddress: null,
      detectionEnabled: false,
      confidenceThreshold: 0,
      description: '',
    };
    expect(await streams.update(saved.id, other)).toEqual({
      ...saved,
      ...other,
      name: 'Gate',
      wanted: 'stopped',
    });
    await streams.setLastConnected(saved.id, 1_700_000_000_123);
    expect((await streams.get(saved.id))?.lastConnected).toBe(1_700_000_000_123);
  });

  test('a stream that is not there is neither read, changed nor deleted, whatever its id looks like', async () => {
    await streams.create(choice());
    for (const id of ['', '__proto__', 'constructor', "' or 1=1 --", '%', newId()]) {
      expect(await streams.get(id)).toBeUndefined();
      expect(await streams.update(id, { name: 'x' })).toBeUndefined();
      expect(await streams.delete(id)).toBeUndefined();
    }
    expect(await streams.count()).toBe(1);
  });

  test('pages follow each other without gap or repetition', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) ids.push((await streams.create(choice())).id);
    const read: string[] = [];
    for (let after: string | undefined; ; after = read.at(-1)) {
      const page = await streams.list({ limit: 3, after });
      if (page.length === 0) break;
      expect(page.length).toBeLessThanOrEqual(3);
      read.push(...page.map(({ id }) => id));
    }
    expect(read).toEqual([...ids].sort());
  });

  test('after a change of the secret a stream says that its password must be entered again, and then works', async () => {
    const saved = await streams.create(choice());
    const without = await streams.create(
      choice({ address: parseCameraUrl('rtsp://open.local/'), detectionAddress: null }),
    );
    const other = new StreamRepository(database.db, new SecretBox('another secret for tests'));
    const locked = await other.get(saved.id);
    expect(locked?.problem).toMatch(/password must be entered again/);
    expect(locked?.address).toEqual({ ...saved.address, password: undefined });
    expect(await other.get(without.id)).toEqual(without);
    expect((await other.update(saved.id, { name: 'Gate' }))?.problem).not.toBeNull();
    const mended = await other.update(saved.id, { address: saved.address, detectionAddress: null });
    expect(mended).toMatchObject({ problem: null, address: saved.address });
  });

  test('renaming a stream under another secret does not lose the password sealed with the first', async () => {
    const saved = await streams.create(choice());
    await new StreamRepository(database.db, new SecretBox('another secret for tests')).update(saved.id, {
      name: 'Gate',
    });
    expect(await streams.get(saved.id)).toEqual({ ...saved, name: 'Gate' });
  });

  test('passwords sealed with a former secret are sealed anew with the current one, and nothing else changes', async () => {
    const saved = await streams.create(choice());
    const both = await streams.create(withParameters);
    const open = await streams.create(
      choice({ address: parseCameraUrl('rtsp://open.local/'), detectionAddress: null }),
    );
    const [former, current] = ['a secret for tests only', 'another secret for tests'];
    const rotated = new StreamRepository(database.db, new SecretBox(current, [former]));
    expect(await rotated.get(saved.id)).toEqual(saved);
    expect(await rotated.reseal()).toEqual({ resealed: 2, locked: [] });
    expect(await rotated.reseal()).toEqual({ resealed: 0, locked: [] });
    const after = new StreamRepository(database.db, new SecretBox(current));
    for (const each of [saved, both, open]) expect(await after.get(each.id)).toEqual(each);
    expect((await streams.get(saved.id))?.problem).toMatch(/password must be entered again/);
  });

  test('a secret that is lost is told by the names of its cameras, and takes nothing that a later secret could open', async () => {
    const saved = await streams.create(choice());
    await streams.create(choice({ address: parseCameraUrl('rtsp://open.local/'), detectionAddress: null }));
    const other = new StreamRepository(database.db, new SecretBox('another secret for tests'));
    expect(await other.reseal()).toEqual({ resealed: 0, locked: [saved.name] });
    expect(await streams.get(saved.id)).toEqual(saved);
    // One of its two addresses is entered again: the other one still waits.
    await other.update(saved.id, { address: saved.address });
    expect(await other.reseal()).toEqual({ resealed: 0, locked: [saved.name] });
  });

  test('ids that look like anything at all find nothing and break nothing', async () => {
    for (const id of ['\0', 'a\0b', '\uD800', '😀'.repeat(1_000)]) {
      expect(await streams.get(id)).toBeUndefined();
      expect(await streams.list({ after: id })).toEqual([]);
    }
  });

  test('streams are in the order of the bytes of their ids, from a place on', async () => {
    const ids = ['-a', 'A', 'B', 'Z-', '_', 'a', 'a-b', 'aB', 'ab', 'b'];
    const saved = await streams.create(choice());
    const row = await database.db.selectFrom('streams').selectAll().executeTakeFirstOrThrow();
    for (const id of [...ids].reverse())
      await database.db
        .insertInto('streams')
        .values({ ...row, id })
        .execute();
    await streams.delete(saved.id);
    expect((await streams.list()).map(({ id }) => id)).toEqual(ids);
    expect((await streams.list({ after: 'Z-' })).map(({ id }) => id)).toEqual(ids.slice(4));
  });

  test('there are never more streams than may be, however many are created at once', async () => {
    const created = await Promise.allSettled(Array.from({ length: 20 }, () => streams.create(choice(), 7)));
    expect(created.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    for (const each of created)
      if (each.status === 'rejected')
        expect(each.reason).toMatchObject({ status: 409, code: 'too_many_streams' });
    expect(await streams.count()).toBe(7);
  });
});

test('passwords are in no file of the data folder, neither raw nor percent-encoded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-streams-'));
  const database = await openDatabase(join(folder, 'test.sqlite'));
  const streams = new StreamRepository(database.db, new SecretBox('a secret for tests only'));
  await streams.create(choice());
  await streams.create(withParameters);
  for (const name of readdirSync(folder))
    expect(readFileSync(join(folder, name), 'latin1')).not.toMatch(/canary/);
  await database.close();
  rmSync(folder, { recursive: true });
});

test('ids are UUIDs of version 7, in order of time', () => {
  const ids = [0, 1, 255, 1_700_000_000_000, 2 ** 48 - 1].map(newId);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect([...ids].sort()).toEqual(ids);
});
