import { expect, test } from 'vitest';
import { overlapOf, SessionLog } from './session-log.ts';

test('sessions are known with their beginnings and ends, and how long there was more than one', () => {
  const log = new SessionLog();
  const [one, two, three] = [{}, {}, {}];
  log.opened(one, 100);
  log.opened(two, 300);
  log.ended(one, 450);
  log.ended(one, 900);
  expect(log.spans()).toEqual([
    { openedAt: 100, closedAt: 450 },
    { openedAt: 300, closedAt: null },
  ]);
  expect(overlapOf(log.spans(), 1_000)).toEqual({ longest: 150, most: 2 });
  log.ended(two, 500);
  log.opened(three, 500);
  expect(overlapOf(log.spans(), 1_000)).toEqual({ longest: 150, most: 2 });
  log.opened(one, 990);
  log.opened(two, 995);
  expect(overlapOf(log.spans(), 1_200)).toEqual({ longest: 210, most: 3 });
  expect(overlapOf([], 0)).toEqual({ longest: 0, most: 0 });
});
