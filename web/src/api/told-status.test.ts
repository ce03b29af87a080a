// A reply that was on its way while the status changed must not undo the change.

import { afterEach, expect, test } from 'vitest';
import { asTold, forgetStatuses, noteStatus } from './told-status.ts';
import type { Stream } from './types.ts';

const reply = { id: 'a', name: 'Door', status: 'connecting', last_error: null } as Stream;

afterEach(forgetStatuses);

test('what was told is newer than a reply, until the socket is gone', () => {
  noteStatus({ type: 'status', stream_id: 'a', status: 'error', message: 'wrong user name or password' });
  expect(asTold(reply)).toEqual({ ...reply, status: 'error', last_error: 'wrong user name or password' });
  noteStatus({ type: 'status', stream_id: 'a', status: 'online', message: 'said before' });
  expect(asTold(reply)).toEqual({ ...reply, status: 'online', last_error: null });
  expect(asTold({ ...reply, id: 'b' })).toEqual({ ...reply, id: 'b' });
  forgetStatuses();
  expect(asTold(reply)).toBe(reply);
});
