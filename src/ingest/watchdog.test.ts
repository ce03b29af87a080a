import { describe, expect, it } from 'vitest';
import { judgeProgress, nextUsualGap, type Progress } from './watchdog.ts';

const healthy: Progress = {
  now: 60_000,
  playingSince: 0,
  lastPacketAt: 59_950,
  lastUnitAt: 59_940,
  sawKeyframe: true,
  usualGap: 67,
};

describe('the watchdog', () => {
  it('is content with a camera that sends', () => {
    expect(judgeProgress(healthy)).toBeNull();
  });

  it('notices within 3 s that packets stopped', () => {
    expect(judgeProgress({ ...healthy, lastPacketAt: 57_600 })).toBeNull();
    expect(judgeProgress({ ...healthy, lastPacketAt: 57_250 })).toBe('no_packets');
  });

  it('counts packets, not pictures: a camera that sends damaged video for a while stays connected', () => {
    expect(judgeProgress({ ...healthy, lastUnitAt: 52_000 })).toBeNull();
    expect(judgeProgress({ ...healthy, lastUnitAt: 49_000 })).toBe('no_picture');
  });

  it('gives a camera of one frame in five seconds its time', () => {
    const slow = { ...healthy, usualGap: 5_000, lastUnitAt: 52_000, lastPacketAt: 52_000 };
    expect(judgeProgress(slow)).toBeNull();
    expect(judgeProgress({ ...slow, now: 68_000 })).toBe('no_packets');
  });

  it('says within 10 s that nothing was sent at all', () => {
    const silent = { ...healthy, lastPacketAt: null, lastUnitAt: null, sawKeyframe: false };
    expect(judgeProgress({ ...silent, now: 5_000 })).toBeNull();
    expect(judgeProgress({ ...silent, now: 7_000 })).toBe('no_packets');
  });

  it('waits 30 s for a keyframe', () => {
    expect(
      judgeProgress({
        ...healthy,
        now: 29_000,
        lastPacketAt: 29_000,
        lastUnitAt: 29_000,
        sawKeyframe: false,
      }),
    ).toBeNull();
    expect(
      judgeProgress({
        ...healthy,
        now: 31_000,
        lastPacketAt: 31_000,
        lastUnitAt: 31_000,
        sawKeyframe: false,
      }),
    ).toBe('no_picture');
  });

  it('learns a slow rate from few frames, and unlearns it slowly', () => {
    let gap = 0;
    for (let i = 0; i < 4; i++) gap = nextUsualGap(gap, 5_000);
    expect(gap).toBeGreaterThan(4_000);
    expect(nextUsualGap(gap, 40)).toBeGreaterThan(0.9 * gap);
    expect(nextUsualGap(0, 10_000_000)).toBeLessThanOrEqual(20_000);
  });
});
