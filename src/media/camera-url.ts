// The address of a camera: parsed strictly, rebuilt from its parts, printable without its secrets.
// The only place that reads a camera URL; what it refuses is never opened.

import { secretMask } from '../base/secret-parameters.ts';
import { AppError } from '../errors.ts';
import { hasMaskInPath, hasSecretInPath, maskPath, unmaskPath } from './camera-url-secrets.ts';

export interface CameraUrl {
  readonly scheme: 'rtsp' | 'rtsps';
  /** Lower-case name, IPv4, or IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query as sent on the request line, percent-encoded, starting with `/`. May hold secrets: `?password=…`. */
  readonly path: string;
  /** Decoded; undefined when the address has none. */
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export const maxCameraUrlLength = 2048;
export const defaultPorts = { rtsp: 554, rtsps: 322 } as const;

const hostPattern = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/;

function refuse(sentence: string): AppError {
  return new AppError(400, 'invalid_rtsp_url', sentence, {
    issues: [{ path: 'rtsp_url', message: sentence }],
  });
}

function decode(text: string, what: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw refuse(`The ${what} in the camera address has a broken percent-encoding; write % as %25.`);
  }
  // A line break in a user name would end a header of the RTSP request.
  if (/\p{Cc}/u.test(decoded)) throw refuse(`The ${what} in the camera address holds a control character.`);
  return decoded;
}

/**
 * Reads `rtsp://[user[:password]@]host[:port][/path][?query]` (also `rtsps`), as people type it: the
 * password may hold `@`, `:` and `/` unencoded where that leaves one reading. An address that could also be read with another host is refused:
 * a wrong guess would show a piece of the password as host or path, and send the rest to that host.
 * @throws AppError 400 `invalid_rtsp_url` with a sentence that says what to mend.
 */
export function parseCameraUrl(text: unknown): CameraUrl {
  return parse(text, splitTyped);
}

/**
 * Reads back what `formatCameraUrl` wrote. There user and password are encoded, so that every `@` behind the first `/`
 * belongs to the path; addresses saved before such ones were refused stay readable.
 * @throws AppError 400 `invalid_rtsp_url`
 */
export function parseFormattedCameraUrl(text: string): CameraUrl {
  return parse(text, splitAtPath);
}

function parse(text: unknown, split: (text: string) => Split): CameraUrl {
  if (typeof text !== 'string')
    throw refuse('The camera address must be a text such as rtsp://camera.local/stream.');
  const trimmed = text.trim();
  if (trimmed === '')
    throw refuse('The camera address is empty; it looks like rtsp://user:password@192.168.1.20:554/stream.');
  if (trimmed.length > maxCameraUrlLength)
    throw refuse(`The camera address is longer than ${maxCameraUrlLength} characters.`);
  if (!trimmed.isWellFormed() || /[\p{Cc}\p{Cf}\p{Z}]/u.test(trimmed))
    throw refuse(
      'The camera address holds a space, line break, control or invisible character; percent-encode it (a space is %20).',
    );
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme !== 'rtsp' && scheme !== 'rtsps')
    throw refuse(
      scheme === undefined
        ? 'The camera address must start with rtsp:// or rtsps://.'
        : `The camera address must start with rtsp:// or rtsps://, not ${scheme.slice(0, 20)}:.`,
    );
  const rest = trimmed.slice(scheme.length + 1);
  if (!rest.startsWith('//')) throw refuse(`Two slashes must follow ${scheme}: in the camera address.`);
  const afterSlashes = rest.slice(2);
  const [authority, path] = split(afterSlashes);
  const { username, password, hostAndPort } = splitAuthority(authority);
  const { host, port } = parseHost(hostAndPort, scheme);
  const url: CameraUrl = { scheme, host, port, path: parsePath(path), username, password };
  // Percent-encoding and masks lengthen: what is stored and shown must be readable by this function again.
  const longest = Math.max(formatCameraUrl(url, 'keep').length, formatCameraUrl(url, 'mask').length);
  if (longest > maxCameraUrlLength)
    throw refuse(`The camera address is longer than ${maxCameraUrlLength} characters once percent-encoded.`);
  return url;
}

/** User, password, host and port; then path, query and fragment with their first character. */
type Split = readonly [authority: string, path: string];

