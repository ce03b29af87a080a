// Rows of "Attackers" about secrets: where a camera's password may be found (nowhere), and what a changed key means.
// The running service, with sign-in and at debug level.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { embedded, removeData } from './support/backends.ts';
import { eventually, type SavedStreamReply } from './support/parts.ts';
import { processTree } from './support/process-figures.ts';
import { bearer, type Headers, newAccount, type Service, startService } from './support/service.ts';
import { everythingStored } from './support/stored-data.ts';

/** With everything that a careless encoding would change. */
const canary = 'Canary/p@ss wörd+%41&=7';
const user = 'admin';
const queryCanary = 'CanaryInTheQuery77';

const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '');

/** Every form in which it would be a leak; compared without regard to case. */
const forms = [
  canary,
  encodeURIComponent(canary),
  encodeURIComponent(encodeURIComponent(canary)),
  encodeURI(canary),
  canary.replaceAll('/', '\\/'),
  JSON.stringify(canary).slice(1, -1),
  // As a lone word of it would still be a leak.
  'p@ss wörd',
  'p%40ss',
  'p%2540ss',
  base64(canary),
  base64(`${user}:${canary}`),
  base64(`:${canary}`).slice(4),
  Buffer.from(canary).toString('hex'),
  queryCanary,
].map((form) => form.toLowerCase());

function leaks(where: string, text: string): string[] {
  const low = text.toLowerCase();
  return forms
    .filter((form) => low.includes(form))
    .map(
      (form) =>
        `${where}: …${low.slice(Math.max(0, low.indexOf(form) - 60), low.indexOf(form) + form.length + 20)}…`,
    );
}

