// Rows of "Attackers" that come to the service's own doors: sign-in, tokens, sockets, ids, names and images.
// The running service with sign-in; what comes by cameras is in attackers-cameras.test.ts.

import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { eventually } from './support/parts.ts';
import { bearer, type Headers, newAccount, type Service, startService } from './support/service.ts';

const secretKey = 'the key of the attackers’ tests';
let simulator: Simulator;
let service: Service;
let streamId: string;
let viewer: Headers;
const admin = newAccount('root');
const viewerAccount = newAccount('watcher');

beforeAll(async () => {
  const clip = await sceneClip({ gopSeconds: 1 });
  simulator = await startSimulator({ cameras: [{ path: '/cam', clip }] });
  service = await startService({ admin, env: { SECRET_KEY: secretKey } });
  ({ id: streamId } = await service.api<{ id: string }>('POST', '/api/streams/', {
    name: 'Camera',
    rtsp_url: simulator.url('/cam'),
    detection_enabled: false,
  }));
  await service.api('POST', '/api/register/', { ...viewerAccount, role: 'viewer' });
  viewer = bearer((await service.signIn(viewerAccount)).access);
}, 120_000);

afterAll(async () => {
  await service.stop();
  await simulator.close();
});

const statusOf = async (method: string, path: string, body?: unknown, headers?: Headers) => {
  const reply = await service.request(method, path, body, headers);
  await reply.arrayBuffer();
  return reply.status;
};

