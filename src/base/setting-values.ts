// Reading the text of one setting: what is allowed, and a sentence for what is not.
// Knows neither the settings' names nor where their texts come from; see config.ts.

import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

export function lineOf(text: string): string {
  // JSON spelling keeps line breaks and control characters of a bad value out of the one line that is printed.
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** How long the face detector sleeps before a frame, ms; of each worker's frames only the `frame`th, null: all. */
export interface DetectionPause {
  readonly ms: number;
  readonly frame: number | null;
}

export function setting<T>(fallback: T, parse: (text: string) => T) {
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

/** Why a text is no value: the rest of a sentence that begins with the setting's name. */
export class Refusal extends Error {}

function refuse(text: string, allowed: string): Refusal {
  return new Refusal(`is ${lineOf(text)}; ${allowed}.`);
}

export const flag = (fallback: boolean) =>
  setting(fallback, (text) => {
    if (/^(true|1)$/i.test(text)) return true;
    if (/^(false|0)$/i.test(text)) return false;
    throw refuse(text, 'allowed are True, False, 1 and 0');
  });

export function numberSetting(fallback: number, least: number, most: number, whole = true) {
  return setting(fallback, (text) => {
    const value = /^\d{1,12}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    throw refuse(text, `allowed is a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  });
}

/** Values between commas; empty ones do not count. */
export function listSetting(fallback: readonly string[], parse: (word: string) => string) {
  return setting<readonly string[]>(fallback, (text) =>
    Object.freeze((text.match(/[^\s,][^,]*/g) ?? []).map((word) => parse(word.trim()))),
  );
}

export function hostPattern(word: string): string {
  if (word === '*' || /^(\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i.test(word))
    return word.toLowerCase();
  throw refuse(word, 'allowed are host names or addresses without a port, .example.com for subdomains, or *');
}

export function origin(word: string): string {
  if (URL.canParse(word)) {
    const url = new URL(word);
    const bare = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
    if ((url.protocol === 'http:' || url.protocol === 'https:') && bare) return url.origin;
  }
  throw refuse(word, 'allowed are origins such as https://app.example.com');
}

export function network(word: string): string {
  const [address = '', bits, ...rest] = word.split('/');
  if (ipaddr.isValid(address) && rest.length === 0 && !/^\d+$/.test(address)) {
    const most = ipaddr.parse(address).kind() === 'ipv4' ? 32 : 128;
    if (bits === undefined) return `${address}/${most}`;
    if (/^\d{1,3}$/.test(bits) && Number(bits) <= most) return word;
  }
  throw refuse(word, 'allowed are networks such as 192.168.0.0/16 or fd00::/8');
}

export function webSocketBase(text: string): string {
  if (URL.canParse(text)) {
    const { protocol, search, hash, username } = new URL(text);
    if ((protocol === 'ws:' || protocol === 'wss:') && search === '' && hash === '' && username === '')
      return text.replace(/\/+$/, '');
  }
  throw refuse(text, 'allowed is an address such as wss://video.example.com');
}

export function frameSize(text: string): { readonly width: number; readonly height: number } {
  const match = /^(\d{2,5})x(\d{2,5})$/i.exec(text);
  const width = Number(match?.[1]);
  const height = Number(match?.[2]);
  if (width >= 16 && width <= 7680 && height >= 16 && height <= 4320) return Object.freeze({ width, height });
  throw refuse(text, 'allowed is WIDTHxHEIGHT from 16x16 to 7680x4320, such as 640x480');
}

export function oneOf<const T extends string>(fallback: T, ...allowed: readonly T[]) {
  return setting<T>(fallback, (text) => {
    const found = allowed.find((word) => word === text.toLowerCase());
    if (found !== undefined) return found;
    throw refuse(text, `allowed: ${allowed.join(', ')}`);
  });
}

export const hostName = setting('127.0.0.1', (text) => {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (ipaddr.isValid(bare) || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(bare)) return bare.toLowerCase();
  throw refuse(text, 'allowed is an IP address or host name to listen on');
});

export function instanceName(text: string): string {
  if (/^[\w.-]{1,63}$/.test(text)) return text;
  throw refuse(text, 'allowed are up to 63 letters, digits, ".", "_" and "-"');
}

/** `250`: before every frame; `20000@50`: before the 50th frame only, which makes a detector that hangs once. */
export const detectionPause = setting<DetectionPause | undefined>(undefined, (text) => {
  const match = /^(\d{1,6})(?:@(\d{1,9}))?$/.exec(text);
  if (!match) throw refuse(text, 'allowed are milliseconds, or milliseconds@frame');
  const [, ms, frame] = match;
  if (Number(ms) === 0) return undefined;
  return Object.freeze({ ms: Number(ms), frame: frame === undefined ? null : Number(frame) });
});

/** Its value is a secret: a refusal never repeats it. */
export const secretKey = setting<string | undefined>(undefined, (text) => {
  if (text.length >= 16) return text;
  throw new Refusal('is too short; allowed are 16 characters or more (or leave it empty: one is generated).');
});

/** Former values of SECRET_KEY, the newest first. A refusal never repeats one. */
export const formerSecretKeys = listSetting(Object.freeze([]), (word) => {
  if (word.length >= 16) return word;
  throw new Refusal(
    'holds a key that is too short: keys are separated by commas and have 16 characters or more each; one with a comma in it cannot be given here.',
  );
});

export const folder = (text: string) => resolve(text);