/** Repeats whatever it is told in its refusal, as some cameras do. */
async function talkativeCamera(): Promise<{ readonly server: Server; readonly host: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      const text = data.toString();
      const sequence = /^CSeq: *(\d+)/im.exec(text)?.[1] ?? '1';
      const said = /^Authorization: *(.*)$/im.exec(text)?.[1]?.trim();
      const uri = /^\S+ (\S+)/.exec(text)?.[1];
      socket.write(
        said === undefined
          ? `RTSP/1.0 401 No ${uri}\r\nCSeq: ${sequence}\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n`
          : `RTSP/1.0 500 Wrong ${said} at ${uri} for ${user}:${encodeURIComponent(canary)}\r\nCSeq: ${sequence}\r\nX-Echo: ${said}\r\n\r\n`,
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

let simulator: Simulator;

beforeAll(async () => {
  const clip = await sceneClip({ gopSeconds: 1 });
  simulator = await startSimulator({
    cameras: [
      { path: '/locked', clip, auth: 'digest-md5-qop', username: user, password: canary },
      { path: '/basic', clip, auth: 'basic', username: user, password: canary },
      { path: '/open', clip },
    ],
  });
}, 120_000);

afterAll(() => simulator.close());

describe('password leaks', () => {
  const secretKey = 'SecretKeyCanary-0123456789abcdef';
  const admin = newAccount('root');
  let service: Service;
  let echo: Awaited<ReturnType<typeof talkativeCamera>>;
  const texts: [where: string, text: string][] = [];
  const sockets: WebSocket[] = [];

  const told = async (who: string, headers: Headers, method: string, path: string, body?: unknown) => {
    const reply = await service.request(method, path, body, headers);
    const text = await reply.text();
    texts.push([`${who} ${method} ${path}`, `${[...reply.headers].join('\n')}\n${text}`]);
    return { status: reply.status, text };
  };

  const listen = (who: string, path: string, headers: Headers) => {
    const socket = new WebSocket(service.socketUrl(path), { headers });
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) texts.push([`${who} ${path}`, data.toString()]);
    });
    socket.on('close', (_code, reason) => texts.push([`${who} ${path} closed`, reason.toString()]));
    socket.on('error', (error) => texts.push([`${who} ${path} error`, error.message]));
    sockets.push(socket);
  };

  beforeAll(async () => {
    echo = await talkativeCamera();
    service = await startService({ admin, env: { DEBUG: 'True', SECRET_KEY: secretKey } });
  }, 60_000);

  afterAll(async () => {
    for (const socket of sockets) socket.terminate();
    await service.stop();
    echo.server.close();
  });

  it('a canary password is found nowhere: logs, API, WebSocket, database, process list, errors, metrics, audit', async () => {
    const roles: [string, Headers][] = [['admin', service.headers]];
    for (const role of ['operator', 'viewer']) {
      const account = newAccount(role);
      await service.api('POST', '/api/register/', { ...account, role });
      roles.push([role, bearer((await service.signIn(account)).access)]);
    }
    const secretOf = (host: string, path: string) =>
      `rtsp://${user}:${encodeURIComponent(canary)}@${host}${path}`;
    const here = `127.0.0.1:${simulator.port}`;
    const addresses = [
      secretOf(here, '/locked'),
      secretOf(here, '/basic'),
      `rtsp://${user}:${canary.replaceAll('%', '%25').replaceAll(' ', '%20')}@${here}/nowhere`,
      secretOf(echo.host, `/live?password=${queryCanary}`),
      secretOf('no-such-host.invalid', '/a'),
      secretOf('169.254.169.254', '/a'),
      secretOf('127.0.0.1:9', '/refused'),
    ];
    const ids: string[] = [];
    for (const [index, rtsp_url] of addresses.entries()) {
      const { status, text } = await told('admin', service.headers, 'POST', '/api/streams/', {
        name: `Camera ${index}`,
        rtsp_url,
        detection_url: rtsp_url,
        detection_enabled: index === 0,
      });
      expect(status, text).toBe(201);
      ids.push((JSON.parse(text) as { id: string }).id);
    }
    for (const [who, headers] of roles) {
      listen(who, '/ws/events/', headers);
      for (const id of ids) listen(who, `/ws/stream/?stream_id=${id}`, headers);
      for (const url of addresses) listen(who, `/ws/stream/?url=${encodeURIComponent(url)}`, headers);
    }
    for (const [index, id] of ids.entries())
      await eventually(
        `camera ${index} settled`,
        async () => (await service.api<{ stream: SavedStreamReply }>('GET', `/api/streams/${id}/`)).stream,
        ({ status, last_error }) => status === 'online' || last_error !== null,
        20_000,
      );
    expect(
      (await service.api<{ stream: SavedStreamReply }>('GET', `/api/streams/${ids[0]}/`)).stream.status,
    ).toBe('online');

    for (const [who, headers] of roles) {
      const paths = [
        ...ids.flatMap((id) => ['', 'stats/', 'snapshot.jpg'].map((part) => `/api/streams/${id}/${part}`)),
        ...['streams', 'detections', 'alerts', 'audit', 'users', 'tokens', 'me'].map(
          (name) => `/api/${name}/`,
        ),
        '/api/openapi.json',
        '/metrics',
        '/readyz',
      ];
      await Promise.all(paths.map((path) => told(who, headers, 'GET', path)));
      // Refusals that have the address before them.
      const [id] = ids;
      const bad = addresses[0]!;
      for (const body of [
        { rtsp_url: `${bad} x` },
        { rtsp_url: bad.replace('rtsp:', 'http:') },
        { rtsp_url: bad.replace(`${simulator.port}`, '99999') },
        { rtsp_url: bad.replace('127.0.0.1', '[::zz]') },
        { rtsp_url: [bad] },
        { rtsp_url: { url: bad } },
        { detection_url: bad.replace('rtsp:', 'file:') },
        { confidence_threshold: bad },
      ])
        await told(who, headers, 'PATCH', `/api/streams/${id}/`, body);
      await told(who, headers, 'PATCH', `/api/streams/${encodeURIComponent(bad)}/`, { name: 'x' });
      await told(who, headers, 'GET', `/api/streams/${encodeURIComponent(bad)}/`);
      await told(who, headers, 'GET', `/api/detections/?stream_id=${encodeURIComponent(bad)}`);
      await told(who, headers, 'GET', `/nowhere?url=${encodeURIComponent(bad)}`);
      await told(who, headers, 'POST', '/api/login/', { username: bad, password: canary });
      await told(who, headers, 'POST', '/api/login/', { username: 'root', password: canary });
      await told(who, headers, 'POST', '/api/token/refresh/', { refresh: canary });
    }
    await told('nobody', { authorization: `Bearer ${base64(canary)}` }, 'GET', '/api/streams/');
    // Half a JSON body, as a broken client sends it.
    const broken = await fetch(`${service.baseUrl}/api/streams/`, {
      method: 'POST',
      headers: { ...service.headers, 'content-type': 'application/json' },
      body: `{"name": "x", "rtsp_url": "${addresses[0]}"`,
    });
    texts.push(['broken JSON', await broken.text()]);
    await eventually(
      'sockets have told something',
      () => new Set(texts.map(([where]) => where).filter((where) => where.includes('/ws/'))).size,
      (sources) => sources >= 20,
    );

    const found = texts.flatMap(([where, text]) => leaks(where, text));
    // Written down by now, the queue of the audit trail included.
    const pids = processTree(service.pid);
    expect(pids.length).toBeGreaterThan(1);
    for (const pid of pids) {
      found.push(...leaks(`cmdline of ${pid}`, readFileSync(`/proc/${pid}/cmdline`, 'utf8')));
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      found.push(...leaks(`environ of ${pid}`, environment));
      if (pid === service.pid) continue;
      for (const secret of [secretKey, admin.password]) expect(environment).not.toContain(secret);
    }
    const stored = await everythingStored(service.dataDir);
    // The rows are among it, the newest included.
    expect([...stored.keys()].some((name) => name.endsWith('-wal') || name === 'table streams')).toBe(true);
    for (const [name, bytes] of stored)
      found.push(...leaks(name, bytes.toString('latin1')), ...leaks(name, bytes.toString('utf8')));
    expect(service.logs().length).toBeGreaterThan(1_000);
    for (const secret of [
      secretKey,
      admin.password,
      ...roles.map(([, { authorization }]) => authorization!.slice(7)),
    ]) {
      expect(service.logs()).not.toContain(secret);
      for (const [where, text] of texts) expect(text, where).not.toContain(secret);
    }
    found.push(...leaks('log', service.logs()));
    expect(found).toEqual([]);

    // A viewer is told no address at all.
    const viewers = texts.filter(([where]) => where.startsWith('viewer '));
    expect(viewers.length).toBeGreaterThan(30);
    for (const [where, text] of viewers)
      expect(text, where).not.toMatch(/rtsps?(:|%3a)(\/|%2f){2}[^*\s"]*(127\.0\.0\.1|no-such-host)/i);
  }, 120_000);

  it('tokens in the address of a socket are in no log', async () => {
    const { access } = await service.signIn();
    const socket = new WebSocket(service.socketUrl(`/ws/events/?token=${access}`));
    await once(socket, 'open');
    socket.terminate();
    const wrong = new WebSocket(service.socketUrl('/ws/events/?token=rsv_WrongTokenCanary'));
    await once(wrong, 'error');
    expect(service.logs()).not.toContain(access);
    expect(service.logs()).not.toContain('WrongTokenCanary');
  }, 30_000);
});

describe('a changed SECRET_KEY', () => {
  const first = 'the first key of this installation';
  const second = 'the second key of this installation';

  it('says in the log and at each camera which passwords are needed again, loses nothing else, and is healed by SECRET_KEY_FALLBACKS', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'rtsp-stream-viewer-keys-'));
    const start = (env: NodeJS.ProcessEnv) => startService({ dataDir, env });
    const streamsOf = async (service: Service) =>
      (await service.api<{ streams: SavedStreamReply[] }>('GET', '/api/streams/')).streams;
    const bothOnline = (service: Service) =>
      eventually(
        'both cameras online',
        () => streamsOf(service),
        (streams) => streams.length === 2 && streams.every(({ status }) => status === 'online'),
        20_000,
      );
    let service = await start({ SECRET_KEY: first });
    try {
      await service.api('POST', '/api/streams/', {
        name: 'Front "door" ▲',
        rtsp_url: simulator.url('/locked'),
      });
      await service.api('POST', '/api/streams/', { name: 'Open yard', rtsp_url: simulator.url('/open') });
      await bothOnline(service);
      await service.stop();

      const triesBefore = simulator.camera('/locked').stats.describes;
      service = await start({ SECRET_KEY: second });
      const lost = await eventually(
        'the open camera online',
        () => streamsOf(service),
        (streams) => streams.some(({ status }) => status === 'online'),
        20_000,
      );
      expect(lost.map(({ status }) => status)).toEqual(['error', 'online']);
      expect(lost[0]!.last_error).toMatch(/SECRET_KEY.*password must be entered again/);
      expect(lost[0]!.rtsp_url).not.toContain(encodeURIComponent(canary));
      // Not even tried: without its password it would only be locked out.
      expect(simulator.camera('/locked').stats.describes).toBe(triesBefore);
      const line = service
        .logs()
        .split('\n')
        .find((text) => text.includes('SECRET_KEY_FALLBACKS'));
      expect(line).toMatch(/▲/);
      expect(line).not.toContain('Open yard');
      await service.stop();

      service = await start({ SECRET_KEY: second, SECRET_KEY_FALLBACKS: `some other former key, ${first}` });
      await bothOnline(service);
      expect(service.logs()).toMatch(/sealed anew/);
      expect(service.logs()).not.toContain(first);
      await service.stop();

      service = await start({ SECRET_KEY: second });
      await bothOnline(service);
      expect(service.logs()).not.toMatch(/SECRET_KEY_FALLBACKS|sealed anew/);
    } finally {
      await service.stop();
      await removeData(dataDir);
    }
  }, 120_000);

  it('the key that is made at the first start is readable by its owner only', async () => {
    // Several instances are given theirs.
    const service = await startService({ env: embedded });
    expect(statSync(join(service.dataDir, 'secret.key')).mode & 0o777).toBe(0o600);
    await service.stop();
  }, 30_000);
});
