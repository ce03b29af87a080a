// Who holds a stream, and that a former owner writes nothing: on both databases, on PostgreSQL with several connections.

import { sql } from 'kysely';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { inPostgres, onEachDatabase } from '../../test/support/databases.ts';
import { SecretBox } from '../auth/secrets.ts';
import type { Fence } from '../base/fence.ts';
import { FencedOff } from '../errors.ts';
import { parseCameraUrl } from '../media/camera-url.ts';
import { AlertRepository } from './alerts.ts';
import { type Database, openDatabase } from './database.ts';
import { DetectionRepository } from './detections.ts';
import { keepFence } from './fences.ts';
import { newId } from './id.ts';
import { OwnershipRepository } from './ownership.ts';
import { StreamRepository } from './streams.ts';
import { inTransaction } from './transactions.ts';

const sighting = { confidence: 0.9, box: null, landmarks: null, frame: null };

interface Instance {
  readonly database: Database;
  readonly streams: StreamRepository;
  readonly detections: DetectionRepository;
  readonly alerts: AlertRepository;
  readonly ownership: OwnershipRepository;
  newStream(): Promise<string>;
}

function instanceOn(database: Database): Instance {
  const { db } = database;
  const streams = new StreamRepository(db, new SecretBox('a secret for tests only'));
  const choice = {
    name: 'Door',
    description: '',
    address: parseCameraUrl('rtsp://camera.local/'),
    detectionAddress: null,
    detectionEnabled: true,
    confidenceThreshold: 0.8,
    wanted: 'running',
  } as const;
  return {
    database,
    streams,
    detections: new DetectionRepository(db),
    alerts: new AlertRepository(db),
    ownership: new OwnershipRepository(db),
    newStream: async () => (await streams.create(choice)).id,
  };
}

function detectionOf(streamId: string) {
  const images = { frame: `aa/${newId()}.jpg`, face: null };
  return { id: newId(), streamId, sighting, time: 1_000, lastSeen: 2_000, images };
}

onEachDatabase((databases) => {
  let here: Instance;
  let streamId: string;
  beforeEach(async () => {
    here = instanceOn(await databases.open());
    streamId = await here.newStream();
  });

  describe('a stream', () => {
    test('is held by whoever claimed it last, under a number above all before', async () => {
      const { ownership } = here;
      expect(await ownership.owner(streamId)).toBeNull();
      let last = 0;
      for (const instance of ['one', 'two', 'two', 'one']) {
        const fence = await ownership.claim(streamId, instance);
        expect(fence).toEqual({ streamId, number: expect.any(Number) });
        expect(fence!.number).toBeGreaterThan(last);
        last = fence!.number;
        expect(await ownership.owner(streamId)).toEqual({ instance, fence: last });
      }
      const other = await here.newStream();
      const fence = await ownership.claim(other, 'one');
      expect(await ownership.held('one')).toEqual(
        new Map([
          [streamId, last],
          [other, fence!.number],
        ]),
      );
      expect(await ownership.held('two')).toEqual(new Map());
    });

    test('gets a number of its own at each of many claims at once', async () => {
      const fences = await Promise.all(
        Array.from({ length: 40 }, (_, index) => here.ownership.claim(streamId, `instance ${index}`)),
      );
      expect(new Set(fences.map((fence) => fence!.number)).size).toBe(40);
      const highest = Math.max(...fences.map((fence) => fence!.number));
      expect((await here.ownership.owner(streamId))?.fence).toBe(highest);
    });

    test('never gets a number again that a restored backup has forgotten', async () => {
      const former = await here.ownership.claim(streamId, 'one');
      await here.database.db.updateTable('stream_owners').set({ fence: 5 }).execute();
      expect((await here.ownership.claim(streamId, 'two'))!.number).toBeGreaterThan(former!.number - 1);
      const ahead = Date.now() + 86_400_000;
      await here.database.db.updateTable('stream_owners').set({ fence: ahead }).execute();
      expect((await here.ownership.claim(streamId, 'two'))!.number).toBe(ahead + 1);
    });

    test('that is gone cannot be claimed, and nobody holds it any more', async () => {
      await here.ownership.claim(streamId, 'one');
      await here.streams.delete(streamId);
      expect(await here.ownership.claim(streamId, 'one')).toBeNull();
      expect(await here.ownership.owner(streamId)).toBeNull();
      expect(await here.ownership.held('one')).toEqual(new Map());
    });
  });

  describe('what an owner writes', () => {
    async function everything(fence: Fence | undefined, detectionId: string, alertId: string) {
      const { detections, alerts } = here;
      const better = {
        id: detectionId,
        sighting,
        images: { frame: 'bb/1.jpg', face: null },
        lastSeen: 9_000,
      };
      const alert = { id: newId(), streamId, detectionId, confidence: 0.9, time: 1_000, raisedAt: 5_000 };
      return Promise.allSettled([
        detections.insert(detectionOf(streamId), fence),
        detections.improve(better, fence),
        detections.seen({ id: detectionId, lastSeen: 10_000 }, fence),
        alerts.raise(alert, fence),
        alerts.extend({ alertId, detectionId }, fence),
      ]);
    }

    test('is written while its fence stands', async () => {
      const fence = (await here.ownership.claim(streamId, 'one'))!;
      const detection = detectionOf(streamId);
      expect(await here.detections.insert(detection, fence)).toBe('stored');
      const outcomes = await everything(fence, detection.id, newId());
      expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill('fulfilled'));
      expect(await here.detections.get(detection.id)).toMatchObject({ lastSeen: 10_000 });
    });

    test('is refused, and nothing of it written, once another one has claimed the stream', async () => {
      const { detections, alerts, ownership } = here;
      const fence = (await ownership.claim(streamId, 'one'))!;
      const [first, second] = [detectionOf(streamId), detectionOf(streamId)];
      for (const detection of [first, second]) await detections.insert(detection, fence);
      const alertId = newId();
      const alert = { id: alertId, streamId, detectionId: first.id, confidence: 0.9, time: 1, raisedAt: 5 };
      await alerts.raise(alert, fence);
      const before = [await detections.list({ limit: 10 }), await alerts.list({ limit: 10 })];
      const newer = (await ownership.claim(streamId, 'two'))!;
      const outcomes = await everything(fence, second.id, alertId);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(FencedOff) });
      expect([await detections.list({ limit: 10 }), await alerts.list({ limit: 10 })]).toEqual(before);
      expect(await detections.insert(detectionOf(streamId), newer)).toBe('stored');
    });

    test('is refused when nobody has claimed the stream', async () => {
      const fence = { streamId, number: 1 };
      await expect(here.detections.insert(detectionOf(streamId), fence)).rejects.toThrow(FencedOff);
    });

    test('of a stream that was deleted is told as before: it is gone', async () => {
      const fence = (await here.ownership.claim(streamId, 'one'))!;
      const detection = detectionOf(streamId);
      await here.detections.insert(detection, fence);
      await here.streams.delete(streamId);
      const outcomes = await everything(fence, detection.id, newId());
      expect(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value)).toEqual([
        'stream_gone',
        ['bb/1.jpg'],
        undefined,
        null,
        undefined,
      ]);
    });
  });
});

