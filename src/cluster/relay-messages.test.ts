import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mediaKinds, readAlert, readPicture, readState, readWant, wantJson } from './relay-messages.ts';
import { readUnits, unitRow } from './unit-rows.ts';

test('a state of a version that knows less has defaults for what is missing', () => {
  expect(readState({ id: 's', fence: 3, session: 'x' })).toMatchObject({
    gone: false,
    status: 'connecting',
    message: null,
    video: null,
    audio: { kind: 'none' },
    viewers: 0,
    detector: { state: 'off', message: null },
    figures: { detections: 0, detection: { faces: 0 } },
    pictures: { latency: 0 },
    details: null,
  });
});

test('a state of a version that knows more is read without what is not known here', () => {
  const state = readState({
    id: 's',
    fence: 3,
    session: 'x',
    status: 'sleeping',
    video: { codec: 'av2', codecString: 'av02' },
    audio: { codec: 'lyra', sampleRate: 16_000, codecString: 'lyra' },
    detector: { state: 'dreaming' },
    figures: { detections: 4, dreams: 5, detection: { faces: 2 } },
    moreover: true,
  });
  expect(state).toMatchObject({ status: 'connecting', video: null, audio: { kind: 'none' } });
  expect(state?.figures).toMatchObject({ detections: 4, detection: { faces: 2, tracks: 0 } });
  expect(state).not.toHaveProperty('moreover');
  expect(state?.figures).not.toHaveProperty('dreams');
});

test('what is wanted arrives as it was told; kinds that are not known are left out', () => {
  const want = { kinds: new Set(mediaKinds), viewers: 3, begin: 2 };
  expect(readWant(JSON.parse(JSON.stringify(wantJson(want))))).toEqual(want);
  expect(readWant([['smells', 'faces'], 1, 0])?.kinds).toEqual(new Set(['faces']));
  expect(readWant(wantJson(null))).toBeNull();
  expect(readWant([[], 0, 4])).toBeNull();
});

test('units arrive with their age, whatever the clock of the other side', () => {
  const data = Uint8Array.of(1, 2, 3, 4, 5);
  const unit = {
    codec: 'h264',
    data,
    keyframe: true,
    timestamp: 40,
    receivedAt: 990,
    lossBefore: true,
  } as const;
  const rows = [unitRow(7, unit, 1_000), unitRow(8, { ...unit, data: data.subarray(3) }, 1_000)];
  const read = readUnits(rows, 'h264', Uint8Array.of(1, 2, 3, 4, 5, 4, 5), 50_000);
  expect(read).toEqual([
    { number: 7, unit: { ...unit, receivedAt: 49_990 } },
    { number: 8, unit: { ...unit, data: Uint8Array.of(4, 5), receivedAt: 49_990 } },
  ]);
  expect(readUnits(rows, 'h264', data, 50_000)).toBeNull();
});

test('whatever is told, nothing is thrown', () => {
  const names = [
    'id',
    'fence',
    'session',
    'video',
    'audio',
    'figures',
    'detector',
    'states',
    't',
    'a',
    'sets',
  ];
  const value = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom(...names), fc.jsonValue(), { noNullPrototype: true }),
  );
  fc.assert(
    fc.property(value, fc.uint8Array({ maxLength: 50 }), (told, bytes) => {
      readState(told);
      readState({ id: 's', fence: 1, session: 'x', video: told, audio: told, figures: told, detector: told });
      readWant(told);
      readAlert(told);
      readUnits(told, 'h264', bytes, 0);
      readUnits([told], 'h264', bytes, 0);
      readPicture({ t: told, a: told, w: told, h: told }, bytes, 0);
    }),
    { numRuns: 2_000 },
  );
});
