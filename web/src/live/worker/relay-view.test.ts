import { expect, it } from 'vitest';
import type { FallReason } from '../messages.ts';
import { RelayView } from './relay-view.ts';

function started() {
  const failures: FallReason[] = [];
  let shown = 0;
  const listener = {
    onShown: () => {
      shown += 1;
    },
    onFail: (reason: FallReason) => failures.push(reason),
    onLost: () => undefined,
  };
  const view = new RelayView({ tile: 1, mime: 'video/mp4', post: () => undefined, listener });
  return { view, failures, shown: () => shown };
}
const figures = { kind: 'figures', fps: 0, behindMs: 0, dropped: 0 } as const;

it('waits for a picture while the element shows none', () => {
  const { view, shown } = started();
  view.take(new ArrayBuffer(8), 100);
  view.news({ ...figures, hidden: false });
  expect(view.unshownSince).toBe(100);
  view.news({ ...figures, fps: 25, hidden: false });
  expect(view.unshownSince).toBeNull();
  expect(shown()).toBe(1);
});

it('takes a hidden page for no failure: browsers tell of no pictures there', () => {
  const { view, shown, failures } = started();
  view.take(new ArrayBuffer(8), 100);
  view.news({ ...figures, hidden: true });
  expect(view.unshownSince).toBeNull();
  expect(shown()).toBe(0);
  expect(failures).toEqual([]);
});
