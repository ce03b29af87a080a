// Refusals as people read them.

import { expect, test } from 'vitest';
import { fromStatus } from './failure.ts';

test('a refusal quotes the camera, but not the password that the camera repeats', () => {
  expect(fromStatus({ status: 404, reason: 'Stream Not Found\r\n' }).message).toMatch(
    /\(404 Stream Not Found\)\.$/,
  );
  for (const reason of [
    'No /?user=admin&password=c4nary here',
    'No rtsp://admin:c4nary@camera.local/ here',
    'No /user=admin_password=c4nary_channel=1',
  ]) {
    const { message } = fromStatus({ status: 404, reason });
    expect(message).toContain('(404 No');
    expect(message).not.toContain('c4nary');
  }
});
