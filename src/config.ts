// Every setting of the service: read from the environment and `.env`, checked, frozen.
// Nothing else reads the environment; no default lives anywhere else.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import {
  type BucketAddress,
  bucketAddress,
  databaseAddress,
  type RedisAddress,
  redisAddress,
} from './base/backend-urls.ts';
import {
  type DetectionPause,
  detectionPause,
  flag,
  folder,
  formerSecretKeys,
  frameSize,
  hostName,
  hostPattern,
  instanceName,
  lineOf,
  listSetting,
  network,
  numberSetting,
  oneOf,
  origin,
  secretKey,
  setting,
  webSocketBase,
} from './base/setting-values.ts';

export type { DetectionPause };

/** A setting that cannot be used. The message is one line that names it and says what is allowed; it holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly setting: string;

  constructor(setting: string, problem: string) {
    super(problem.startsWith(':') ? `${setting}${problem}` : `${setting} ${problem}`);
    this.setting = setting;
  }
}

/** Camera addresses that are refused whatever the settings say: link-local, metadata services of clouds, and “this host”. */
export const alwaysDeniedNetworks: readonly string[] = [
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '0.0.0.0/8',
  '::/128',
];

const settings = z.object({
  SECRET_KEY: secretKey,
  SECRET_KEY_FALLBACKS: formerSecretKeys,
  DEBUG: flag(false),
  ALLOWED_HOSTS: listSetting(Object.freeze(['localhost', '127.0.0.1', '[::1]']), hostPattern),
  WS_BASE_URL: setting<string | undefined>(undefined, webSocketBase),
  CORS_ALLOWED_ORIGINS: listSetting(Object.freeze([]), origin),
  TRUSTED_PROXIES: listSetting(Object.freeze([]), network),
  REDIS_URL: setting<RedisAddress | undefined>(undefined, redisAddress),
  DATABASE_URL: setting<string | undefined>(undefined, databaseAddress),
  STORAGE_URL: setting<BucketAddress | undefined>(undefined, bucketAddress),
  INSTANCE_NAME: setting(hostname(), instanceName),
  INSTANCE_CAPACITY: numberSetting(256, 1, 100_000),
  HOST: hostName,
  PORT: numberSetting(8000, 0, 65535),
  DATA_DIR: setting(resolve('data'), folder),
  AUTH: oneOf('required', 'required', 'off'),
  AUTH_OFF_ACCEPTED: oneOf('no', 'yes', 'no'),
  ADMIN_USERNAME: z.string().optional(),
  ADMIN_PASSWORD: z.string().optional(),
  FRAME_RATE: numberSetting(15, 1, 60),
  FRAME_SIZE: setting(Object.freeze({ width: 640, height: 480 }), frameSize),
  JPEG_QUALITY: numberSetting(80, 1, 100),
  DETECTION_FPS: numberSetting(5, 0.1, 30, false),
  MIN_FACE_SIZE: numberSetting(40, 12, 2000),
  // For measurements and tests only, and so not in the guide: a slow or hanging detector, and other model files.
  DETECTION_PAUSE_MS: detectionPause,
  MODELS_DIR: setting<string | undefined>(undefined, folder),
  ALERT_COOLDOWN_SECONDS: numberSetting(30, 0, 86_400, false),
  DETECTION_RETENTION_DAYS: numberSetting(30, 1, 36_500, false),
  STORAGE_LIMIT_GB: numberSetting(10, 0.01, 1_000_000, false),
  RTSP_ALLOWED_NETWORKS: listSetting(Object.freeze([]), network),
  RTSP_DENIED_NETWORKS: listSetting(Object.freeze([]), network),
  MAX_STREAMS: numberSetting(256, 1, 100_000),
  MAX_VIEWERS: numberSetting(5000, 1, 1_000_000),
});

type Settings = z.output<typeof settings>;

/** As they are written in the environment. */
export const settingNames: readonly string[] = Object.freeze(Object.keys(settings.shape));

/** Every setting, frozen. */
export interface Config {
  /** From `SECRET_KEY`; undefined means the one in the data folder (see auth/secrets.ts). At least 16 characters. */
  readonly secretKey: string | undefined;
  /** Former values, still accepted for what they signed and sealed. */
  readonly secretKeyFallbacks: readonly string[];
  readonly debug: boolean;
  /** Lower case; `*` for any, `.example.com` for the domain and all below it, IPv6 in brackets. */
  readonly allowedHosts: readonly string[];
  /** Without a slash at the end; undefined means from the request. */
  readonly wsBaseUrl: string | undefined;
  readonly corsAllowedOrigins: readonly string[];
  /** CIDR: proxies whose word on the client's address, the scheme and the host is believed. */
  readonly trustedProxies: readonly string[];
  /** Where to listen: IPv6 without brackets; port 0 lets the system choose a free one. */
  readonly host: string;
  readonly port: number;
  /** Absolute path. */
  readonly dataDir: string;
  readonly auth: 'required' | 'off';
  readonly adminUsername: string | undefined;
  readonly adminPassword: string | undefined;
  /** The JPEG view: frames a second, the size pictures are fitted into, and quality 1–100. */
  readonly frameRate: number;
  readonly frameSize: { readonly width: number; readonly height: number };
  readonly jpegQuality: number;
  readonly detectionFps: number;
  readonly minFaceSize: number;
  /** For measurements and tests: a detector that is slower than it need be; undefined means it is not. */
  readonly detectionPause: DetectionPause | undefined;
  /** For tests: where the face detector's files are, an absolute path; undefined means those of the package. */
  readonly modelsDir: string | undefined;
  readonly alertCooldownSeconds: number;
  readonly detectionRetentionDays: number;
  readonly storageLimitGb: number;
  /** CIDR. Allowed: empty means any; denied: `alwaysDeniedNetworks` and those of the setting. */
  readonly rtspAllowedNetworks: readonly string[];
  readonly rtspDeniedNetworks: readonly string[];
  readonly maxStreams: number;
  /** Of this instance. */
  readonly maxViewers: number;
  /** Set: this is one of several instances, which share Redis, the database and the bucket. */
  readonly redis: RedisAddress | undefined;
  /** PostgreSQL; undefined: SQLite in the data folder. May hold a password. */
  readonly databaseUrl: string | undefined;
  /** Undefined: images are in the data folder. */
  readonly bucket: BucketAddress | undefined;
  /** What people call this instance, in figures and logs. */
  readonly instanceName: string;
  /** Cameras that this instance runs at most, when there are several instances. */
  readonly instanceCapacity: number;
}

