// Every setting of the service: read from the environment and `.env`, checked, frozen.
// Nothing else reads the environment; no default lives anywhere else.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** A setting that cannot be used. The message is one line that names it and says what is allowed; it holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly setting: string;

  constructor(setting: string, problem: string) {
    super(`${setting} ${problem}`);
    this.setting = setting;
  }
}

/** Camera addresses that are refused whatever the settings say: link-local, metadata services of clouds, and “this host”. */
export const alwaysDeniedNetworks: readonly string[] = [
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254/128',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '0.0.0.0/8',
  '::/128',
];

function lineOf(text: string): string {
  // JSON spelling keeps line breaks and control characters of a bad value out of the one line that is printed.
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** How long the face detector sleeps before a frame, ms; of each worker's frames only the `frame`th, null: all. */
export interface DetectionPause {
  readonly ms: number;
  readonly frame: number | null;
}

function setting<T>(fallback: T, parse: (text: string) => T) {
  return z
    .string()
    .optional()
    .transform((text, context): T => {
      if (text === undefined) return fallback;
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    });
}

class Refusal extends Error {}

function refuse(text: string, allowed: string): Refusal {
  return new Refusal(`is ${lineOf(text)}; ${allowed}.`);
}

const flag = (fallback: boolean) =>
  setting(fallback, (text) => {
    if (/^(true|1)$/i.test(text)) return true;
    if (/^(false|0)$/i.test(text)) return false;
    throw refuse(text, 'allowed are True, False, 1 and 0');
  });

function numberSetting(fallback: number, least: number, most: number, whole = true) {
  return setting(fallback, (text) => {
    const value = /^\d{1,12}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    throw refuse(text, `allowed is a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  });
}

/** Values between commas; empty ones do not count. */
function listSetting(fallback: readonly string[], parse: (word: string) => string) {
  return setting<readonly string[]>(fallback, (text) =>
    Object.freeze((text.match(/[^\s,][^,]*/g) ?? []).map((word) => parse(word.trim()))),
  );
}

function hostPattern(word: string): string {
  if (word === '*' || /^(\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i.test(word))
    return word.toLowerCase();
  throw refuse(word, 'allowed are host names or addresses without a port, .example.com for subdomains, or *');
}

function origin(word: string): string {
  if (URL.canParse(word)) {
    const url = new URL(word);
    const bare = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
    if ((url.protocol === 'http:' || url.protocol === 'https:') && bare) return url.origin;
  }
  throw refuse(word, 'allowed are origins such as https://app.example.com');
}

function network(word: string): string {
  const [address = '', bits, ...rest] = word.split('/');
  if (ipaddr.isValid(address) && rest.length === 0 && !/^\d+$/.test(address)) {
    const most = ipaddr.parse(address).kind() === 'ipv4' ? 32 : 128;
    if (bits === undefined) return `${address}/${most}`;
    if (/^\d{1,3}$/.test(bits) && Number(bits) <= most) return word;
  }
  throw refuse(word, 'allowed are networks such as 192.168.0.0/16 or fd00::/8');
}

function webSocketBase(text: string): string {
  if (URL.canParse(text)) {
    const { protocol, search, hash, username } = new URL(text);
    if ((protocol === 'ws:' || protocol === 'wss:') && search === '' && hash === '' && username === '')
      return text.replace(/\/+$/, '');
  }
  throw refuse(text, 'allowed is an address such as wss://video.example.com');
}

function frameSize(text: string): { readonly width: number; readonly height: number } {
  const match = /^(\d{2,5})x(\d{2,5})$/i.exec(text);
  const width = Number(match?.[1]);
  const height = Number(match?.[2]);
  if (width >= 16 && width <= 7680 && height >= 16 && height <= 4320) return Object.freeze({ width, height });
  throw refuse(text, 'allowed is WIDTHxHEIGHT from 16x16 to 7680x4320, such as 640x480');
}

function oneOf<const T extends string>(fallback: T, ...allowed: readonly T[]) {
  return setting<T>(fallback, (text) => {
    const found = allowed.find((word) => word === text.toLowerCase());
    if (found !== undefined) return found;
    throw refuse(text, `allowed: ${allowed.join(', ')}`);
  });
}

const hostName = setting('127.0.0.1', (text) => {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (ipaddr.isValid(bare) || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(bare)) return bare.toLowerCase();
  throw refuse(text, 'allowed is an IP address or host name to listen on');
});

/** `250`: before every frame; `20000@50`: before the 50th frame only, which makes a detector that hangs once. */
const detectionPause = setting<DetectionPause | undefined>(undefined, (text) => {
  const match = /^(\d{1,6})(?:@(\d{1,9}))?$/.exec(text);
  if (!match) throw refuse(text, 'allowed are milliseconds, or milliseconds@frame');
  const [, ms, frame] = match;
  if (Number(ms) === 0) return undefined;
  return Object.freeze({ ms: Number(ms), frame: frame === undefined ? null : Number(frame) });
});

/** Its value is a secret: a refusal never repeats it. */
const secretKey = setting<string | undefined>(undefined, (text) => {
  if (text.length >= 16) return text;
  throw new Refusal('is too short; allowed are 16 characters or more (or leave it empty: one is generated).');
});

/** A setting whose feature this version does not have: said plainly, never ignored. Its value may hold a password. */
const notYet = (instead: string) =>
  setting<undefined>(undefined, () => {
    throw new Refusal(`is set, but this version does not support it; leave it empty: ${instead}.`);
  });

const settings = z.object({
  SECRET_KEY: secretKey,
  DEBUG: flag(false),
  ALLOWED_HOSTS: listSetting(Object.freeze(['localhost', '127.0.0.1', '[::1]']), hostPattern),
  WS_BASE_URL: setting<string | undefined>(undefined, webSocketBase),
  CORS_ALLOWED_ORIGINS: listSetting(Object.freeze([]), origin),
  REDIS_URL: notYet('one process works in memory'),
  DATABASE_URL: notYet('SQLite in DATA_DIR is used'),
  STORAGE_URL: notYet('images are kept in DATA_DIR'),
  HOST: hostName,
  PORT: numberSetting(8000, 0, 65535),
  DATA_DIR: setting(resolve('data'), (text) => resolve(text)),
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
  MODELS_DIR: setting<string | undefined>(undefined, (text) => resolve(text)),
  ALERT_COOLDOWN_SECONDS: numberSetting(30, 0, 86_400, false),
  DETECTION_RETENTION_DAYS: numberSetting(30, 1, 36_500, false),
  STORAGE_LIMIT_GB: numberSetting(10, 0.01, 1_000_000, false),
  RTSP_ALLOWED_NETWORKS: listSetting(Object.freeze([]), network),
  RTSP_DENIED_NETWORKS: listSetting(Object.freeze([]), network),
  MAX_STREAMS: numberSetting(256, 1, 100_000),
  MAX_VIEWERS: numberSetting(5000, 1, 1_000_000),
});

type Settings = z.output<typeof settings>;

/** Every setting, frozen. */
export interface Config {
  /** From `SECRET_KEY`; undefined means the one in the data folder (see auth/secrets.ts). At least 16 characters. */
  readonly secretKey: string | undefined;
  readonly debug: boolean;
  /** Lower case; `*` for any, `.example.com` for the domain and all below it, IPv6 in brackets. */
  readonly allowedHosts: readonly string[];
  /** Without a slash at the end; undefined means from the request. */
  readonly wsBaseUrl: string | undefined;
  readonly corsAllowedOrigins: readonly string[];
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
  readonly maxViewers: number;
  /** Sentences for the log of the start: settings that are accepted, but do nothing in this version. */
  readonly notices: readonly string[];
}

/** This machine only: 127.0.0.0/8, ::1 or `localhost`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback');
}

/** Until there is a sign-in, only this machine may reach the service, or whoever runs it says that everyone may. */
function checkReach(values: Settings): void {
  if (isLoopback(values.HOST)) return;
  if (values.AUTH === 'required')
    throw new ConfigError(
      'HOST',
      `is ${lineOf(values.HOST)}, but this version has no sign-in yet; allowed is 127.0.0.1, ::1 or localhost ` +
        '(or AUTH=off with AUTH_OFF_ACCEPTED=yes, which lets everyone who reaches it do everything).',
    );
  if (values.AUTH_OFF_ACCEPTED !== 'yes')
    throw new ConfigError(
      'AUTH',
      `is "off" while HOST is ${lineOf(values.HOST)}: everyone on the network would be admin; ` +
        'set AUTH_OFF_ACCEPTED=yes to accept that, or HOST=127.0.0.1.',
    );
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
  const notices: string[] = [];
  if (values.ADMIN_USERNAME !== undefined || values.ADMIN_PASSWORD !== undefined)
    notices.push('ADMIN_USERNAME and ADMIN_PASSWORD do nothing yet: this version has no sign-in.');
  return Object.freeze({
    secretKey: values.SECRET_KEY,
    debug: values.DEBUG,
    allowedHosts: values.ALLOWED_HOSTS,
    wsBaseUrl: values.WS_BASE_URL,
    corsAllowedOrigins: values.CORS_ALLOWED_ORIGINS,
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
    notices: Object.freeze(notices),
  });
}
