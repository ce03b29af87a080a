// Reading camera addresses: what people really write, what must be refused, and that passwords stay where they belong.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostileUrls } from '../../test/corpus/hostile-urls.ts';
import { AppError } from '../errors.ts';
import {
  cameraKey,
  formatCameraUrl,
  hasSecrets,
  isMasked,
  maxCameraUrlLength,
  parseCameraUrl,
  parseFormattedCameraUrl,
  requestUrl,
  withStoredSecrets,
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
    ['rtsp://camera.local/a@b', 'rtsp://camera.local:554/a@b'],
    ['rtsp://camera.local/a@b/c?d=@e', 'rtsp://camera.local:554/a@b/c?d=@e'],
    ['rtsp://10.0.0.5:8554/a@b', 'rtsp://10.0.0.5:8554/a@b'],
    ['rtsp://localhost:8554/a@b', 'rtsp://localhost:8554/a@b'],
    ['rtsp://admin:secret@camera.local:8554/a%40b', 'rtsp://camera.local:8554/a%40b'],
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
    ['rtsp://admin:p/s/s:@camera/live', 'admin', 'p/s/s:'],
    ['rtsp://admin:p/s@s@camera/live', 'admin', 'p/s@s'],
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

test.each([
  'rtsp://admin:p@c4nary/w@127.0.0.1:9/live',
  'rtsp://admin:p@c4nary?w@127.0.0.1:9/live',
  'rtsp://admin:p@c4nary#w@127.0.0.1:9/live',
  'rtsp://admin:p@c4:n/ary@camera/live',
  'rtsp://admin:c4nary/p@ss/w@camera/live',
  'rtsp://admin:1234/c4nary@camera/live',
  'rtsp://jane.doe:1234/c4nary@10.0.0.5/live',
  'rtsp://me@c4nary.example:1234/w@camera/live',
  'rtsp://admin:c4nary@camera/live@1',
  'rtsp://admin:c4nary@camera/live?to=@1',
  'rtsp://camera.local:8554/c4nary@b',
])('%s has more than one reading and is refused without a piece of it', (text) => {
  expect(refusal(text).message).toBe(
    'The address can be read in more than one way; write @ in the user name, password or path as %40 and / in the password as %2F.',
  );
});

test('a piece of a password that stands where a port is expected is not repeated, and how to encode it is said', () => {
  const { message } = refusal('rtsp://admin:p@ss:c4nary/o');
  expect(message).toMatch(/port.*password.*%40.*%3A.*%2F/);
  expect(message).not.toMatch(/c4nary|ss:/);
});

test('no reply shows a piece of a raw password, wherever @ : / ? # stand in it', () => {
  const password = fc
    .array(fc.constantFrom('c4nary', '@', ':', '/', '?', '#', '1234'), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.join(''));
  const host = fc.constantFrom('127.0.0.1:9', 'camera', 'camera.local:8554', '[::1]:8554');
  const user = fc.constantFrom('admin', 'jane.doe', 'me@home');
  fc.assert(
    fc.property(user, password, host, fc.constantFrom('', '/', '/live', '/live@1'), (name, raw, at, path) => {
      let shown: string;
      try {
        shown = formatCameraUrl(parseCameraUrl(`rtsp://${name}:${raw}@${at}${path}`), 'mask');
        expect(shown).toBe(`rtsp://${encodeURIComponent(name)}:****@${at}${path === '' ? '/' : path}`);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        shown = JSON.stringify([error.message, error.issues]);
      }
      expect(shown).not.toMatch(/c4nary|1234/);
    }),
    { numRuns: 3_000 },
  );
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
      expect(parseFormattedCameraUrl(text)).toEqual(url);
      if (!url.path.includes('@')) expect(parseCameraUrl(text)).toEqual(url);
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

describe('secrets in path and query', () => {
  test.each([
    ['/?user=admin&password=c4nary&channel=1', '/?user=admin&password=****&channel=1'],
    ['/?PASSWORD=c4nary', '/?PASSWORD=****'],
    ['/live?token=c4nary-a_b=&x=1', '/live?token=****&x=1'],
    ['/live;pwd=c4nary', '/live;pwd=****'],
    ['/cam/realmonitor?channel=1&authbasic=YWRtaW46c4nary/+==', '/cam/realmonitor?channel=1&authbasic=****'],
    [
      '/user=admin_password=c4nary_channel=1_stream=0.sdp?real_stream',
      '/user=admin_password=****_channel=1_stream=0.sdp?real_stream',
    ],
    [
      '/user=admin&password=c4nary&channel=1&stream=0.sdp?',
      '/user=admin&password=****&channel=1&stream=0.sdp?',
    ],
    ['/password=c4nary/ch1', '/password=****/ch1'],
    ['/?loginuse=admin&loginpas=c4nary', '/?loginuse=admin&loginpas=****'],
    ['/?access_token=c4nary&camera_password2=c4nary', '/?access_token=****&camera_password2=****'],
    ['/?password=&channel=1', '/?password=****&channel=1'],
    ['/?password=c4n%26ary%20c4nary', '/?password=****'],
  ])('%s is shown as %s', (path, shown) => {
    const url = parseCameraUrl(`rtsp://camera.local${path}`);
    expect(requestUrl(url)).toBe(`rtsp://camera.local:554${path}`);
    for (const form of ['mask', 'omit'] as const)
      expect(formatCameraUrl(url, form)).toBe(`rtsp://camera.local${shown}`);
    expect(cameraKey(url)).toBe(`rtsp://camera.local${shown}`);
    expect(hasSecrets(url)).toBe(true);
    expect(isMasked(url)).toBe(false);
    const back = parseCameraUrl(formatCameraUrl(url, 'mask'));
    expect(isMasked(back)).toBe(true);
    expect(cameraKey(back)).toBe(cameraKey(url));
    expect(withStoredSecrets(back, url)).toEqual(url);
  });

  test.each(['/live', '/compass=north', '/?channel=1&subtype=0', '/?user=admin', '/?keyframes=1', '/a_b=c'])(
    '%s holds none and is shown as it is',
    (path) => {
      const url = parseCameraUrl(`rtsp://camera.local${path}`);
      expect(hasSecrets(url)).toBe(false);
      expect(formatCameraUrl(url, 'mask')).toBe(`rtsp://camera.local${path}`);
    },
  );

  test('several secrets come back in their places, also when only some are masked', () => {
    const stored = parseCameraUrl('rtsp://admin:one@camera.local/?token=two&password=three&token=four');
    const unmasked = (text: string) => withStoredSecrets(parseCameraUrl(text), stored);
    expect(unmasked('rtsp://admin:****@camera.local/?password=****&x=1&token=****&token=****')).toEqual(
      parseCameraUrl('rtsp://admin:one@camera.local/?password=three&x=1&token=two&token=four'),
    );
    expect(unmasked('rtsp://admin:new@camera.local/?password=%2A%2a**')).toEqual(
      parseCameraUrl('rtsp://admin:new@camera.local/?password=three'),
    );
    expect(unmasked('rtsp://admin:****@camera.local/?password=new')).toEqual(
      parseCameraUrl('rtsp://admin:one@camera.local/?password=new'),
    );
  });

  test('they are given to no other host, port, scheme or user, and none is made up', () => {
    const stored = parseCameraUrl('rtsp://camera.local/user=admin_password=secret_channel=1');
    for (const text of [
      'rtsp://evil.example/user=admin_password=****_channel=1',
      'rtsp://camera.local:8554/user=admin_password=****_channel=1',
      'rtsps://camera.local:554/user=admin_password=****_channel=1',
      'rtsp://root@camera.local/user=admin_password=****_channel=1',
      'rtsp://camera.local/user=root_password=****_channel=1',
      'rtsp://camera.local/user=admin_token=****_channel=1',
      'rtsp://camera.local/user=admin_password=****_password=****',
      'rtsp://:****@camera.local/user=admin_password=****_channel=1',
    ])
      expect(withStoredSecrets(parseCameraUrl(text), stored), text).toBeNull();
  });

  test('whatever the secret, the masked forms do not depend on it and the masked address takes it back', () => {
    const frames: readonly ((secret: string) => string)[] = [
      (secret) => `/?user=admin&password=${secret}&channel=1`,
      (secret) => `/live?token=${secret}`,
      (secret) => `/user=admin_password=${secret}_channel=1_stream=0.sdp`,
    ];
    fc.assert(
      fc.property(secretText, secretText, fc.constantFrom(...frames), (one, other, frame) => {
        // What people type into a path is percent-encoded there, but an underscore is not.
        const [a, b] = [one, other].map((text) => {
          fc.pre(text.isWellFormed() && !/_\w+=/.test(text));
          return parseCameraUrl(`rtsp://camera.local${frame(encodeURIComponent(text))}`);
        });
        expect(formatCameraUrl(a!, 'mask')).toBe(formatCameraUrl(b!, 'mask'));
        expect(cameraKey(a!)).toBe(cameraKey(b!));
        expect(withStoredSecrets(parseCameraUrl(formatCameraUrl(a!, 'mask')), a!)).toEqual(a);
      }),
      { numRuns: 1_000 },
    );
  });

  test('an address that its masks would make too long to be read again is refused', () => {
    const short = `rtsp://camera.local/?${'token=&'.repeat(280)}`;
    expect(short.length).toBeLessThan(maxCameraUrlLength);
    expect(refusal(short).message).toMatch(/longer than/);
  });
});