function splitAtPath(text: string, from = 0): Split {
  const length = text.slice(from).search(/[/?#]/);
  return length === -1 ? [text, ''] : [text.slice(0, from + length), text.slice(from + length)];
}

function splitTyped(text: string): Split {
  const [authority, path] = splitAtPath(text);
  if (!path.includes('@')) return [authority, path];
  const isHost = !/[:@]/.test(authority) || /^(\[.*|localhost:\d*|[\d.]+\.\d+:\d*)$/i.test(authority);
  if (isHost) return [authority, path];
  // An unencoded "/" or "?" in the password: the host then starts after the only "@". A name with a port is not told
  // from a user with a password of digits.
  const partsWithAt = text.split(/[/?#]/).filter((part) => part.includes('@'));
  if (partsWithAt.length > 1 || /^[^:]*:\d{1,5}$/.test(authority))
    throw refuse(
      'The address can be read in more than one way; write @ in the user name, password or path as %40 and / in the password as %2F.',
    );
  return splitAtPath(text, text.lastIndexOf('@'));
}

function splitAuthority(authority: string): {
  username: string | undefined;
  password: string | undefined;
  hostAndPort: string;
} {
  const at = authority.lastIndexOf('@');
  if (at === -1) return { username: undefined, password: undefined, hostAndPort: authority };
  const userInfo = authority.slice(0, at);
  const colon = userInfo.indexOf(':');
  return {
    username: decode(colon === -1 ? userInfo : userInfo.slice(0, colon), 'user name'),
    password: colon === -1 ? undefined : decode(userInfo.slice(colon + 1), 'password'),
    hostAndPort: authority.slice(at + 1),
  };
}

function parseHost(text: string, scheme: 'rtsp' | 'rtsps'): { host: string; port: number } {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]*)(?::(.*))?$/i.exec(text);
  if (!match)
    throw refuse('The host in the camera address is not valid; an IPv6 address goes in [brackets].');
  const rawHost = match[1] ?? '';
  if (rawHost === '')
    throw refuse('The camera address has no host; it looks like rtsp://192.168.1.20:554/stream.');
  const portText = match[2];
  let port: number = defaultPorts[scheme];
  if (portText !== undefined && portText !== '') {
    port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
    if (port < 1 || port > 65535)
      throw refuse(
        'The port in the camera address must be a number from 1 to 65535. In a password, write @ as %40, : as %3A and / as %2F.',
      );
  }
  if (rawHost.startsWith('[')) {
    if (!URL.canParse(`http://${rawHost}/`)) throw refuse('The IPv6 address of the camera is not valid.');
    return { host: new URL(`http://${rawHost}/`).hostname.slice(1, -1), port };
  }
  // The WHATWG parser also folds odd spellings of IPv4 (decimal, octal, hex) to the one that is connected to.
  // It would also read "\\" as the end of the host and decode "%": neither belongs in a host.
  const readable = !/[\\%]/.test(rawHost) && URL.canParse(`http://${rawHost}/`);
  const canonical = readable ? new URL(`http://${rawHost}/`).hostname : '';
  if (!hostPattern.test(canonical) || canonical.length > 253)
    throw refuse('The host in the camera address is not a valid name or IP address.');
  return { host: canonical, port };
}

function parsePath(text: string): string {
  const withoutFragment = text.replace(/#.*$/, '');
  const path = withoutFragment.startsWith('/') ? withoutFragment : `/${withoutFragment}`;
  // Percent-encode what may not stand on a request line; keep what the camera's maker wrote otherwise.
  return path.replace(/[^\x21-\x7e]|["<>\\^`{|}]/gu, (c) => encodeURIComponent(c));
}

/** Host as it stands in a URL: IPv6 in brackets. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * The address as text, user name included. `keep` writes its secrets. `mask` writes `****` for each, also in path and
 * query; `omit` as well, but leaves the password before the host out.
 */
export function formatCameraUrl(url: CameraUrl, secrets: 'keep' | 'mask' | 'omit'): string {
  let userInfo = '';
  if (url.username !== undefined || url.password !== undefined) {
    userInfo = encodeURIComponent(url.username ?? '');
    if (url.password !== undefined && secrets === 'keep') userInfo += `:${encodeURIComponent(url.password)}`;
    if (url.password !== undefined && secrets === 'mask') userInfo += `:${secretMask}`;
    userInfo += '@';
  }
  const port = url.port === defaultPorts[url.scheme] ? '' : `:${url.port}`;
  const path = secrets === 'keep' ? url.path : maskPath(url.path);
  return `${url.scheme}://${userInfo}${urlHost(url.host)}${port}${path}`;
}

/** The address as it stands on an RTSP request line: no user, no password, port always written. For the camera only. */
export function requestUrl(url: CameraUrl): string {
  return `${url.scheme}://${urlHost(url.host)}:${url.port}${url.path}`;
}

/** Two addresses of one camera stream: everything but the secrets is equal. */
export function cameraKey(url: CameraUrl): string {
  return formatCameraUrl(url, 'omit');
}

/** It cannot be shown, logged or stored as it is. */
export function hasSecrets(url: CameraUrl): boolean {
  return url.password !== undefined || hasSecretInPath(url.path);
}

/** The edit form sends the masked address back: the stored secrets are then meant. */
export function isMasked(url: CameraUrl): boolean {
  return url.password === secretMask || hasMaskInPath(url.path);
}

/**
 * The address with the secrets of `stored` in the place of its masks. They are given to the same scheme, host, port and
 * user only: a stored password must not be sent in the clear where it was not before, nor to another program or, behind a
 * forwarded port, another machine, where whoever may only edit the address could read it.
 * @returns null when `stored` is of another of these, or lacks a secret that is masked.
 */
export function withStoredSecrets(url: CameraUrl, stored: CameraUrl): CameraUrl | null {
  const same = (['scheme', 'host', 'port', 'username'] as const).every((part) => url[part] === stored[part]);
  if (!same) return null;
  const password = url.password === secretMask ? stored.password : url.password;
  const path = unmaskPath(url.path, stored.path);
  if (path === null || (url.password !== undefined && password === undefined)) return null;
  return { ...url, password, path };
}

/** The very same address, secrets included. */
export function sameCameraUrl(a: CameraUrl, b: CameraUrl): boolean {
  return formatCameraUrl(a, 'keep') === formatCameraUrl(b, 'keep');
}