/** The answer to a request line that no HTTP client would send. */
async function raw(
  target: string,
  headers: Headers,
): Promise<{ readonly status: number; readonly text: string }> {
  const { hostname, port } = new URL(service.baseUrl);
  const socket = connect(Number(port), hostname);
  const lines = Object.entries({ host: `${hostname}:${port}`, connection: 'close', ...headers });
  socket.write(
    `GET ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  let text = '';
  for await (const part of socket) text += part;
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text };
}

/** How an attempt to open a socket ends: `open`, or the status of the refusal. */
async function knock(path: string, headers: Headers): Promise<string> {
  const socket = new WebSocket(service.socketUrl(path), { headers });
  const refused = new Promise<string>((resolve) =>
    socket.on('error', ({ message }) => resolve(/\d{3}/.exec(message)?.[0] ?? message)),
  );
  const outcome = await Promise.race([
    once(socket, 'open').then(
      () => 'open',
      () => refused,
    ),
    refused,
  ]);
  socket.terminate();
  return outcome;
}

const jpeg =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q==';

describe('path traversal, IDOR', () => {
  it('no dress of ".." leads out of the images, and no listing is given', async () => {
    const names = ['secret.key', 'rtsp-viewer.sqlite', 'data.sqlite', 'etc/passwd', 'package.json'];
    const climbs = [
      '../',
      '%2e%2e/',
      '%2e%2e%2f',
      '..%2f',
      '..%5c',
      '..\\',
      '%252e%252e%252f',
      '..;/',
      '.../',
      '%c0%ae%c0%ae/',
      '..%00/',
      '//',
    ];
    for (const climb of climbs)
      for (const name of names)
        for (const target of [
          `/media/${climb.repeat(3)}${name}`,
          `/${climb.repeat(5)}${name}`,
          `/api/docs/${climb.repeat(3)}${name}`,
        ]) {
          const { status, text } = await raw(target, service.headers);
          expect([400, 403, 404], `${target}: ${text.slice(0, 200)}`).toContain(status);
          expect(text).not.toMatch(/root:|SQLite format|"dependencies"/);
        }
    for (const target of ['/media', '/media/', '/media/.', '/media/%2e/', '/media/%00'])
      expect((await raw(target, service.headers)).status, target).not.toBe(200);
  }, 60_000);

  it('an image is given by its opaque name, to whoever is signed in, as long as its detection exists', async () => {
    const made = await service.api<{ id: string; image_url: string }>('POST', '/api/detections/', {
      stream_id: streamId,
      confidence_score: 0.9,
      image: jpeg,
    });
    expect(await statusOf('GET', made.image_url, undefined, viewer)).toBe(200);
    expect(await statusOf('GET', made.image_url, undefined, {})).toBe(401);
    const guess = made.image_url.replace(/[0-9a-f](?=[^0-9a-f]*$)/, (digit) => (digit === '0' ? '1' : '0'));
    expect(guess).not.toBe(made.image_url);
    expect(await statusOf('GET', guess, undefined, viewer)).toBe(404);
    expect(await statusOf('DELETE', `/api/detections/${made.id}/`, undefined, viewer)).toBe(403);
    expect(await statusOf('DELETE', `/api/detections/${made.id}/`)).toBe(204);
    expect(await statusOf('GET', made.image_url)).toBe(404);
  });

  it('ids that are not there, or are no ids, are 404 for those who may ask and 401 or 403 for the others', async () => {
    const ids = [
      randomUUID(),
      '0',
      '-1',
      '__proto__',
      'constructor',
      '%2e%2e',
      "' or 1=1 --",
      '%',
      'a'.repeat(90),
    ];
    for (const id of ids.map((each) => (each.includes('%') ? each : encodeURIComponent(each))))
      for (const [method, path, body] of [
        ['GET', 'streams', undefined],
        ['PATCH', 'streams', { name: 'x' }],
        ['DELETE', 'streams', undefined],
        ['GET', 'detections', undefined],
        ['DELETE', 'detections', undefined],
        ['PATCH', 'alerts', { viewed: true }],
        ['DELETE', 'alerts', undefined],
        ['PATCH', 'users', { role: 'admin' }],
        ['DELETE', 'users', undefined],
        ['DELETE', 'tokens', undefined],
      ] as const) {
        const target = `/api/${path}/${id}/`;
        // A path that cannot be read, or that climbs, is another path.
        if (id === '%' || id === '%2e%2e') continue;
        expect([400, 404, 414], `${method} ${target}`).toContain(await statusOf(method, target, body));
        expect(await statusOf(method, target, body, {}), `${method} ${target} by nobody`).toBe(401);
        if (method !== 'GET')
          expect(await statusOf(method, target, body, viewer), `${method} ${target} by a viewer`).toBe(403);
      }
  }, 60_000);
});

describe('WebSocket hijack, CSRF', () => {
  const paths = () => ['/ws/events/', `/ws/stream/?stream_id=${streamId}`];

  it('a cookie counts only with the own origin: not with a foreign one, not with "null", not without', async () => {
    const { cookie } = await service.signIn();
    const own = service.baseUrl;
    const { port } = new URL(own);
    for (const path of paths()) {
      expect(await knock(path, { cookie, origin: own })).toBe('open');
      for (const origin of [
        'http://evil.example',
        'null',
        `http://127.0.0.1.evil.example:${port}`,
        `http://evil.example#127.0.0.1:${port}`,
        `http://127.0.0.1:${Number(port) + 1}`,
        `http://127.0.0.1:${port}@evil.example`,
        'file://',
      ])
        expect(await knock(path, { cookie, origin }), origin).toBe('403');
      expect(await knock(path, { cookie }), 'absent').toBe('403');
      expect(await knock(path, {})).toBe('401');
    }
    expect(await statusOf('PATCH', `/api/streams/${streamId}/`, { name: 'Hijacked' }, { cookie })).toBe(403);
    expect(
      await statusOf(
        'PATCH',
        `/api/streams/${streamId}/`,
        { name: 'Hijacked' },
        { cookie, origin: 'http://evil.example' },
      ),
    ).toBe(403);
    // What a form of a foreign page can send without asking first.
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
    ]) {
      const reply = await fetch(`${service.baseUrl}/api/streams/`, {
        method: 'POST',
        headers: { cookie, origin: own, 'content-type': type },
        body: JSON.stringify({ name: 'Form', rtsp_url: simulator.url('/cam') }),
      });
      expect([400, 415], type).toContain(reply.status);
    }
    const { streams } = await service.api<{ streams: { name: string }[] }>('GET', '/api/streams/');
    expect(streams.map(({ name }) => name)).toEqual(['Camera']);
  }, 30_000);

  it('the cookie is for this host alone, for no script, and not sent along by other sites', async () => {
    const reply = await service.request('POST', '/api/login/', admin, {});
    const [set = ''] = reply.headers.getSetCookie();
    expect(set).toMatch(/;\s*HttpOnly/i);
    expect(set).toMatch(/;\s*SameSite=Lax/i);
    expect(set).toMatch(/;\s*Path=\//i);
    expect(set).not.toMatch(/;\s*Domain=/i);
  });

  it('signing out closes the open sockets of that sign-in', async () => {
    const { access, cookie } = await service.signIn();
    const origin = service.baseUrl;
    const open = [
      new WebSocket(service.socketUrl('/ws/events/'), { headers: { cookie, origin } }),
      new WebSocket(service.socketUrl(`/ws/stream/?stream_id=${streamId}&token=${access}`)),
    ];
    await Promise.all(open.map((socket) => once(socket, 'open')));
    const other = new WebSocket(service.socketUrl('/ws/events/'), { headers: viewer });
    await once(other, 'open');
    const closed = open.map((socket) => once(socket, 'close'));
    expect(await statusOf('POST', '/api/logout/', undefined, bearer(access))).toBe(200);
    // The contract's second, and what a busy machine takes; the figure is told by live-access.test.ts.
    await eventually(
      'all closed',
      () => open.map(({ readyState }) => readyState),
      (states) => states.every((state) => state === WebSocket.CLOSED),
      5_000,
    );
    await Promise.all(closed);
    expect(other.readyState).toBe(WebSocket.OPEN);
    other.terminate();
    expect(await knock('/ws/events/', { cookie, origin })).toBe('401');
    expect(await statusOf('GET', '/api/streams/', undefined, bearer(access))).toBe(401);
  }, 30_000);
});

