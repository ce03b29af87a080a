import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Clip } from '../../simulator/clip.ts';
import { sceneClip } from '../../simulator/clips.ts';
import { skipsWithout } from '../../test/support/components.ts';
import { type RedisServer, startRedis } from '../../test/support/redis-server.ts';
import type { AccessUnit, Picture } from '../media/access-unit.ts';
import type { AudioUnit } from '../media/audio.ts';
import type { Packet, RaisedAlert } from '../stream/live-camera.ts';
import type { RelayedCameraOptions } from './relayed-camera.ts';
import { HandCamera, leaseOf, openInstance, type TestInstance, until } from './testing.ts';

describe.skipIf(skipsWithout('redis'))('a camera that another instance runs', () => {
  let redis: RedisServer;
  let clip: Clip;
  let tests = 0;
  const opened: TestInstance[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    clip = await sceneClip();
  });
  afterAll(() => redis.stop());
  afterEach(() => {
    tests += 1;
    for (const instance of opened.splice(0)) instance.close();
  });

  async function open(...names: string[]): Promise<TestInstance[]> {
    const instances = await Promise.all(names.map((name) => openInstance(redis.url, `test-${tests}`, name)));
    opened.push(...instances);
    return instances;
  }

  function serve(instance: TestInstance, camera: HandCamera, more: Partial<RelayedCameraOptions> = {}) {
    const options = { streamId: camera.id, lease: leaseOf(camera.id, 1), details: () => ({}), ...more };
    return instance.sender.serve(camera, options);
  }

  /** A camera run by `a`, and how `b` shows it. */
  async function pair(more: Partial<RelayedCameraOptions> = {}) {
    const [a, b] = (await open('a', 'b')) as [TestInstance, TestInstance];
    const camera = new HandCamera('s1');
    camera.begin(clip);
    const relayed = serve(a, camera, more);
    const followed = b.receiver.follow('s1');
    await until('it is online', () => followed.stream.status === 'online');
    return { a, b, camera, relayed, followed };
  }

  /** The clip as annexb bytes, sent over and over. */
  const dataOf = (number: number) => clip.accessUnits[number % clip.accessUnits.length]!.data;

  function expectClip(units: readonly Pick<AccessUnit, 'data'>[], from: number): void {
    units.forEach(({ data }, i) => {
      expect(Buffer.compare(data, dataOf(from + i)), `unit ${from + i}`).toBe(0);
    });
  }

  test('is shown as its owner tells: status, video, sound, figures, details', async () => {
    const details = () => ({ stats: { current_fps: 15 }, lastConnected: 123 });
    const { camera, followed } = await pair({ details });
    expect(followed.told).toEqual(details());
    expect(followed.stream.video).toEqual(camera.stream.video);
    expect(followed.figures).toEqual(camera.figures);
    expect(followed.pictures.figures.processingTime).toBe(4);
    expect(followed.faces.detector).toEqual({ state: 'ready', message: null });
    camera.aac = {
      codec: 'aac',
      sampleRate: 48_000,
      channels: 2,
      config: Uint8Array.of(17, 144),
      codecString: 'mp4a.40.2',
    };
    camera.stream.setAudio({ kind: 'audio', audio: camera.aac });
    await until('the sound is known', () => followed.audio.audio !== null);
    expect(followed.audio.audio).toEqual(camera.aac);
    expect(followed.stream.audio).toEqual(camera.aac);
    camera.stream.setAudio({ kind: 'unsupported', codec: 'G726' });
    camera.aac = null;
    await until('it is known to be of no use', () => followed.audio.unsupported === 'G726');
    camera.stream.setStatus('error', 'The camera refused the sign-in.');
    await until('the trouble is shown', () => followed.stream.status === 'error');
    expect(followed.stream.message).toBe('The camera refused the sign-in.');
  });

  test('nothing of its media comes over while nobody here wants it', async () => {
    const { a, camera, followed } = await pair();
    camera.send(clip, 30);
    const before = a.bus.figures.bytes.sent;
    camera.send(clip, 100);
    expect(a.bus.figures.bytes.sent).toBe(before);
    expect(followed.stream.totals.units).toBe(0);
    expect(camera.pictureReaders.listeners.size).toBe(0);
  });

  test('a late joiner gets the last keyframe and all since, then every unit in order without a gap', async () => {
    const { camera, followed } = await pair();
    camera.send(clip, 20);
    const units: AccessUnit[] = [];
    followed.stream.subscribe({ onUnit: (unit) => units.push(unit) });
    const leave = followed.wantUnits();
    // It goes on while the newcomer begins.
    const sending = setInterval(() => camera.send(clip), 3);
    try {
      await until('it has some', () => units.length > 100);
    } finally {
      clearInterval(sending);
    }
    expect(units[0]!.keyframe).toBe(true);
    const first = Math.round((units[0]!.timestamp * clip.fps) / 1_000_000);
    expect(first).toBeLessThanOrEqual(20);
    expectClip(units, first);
    expect(units.map(({ timestamp }) => timestamp)).toEqual(
      units.map((_, i) => Math.round(((first + i) * 1_000_000) / clip.fps)),
    );
    expect(units.every(({ lossBefore }) => !lossBefore)).toBe(true);
    const last = units.at(-1)!;
    expect(performance.now() - last.receivedAt).toBeLessThan(20_000);
    leave();
  });

  test('a second instance that joins later begins with the keyframe too, and disturbs nobody', async () => {
    const { a, b, camera, followed } = await pair();
    const [c] = (await open('c')) as [TestInstance];
    camera.send(clip, 20);
    const units: AccessUnit[] = [];
    followed.stream.subscribe({ onUnit: (unit) => units.push(unit) });
    followed.wantUnits();
    await until('the first has begun', () => units.length > 0);
    camera.send(clip, 7);
    const other = c.receiver.follow('s1');
    const others: AccessUnit[] = [];
    other.stream.subscribe({ onUnit: (unit) => others.push(unit) });
    other.wantUnits();
    await until('the second has begun', () => others.length > 0);
    camera.send(clip, 40);
    const lastIs = (list: AccessUnit[]) => list.at(-1)?.timestamp === Math.round((66 * 1_000_000) / clip.fps);
    await until('both have the last one', () => lastIs(units) && lastIs(others));
    for (const list of [units, others]) {
      expect(list[0]!.keyframe).toBe(true);
      expectClip(list, 67 - list.length);
    }
    expect(a.bus.figures.dropped + b.bus.figures.dropped).toBe(0);
  });

  test('fifty viewers on each of two instances cost one subscription each', async () => {
    const { a, b, camera, followed } = await pair();
    const [c] = (await open('c')) as [TestInstance];
    const other = c.receiver.follow('s1');
    const packets = new Map<number, Packet[]>();
    const leaves: (() => void)[] = [];
    for (const [i, shown] of [followed, other].entries())
      for (let viewer = 0; viewer < 50; viewer++) {
        const got: Packet[] = [];
        packets.set(i * 50 + viewer, got);
        const { leave } = shown.packets.subscribe('annexb', (packet) => got.push(packet));
        leaves.push(leave, shown.join());
      }
    const subscribed = async () =>
      (await a.bus.client.pubsub('NUMSUB', `test-${tests}:bus:units:s1`))[1] as number;
    await until('both instances are subscribed', async () => (await subscribed()) === 2);
    await until('the owner knows its viewers', () => followed.viewers === 100 && other.viewers === 100);
    // For all of them together, the relay is one viewer of the camera.
    expect(camera.viewers).toBe(1);
    // Whatever the phase of the clip, there is a keyframe among these.
    camera.send(clip, clip.accessUnits.length + 1);
    await until('everybody sees it', () => [...packets.values()].every((got) => got.length > 0));
    for (const leave of leaves) leave();
    await until('nobody watches any more', () => camera.viewers === 0);
    expect(b.bus.figures.dropped + c.bus.figures.dropped).toBe(0);
  });

  test('pictures and sound come while they have readers, the newest picture at once', async () => {
    const { camera, followed } = await pair();
    const pictures: Picture[] = [];
    const leave = followed.pictures.subscribe((picture) => pictures.push(picture));
    await until('they are asked for', () => camera.pictureReaders.listeners.size === 1);
    const data = Buffer.from('a picture');
    camera.sendPicture({ data, width: 640, height: 480, timestamp: 40_000 });
    await until('it is there', () => pictures.length === 1);
    const { receivedAt, ...picture } = pictures[0]!;
    expect(Buffer.from(picture.data).toString()).toBe('a picture');
    expect(picture).toMatchObject({ width: 640, height: 480, timestamp: 40_000 });
    expect(performance.now() - receivedAt).toBeLessThan(20_000);
    const again: Picture[] = [];
    followed.pictures.subscribe((newest) => again.push(newest))();
    expect(again.map(({ timestamp }) => timestamp)).toEqual([40_000]);
    leave();

    const aac = {
      codec: 'aac' as const,
      sampleRate: 48_000,
      channels: 1,
      config: Uint8Array.of(1, 2),
      codecString: 'mp4a.40.2',
    };
    const heard: (AudioUnit | null | string)[] = [];
    followed.audio.subscribe({
      onAudio: (audio) => heard.push(audio?.codecString ?? null),
      onAudioUnit: (unit) => heard.push(unit),
    });
    await until('sound is asked for', () => camera.listeners.listeners.size === 1);
    camera.aac = aac;
    const unit = { audio: aac, data: Buffer.from('sound'), timestamp: 50_000, duration: 21_333 };
    camera.sendSound(unit);
    await until('it is heard', () => heard.length >= 2);
    expect(heard[0]).toBe('mp4a.40.2');
    expect(heard[1]).toMatchObject({ timestamp: 50_000, duration: 21_333, audio: aac });
    // A transcoder that dies is no silence that a player waits for.
    await until('it is not promised any more', () => heard.at(-1) === null);
  });

  test('boxes of faces come while somebody watches, alerts always and once', async () => {
    const { a, b, camera, relayed, followed } = await pair();
    const boxes: number[] = [];
    const alerts: string[] = [];
    followed.faces.subscribe({
      onFaces: (timestamp) => boxes.push(timestamp),
      onAlert: ({ alertId }) => alerts.push(alertId),
    });
    const face = { confidence: 0.9, box: { x: 0, y: 0, width: 0.5, height: 0.5 } };
    const tellFaces = (timestamp: number) =>
      camera.faceReaders.each((reader) => reader.onFaces?.(timestamp, [], [face]));
    const alert: RaisedAlert = {
      alertId: 'alert-1',
      detectionId: 'd',
      streamId: 's1',
      time: 1,
      confidence: 0.9,
      snapshot: null,
    };
    tellFaces(1);
    const readers = camera.faceReaders.listeners.size;
    camera.faceReaders.each((reader) => reader.onAlert?.(alert));
    a.sender.tellAlert(alert);
    await until('the alert is there', () => alerts.length > 0);
    const leave = followed.join();
    await until('boxes are asked for', () => camera.faceReaders.listeners.size > readers);
    tellFaces(2);
    await until('the box is there', () => boxes.length > 0);
    // Behind whatever is still on its way.
    a.sender.tellAlert({ ...alert, alertId: 'alert-2' });
    await until('the second alert is there', () => alerts.includes('alert-2'));
    expect(alerts).toEqual(['alert-1', 'alert-2']);
    expect(boxes).toEqual([2]);
    leave();
    // What is stored while the camera is let go is true as well.
    relayed.close();
    camera.faceReaders.each((reader) => reader.onAlert?.({ ...alert, alertId: 'alert-3' }));
    await until('the last alert is there', () => alerts.includes('alert-3'));
    expect(b.bus.up).toBe(true);
  });

  test('is let go and taken by another instance: times go on, what the former owner still says does not count', async () => {
    const { camera, relayed, followed } = await pair();
    const [c] = (await open('c')) as [TestInstance];
    camera.send(clip, 20);
    const units: AccessUnit[] = [];
    const statuses: string[] = [];
    followed.stream.subscribe({ onUnit: (u) => units.push(u), onStatus: (status) => statuses.push(status) });
    followed.wantUnits();
    await until('it is shown', () => units.length > 0);
    relayed.close();
    await until('nobody runs it', () => followed.stream.status === 'offline');
    const next = new HandCamera('s1');
    next.begin(clip);
    serve(c, next, { lease: leaseOf('s1', 2), details: () => ({ owner: 'c' }) });
    await until('the next one runs it', () => followed.stream.status === 'online');
    const before = units.at(-1)!;
    await until('it sends', () => {
      next.send(clip, clip.accessUnits.length);
      return units.at(-1) !== before;
    });
    const after = units[units.indexOf(before) + 1]!;
    expect(after.keyframe).toBe(true);
    expect(after.timestamp).toBeGreaterThan(before.timestamp);
    expect(after.timestamp).toBeLessThan(before.timestamp + 20_000_000);
    // The former owner wakes up and does not know that it is none.
    serve(opened[0]!, camera, { details: () => ({ owner: 'a' }) });
    camera.stream.setStatus('error', 'said by the former owner');
    const seen = units.length;
    camera.send(clip, 50);
    next.stream.setStatus('reconnecting', 'said by the owner');
    await until('the owner is heard', () => followed.stream.message === 'said by the owner');
    expect(followed.told).toEqual({ owner: 'c' });
    expect(statuses).not.toContain('error');
    expect(units.slice(seen).every(({ timestamp }) => timestamp > before.timestamp)).toBe(true);
  });

  test('while the right to run it is not sure, nothing is told of it', async () => {
    const lease = leaseOf('s1', 1);
    const { a, b, camera, followed } = await pair({ lease });
    const units: AccessUnit[] = [];
    followed.stream.subscribe({ onUnit: (unit) => units.push(unit) });
    followed.wantUnits();
    await until('units come', () => {
      camera.send(clip);
      return units.length > 0;
    });
    lease.fresh = false;
    camera.stream.setStatus('reconnecting', 'not to be told');
    camera.send(clip, clip.accessUnits.length);
    // What follows on the same connection would come behind it.
    const markers: unknown[] = [];
    await new Promise<void>((resolve) => {
      b.bus.subscribe('marker', (message) => markers.push(message), resolve);
    });
    a.bus.publish('marker', {});
    await until('the marker is there', () => markers.length > 0);
    const seen = units.length;
    expect(followed.stream.status).toBe('online');
    lease.fresh = true;
    camera.stream.setStatus('online', null);
    await until('units come again', () => {
      camera.send(clip);
      return units.length > seen;
    });
    expect(units[seen]!.keyframe).toBe(true);
    expect(units[seen]!.lossBefore).toBe(true);
  });

  test('an owner that falls silent is told of, and believed again when it speaks', async () => {
    const lease = leaseOf('s1', 1);
    const { camera, followed } = await pair({ lease });
    lease.fresh = false;
    await until('its silence is noticed', () => followed.stream.status === 'reconnecting');
    expect(followed.stream.message).toMatch(/does not answer; another one takes over/);
    lease.fresh = true;
    await until('it is heard again', () => followed.stream.status === 'online');
    expect(camera.stream.status).toBe('online');
  });

  test('an instance that is gone wants nothing any more after some seconds', async () => {
    const { b, camera, relayed, followed } = await pair();
    followed.join();
    followed.wantUnits();
    followed.pictures.subscribe(() => {});
    await until('it is watched', () => relayed.remoteViewers === 1 && camera.viewers === 1);
    await until('pictures are made', () => camera.pictureReaders.listeners.size === 1);
    // As if it had been killed: it says no word.
    b.bus.close();
    await until('it is forgotten', () => camera.viewers === 0);
    expect(relayed.remoteViewers).toBe(0);
    expect(camera.pictureReaders.listeners.size).toBe(0);
  });

  test('an instance that leaves wants nothing at once', async () => {
    const { b, camera, relayed, followed } = await pair();
    followed.join();
    await until('it is watched', () => relayed.remoteViewers === 1);
    const began = performance.now();
    b.receiver.close();
    await until('it is not', () => camera.viewers === 0);
    // Forgetting takes six.
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('an instance that starts knows every camera at once', async () => {
    const [a, b] = (await open('a', 'b')) as [TestInstance, TestInstance];
    for (let i = 0; i < 120; i++) {
      const camera = new HandCamera(`s${i}`);
      camera.begin(clip);
      serve(a, camera);
    }
    const followed = Array.from({ length: 120 }, (_, i) => b.receiver.follow(`s${i}`));
    await until('all are online', () => followed.every(({ stream }) => stream.status === 'online'));
    expect(b.receiver.follow('s0').stream.status).toBe('online');
    expect(b.receiver.follow('unknown').stream.status).toBe('offline');
  });
});
