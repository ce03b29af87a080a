// The layout's import rules, seen from outside: which imports are refused, and that none is overlooked.
// Real source texts only; the parser is the real one.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkSources, checkTree, importsOf, refusal } from './imports.ts';

describe('the direction of imports', () => {
  it.each([
    ['src/app.ts', './live/session.ts'],
    ['src/demo.ts', '../simulator/camera.ts'],
    ['src/live/session.ts', '../stream/stream.ts'],
    ['src/stream/stream.ts', '../media/access-unit.ts'],
    ['src/rtsp/client.ts', '../base/clock.ts'],
    ['src/rtsp/h264/nal.ts', '../../media/nal.ts'],
    ['src/base/log.ts', '../errors.ts'],
    ['src/http/streams.ts', '../config.ts'],
    ['src/config.ts', './media/camera-url.ts'],
    ['src/codec/pool.ts', './messages.ts'],
    ['src/http/openapi.ts', '../../package.json'],
  ])('lets %s import %s', (file, specifier) => {
    expect(refusal(file, specifier)).toBeUndefined();
  });

  it.each([
    ['src/live/session.ts', '../codec/pool.ts', 'neighbours'],
    ['src/media/nal.ts', '../rtsp/client.ts', 'below'],
    ['src/rtsp/client.ts', '../stream/stream.ts', 'below'],
    ['src/http/streams.ts', '../app.ts', 'below'],
    ['src/errors.ts', './base/log.ts', 'must not know'],
    ['src/config.ts', './db/open.ts', 'must not know'],
    ['src/util/things.ts', '../media/nal.ts', 'no place'],
    ['src/live/session.ts', '../util/things.ts', 'no place'],
    ['src/http/streams.ts', '../../simulator/camera.ts', 'outside of src/'],
    ['src/http/streams.ts', './testing.ts', 'only tests'],
  ])('refuses that %s imports %s', (file, specifier, reason) => {
    expect(refusal(file, specifier)).toContain(reason);
  });
});

describe('native code', () => {
  it('is imported by its own process or thread only', () => {
    expect(refusal('src/codec/worker/decoder.ts', 'node-av')).toBeUndefined();
    expect(refusal('src/codec/pool.ts', 'node-av')).toContain('codec worker');
    expect(refusal('src/codec/pool.ts', 'node-av/constants')).toContain('codec worker');
    expect(refusal('src/detect/mtcnn/thread.ts', 'onnxruntime-node')).toBeUndefined();
    expect(refusal('src/codec/worker/detect.ts', 'onnxruntime-node')).toContain('detector thread');
  });

  const worker = new Map([
    ['src/codec/worker/main.ts', "import './decoder.ts';"],
    ['src/codec/worker/decoder.ts', "import 'node-av/api';"],
    ['src/codec/worker/fit.ts', 'export const fit = 1;'],
  ]);
  const imported = (statement: string) =>
    checkSources(new Map([...worker, ['src/codec/pool.ts', statement]])).map(({ why }) => why);

  it('does not come in by way of other modules', () => {
    expect(imported("import './worker/main.ts';")).toEqual([expect.stringContaining('node-av')]);
    expect(imported("const { run } = await import('./worker/main.ts');")).toHaveLength(1);
    expect(imported("import { type Decoder } from './worker/decoder.ts';")).toHaveLength(1);
  });

  it('leaves types and pure neighbours of it to everyone', () => {
    expect(imported("import type { Decoder } from './worker/decoder.ts';")).toEqual([]);
    expect(imported("import { fit } from './worker/fit.ts';")).toEqual([]);
  });
});

describe('purity', () => {
  it.each(['node:net', 'node:fs/promises', 'fs', 'node:child_process', 'node:dgram', 'node:worker_threads'])(
    'keeps %s out of the domain and of the stream',
    (specifier) => {
      expect(refusal('src/media/nal.ts', specifier)).toContain('pure');
      expect(refusal('src/stream/stream.ts', specifier)).toContain('pure');
      expect(refusal('src/rtsp/connection.ts', specifier)).toBeUndefined();
    },
  );

  it('allows what does no input or output', () => {
    expect(refusal('src/media/nal.ts', 'node:crypto')).toBeUndefined();
    expect(refusal('src/stream/stream.ts', 'node:events')).toBeUndefined();
  });
});

describe('reading import statements', () => {
  it('finds every way to import, and nothing in comments and strings', () => {
    const source = `
      import type { A } from './type.ts';
      import './effect.ts';
      import fallback, { type B } from "./mixed.ts";
      export * from './all.ts';
      export { c } from './named.ts';
      const lazy = await import('./dynamic.ts');
      const computed = await import(fallback);
      // import './comment.ts';
      const text = "import './string.ts'";
    `;
    const found = importsOf('src/x.ts', source).map(({ specifier }) => specifier);
    expect(found.sort()).toEqual([
      './all.ts',
      './dynamic.ts',
      './effect.ts',
      './mixed.ts',
      './named.ts',
      './type.ts',
    ]);
  });

  it('does not pass over a file that it cannot read', () => {
    expect(() => importsOf('src/x.ts', 'import {')).toThrow('src/x.ts');
  });

  it('names file, import and reason of each violation', () => {
    const source = "import '../http/server.ts';\nimport '../media/nal.ts';\nimport net from 'node:net';\n";
    expect(checkSources(new Map([['src/stream/stream.ts', source]]))).toEqual([
      {
        file: 'src/stream/stream.ts',
        imported: '../http/server.ts',
        why: 'stream is below http: imports run from the top down',
      },
      {
        file: 'src/stream/stream.ts',
        imported: 'node:net',
        why: 'src/stream is pure: no sockets, files or processes',
      },
    ]);
  });
});

describe('checking a tree', () => {
  const made: string[] = [];
  afterEach(() => {
    for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
  });

  it('reads nested modules and leaves tests alone', () => {
    const root = mkdtempSync(join(tmpdir(), 'imports-'));
    made.push(root);
    const files = {
      'src/app.ts': "import './rtsp/deep/parser.ts';",
      'src/rtsp/deep/parser.ts': "import '../../live/session.ts';",
      'src/live/session.ts': 'export const session = 1;',
      'src/live/session.test.ts': "import '../codec/worker/main.ts';",
      'src/live/testing.ts': "import '../db/database.ts';",
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const { files: count, violations } = checkTree(root);
    expect(count).toBe(3);
    expect(violations.map(({ file, imported }) => `${file} → ${imported}`)).toEqual([
      'src/rtsp/deep/parser.ts → ../../live/session.ts',
    ]);
  });
});
