import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FaceInFrame } from '../media/faces.ts';
import { face, frameAt, MemorySink, ScriptedClock, type StoredAlert } from './testing.ts';
import { type VisitImages, VisitRefused } from './visit-sink.ts';
import { Visits, type VisitsOptions } from './visits.ts';

const cooldownMs = 30_000;
const outside = { confidence: 0.9, box: null, landmarks: null, frame: null };

function jpegs(label: number): VisitImages {
  return { frame: Uint8Array.of(label), face: Uint8Array.of(label) };
}

/** One stream with scripted time. */
function scene(more: Partial<VisitsOptions<StoredAlert>> = {}) {
  const clock = new ScriptedClock();
  const sink = new MemorySink(clock);
  const told: { id: string; at: number; stored: boolean }[] = [];
  const troubles: unknown[] = [];
  let ids = 0;
  let frames = 0;
  const options: VisitsOptions<StoredAlert> = {
    streamId: 'door',
    sink,
    clock,
    cooldownMs,
    confidenceThreshold: 0.8,
    newId: () => `id${++ids}`,
    random: () => 0.5,
    onAlert: ({ id }) => told.push({ id, at: clock.now(), stored: sink.alerts.has(id) }),
    onTrouble: (error) => troubles.push(error),
    ...more,
  };
  const visits = new Visits<StoredAlert>(options);
  /** Shows `faces` for `ms`, five frames a second. */
  const show = async (ms: number, faces: () => readonly FaceInFrame[]) => {
    for (let passed = 0; passed < ms; passed += 200) {
      const label = ++frames % 256;
      visits.analysed(frameAt(clock.now(), faces(), clock.wallTime()), async () => jpegs(label));
      await clock.advance(200);
    }
  };
  return { clock, sink, told, troubles, visits, show, options };
}

const somebody = () => [face()];
const nobody = () => [];

function attachments(sink: MemorySink): string[] {
  return [...sink.alerts.values()].flatMap((alert) => [...alert.detections]);
}