describe('default or guessable sign-in', () => {
  it('there is none, not from loopback either; without the set-up link nobody becomes the first user', async () => {
    const fresh = await startService({ env: { AUTH: 'required' } });
    try {
      for (const path of ['/api/streams/', '/api/me/', '/api/users/', '/metrics']) {
        const reply = await fresh.request('GET', path, undefined, {});
        expect(reply.status, path).toBe(401);
      }
      for (const password of ['admin', 'password', '', 'root', '123456', 'admin:admin', 'rtsp', 'changeme'])
        for (const username of ['admin', 'root'])
          expect([400, 401]).toContain(
            (await fresh.request('POST', '/api/login/', { username, password }, {})).status,
          );
      const link = fresh.setupLink();
      const secret = link?.split('#setup=')[1];
      expect(secret?.length).toBeGreaterThan(20);
      const account = newAccount('first');
      for (const setup_token of [
        undefined,
        null,
        '',
        'x',
        secret!.slice(0, -1),
        `${secret} `,
        `${secret}x`,
        secret!.toUpperCase(),
      ]) {
        const { status } = await fresh.request('POST', '/api/register/', { ...account, setup_token }, {});
        expect([400, 401, 403], String(setup_token)).toContain(status);
      }
      const forwarded = {
        'x-forwarded-for': '127.0.0.1',
        'x-real-ip': '127.0.0.1',
        forwarded: 'for=127.0.0.1',
      };
      expect((await fresh.request('GET', '/api/streams/', undefined, forwarded)).status).toBe(401);
      expect(
        (await fresh.request('POST', '/api/register/', { ...account, setup_token: secret }, {})).status,
      ).toBe(201);
      // It is dead after use.
      const again = await fresh.request(
        'POST',
        '/api/register/',
        { ...newAccount('second'), setup_token: secret },
        {},
      );
      expect([401, 403]).toContain(again.status);
    } finally {
      await fresh.stop();
    }
  }, 60_000);

  it('AUTH=off is refused where others can reach it', async () => {
    await expect(startService({ env: { HOST: '0.0.0.0', AUTH: 'off' } })).rejects.toThrow(/AUTH/);
  }, 30_000);

  it('sign-in is asked of those who come by another address of this machine as well', async () => {
    const address =
      Object.values(networkInterfaces())
        .flat()
        .find((each) => each?.family === 'IPv4' && !each.internal)?.address ?? '127.0.0.9';
    const open = await startService({ admin, env: { HOST: '0.0.0.0', ALLOWED_HOSTS: '*' } });
    try {
      const { port } = new URL(open.baseUrl);
      const from = `http://${address}:${port}`;
      expect((await fetch(`${from}/api/streams/`)).status).toBe(401);
      expect((await fetch(`${from}/api/detections/`)).status).toBe(401);
      expect((await fetch(`${from}/healthz`)).status).toBe(200);
    } finally {
      await open.stop();
    }
  }, 60_000);

  it('10,000 wrong logins in a row: refused early, few passwords hashed, and the service answers on', async () => {
    const guessed = await startService({ admin });
    try {
      const statuses = new Map<number, number>();
      let firstRefusal = -1;
      let next = 0;
      const guess = async () => {
        while (next < 10_000) {
          const number = next;
          next += 1;
          const { status } = await guessed.request(
            'POST',
            '/api/login/',
            { username: number % 3 ? 'root' : `user${number}`, password: `guess ${number}` },
            {},
          );
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status === 429 && firstRefusal < 0) firstRefusal = number;
        }
      };
      let healthy = 0;
      let guessing = true;
      const asking = (async () => {
        while (guessing) {
          expect((await guessed.request('GET', '/healthz', undefined, {})).status).toBe(200);
          healthy += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      await Promise.all(Array.from({ length: 16 }, guess));
      guessing = false;
      await asking;
      // An answer of 401 is one hash; whatever is refused before costs none.
      expect((statuses.get(401) ?? 0) + (statuses.get(503) ?? 0)).toBeLessThanOrEqual(20);
      expect(statuses.get(429)).toBeGreaterThanOrEqual(9_980);
      expect(firstRefusal).toBeLessThanOrEqual(40);
      expect(healthy).toBeGreaterThan(0);
      // Who is signed in already is not shut out.
      expect((await guessed.request('GET', '/api/me/')).status).toBe(200);
    } finally {
      await guessed.stop();
    }
  }, 120_000);
});

describe('token tricks', () => {
  const encode = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

  it('none, confused, tampered, expired and foreign tokens: 401, on REST and on sockets', async () => {
    const { access, refresh, cookie } = await service.signIn();
    const [head = '', body = '', mac = ''] = access.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
    const hmac = (key: string, text: string) => createHmac('sha256', key).update(text).digest('base64url');
    const forged = (head_: unknown, claims_: unknown, key: string) => {
      const text = `${encode(head_)}.${encode(claims_)}`;
      return `${text}.${hmac(key, text)}`;
    };
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const rsaText = `${encode({ ...header, alg: 'RS256' })}.${body}`;
    const now = Math.floor(Date.now() / 1000);
    const wrong: Record<string, string> = {
      'alg none': `${encode({ ...header, alg: 'none' })}.${body}.`,
      'alg None with the old signature': `${encode({ ...header, alg: 'None' })}.${body}.${mac}`,
      'no signature': `${head}.${body}.`,
      'two parts': `${head}.${body}`,
      'another alg': `${encode({ ...header, alg: 'HS512' })}.${body}.${mac}`,
      RSA: `${rsaText}.${sign('sha256', Buffer.from(rsaText), privateKey).toString('base64url')}`,
      'HMAC with a public key': forged(
        header,
        claims,
        publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      ),
      'HMAC with the bare SECRET_KEY': forged(header, claims, secretKey),
      'HMAC with an empty key': forged(header, claims, ' '),
      'own key in the header': forged({ ...header, jwk: publicKey.export({ format: 'jwk' }) }, claims, 'x'),
      'kid with a path': forged({ ...header, kid: '../../../../dev/null' }, claims, ''),
      'tampered claims': `${head}.${encode({ ...claims, role: 'admin', exp: now + 1e6 })}.${mac}`,
      'tampered signature': `${head}.${body}.${mac.slice(0, -2)}${mac.endsWith('AA') ? 'BB' : 'AA'}`,
      expired: forged(header, { ...claims, exp: now - 10 }, secretKey),
      'a refresh token': refresh,
      'the cookie': cookie.split('=')[1]!,
      'an API token that is none': `rsv_${'a'.repeat(43)}`,
      undefined: 'undefined',
      proto: '__proto__',
    };
    for (const [trick, token] of Object.entries(wrong)) {
      expect(await statusOf('GET', '/api/streams/', undefined, bearer(token)), trick).toBe(401);
      expect(await knock('/ws/events/', bearer(token)), trick).toBe('401');
      expect(await knock(`/ws/events/?token=${encodeURIComponent(token)}`, {}), trick).toBe('401');
    }
    // As the counter-proof, the true one; in an address it counts for sockets only.
    expect(await statusOf('GET', '/api/streams/', undefined, bearer(access))).toBe(200);
    expect(await statusOf('GET', `/api/streams/?token=${access}`, undefined, {})).toBe(401);
    expect(await knock(`/ws/events/?token=${access}`, {})).toBe('open');
  }, 60_000);

  it('a refresh token works once; its second use ends everything of that sign-in', async () => {
    const { access, refresh } = await service.signIn();
    const renewed = await service.api<{ access: string; refresh: string }>(
      'POST',
      '/api/token/refresh/',
      { refresh },
      {},
    );
    expect(await statusOf('POST', '/api/token/refresh/', { refresh }, {})).toBe(401);
    for (const token of [access, renewed.access])
      expect(await statusOf('GET', '/api/me/', undefined, bearer(token))).toBe(401);
    expect(await statusOf('POST', '/api/token/refresh/', { refresh: renewed.refresh }, {})).toBe(401);
  });
});

describe('`__proto__`, `constructor` as names and keys', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

  it('are harmless as names, keys, ids, queries and commands', async () => {
    for (const name of names) {
      const { id } = await service.api<{ id: string }>('POST', '/api/streams/', {
        name,
        rtsp_url: `rtsp://127.0.0.1:9/${name}`,
        description: name,
      });
      const { stream } = await service.api<{ stream: { name: string } }>('GET', `/api/streams/${id}/`);
      expect(stream.name).toBe(name);
      expect(await statusOf('DELETE', `/api/streams/${id}/`)).toBe(204);
      expect(await statusOf('GET', `/api/streams/${name}/`)).toBe(404);
      expect(await statusOf('GET', `/api/detections/?stream_id=${name}&${name}=1&${name}[x]=1`)).toBeLessThan(
        500,
      );
      const made = await service.request('POST', '/api/tokens/', { name, role: 'viewer' });
      expect(made.status).toBe(201);
      const account = { ...newAccount(name) };
      const registered = await statusOf('POST', '/api/register/', { ...account, role: 'viewer' });
      expect([201, 400]).toContain(registered);
      expect(await statusOf('POST', '/api/login/', account, {})).toBe(registered === 201 ? 200 : 401);
      expect(await statusOf('POST', '/api/register/', { ...newAccount(`${name}x`), role: name })).toBe(400);
      const socket = new WebSocket(service.socketUrl(`/ws/stream/?stream_id=${streamId}`), {
        headers: viewer,
      });
      await once(socket, 'open');
      const answers: string[] = [];
      socket.on('message', (data: Buffer, isBinary) => {
        if (!isBinary) answers.push(data.toString());
      });
      socket.send(`{"command": "${name}"}`);
      socket.send(`{"${name}": {"command": "pause"}}`);
      await eventually(
        'both refused',
        () => answers.filter((text) => text.includes('"error"')).length,
        (count) => count >= 2,
      );
      expect(socket.readyState).toBe(WebSocket.OPEN);
      socket.terminate();
    }
  }, 60_000);

  it('give nobody a role and change no other request', async () => {
    const post = (body: string, headers: Headers) =>
      fetch(`${service.baseUrl}/api/streams/`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
      });
    const address = '"name": "x", "rtsp_url": "rtsp://127.0.0.1:9/x"';
    for (const body of [
      `{${address}, "__proto__": {"role": "admin", "detection_enabled": false}}`,
      `{${address}, "constructor": {"prototype": {"role": "admin"}}}`,
      `{"__proto__": {${address}}}`,
    ]) {
      expect((await post(body, viewer)).status).toBe(403);
      const reply = await post(body, service.headers);
      expect([201, 400]).toContain(reply.status);
      const made = (await reply.json()) as { id?: string; role?: string };
      expect(made.role).toBeUndefined();
      if (made.id) await service.api('DELETE', `/api/streams/${made.id}/`);
    }
    const { role } = await service.api<{ role: string }>('GET', '/api/me/', undefined, viewer);
    expect(role).toBe('viewer');
  });
});

