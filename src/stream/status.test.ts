import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CameraErrorCode, cameraErrors } from '../errors.ts';
import { type CameraEvent, type CameraState, initialCameraState, nextCameraState } from './status.ts';

function failure(code: CameraErrorCode): CameraEvent {
  const { needsPerson, message } = cameraErrors[code];
  return { type: 'failed', failure: { code, needsPerson, message } };
}

/** Applies events at given times; attempts are made when they are due. */
function run(
  events: readonly (readonly [number, CameraEvent])[],
  watched = true,
  random = () => 0.5,
): CameraState {
  return events.reduce(
    (state, [now, event]) => nextCameraState(state, event, { now, watched, random }),
    initialCameraState,
  );
}

const start: CameraEvent = { type: 'start' };
const attempt: CameraEvent = { type: 'attempt' };
const playing: CameraEvent = { type: 'playing' };
const keyframe: CameraEvent = { type: 'keyframe' };

describe('camera state', () => {
  it('goes from offline over connecting to online with the first keyframe', () => {
    expect(run([]).status).toBe('offline');
    expect(run([[0, start]])).toMatchObject({ status: 'connecting', retryAt: 0 });
    expect(
      run([
        [0, start],
        [0, attempt],
        [10, playing],
      ]).status,
    ).toBe('connecting');
    const online = run([
      [0, start],
      [0, attempt],
      [10, playing],
      [20, keyframe],
    ]);
    expect(online).toMatchObject({ status: 'online', message: null, onlineSince: 20 });
  });

  it('tells the reason while reconnecting and forgets it with the next picture', () => {
    const lost = run([
      [0, start],
      [0, attempt],
      [10, playing],
      [20, keyframe],
      [9000, failure('no_packets')],
    ]);
    expect(lost).toMatchObject({ status: 'reconnecting', message: cameraErrors.no_packets.message });
    const back = [attempt, playing, keyframe].reduce(
      (state, event) => nextCameraState(state, event, { now: 9500, watched: true, random: () => 0.5 }),
      lost,
    );
    expect(back).toMatchObject({ status: 'online', message: null });
  });

  it('asks for a person after a wrong password, and tries no more', () => {
    const state = run([
      [0, start],
      [0, attempt],
      [10, failure('wrong_password')],
    ]);
    expect(state).toMatchObject({ status: 'error', retryAt: null, code: 'wrong_password' });
    const watched = nextCameraState(
      state,
      { type: 'watched', watched: true },
      { now: 1, watched: true, random: Math.random },
    );
    expect(watched.retryAt).toBeNull();
  });

  it('does not call a refusal after success a wrong password, and retries slowly', () => {
    const state = run([
      [0, start],
      [0, attempt],
      [1, playing],
      [2, keyframe],
      [9000, failure('wrong_password')],
    ]);
    expect(state.status).toBe('reconnecting');
    expect(state.message).not.toMatch(/wrong/i);
    expect(state.retryAt! - 9000).toBeGreaterThanOrEqual(2_000);
  });

  it('goes on trying slowly what served before and now needs a person, and says so', () => {
    const state = run([
      [0, start],
      [0, attempt],
      [2, keyframe],
      [9000, failure('no_such_path')],
    ]);
    expect(state).toMatchObject({ status: 'error', message: cameraErrors.no_such_path.message });
    expect(state.retryAt! - 9000).toBeGreaterThanOrEqual(2_000);
    const around = { now: 13_000, watched: true, random: () => 0.5 };
    const back = [attempt, playing, keyframe].reduce((s, event) => nextCameraState(s, event, around), state);
    expect(back).toMatchObject({ status: 'online', message: null });
  });

  it('takes a picture for a proof of the password, whether or not PLAY was noted before', () => {
    const state = run([
      [0, start],
      [0, attempt],
      [2, keyframe],
      [9000, failure('wrong_password')],
    ]);
    expect(state.status).toBe('reconnecting');
  });

  it('asks slowly for a session that the camera will not give, quickly for one that it ended', () => {
    const refused = run([
      [0, start],
      [0, attempt],
      [5, failure('session_lost')],
    ]);
    expect(refused.retryAt).toBeGreaterThanOrEqual(2_000);
    const ended = run([
      [0, start],
      [0, attempt],
      [5, keyframe],
      [2000, failure('session_lost')],
    ]);
    expect(ended.retryAt).toBeLessThanOrEqual(2_500);
  });

  it('tries a new address at once after an error', () => {
    const state = run([
      [0, start],
      [0, attempt],
      [5, failure('wrong_password')],
      [100, { type: 'address_changed' }],
    ]);
    expect(state).toMatchObject({ status: 'connecting', retryAt: 100, message: null });
  });

  it('stays offline whatever a late result of an old attempt says', () => {
    expect(
      run([
        [0, start],
        [0, attempt],
        [5, { type: 'stop' }],
        [9, failure('timeout')],
      ]).status,
    ).toBe('offline');
  });

  it('tries a watched camera at most once a second, and again within 1.5 s, for ever', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 5, maxLength: 60 }),
        (randoms) => {
          let state = run([[0, start]]);
          let now = 0;
          let lastAttempt: number | null = null;
          for (const random of randoms) {
            now = state.retryAt!;
            if (lastAttempt !== null) {
              expect(now - lastAttempt).toBeGreaterThanOrEqual(1_000);
              expect(now - lastAttempt).toBeLessThanOrEqual(1_500);
            }
            lastAttempt = now;
            const around = { now, watched: true, random: () => random };
            state = nextCameraState(state, attempt, around);
            state = nextCameraState(state, failure('refused'), around);
          }
        },
      ),
    );
  });

  it('backs off to 30 s while nobody watches, and comes at once when somebody does', () => {
    let state = run([[0, start]], false);
    let now = 0;
    for (let i = 0; i < 20; i++) {
      now = state.retryAt!;
      state = nextCameraState(state, attempt, { now, watched: false, random: () => 0.5 });
      state = nextCameraState(state, failure('unreachable'), { now, watched: false, random: () => 0.5 });
    }
    expect(state.retryAt! - now).toBeGreaterThan(20_000);
    expect(state.retryAt! - now).toBeLessThanOrEqual(30_200);
    const later = now + 5_000;
    const seen = nextCameraState(
      state,
      { type: 'watched', watched: true },
      { now: later, watched: true, random: Math.random },
    );
    expect(seen.retryAt).toBe(later);
  });

  it('does not retry fifty cameras in step', () => {
    let seed = 1;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const retries = Array.from(
      { length: 50 },
      () =>
        run(
          [
            [0, start],
            [0, attempt],
            [0, failure('refused')],
          ],
          false,
          random,
        ).retryAt!,
    );
    const busiest = Math.max(
      ...retries.map((at) => retries.filter((other) => Math.abs(other - at) < 5).length),
    );
    expect(busiest).toBeLessThanOrEqual(10);
  });
});
