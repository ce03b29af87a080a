// How long the right to run a camera counts, whatever the clocks of the machine do meanwhile.
// With a clock moved by hand; that the database and Redis renew it is tested with the assignment.

import { describe, expect, it } from 'vitest';
import type { Clock } from '../base/clock.ts';
import { FencedOff } from '../errors.ts';
import { moment } from './elapsed.ts';
import { HeldLease } from './lease.ts';

class HandClock implements Clock {
  monotonic = 5000;
  wall = 1_700_000_000_000;

  now(): number {
    return this.monotonic;
  }

  wallTime(): number {
    return this.wall;
  }

  after(): () => void {
    throw new Error('nothing here waits');
  }

  pass(ms: number): void {
    this.monotonic += ms;
    this.wall += ms;
  }
}

describe('a lease', () => {
  const clock = new HandClock();
  const fence = { streamId: 'gate', number: 7 };
  const unasked = () => Promise.reject(new Error('not to be asked'));

  it('is fresh for as long as its last proof counts', async () => {
    const lease = new HeldLease(fence, clock, unasked);
    expect(lease.fresh).toBe(false);
    lease.proven(moment(clock), 2500);
    // A shorter one does not end it sooner.
    lease.proven(moment(clock), 1000);
    clock.pass(2499);
    expect(lease.fresh).toBe(true);
    await lease.confirm();
    clock.pass(1);
    expect(lease.fresh).toBe(false);
  });

  it('is not fresh after the machine was suspended, when only the wall clock went on', () => {
    const lease = new HeldLease(fence, clock, unasked);
    lease.proven(moment(clock), 2500);
    clock.wall += 60_000;
    expect(lease.fresh).toBe(false);
  });

  it('does not stay fresh when the wall clock is set back', () => {
    const lease = new HeldLease(fence, clock, unasked);
    lease.proven(moment(clock), 2500);
    clock.wall -= 3_600_000;
    clock.pass(2500);
    expect(lease.fresh).toBe(false);
  });

  it('is confirmed by the database, but not by an answer that took too long to be believed', async () => {
    const answersAfterMs = [10_000, 20];
    const lease: HeldLease = new HeldLease(fence, clock, async () => {
      const askedAt = moment(clock);
      clock.pass(answersAfterMs.shift()!);
      lease.proven(askedAt, 1000);
    });
    await lease.confirm();
    expect(answersAfterMs).toEqual([]);
    expect(lease.fresh).toBe(true);
  });

  it('gives up on a database that never answers in time', async () => {
    let asked = 0;
    const lease = new HeldLease(fence, clock, async () => {
      asked += 1;
      clock.pass(10_000);
    });
    await expect(lease.confirm()).rejects.toThrow('too late');
    expect(asked).toBe(3);
  });

  it('rejects with what the database rejects with', async () => {
    const lease = new HeldLease(fence, clock, () => Promise.reject(new Error('the database is away')));
    await expect(lease.confirm()).rejects.toThrow('the database is away');
  });

  it('is lost for good', async () => {
    const lease: HeldLease = new HeldLease(fence, clock, async () => lease.lose());
    await expect(lease.confirm()).rejects.toThrow(FencedOff);
    lease.proven(moment(clock), 2500);
    expect(lease.fresh).toBe(false);
    await expect(lease.confirm()).rejects.toThrow(FencedOff);
  });
});
