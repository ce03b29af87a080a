// What the sums must be, by hand and for any sequence of changes.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeldTime } from './held-time.ts';

test('ten held for three seconds are thirty, also when nobody asked in between', () => {
  const clock = { now: () => time };
  let time = 5_000;
  const held = new HeldTime(clock);
  time += 60_000;
  expect(held.total).toBe(0);
  held.held = 10;
  time += 3_000;
  expect(held.total).toBe(30_000);
  held.held = 1;
  time += 500;
  held.held = 0;
  time += 9_000;
  expect(held.total).toBe(30_500);
  expect(held.held).toBe(0);
});

test('the total never falls and is the area under the number held, whatever the changes', () => {
  const steps = fc.array(fc.record({ wait: fc.nat(1e6), held: fc.nat(1000) }), { maxLength: 50 });
  fc.assert(
    fc.property(steps, (changes) => {
      let time = 0;
      let area = 0;
      let before = 0;
      const held = new HeldTime({ now: () => time });
      for (const change of changes) {
        time += change.wait;
        area += change.wait * held.held;
        expect(held.total).toBe(area);
        expect(held.total).toBeGreaterThanOrEqual(before);
        before = held.total;
        held.held = change.held;
      }
    }),
  );
});