/** This machine only: 127.0.0.0/8, ::1 or `localhost`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback');
}

/** Without sign-in only this machine may reach the service, or whoever runs it says that everyone may. */
function checkReach(values: Settings): void {
  if (values.AUTH === 'required' || isLoopback(values.HOST) || values.AUTH_OFF_ACCEPTED === 'yes') return;
  throw new ConfigError(
    'AUTH',
    `is "off" while HOST is ${lineOf(values.HOST)}: everyone on the network would be admin; ` +
      'set AUTH_OFF_ACCEPTED=yes to accept that, or HOST=127.0.0.1.',
  );
}

function checkAdmin({ ADMIN_USERNAME: name, ADMIN_PASSWORD: password }: Settings): void {
  if (name !== undefined && password === undefined)
    throw new ConfigError('ADMIN_PASSWORD', 'is missing, but ADMIN_USERNAME is set; set both or neither.');
  if (name === undefined && password !== undefined)
    throw new ConfigError('ADMIN_USERNAME', 'is missing, but ADMIN_PASSWORD is set; set both or neither.');
}

/** Instances that share Redis are one service: each must see the same rows, images and keys. */
function checkShared(values: Settings): void {
  if (values.REDIS_URL === undefined) return;
  const needed = {
    DATABASE_URL:
      'each would keep streams, alerts and users to itself in SQLite; set it to one PostgreSQL for all',
    STORAGE_URL: 'each would miss the images of the others in a local folder; set it to one bucket for all',
    SECRET_KEY:
      'each would generate its own, and refuse the sign-ins and camera passwords of the others; set it to one for all',
  } as const;
  for (const [name, why] of Object.entries(needed))
    if (values[name as keyof typeof needed] === undefined)
      throw new ConfigError(name, `is missing, but REDIS_URL joins several instances: ${why}.`);
}

function readEnvFile(path: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError('.env', `at ${lineOf(path)} cannot be read: ${(error as Error).message}`);
  }
}

/** The environment wins over the file; an empty value counts as not set; spaces around a value do not count. */
function collect(env: NodeJS.Dict<string>, file: NodeJS.Dict<string>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const name of Object.keys(settings.shape)) {
    const text = (env[name] ?? file[name])?.trim();
    if (text) texts[name] = text;
  }
  return texts;
}

/**
 * @param env usually `process.env`.
 * @param options.envFile path of the `.env` file, by default in the working directory; it may be missing.
 * @throws ConfigError with one line for the first setting that is wrong.
 */
export function loadConfig(env: NodeJS.Dict<string>, options: { envFile?: string } = {}): Config {
  const result = settings.safeParse(collect(env, readEnvFile(options.envFile ?? '.env')));
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new ConfigError(String(issue.path[0]), issue.message);
  }
  const values = result.data;
  checkReach(values);
  checkAdmin(values);
  checkShared(values);
  return Object.freeze({
    secretKey: values.SECRET_KEY,
    secretKeyFallbacks: values.SECRET_KEY_FALLBACKS,
    debug: values.DEBUG,
    allowedHosts: values.ALLOWED_HOSTS,
    wsBaseUrl: values.WS_BASE_URL,
    corsAllowedOrigins: values.CORS_ALLOWED_ORIGINS,
    trustedProxies: values.TRUSTED_PROXIES,
    host: values.HOST,
    port: values.PORT,
    dataDir: values.DATA_DIR,
    auth: values.AUTH,
    adminUsername: values.ADMIN_USERNAME,
    adminPassword: values.ADMIN_PASSWORD,
    frameRate: values.FRAME_RATE,
    frameSize: values.FRAME_SIZE,
    jpegQuality: values.JPEG_QUALITY,
    detectionFps: values.DETECTION_FPS,
    minFaceSize: values.MIN_FACE_SIZE,
    detectionPause: values.DETECTION_PAUSE_MS,
    modelsDir: values.MODELS_DIR,
    alertCooldownSeconds: values.ALERT_COOLDOWN_SECONDS,
    detectionRetentionDays: values.DETECTION_RETENTION_DAYS,
    storageLimitGb: values.STORAGE_LIMIT_GB,
    rtspAllowedNetworks: values.RTSP_ALLOWED_NETWORKS,
    rtspDeniedNetworks: Object.freeze([...alwaysDeniedNetworks, ...values.RTSP_DENIED_NETWORKS]),
    maxStreams: values.MAX_STREAMS,
    maxViewers: values.MAX_VIEWERS,
    redis: values.REDIS_URL,
    databaseUrl: values.DATABASE_URL,
    bucket: values.STORAGE_URL,
    instanceName: values.INSTANCE_NAME,
    instanceCapacity: values.INSTANCE_CAPACITY,
  });
}
