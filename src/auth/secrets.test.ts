// The generated secret and the sealing of camera passwords.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { loadSecretKey, SecretBox } from './secrets.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-secret-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'no error';
}

test('the secret is made once, readable by its owner only, and then kept', () => {
  const dataDir = join(folder, 'made', 'on', 'the', 'way');
  const first = loadSecretKey({ secretKey: undefined, dataDir });
  expect(first.length).toBeGreaterThanOrEqual(64);
  expect(loadSecretKey({ secretKey: undefined, dataDir })).toBe(first);
  expect(statSync(join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600);
  expect(readdirSync(dataDir)).toEqual(['secret.key']);
});

test('a secret from the settings is used as it is, and none is written', () => {
  expect(loadSecretKey({ secretKey: 'from the settings', dataDir: folder })).toBe('from the settings');
  expect(readdirSync(folder)).toEqual([]);
});

test('a damaged secret file is never replaced in silence', () => {
  const path = join(folder, 'secret.key');
  writeFileSync(path, '\n');
  expect(() => loadSecretKey({ secretKey: undefined, dataDir: folder })).toThrow(/^SECRET_KEY .* damaged/);
  expect(readFileSync(path, 'utf8')).toBe('\n');
});

test('a folder that cannot hold the secret stops the start with one line', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => loadSecretKey({ secretKey: undefined, dataDir: join(folder, 'file') })).toThrow(/^DATA_DIR /);
});

test('what is sealed opens again, and never shows the text nor repeats itself', () => {
  const box = new SecretBox('a secret for tests only');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const sealed = box.seal(text);
      expect(new SecretBox('a secret for tests only').open(sealed)).toBe(text);
      expect(sealed).not.toBe(box.seal(text));
      expect(sealed).toMatch(/^v1\.[\w-]{8}\.[\w-]+$/);
    }),
  );
  expect(box.seal('canary-password')).not.toContain('canary');
});

test('another secret is told apart from damage', () => {
  const sealed = new SecretBox('a secret for tests only').seal('password');
  expect(codeOf(() => new SecretBox('another secret for tests').open(sealed))).toBe('credentials_locked');
  const box = new SecretBox('a secret for tests only');
  for (const broken of ['', 'v1', 'password', sealed.slice(0, -4), `${sealed}.x`, sealed.replace('v1', 'v2')])
    expect(codeOf(() => box.open(broken))).toBe('credentials_damaged');
});

test('what a former secret sealed opens while it is given as a fallback; new texts get the current one', () => {
  const former = new SecretBox('the first secret of tests');
  const sealed = former.seal('password');
  const box = new SecretBox('the second secret of tests', [
    'unrelated secret of tests',
    'the first secret of tests',
  ]);
  expect(box.open(sealed)).toBe('password');
  expect(box.isCurrent(sealed)).toBe(false);
  const resealed = box.seal('password');
  expect(box.isCurrent(resealed)).toBe(true);
  expect(new SecretBox('the second secret of tests').open(resealed)).toBe('password');
  expect(codeOf(() => former.open(resealed))).toBe('credentials_locked');
  expect(box.isCurrent('')).toBe(false);
});

test('any changed character is noticed', () => {
  const box = new SecretBox('a secret for tests only');
  const sealed = box.seal('a password');
  const body = sealed.lastIndexOf('.') + 1;
  for (let index = body; index < sealed.length - 1; index++) {
    const other = sealed[index] === 'A' ? 'B' : 'A';
    expect(codeOf(() => box.open(sealed.slice(0, index) + other + sealed.slice(index + 1)))).toBe(
      'credentials_damaged',
    );
  }
});
