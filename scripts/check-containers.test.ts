// Ours pass, and each mistake that somebody could make in them is told with its place.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { checkContainers } from './check-containers.ts';
import { parseDockerfile } from './containers/dockerfile.ts';
import { ignoreRules } from './containers/dockerfile-rules.ts';
import { compose, image, kubernetes } from './containers/mistakes.ts';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'rtsp-stream-viewer-containers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copy = '';

/** The files that are looked at, to be changed; what they only point to is the real thing. */
beforeEach(() => {
  copy = mkdtempSync(join(folder, 'copy-'));
  for (const path of [
    'Dockerfile',
    '.dockerignore',
    'compose.yaml',
    'compose.cluster.yaml',
    'deploy',
    'package.json',
  ])
    cpSync(join(root, path), join(copy, path), { recursive: true });
  for (const path of [
    'package-lock.json',
    '.npmrc',
    'LICENSE',
    'bin',
    'models',
    'scripts',
    'src',
    'tsconfig.json',
    'vite.config.ts',
    'web',
  ])
    symlinkSync(join(root, path), join(copy, path));
});

function told(): string[] {
  return checkContainers(copy).map(({ file, where, what }) => `${file} (${where}): ${what}`);
}

/** Changes each place of a file in which a text stands. */
function change(file: string, from: string, to: string): void {
  const text = readFileSync(join(copy, file), 'utf8');
  expect(text, `${file} without the text to be changed`).toContain(from);
  writeFileSync(join(copy, file), text.replaceAll(from, to));
}

test('ours are as they should be', () => {
  expect(checkContainers(root)).toEqual([]);
  expect(told()).toEqual([]);
});

for (const [group, mistakes] of Object.entries({ image, compose, kubernetes }))
  describe(`in what is said of the ${group}, is told:`, () => {
    test.each(mistakes)('%s', (_what, file, from, to, expected) => {
      change(file, from, to);
      expect(told().join('\n')).toMatch(expected);
    });
  });

test('a manifest in a file of several documents is looked at too', () => {
  const file = join(copy, 'deploy/kubernetes/base/service.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, `${text}---\n${text.replace('targetPort: http', 'targetPort: web')}`);
  expect(told().join('\n')).toMatch(/no port web/);
});

describe('a Dockerfile is read', () => {
  test('with comments inside of an instruction, quotes, flags and arrays', () => {
    const [first, second] = parseDockerfile(
      [
        '# syntax=docker/dockerfile:1',
        'FROM --platform=$BUILDPLATFORM a:1.2.3 AS one',
        'RUN --mount=type=cache,target=/x first \\',
        '# not the end',
        '',
        '  && second --flag',
        'LABEL a="b c" d=\'e f\'',
        'FROM one',
        'HEALTHCHECK --interval=1s \\',
        '  CMD ["node", "-e", "a, b"]',
      ].join('\n'),
    );
    expect(first).toMatchObject({ image: 'a:1.2.3', name: 'one', platform: '$BUILDPLATFORM', line: 2 });
    expect(first!.instructions.map(({ line, keyword, text }) => [line, keyword, text])).toEqual([
      [3, 'RUN', 'first && second --flag'],
      [7, 'LABEL', 'a="b c" d=\'e f\''],
    ]);
    expect(first!.instructions[0]!.flags.get('mount')).toBe('type=cache,target=/x');
    expect(first!.instructions[1]!.words).toEqual(['a=b c', 'd=e f']);
    expect(second!.instructions[0]).toMatchObject({ json: true, words: ['node', '-e', 'a, b'] });
  });

  test('and refused where it is not understood', () => {
    for (const text of ['RUN x', 'FROM a b c d', 'from a', 'FROM a\nRUN <<EOF\nx\nEOF', 'FROM a\nRUN x \\'])
      expect(() => parseDockerfile(text), text).toThrow(/^\d+: /);
  });
});

test('of .dockerignore the last line that fits decides, for folders with all below them', () => {
  const place = mkdtempSync(join(folder, 'ignore-'));
  mkdirSync(dirname(join(place, '.dockerignore')), { recursive: true });
  writeFileSync(
    join(place, '.dockerignore'),
    '# only these\n*\n!src\n!a/b.txt\n**/*.test.ts\nsrc/private/\n',
  );
  const ignored = ignoreRules(place);
  const found = [
    'src',
    'src/x/y.ts',
    'src/x/y.test.ts',
    'src/private',
    'src/private/z',
    'a/b.txt',
    'a/c.txt',
    'other',
  ];
  expect(found.filter((path) => !ignored(path))).toEqual(['src', 'src/x/y.ts', 'a/b.txt']);
});
