// What the log keeps to itself, whoever wrote it and however it is spelled.

import { expect, test } from 'vitest';
import { createLog, redact } from './log.ts';

test.each([
  ['rtsp://admin:c4nary@camera/live failed', 'rtsp://admin:****@camera/live failed'],
  [
    'rtsp://camera/?user=admin&password=c4nary&channel=1',
    'rtsp://camera/?user=admin&password=****&channel=1',
  ],
  [
    'at rtsp://camera/user=admin_password=c4nary_channel=1_stream=0.sdp: refused',
    'at rtsp://camera/user=admin_password=****_channel=1_stream=0.sdp: refused',
  ],
  ['GET /ws/stream/?token=c4nary&fps=5', 'GET /ws/stream/?token=****&fps=5'],
  [
    '/ws/stream/?url=rtsp%3A%2F%2Fadmin%3Ac4nary%40camera%2F&stream_id=1',
    '/ws/stream/?url=rtsp%3A%2F%2Fadmin%3A****%40camera%2F&stream_id=1',
  ],
  [
    '/ws/stream/?url=rtsp%3A%2F%2Fcamera%2F%3Fuser%3Da%26password%3Dc4nary%26channel%3D1&stream_id=1',
    '/ws/stream/?url=rtsp%3A%2F%2Fcamera%2F%3Fuser%3Da%26password%3D****%26channel%3D1&stream_id=1',
  ],
  [
    '?url=rtsp%3a%2f%2fcamera%2fuser%3da_password%3dc4nary_channel%3d1&x=1',
    '?url=rtsp%3a%2f%2fcamera%2fuser%3da_password%3d****_channel%3d1&x=1',
  ],
  ['{"password":"c4nary\\"c4nary","name":"a"}', '{"password":"****","name":"a"}'],
  [
    '{"current_password":"c4nary","setup_token":"c4nary"}',
    '{"current_password":"****","setup_token":"****"}',
  ],
  [
    `it said rsr_c4nary${'x'.repeat(30)}, then rsv_c4nary${'x'.repeat(30)}`,
    'it said rsr_****, then rsv_****',
  ],
  [`rsv_session=c4nary${'-_'.repeat(15)}; Path=/`, 'rsv_session=****; Path=/'],
  [`http://127.0.0.1:8000/#setup=c4nary${'x'.repeat(37)}`, 'http://127.0.0.1:8000/#setup=****'],
  [`sub-protocol eyJc4nary${'x'.repeat(9)}.${'y'.repeat(40)}.${'z'.repeat(43)}`, 'sub-protocol ****'],
  ['Authorization: Basic c4nary==', 'Authorization: Basic ****'],
  ['password=c4nary', 'password=****'],
  ['nothing to hide: channel=1&user=admin', 'nothing to hide: channel=1&user=admin'],
])('%s is written as %s', (text, written) => {
  expect(redact(text)).toBe(written);
});

test('nothing a caller logs brings a secret into a line: message, object, error', () => {
  const lines: string[] = [];
  const log = createLog(true, { write: (line: string) => lines.push(line) });
  const url = 'rtsp://camera/?user=admin&password=c4nary';
  log.info(url);
  log.warn({ url, password: 'c4nary' }, 'refused');
  log.child({ camera: url }).error({ err: new Error(`cannot open ${url}`) }, 'failed');
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    expect(line).not.toContain('c4nary');
    expect(JSON.parse(line)).toHaveProperty('level');
  }
});

test('a long text is searched in time that grows with its length only', () => {
  const pieces = [
    '_',
    '/a',
    '?passwor',
    '%3fpasswor',
    'password',
    '_password',
    'rtsp://a:',
    'rtsp%3a%2f%2fa%3a',
    '-eyJaaaaaaaaaaa',
    'eyJaaaaaaaaaaa.',
    '"_token',
  ];
  for (const piece of pieces) expect(redact(piece.repeat(20_000)).length).toBeGreaterThan(0);
});