inPostgres((server) => {
  async function instances(count: number): Promise<Instance[]> {
    const url = await server().createDatabase();
    return Promise.all(
      Array.from({ length: count }, async () => {
        const database = await openDatabase(url, { use: 'shared' });
        onTestFinished(() => database.close());
        return instanceOn(database);
      }),
    );
  }

  test('a claim waits for the write that is under way, and that write is kept', async () => {
    const [one, two] = (await instances(2)) as [Instance, Instance];
    const streamId = await one.newStream();
    const fence = (await one.ownership.claim(streamId, 'one'))!;
    const inside = Promise.withResolvers<void>();
    const order: string[] = [];
    const writing = inTransaction(one.database.db, async (transaction) => {
      await keepFence(transaction, fence);
      inside.resolve();
      // Until somebody waits, as PostgreSQL itself sees it.
      let waiting = 0;
      for (const end = Date.now() + 20_000; waiting === 0 && Date.now() < end; ) {
        const locks = sql<{ n: number }>`select count(*) as n from pg_locks where not granted`;
        waiting = (await locks.execute(transaction)).rows[0]!.n;
      }
      expect(waiting).toBeGreaterThan(0);
      await transaction.updateTable('streams').set({ description: 'written' }).execute();
      order.push('written');
    });
    await inside.promise;
    const claim = two.ownership.claim(streamId, 'two').then((claimed) => {
      order.push('claimed');
      return claimed;
    });
    await writing;
    const newer = await claim;
    expect(order).toEqual(['written', 'claimed']);
    expect(newer!.number).toBeGreaterThan(fence.number);
    expect((await two.streams.get(streamId))?.description).toBe('written');
    await expect(one.detections.insert(detectionOf(streamId), fence)).rejects.toThrow(FencedOff);
  });

  test('an owner that was stopped within a transaction holds nobody up for long, and its write is undone', async () => {
    const [one, two] = (await instances(2)) as [Instance, Instance];
    const streamId = await one.newStream();
    const fence = (await one.ownership.claim(streamId, 'one'))!;
    const inside = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    const asleep = inTransaction(one.database.db, async (transaction) => {
      await keepFence(transaction, fence);
      await transaction.updateTable('streams').set({ description: 'too late' }).execute();
      inside.resolve();
      await awake.promise;
    });
    await inside.promise;
    const newer = await two.ownership.claim(streamId, 'two');
    expect(newer!.number).toBeGreaterThan(fence.number);
    awake.resolve();
    await expect(asleep).rejects.toMatchObject({ code: 'database_unavailable' });
    expect((await two.streams.get(streamId))?.description).toBe('');
  });

  test('with owners that change all the time, every row was written under the fence that stood', async () => {
    const all = await instances(4);
    const streamId = await all[0]!.newStream();
    // PostgreSQL itself looks at each row once more at the moment it is committed.
    const { db } = all[0]!.database;
    await sql`create function under_its_fence() returns trigger language plpgsql as $$ begin
      if new.timestamp <> (select fence from stream_owners where stream_id = new.stream_id) then
        raise exception 'committed by a former owner';
      end if; return null; end $$`.execute(db);
    await sql`create constraint trigger guard after insert on detections deferrable initially deferred
      for each row execute function under_its_fence()`.execute(db);
    const written: string[] = [];
    let refused = 0;
    await Promise.all(
      all.map(async ({ ownership, detections }, index) => {
        for (let turn = 0; turn < 12; turn++) {
          const fence = (await ownership.claim(streamId, `instance ${index}`))!;
          await Promise.all(
            Array.from({ length: 4 }, async () => {
              const detection = { ...detectionOf(streamId), time: fence.number };
              try {
                expect(await detections.insert(detection, fence)).toBe('stored');
                written.push(detection.id);
              } catch (error) {
                expect(error).toBeInstanceOf(FencedOff);
                refused += 1;
              }
            }),
          );
        }
      }),
    );
    expect(refused).toBeGreaterThan(0);
    expect(written.length).toBeGreaterThan(0);
    const rows = await db.selectFrom('detections').select('id').execute();
    expect(rows.map(({ id }) => id).sort()).toEqual(written.toSorted());
    expect(written.length + refused).toBe(4 * 12 * 4);
  });

  test('claims, visits, removals and the end of the stream together wait for nobody for ever, and leave nothing behind', async () => {
    const [one, two] = (await instances(2)) as [Instance, Instance];
    for (let round = 0; round < 4; round++) {
      const streamId = await one.newStream();
      const fence = (await one.ownership.claim(streamId, 'one'))!;
      const owner = async () => {
        for (let n = 0; n < 10; n++) {
          const [first, second] = [detectionOf(streamId), detectionOf(streamId)];
          const alertId = newId();
          await one.detections.insert(first, fence);
          const alert = { streamId, confidence: 0.9, time: 1_000, raisedAt: 5_000 };
          await one.alerts.raise({ ...alert, id: alertId, detectionId: first.id }, fence);
          await one.detections.insert(second, fence);
          await one.alerts.extend({ alertId, detectionId: second.id }, fence);
          await one.detections.improve(
            { id: first.id, sighting, images: { frame: `cc/${newId()}.jpg`, face: null }, lastSeen: 3_000 },
            fence,
          );
        }
      };
      const remover = async () => {
        for (let n = 0; n < 20; n++) await two.detections.removeOldest(1, null);
      };
      const ended = async () => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        await two.streams.delete(streamId);
      };
      await Promise.all([owner(), remover(), remover(), ended()]);
      for (const table of ['detections', 'alerts', 'stream_owners'] as const)
        expect(await one.database.db.selectFrom(table).selectAll().execute()).toEqual([]);
    }
  });

  test('alerts count what they have, whatever is removed and added at the same time', async () => {
    const [one, two] = (await instances(2)) as [Instance, Instance];
    const streamId = await one.newStream();
    const alertIds: string[] = [];
    const owner = async () => {
      for (let n = 0; n < 15; n++) {
        const first = detectionOf(streamId);
        const id = newId();
        await one.detections.insert(first);
        const alert = { id, streamId, detectionId: first.id, confidence: 0.9, time: 1_000, raisedAt: 5_000 };
        if ((await one.alerts.raise(alert)) !== null) alertIds.push(id);
        await Promise.all(
          Array.from({ length: 4 }, async () => {
            const more = detectionOf(streamId);
            await one.detections.insert(more);
            await one.alerts.extend({ alertId: id, detectionId: more.id });
          }),
        );
      }
    };
    let over = false;
    const remover = async () => {
      while (!over) await two.detections.removeOldest(2, null);
    };
    await Promise.all([owner().finally(() => (over = true)), remover()]);
    const rows = await one.database.db.selectFrom('detections').select(['id', 'alert_id']).execute();
    for (const alert of await one.alerts.list({ limit: 100 })) {
      const mine = rows.filter(({ alert_id }) => alert_id === alert.id).map(({ id }) => id);
      expect(alert.detectionsCount).toBe(mine.length);
      expect(mine).toContain(alert.detectionId);
    }
  });
});
