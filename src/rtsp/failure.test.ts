// Refusals as people read them.

import { expect, test } from 'vitest';
import { fromStatus } from './failure.ts';

test('a refusal is told by its status and the usual phrase, never by what the camera says', () => {
  expect(fromStatus({ status: 404 }).message).toMatch(/\(404 Not Found\)\.$/);
  expect(fromStatus({ status: 799 }).message).toMatch(/\(799\)\.$/);
  for (const reason of [
    'No rtsp://admin:c4nary@camera.local/ here',
    'Wrong Basic YWRtaW46YzRuYXJ5',
    'c4nary',
    'Your account is locked, call +1 900 555 0100',
  ]) {
    const answer = { status: 500, reason };
    expect(fromStatus(answer).message).toBe('The camera answered with an error (500 Internal Server Error).');
  }
});