describe('visits', () => {
  it('make one detection and one alert of a person in view for 90 s', async () => {
    const { sink, told, visits, show } = scene();
    await show(90_000, somebody);
    await show(4_000, nobody);
    expect(sink.detections.size).toBe(1);
    expect(told).toHaveLength(1);
    const [detection] = sink.detections.values();
    expect(detection!.lastSeen - detection!.time).toBe(89_600);
    expect(detection!.images).not.toBeNull();
    expect(visits.figures).toMatchObject({ frames: 470, faces: 450, tracks: 1, detections: 1, alerts: 1 });
    // At most one word every 5 s.
    expect(sink.calls.length).toBeLessThanOrEqual(22);
  });

  it('tell the alert after it is stored, and within the second frame', async () => {
    const { clock, told, show } = scene();
    const begin = clock.now();
    await show(600, somebody);
    expect(told).toEqual([{ id: 'id2', at: begin + 200, stored: true }]);
  });

  it('attach a return within the cooldown to the same alert', async () => {
    const { sink, told, show } = scene();
    await show(3_000, somebody);
    await show(10_000, nobody);
    await show(3_000, somebody);
    expect(sink.detections.size).toBe(2);
    expect(told).toHaveLength(1);
    expect([...sink.alerts.values()][0]!.detections.size).toBe(2);
  });

  it('raise a second alert for a return after the cooldown', async () => {
    const { sink, told, show } = scene();
    await show(3_000, somebody);
    await show(31_000, nobody);
    await show(3_000, somebody);
    expect(sink.detections.size).toBe(2);
    expect(told).toHaveLength(2);
  });

  it('make three detections and one alert of three people at once', async () => {
    const { sink, told, show } = scene();
    await show(3_000, () => [0.1, 0.4, 0.7].map((x) => face({ x })));
    expect(sink.detections.size).toBe(3);
    expect(told).toHaveLength(1);
    expect([...sink.alerts.values()][0]!.detections.size).toBe(3);
  });

  it('neither double nor swallow alerts when the wall clock jumps an hour, back or ahead', async () => {
    for (const jump of [-3_600_000, 3_600_000]) {
      const { clock, sink, told, show } = scene();
      await show(3_000, somebody);
      clock.jumpWall(jump);
      await show(3_000, somebody);
      await show(5_000, nobody);
      await show(3_000, somebody);
      expect(told).toHaveLength(1);
      const [first] = sink.detections.values();
      expect(first!.lastSeen - first!.time).toBe(5_600);
      await show(30_000, nobody);
      await show(3_000, somebody);
      expect(told).toHaveLength(2);
    }
  });

  it('keep the best picture, replacing it only for a better one', async () => {
    const { sink, show } = scene();
    await show(1_000, () => [face({}, { sharpness: 1 })]);
    await show(200, () => [face({}, { sharpness: 2 })]);
    await show(5_000, () => [face({}, { sharpness: 1.5 })]);
    expect([...sink.detections.values()][0]!.images!.frame[0]).toBe(6);
    expect(sink.calls.filter((call) => call.startsWith('improved'))).toHaveLength(1);
  });

  it.each(['before', 'afterwards'] as const)(
    'lose nothing and raise once when the store fails for 30 s (%s storing)',
    async (broken) => {
      const { sink, told, troubles, visits, show } = scene();
      sink.broken = broken;
      await show(12_000, somebody);
      await show(4_000, nobody);
      await show(4_000, () => [face({}, { sharpness: 3 }), face({ x: 0.7 })]);
      await show(10_000, nobody);
      expect(told).toEqual([]);
      expect(visits.figures).toMatchObject({ failing: true, tracks: 3 });
      expect(troubles.length).toBeGreaterThan(3);
      sink.broken = false;
      await show(12_000, nobody);
      expect(sink.detections.size).toBe(3);
      expect([...sink.detections.values()].every((detection) => detection.images !== null)).toBe(true);
      expect(told).toHaveLength(1);
      expect(attachments(sink).sort()).toEqual([...sink.detections.keys()].sort());
      expect(visits.figures).toMatchObject({ failing: false, waiting: 0, lostVisits: 0, lostImages: 0 });
    },
  );

  it('begin the cooldown when the alert is stored, not when it was due', async () => {
    const { sink, told, show } = scene();
    sink.broken = 'before';
    await show(25_000, somebody);
    sink.broken = false;
    await show(12_000, nobody);
    expect(told).toHaveLength(1);
    // More than 30 s after the person came, less than 30 s after the alert.
    await show(3_000, somebody);
    expect(told).toHaveLength(1);
    expect(attachments(sink)).toHaveLength(2);
  });

  it('end by themselves when the camera goes away', async () => {
    const { clock, sink, show } = scene();
    await show(3_000, somebody);
    await clock.advance(5_000);
    const [detection] = sink.detections.values();
    expect(detection!.lastSeen - detection!.time).toBe(2_600);
  });

  it('do without a picture that fails or never comes, and take the next one', async () => {
    const { clock, sink, visits } = scene();
    const frame = async (images: () => Promise<VisitImages | null>) => {
      visits.analysed(frameAt(clock.now(), somebody(), clock.wallTime()), images);
      await clock.advance(200);
    };
    const stored = () => [...sink.detections.values()].map((detection) => detection.images);
    await frame(async () => jpegs(1));
    await frame(() => new Promise(() => {}));
    for (let passed = 0; passed < 4_600; passed += 200) await frame(async () => jpegs(2));
    expect(stored()).toEqual([]);
    await frame(() => Promise.reject(new Error('the worker died')));
    expect(stored()).toEqual([null]);
    await frame(() => Promise.reject(new Error('the worker died')));
    await frame(async () => null);
    await frame(async () => jpegs(7));
    expect(stored()).toEqual([jpegs(7)]);
  });

  it('bound what waits: pictures are given up before visits, the oldest first', async () => {
    const { sink, visits, show } = scene();
    sink.broken = 'before';
    const crowd = () =>
      Array.from({ length: 60 }, (_, n) =>
        face({ x: (n % 10) / 10, y: ((n / 10) | 0) / 6, width: 0.04, height: 0.05 }),
      );
    for (let wave = 0; wave < 5; wave++) {
      await show(400, crowd);
      await show(2_400, nobody);
    }
    expect(visits.figures).toMatchObject({ tracks: 300, lostVisits: 0 });
    expect(visits.figures.lostImages).toBeGreaterThanOrEqual(99);
    sink.broken = false;
    await show(20_000, nobody);
    expect(sink.detections.size).toBe(300);
    const images = [...sink.detections.values()].map((detection) => detection.images);
    expect(images.slice(2, 90).every((image) => image === null)).toBe(true);
    expect(images.slice(-150).every((image) => image !== null)).toBe(true);
    expect(new Set(attachments(sink)).size).toBe(300);
  });

  it('give up what the sink refuses for good, and go on with the next', async () => {
    const { sink, visits, show } = scene();
    const started = sink.detectionStarted.bind(sink);
    sink.detectionStarted = async (detection) => {
      if (sink.calls.length === 0 && detection.id === 'id1') throw new VisitRefused('no such stream');
      await started(detection);
    };
    await show(3_000, somebody);
    await show(3_000, nobody);
    await show(3_000, somebody);
    expect([...sink.detections.keys()]).toEqual(['id2']);
    expect(visits.figures).toMatchObject({ lostVisits: 1, alerts: 1 });
  });

  it('hold detections from outside to the same policy', async () => {
    const { sink, told, visits, show, clock } = scene();
    const first = visits.report(outside, null);
    await clock.advance(10);
    expect(sink.detections.has(await first)).toBe(true);
    await show(3_000, somebody);
    expect(told).toHaveLength(1);
    expect(attachments(sink)).toHaveLength(2);
  });

  it('tell a detector outside at once when nothing can be stored, and store nothing later', async () => {
    const { sink, visits, show, clock } = scene();
    sink.broken = 'before';
    const refused = [visits.report(outside, null), visits.report(outside, jpegs(1))].map((report) =>
      report.catch((error: unknown) => error),
    );
    await clock.advance(10);
    for (const error of await Promise.all(refused)) expect(error).toMatchObject({ status: 503 });
    await show(1_000, somebody);
    await expect(visits.report(outside, null)).rejects.toMatchObject({ code: 'detections_unavailable' });
    sink.broken = false;
    await show(12_000, somebody);
    expect(sink.detections.size).toBe(1);
  });

  it('do not alert again after a restart within the cooldown, nor leave a detection without an alert', async () => {
    const before = scene();
    await before.show(3_000, somebody);
    const [alert] = before.sink.alerts.values();
    let later = 0;
    const { sink, told, visits, show, clock } = scene({ newId: () => `later${++later}` });
    sink.alerts.set(alert!.id, alert!);
    visits.restore({
      lastAlert: { id: alert!.id, raisedAt: clock.wallTime() - 20_000 },
      withoutAlert: [{ id: 'orphan', time: clock.wallTime() - 15_000, confidence: 0.9 }],
    });
    await show(3_000, somebody);
    expect(told).toEqual([]);
    expect(alert!.detections).toContain('orphan');
    expect(alert!.detections.size).toBe(3);
    await show(10_000, nobody);
    await show(3_000, somebody);
    expect(told).toHaveLength(1);
  });

  it('are all stored before closing, or counted as lost when the store does not come back', async () => {
    const { sink, visits, show, clock } = scene();
    sink.broken = 'before';
    await show(3_000, somebody);
    const closed = visits.close(5_000);
    sink.broken = false;
    await clock.advance(5_000);
    expect(await closed).toBe(true);
    expect([...sink.detections.values()][0]!.lastSeen).toBeGreaterThan(0);

    const broken = scene();
    broken.sink.broken = 'before';
    await broken.show(3_000, somebody);
    const given = broken.visits.close(5_000);
    await broken.clock.advance(5_000);
    expect(await given).toBe(false);
    expect(broken.visits.figures.lostVisits).toBe(1);
    await broken.clock.advance(60_000);
    expect(broken.sink.detections.size).toBe(0);
  });

  it('do not raise an alert twice because a listener throws', async () => {
    const { sink, troubles, show } = scene({
      onAlert: () => {
        throw new Error('a defect');
      },
    });
    await show(3_000, somebody);
    expect(sink.alerts.size).toBe(1);
    expect(troubles).toHaveLength(1);
  });

  it('never put two alerts within a cooldown, nor a detection in none or two, whatever happens', async () => {
    const event = fc.oneof(
      fc.record({
        type: fc.constant('show' as const),
        ms: fc.integer({ min: 400, max: 8_000 }),
        people: fc.integer({ min: 0, max: 3 }),
      }),
      fc.record({
        type: fc.constant('sink' as const),
        broken: fc.constantFrom(false as const, 'before' as const, 'afterwards' as const),
      }),
      fc.record({ type: fc.constant('jump' as const), ms: fc.integer({ min: -3_600_000, max: 3_600_000 }) }),
      fc.record({ type: fc.constant('report' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 20 }), async (script) => {
        const { clock, sink, told, visits, show } = scene({ cooldownMs: 6_000 });
        const reported = new Set<string>();
        let reports = 0;
        for (const step of script) {
          if (step.type === 'sink') sink.broken = step.broken;
          else if (step.type === 'jump') clock.jumpWall(step.ms);
          else if (step.type === 'report') {
            reports++;
            visits.report(outside, null).then(
              (id) => reported.add(id),
              () => null,
            );
          } else
            await show(step.ms, () =>
              Array.from({ length: step.people }, (_, n) => face({ x: 0.1 + n * 0.3 })),
            );
        }
        sink.broken = false;
        await show(60_000, nobody);
        await nextTurn();
        expect(told.every((alert) => alert.stored)).toBe(true);
        expect(new Set(told.map((alert) => alert.id)).size).toBe(told.length);
        told.slice(1).forEach((alert, index) => {
          expect(alert.at - told[index]!.at).toBeGreaterThanOrEqual(6_000);
        });
        const attached = attachments(sink);
        expect(new Set(attached).size).toBe(attached.length);
        const { tracks, lostVisits, waiting } = visits.figures;
        expect(waiting).toBe(0);
        // Only reports, whose callers were told, may be missing.
        const seen = attached.filter((id) => !reported.has(id));
        expect(seen).toHaveLength(tracks);
        expect(lostVisits).toBeLessThanOrEqual(reports);
      }),
      { numRuns: 40 },
    );
  });
});
