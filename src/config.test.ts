// Settings: what is allowed, what stops the start and with which words, and which source wins.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alwaysDeniedNetworks, type Config, ConfigError, loadConfig } from './config.ts';

let folder: string;
let envFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtsp-viewer-config-'));
  envFile = join(folder, 'missing.env');
});

afterAll(() => rm(folder, { recursive: true }));

const load = (env: Record<string, string>): Config => loadConfig(env, { envFile });

function refusal(env: Record<string, string>, file = envFile): ConfigError {
  try {
    loadConfig(env, { envFile: file });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`);
}

test('with nothing set, every setting has the value that is promised', () => {
  expect(load({})).toEqual({
    secretKey: undefined,
    debug: false,
    allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
    trustedProxies: [],
    secretKeyFallbacks: [],
    wsBaseUrl: undefined,
    corsAllowedOrigins: [],
    host: '127.0.0.1',
    port: 8000,
    dataDir: resolve('data'),
    auth: 'required',
    adminUsername: undefined,
    adminPassword: undefined,
    frameRate: 15,
    frameSize: { width: 640, height: 480 },
    jpegQuality: 80,
    detectionFps: 5,
    minFaceSize: 40,
    detectionPause: undefined,
    modelsDir: undefined,
    alertCooldownSeconds: 30,
    detectionRetentionDays: 30,
    storageLimitGb: 10,
    rtspAllowedNetworks: [],
    rtspDeniedNetworks: alwaysDeniedNetworks,
    maxStreams: 256,
    maxViewers: 5000,
    redis: undefined,
    databaseUrl: undefined,
    bucket: undefined,
    instanceName: hostname(),
    instanceCapacity: 256,
  });
});

test('settings cannot be changed after they are read', () => {
  const config = load({ ALLOWED_HOSTS: 'a.example' });
  expect(Object.isFrozen(config)).toBe(true);
  for (const value of Object.values(config))
    if (typeof value === 'object') expect(Object.isFrozen(value)).toBe(true);
});

test.each([
  ['DEBUG', 'True', 'debug', true],
  ['DEBUG', 'false', 'debug', false],
  ['DEBUG', '1', 'debug', true],
  ['DEBUG', '0', 'debug', false],
  ['DEBUG', '', 'debug', false],
  ['PORT', ' 9000 ', 'port', 9000],
  ['PORT', '0', 'port', 0],
  ['HOST', '[::1]', 'host', '::1'],
  ['HOST', '127.1.2.3', 'host', '127.1.2.3'],
  ['HOST', 'localhost', 'host', 'localhost'],
  ['ALLOWED_HOSTS', '*', 'allowedHosts', ['*']],
  [
    'ALLOWED_HOSTS',
    'Video.Example, .example.com ,[::1],',
    'allowedHosts',
    ['video.example', '.example.com', '[::1]'],
  ],
  ['WS_BASE_URL', 'wss://video.example/', 'wsBaseUrl', 'wss://video.example'],
  [
    'CORS_ALLOWED_ORIGINS',
    'https://a.example/,http://b:3000',
    'corsAllowedOrigins',
    ['https://a.example', 'http://b:3000'],
  ],
  ['FRAME_SIZE', '1280x720', 'frameSize', { width: 1280, height: 720 }],
  ['DETECTION_FPS', '2.5', 'detectionFps', 2.5],
  ['DETECTION_PAUSE_MS', '0', 'detectionPause', undefined],
  ['DETECTION_PAUSE_MS', '250', 'detectionPause', { ms: 250, frame: null }],
  ['DETECTION_PAUSE_MS', '20000@50', 'detectionPause', { ms: 20_000, frame: 50 }],
  [
    'RTSP_ALLOWED_NETWORKS',
    '10.0.0.0/8,192.168.1.5,fd00::/8',
    'rtspAllowedNetworks',
    ['10.0.0.0/8', '192.168.1.5/32', 'fd00::/8'],
  ],
  ['RTSP_DENIED_NETWORKS', '10.1.0.0/16', 'rtspDeniedNetworks', [...alwaysDeniedNetworks, '10.1.0.0/16']],
] as const)('%s=%s is read', (name, text, member, value) => {
  expect(load({ [name]: text })[member]).toEqual(value);
});

test.each([
  ['DEBUG', 'maybe'],
  ['PORT', 'abc'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '80.5'],
  ['PORT', '0x50'],
  ['HOST', 'not a host'],
  ['ALLOWED_HOSTS', 'video.example:8000'],
  ['ALLOWED_HOSTS', 'http://video.example'],
  ['WS_BASE_URL', 'https://video.example'],
  ['WS_BASE_URL', 'video.example'],
  ['CORS_ALLOWED_ORIGINS', 'video.example'],
  ['CORS_ALLOWED_ORIGINS', 'https://video.example/path'],
  ['CORS_ALLOWED_ORIGINS', '*'],
  ['AUTH', 'none'],
  ['AUTH_OFF_ACCEPTED', 'perhaps'],
  ['FRAME_RATE', '0'],
  ['FRAME_SIZE', '640'],
  ['FRAME_SIZE', '0x0'],
  ['JPEG_QUALITY', '101'],
  ['DETECTION_FPS', '0'],
  ['DETECTION_PAUSE_MS', '10 s'],
  ['MIN_FACE_SIZE', '1'],
  ['ALERT_COOLDOWN_SECONDS', '-5'],
  ['DETECTION_RETENTION_DAYS', '0'],
  ['STORAGE_LIMIT_GB', 'ten'],
  ['RTSP_ALLOWED_NETWORKS', '10.0.0.0/33'],
  ['RTSP_ALLOWED_NETWORKS', 'camera.local'],
  ['RTSP_DENIED_NETWORKS', '10.0.0.0/8/8'],
  ['RTSP_DENIED_NETWORKS', '5'],
  ['MAX_STREAMS', '0'],
  ['MAX_VIEWERS', 'many'],
  ['PORT', '80\nHOST=0.0.0.0'],
])('%s=%j stops the start with one line that names it and says what is allowed', (name, text) => {
  const error = refusal({ [name]: text });
  expect(error.setting).toBe(name);
  expect(error.message).toMatch(new RegExp(`^${name} is .*; allowed[^\\n]*\\.$`));
});

const shared = {
  REDIS_URL: 'redis://redis.example.com:6379/1?prefix=shop',
  DATABASE_URL: 'postgres://viewer:canary-password@db.example.com/viewer',
  STORAGE_URL: 's3://images/shop/?endpoint=http://127.0.0.1:9000&region=eu-central-1',
  SECRET_KEY: 'a key that all instances share',
};

test('several instances are told where they share messages, rows and images', () => {
  const config = load({ ...shared, INSTANCE_NAME: 'front-1', INSTANCE_CAPACITY: '40' });
  expect(config.redis).toEqual({ url: 'redis://redis.example.com:6379/1', prefix: 'shop' });
  expect(config.databaseUrl).toBe(shared.DATABASE_URL);
  expect(config.bucket).toEqual({
    bucket: 'images',
    prefix: 'shop',
    endpoint: 'http://127.0.0.1:9000',
    region: 'eu-central-1',
  });
  expect([config.instanceName, config.instanceCapacity]).toEqual(['front-1', 40]);
});

test('instances that share Redis but keep rows, images or keys to themselves are refused, with the reason', () => {
  for (const name of ['DATABASE_URL', 'STORAGE_URL', 'SECRET_KEY'] as const) {
    const error = refusal({ ...shared, [name]: '' });
    expect(error.setting).toBe(name);
    expect(error.message).toMatch(/^\S+ is missing, but REDIS_URL joins several instances: each would .*\.$/);
  }
});

test.each([
  ['REDIS_URL', 'http://user:canary-password@redis.example.com'],
  ['REDIS_URL', 'redis://user:canary-password@redis.example.com/images'],
  ['REDIS_URL', 'redis://user:canary-password@redis.example.com?prefix=a:b'],
  ['REDIS_URL', 'redis://user:canary-password@redis.example.com?tls=canary'],
  ['DATABASE_URL', 'mysql://user:canary-password@db.example.com/viewer'],
  ['DATABASE_URL', 'postgres://user:canary-password@db.example.com'],
  ['STORAGE_URL', 'https://s3.example.com/canary-bucket'],
  ['STORAGE_URL', 's3://key:canary-password@bucket/prefix'],
  ['STORAGE_URL', 's3://bucket?endpoint=ftp://canary.example.com'],
  ['STORAGE_URL', 's3://Bad_Canary'],
])('%s that cannot be used is refused without being repeated: %s', (name, text) => {
  const error = refusal({ ...shared, [name]: text });
  expect(error.setting).toBe(name);
  expect(error.message).toMatch(/allowed|as in|give them as/);
  expect(error.message).not.toMatch(/canary/i);
});

test('a secret that is too short is refused without being repeated', () => {
  const { message } = refusal({ SECRET_KEY: 'canary' });
  expect(message).toMatch(/^SECRET_KEY is too short/);
  expect(message).not.toContain('canary');
});

test('without sign-in only this machine is served, unless everyone is let in on purpose', () => {
  for (const HOST of ['0.0.0.0', '::', '192.168.1.5', 'video.example']) {
    expect(load({ HOST }).host).toBe(HOST);
    expect(refusal({ HOST, AUTH: 'off' }).message).toMatch(
      /^AUTH is "off" while HOST .*AUTH_OFF_ACCEPTED=yes/,
    );
    expect(load({ HOST, AUTH: 'off', AUTH_OFF_ACCEPTED: 'yes' }).host).toBe(HOST);
  }
  expect(load({ AUTH: 'off' }).auth).toBe('off');
});

test('an administrator needs a name and a password, and the one that is there is not repeated', () => {
  const { adminUsername, adminPassword } = load({
    ADMIN_USERNAME: 'admin',
    ADMIN_PASSWORD: 'canary-of-eight',
  });
  expect({ adminUsername, adminPassword }).toEqual({
    adminUsername: 'admin',
    adminPassword: 'canary-of-eight',
  });
  expect(refusal({ ADMIN_USERNAME: 'admin' }).message).toMatch(/^ADMIN_PASSWORD is missing/);
  const lonely = refusal({ ADMIN_PASSWORD: 'canary-of-eight' }).message;
  expect(lonely).toMatch(/^ADMIN_USERNAME is missing/);
  expect(lonely).not.toContain('canary');
});

test('former secret keys are a list, and a refusal repeats none of them', () => {
  const keys = ['a former key of some length', 'one from before that one'];
  expect(load({ SECRET_KEY_FALLBACKS: keys.join(', ') }).secretKeyFallbacks).toEqual(keys);
  const short = refusal({ SECRET_KEY_FALLBACKS: `${keys[0]},canary` }).message;
  expect(short).toMatch(
    /^SECRET_KEY_FALLBACKS holds a key that is too short.* separated by commas .* comma in it/,
  );
  expect(short).not.toContain('canary');
});

test('the .env file is read, and the environment wins over it', async () => {
  const file = join(folder, '.env');
  await writeFile(file, '# a comment\nPORT=9001\nFRAME_RATE="10"\nDEBUG=True\n');
  expect(loadConfig({ PORT: '9002', DEBUG: '' }, { envFile: file })).toMatchObject({
    port: 9002,
    frameRate: 10,
    debug: false,
  });
  await writeFile(file, 'PORT=http\n');
  expect(refusal({}, file).message).toMatch(/^PORT is "http"/);
});

test('an .env that cannot be read stops the start', () => {
  expect(refusal({}, folder).message).toMatch(/^\.env at .* cannot be read: /);
});
