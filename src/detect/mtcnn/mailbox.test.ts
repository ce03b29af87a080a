import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Mailbox } from './mailbox.ts';

test('a newer frame replaces the waiting one of its channel, and keeps its turn', () => {
  const mailbox = new Mailbox<string>();
  expect(mailbox.offer(1, 'old')).toBe(false);
  expect(mailbox.offer(2, 'other')).toBe(false);
  expect(mailbox.offer(1, 'new')).toBe(true);
  expect(mailbox.size).toBe(2);
  expect([mailbox.take(), mailbox.take(), mailbox.take()]).toEqual(['new', 'other', undefined]);
});

test('a camera ten times as fast gets no more turns than the others', () => {
  const mailbox = new Mailbox<number>();
  const served = [0, 0, 0];
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < 10; i++) mailbox.offer(0, 0);
    mailbox.offer(1, 1);
    mailbox.offer(2, 2);
    served[mailbox.take()!]!++;
  }
  expect(served).toEqual([100, 100, 100]);
});

test('a forgotten channel waits no more', () => {
  const mailbox = new Mailbox<string>();
  mailbox.offer(1, 'a');
  expect(mailbox.forget(1)).toBe(true);
  expect(mailbox.forget(1)).toBe(false);
  expect(mailbox.take()).toBeUndefined();
});

test('whatever is offered and taken, at most one frame of a channel waits, and each frame is taken, skipped or waiting', () => {
  const step = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant('take' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const mailbox = new Mailbox<{ channel: number; number: number }>();
      let offered = 0;
      let skipped = 0;
      let taken = 0;
      const newest = new Map<number, number>();
      for (const s of steps) {
        if (s === 'take') {
          const frame = mailbox.take();
          if (frame) {
            taken++;
            expect(frame.number).toBe(newest.get(frame.channel));
          }
        } else {
          newest.set(s, offered);
          if (mailbox.offer(s, { channel: s, number: offered++ })) skipped++;
        }
        expect(mailbox.size).toBeLessThanOrEqual(6);
        expect(offered).toBe(taken + skipped + mailbox.size);
      }
    }),
  );
});
