// Reading camera addresses: what people really write, what must be refused, and that passwords stay where they belong.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostileUrls } from '../../test/corpus/hostile-urls.ts';
import { AppError } from '../errors.ts';
import {
  cameraKey,
  formatCameraUrl,
  isMasked,
  maxCameraUrlLength,
  parseCameraUrl,
  requestUrl,
} from './camera-url.ts';

function refusal(input: unknown): AppError {
  try {
    parseCameraUrl(input);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(input)?.slice(0, 200)}`);
}

describe('addresses as people write them', () => {
  test.each([
    ['rtsp://camera.local', 'rtsp://camera.local:554/'],
    ['  rtsp://camera.local/live\n', 'rtsp://camera.local:554/live'],
    ['RTSP://Camera.LOCAL/Live', 'rtsp://camera.local:554/Live'],
    ['rtsps://camera.local/live', 'rtsps://camera.local:322/live'],
    ['rtsp://camera.local:8554/live', 'rtsp://camera.local:8554/live'],
    ['rtsp://camera.local:/live', 'rtsp://camera.local:554/live'],
    ['rtsp://camera.local?channel=1', 'rtsp://camera.local:554/?channel=1'],
    ['rtsp://camera.local/live?channel=1&subtype=0', 'rtsp://camera.local:554/live?channel=1&subtype=0'],
    ['rtsp://camera.local/live#part', 'rtsp://camera.local:554/live'],
    ['rtsp://[fe80::1]:8554/live', 'rtsp://[fe80::1]:8554/live'],
    ['rtsp://[::1]:8554/a@b', 'rtsp://[::1]:8554/a@b'],
    ['rtsp://camera.local:554/a@b', 'rtsp://camera.local:554/a@b'],
    ['rtsp://camera_1/live', 'rtsp://camera_1:554/live'],
    ['rtsp://kamera-küche.local/live', 'rtsp://xn--kamera-kche-0hb.local:554/live'],
    ['rtsp://2130706433/live', 'rtsp://127.0.0.1:554/live'],
    ['rtsp://0x7f.1/live', 'rtsp://127.0.0.1:554/live'],
    ['rtsp://camera.local/café', 'rtsp://camera.local:554/caf%C3%A9'],
    ['rtsp://camera.local/a"<>\\^`{|}b', 'rtsp://camera.local:554/a%22%3C%3E%5C%5E%60%7B%7C%7Db'],
    [
      'rtsp://camera.local/user=admin&password=&channel=1.sdp?',
      'rtsp://camera.local:554/user=admin&password=&channel=1.sdp?',
    ],
    ['rtsp://camera.local/%0d%0a', 'rtsp://camera.local:554/%0d%0a'],
  ])('%s is asked for as %s', (text, asked) => {
    expect(requestUrl(parseCameraUrl(text))).toBe(asked);
  });

  test.each([
    ['rtsp://admin:secret@camera/', 'admin', 'secret'],
    ['rtsp://admin@camera/', 'admin', undefined],
    ['rtsp://admin:@camera/', 'admin', ''],
    ['rtsp://:secret@camera/', '', 'secret'],
    ['rtsp://admin:p@ss@camera/', 'admin', 'p@ss'],
    ['rtsp://admin:p:ss@camera/', 'admin', 'p:ss'],
    ['rtsp://admin:p/ss@camera/live', 'admin', 'p/ss'],
    ['rtsp://admin:p?ss@camera/live', 'admin', 'p?ss'],
    ['rtsp://admin:p#ss@camera/live', 'admin', 'p#ss'],
    ['rtsp://admin:p%40ss%25@camera/', 'admin', 'p@ss%'],
    ['rtsp://ad%3amin:secret@camera/', 'ad:min', 'secret'],
    ['rtsp://domain\\admin:secret@camera/', 'domain\\admin', 'secret'],
    ['rtsp://other.example\\@camera/', 'other.example\\', undefined],
  ])('%s has user and password', (text, username, password) => {
    expect(parseCameraUrl(text)).toMatchObject({ host: 'camera', username, password });
  });
});

test('the corpus of hostile addresses is large', () => {
  expect(hostileUrls.length).toBeGreaterThanOrEqual(300);
});