describe('image bombs', () => {
  const post = (image: unknown) =>
    service.request('POST', '/api/detections/', { stream_id: streamId, confidence_score: 0.9, image });
  const bytes = () => Buffer.from(jpeg, 'base64');
  const sized = (width: number, height: number) => {
    const data = bytes();
    const header = data.indexOf(Buffer.from([0xff, 0xc0]));
    data.writeUInt16BE(height, header + 5);
    data.writeUInt16BE(width, header + 7);
    return data.toString('base64');
  };

  it('images that announce too much, are none, or are too large are refused without being decoded', async () => {
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAA//8AAP//CAYAAAA=', 'base64').toString('base64');
    const gif = Buffer.from('GIF89a\xff\xff\xff\xff\x00\x00\x00', 'latin1').toString('base64');
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    ).toString('base64');
    for (const [what, image] of [
      ['65,500×65,500', sized(65_500, 65_500)],
      ['65,535×1,000', sized(65_535, 1_000)],
      ['without a size', sized(0, 0)],
      ['PNG', png],
      ['GIF', gif],
      ['SVG', svg],
      ['HTML', Buffer.from('<html></html>').toString('base64')],
      ['no base64', '*****'],
      ['a header only', bytes().subarray(0, 20).toString('base64')],
      ['a number', 7],
      ['an object', { length: 1e9 }],
    ] as const) {
      const reply = await post(image);
      expect([400, 413, 415, 422], `${what}: ${await reply.text()}`).toContain(reply.status);
    }
    // A body this large is cut off while it is sent, so that the answer may not be read any more.
    const huge = await post(Buffer.alloc(30_000_000, 0xff).toString('base64')).then(
      ({ status }) => status,
      (error: Error) => error.message,
    );
    expect([400, 413, 'fetch failed']).toContain(huge);
    expect((await post(jpeg)).status).toBe(201);
    expect(service.exitCode).toBeNull();
  }, 60_000);

  it('what is stored is served as an image and nothing else', async () => {
    const { image_url } = (await (await post(jpeg)).json()) as { image_url: string };
    const reply = await service.request('GET', image_url);
    expect(reply.headers.get('content-type')).toBe('image/jpeg');
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    await reply.arrayBuffer();
  });
});
