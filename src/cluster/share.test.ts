// The shares of instances: complete, within capacity, stable, and reached by few moves that never go back.
// Arithmetic only; that cameras really move is tested with the assignment.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairShares, type Member, shouldGive } from './share.ts';

const sum = (values: Iterable<number>) => [...values].reduce((all, value) => all + value, 0);
const named = (members: readonly Omit<Member, 'instance'>[]): Member[] =>
  members.map((member, index) => ({ instance: `i${index}`, ...member }));

const someMembers = fc
  .array(
    fc
      .record({ capacity: fc.integer({ min: 0, max: 12 }), room: fc.integer({ min: 0, max: 12 }) })
      .map(({ capacity, room }) => ({ capacity, held: Math.max(0, capacity - room) })),
    { minLength: 1, maxLength: 6 },
  )
  .map(named);

describe('a fair share', () => {
  it('is even for even capacities, and the rest goes by name', () => {
    const members = named([0, 0, 0, 0].map(() => ({ capacity: 100, held: 0 })));
    expect([...fairShares(24, members).values()]).toEqual([6, 6, 6, 6]);
    expect([...fairShares(26, members).values()]).toEqual([7, 7, 6, 6]);
  });

  it('goes by capacity', () => {
    const members = named([
      { capacity: 30, held: 0 },
      { capacity: 10, held: 0 },
    ]);
    expect([...fairShares(20, members).values()]).toEqual([15, 5]);
  });

  it('gives the rest to whom it has already', () => {
    const members = named([6, 7, 6, 5].map((held) => ({ capacity: 50, held })));
    expect([...fairShares(25, members).values()]).toEqual([6, 7, 6, 6]);
  });

  it('is never more than the capacity, and in all what there is to run', () => {
    fc.assert(
      fc.property(someMembers, fc.integer({ min: 0, max: 80 }), (members, total) => {
        const shares = fairShares(total, members);
        for (const { instance, capacity } of members)
          expect(shares.get(instance)).toBeLessThanOrEqual(capacity);
        expect(sum(shares.values())).toBe(Math.min(total, sum(members.map((member) => member.capacity))));
      }),
    );
  });

  it('does not depend on the order in which the instances are known', () => {
    fc.assert(
      fc.property(someMembers, fc.integer({ min: 0, max: 80 }), (members, total) => {
        const shares = fairShares(total, members);
        for (const [instance, share] of fairShares(total, members.toReversed()))
          expect(share).toBe(shares.get(instance));
      }),
    );
  });
});

describe('moving cameras one by one', () => {
  const all = (members: readonly Member[]) => new Set(members.map((member) => member.instance));

  it('ends with every instance at its share, each camera moved once at most', () => {
    fc.assert(
      fc.property(someMembers, (start) => {
        let members = start;
        const total = sum(members.map((member) => member.held));
        const target = fairShares(total, members);
        const needed = sum(members.map(({ instance, held }) => Math.max(0, held - target.get(instance)!)));
        let moves = 0;
        for (;;) {
          const giver = members.find(({ instance }) => shouldGive(instance, total, members, all(members)));
          if (giver === undefined) break;
          // On its way the camera waits in the queue: the giver must not take it back, and somebody must take it.
          const onItsWay = members.map((member) =>
            member === giver ? { ...member, held: member.held - 1 } : member,
          );
          const shares = fairShares(total, onItsWay);
          expect(shares.get(giver.instance)).toBeLessThan(giver.held);
          const taker = onItsWay.find(({ instance, held }) => held < shares.get(instance)!)!;
          members = onItsWay.map((member) =>
            member === taker ? { ...member, held: member.held + 1 } : member,
          );
          moves += 1;
          expect(moves).toBeLessThanOrEqual(needed);
        }
        const shares = fairShares(total, members);
        for (const { instance, held } of members) expect(held).toBe(shares.get(instance));
      }),
    );
  });

  it('does not begin for a difference of one', () => {
    const members = named([7, 6, 6, 6].map((held) => ({ capacity: 50, held })));
    for (const { instance } of members) expect(shouldGive(instance, 25, members, all(members))).toBe(false);
  });

  it('does not begin while nobody could take the camera', () => {
    const members = named([24, 0].map((held) => ({ capacity: 50, held })));
    expect(shouldGive('i0', 24, members, new Set())).toBe(false);
    expect(shouldGive('i0', 24, members, new Set(['i1']))).toBe(true);
    expect(shouldGive('i1', 24, members, all(members))).toBe(false);
  });
});
