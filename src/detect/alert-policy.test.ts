import { describe, expect, it } from 'vitest';
import { afterAlert, decideAlert, quiet, restoredAlert } from './alert-policy.ts';

const cooldownMs = 30_000;
const raise = { action: 'raise' };
const extend = { action: 'extend', alertId: 'a' };

describe('alert policy', () => {
  it('raises at once when quiet, extends within the cooldown, raises after it', () => {
    expect(decideAlert(quiet, 0)).toEqual(raise);
    const cooling = afterAlert('a', 1_000, cooldownMs);
    expect(decideAlert(cooling, 30_999)).toEqual(extend);
    expect(decideAlert(cooling, 31_000)).toEqual(raise);
  });

  it('attaches what was seen within the cooldown however late it is stored', () => {
    expect(decideAlert(afterAlert('a', 100_000, cooldownMs), 2_000)).toEqual(extend);
  });

  it('does not alert again after a restart within the cooldown', () => {
    const at = (sinceAlert: number) =>
      restoredAlert(
        { id: 'a', raisedAt: 5_000_000 },
        { now: 70, wallTime: 5_000_000 + sinceAlert, cooldownMs },
      );
    expect(decideAlert(at(10_000), 70 + 19_999)).toEqual(extend);
    expect(decideAlert(at(10_000), 70 + 20_000)).toEqual(raise);
    expect(at(30_000)).toEqual(quiet);
    expect(restoredAlert(null, { now: 70, wallTime: 1, cooldownMs })).toEqual(quiet);
  });

  it('is silent for one cooldown at most when the clock was ahead before the restart', () => {
    const state = restoredAlert(
      { id: 'a', raisedAt: 5_000_000 + 3_600_000 },
      { now: 70, wallTime: 5_000_000, cooldownMs },
    );
    expect(decideAlert(state, 70 + cooldownMs - 1)).toEqual(extend);
    expect(decideAlert(state, 70 + cooldownMs)).toEqual(raise);
  });
});