test('every hostile address is refused with 400 and a sentence that says what to mend', () => {
  for (const input of hostileUrls) {
    const error = refusal(input);
    expect(error.status).toBe(400);
    expect(error.code).toBe('invalid_rtsp_url');
    expect(error.message).toMatch(/^[A-Z].{20,}[.]$/s);
    expect(error.issues).toEqual([{ path: 'rtsp_url', message: error.message }]);
  }
});

test('a refusal repeats neither the password nor much of what was sent', () => {
  for (const input of hostileUrls) {
    const { message } = refusal(input);
    expect(message).not.toContain('secret');
    expect(message.length).toBeLessThan(200);
  }
});

test('whatever text comes in, the answer is an address or a 400', () => {
  const nearAddress = fc
    .array(
      fc.constantFrom(
        'rtsp',
        's',
        ':',
        '/',
        '@',
        '#',
        '?',
        '%',
        '[',
        ']',
        '::1',
        '554',
        'host',
        '.',
        'é',
        '\\',
        '\ud800',
        ' ',
      ),
    )
    .map((parts) => `rtsp://${parts.join('')}`);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearAddress, fc.webUrl(), fc.anything()), (input) => {
      try {
        const url = parseCameraUrl(input);
        expect(requestUrl(url)).toMatch(/^rtsps?:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d+\/[\x21-\x7e]*$/);
        expect(parseCameraUrl(formatCameraUrl(url, 'keep'))).toEqual(url);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        expect(error.status).toBe(400);
      }
    }),
    { numRuns: 3_000 },
  );
});

const secretText = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 60 })
  .filter((text) => !/\p{Cc}/u.test(text));
const anyUrl = fc.record({
  scheme: fc.constantFrom('rtsp' as const, 'rtsps' as const),
  host: fc.constantFrom('camera.local', '10.0.0.5', '::1', 'a_b-c.example'),
  port: fc.integer({ min: 1, max: 65535 }),
  path: fc.constantFrom('/', '/live', '/a/b?c=d&e=@f', '/%20'),
  username: secretText,
  password: secretText,
});

test('an address written with its password reads back the same, whatever the characters', () => {
  fc.assert(
    fc.property(anyUrl, (url) => {
      const text = formatCameraUrl(url, 'keep');
      fc.pre(text.length <= maxCameraUrlLength);
      expect(parseCameraUrl(text)).toEqual(url);
    }),
    { numRuns: 1_000 },
  );
});

test('masked, without its password, as asked for and as a key, an address does not depend on its password', () => {
  fc.assert(
    fc.property(anyUrl, secretText, (url, other) => {
      const changed = { ...url, password: other };
      expect(formatCameraUrl(url, 'mask')).toBe(formatCameraUrl(changed, 'mask'));
      expect(formatCameraUrl(url, 'omit')).toBe(formatCameraUrl(changed, 'omit'));
      expect(cameraKey(url)).toBe(cameraKey(changed));
      expect(requestUrl(url)).toBe(requestUrl({ ...changed, username: undefined }));
    }),
  );
});

test('a canary password is in no printed form but the one that keeps it', () => {
  const url = parseCameraUrl('rtsp://admin:c4n@ry pass'.replace(' ', '%20').concat('@camera.local/live'));
  expect(url.password).toBe('c4n@ry pass');
  for (const text of [
    formatCameraUrl(url, 'mask'),
    formatCameraUrl(url, 'omit'),
    cameraKey(url),
    requestUrl(url),
  ])
    expect(text).not.toMatch(/c4n|ry(%20| )pass/);
  expect(formatCameraUrl(url, 'mask')).toBe('rtsp://admin:****@camera.local/live');
});

test('a masked address is recognised when it comes back, and an own password is not', () => {
  const shown = formatCameraUrl(parseCameraUrl('rtsp://admin:secret@camera/'), 'mask');
  expect(isMasked(parseCameraUrl(shown))).toBe(true);
  expect(isMasked(parseCameraUrl('rtsp://admin:secret@camera/'))).toBe(false);
  expect(isMasked(parseCameraUrl('rtsp://admin@camera/'))).toBe(false);
});
