// Which module of src/ may import which: the rules of the layout, and a check of import statements against them.
// Types are another tool's work; tests and their helpers (testing.ts) may reach anywhere and are not looked at.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseSync } from 'vite';

/** Layers from the top down. A module imports from its own folder and from lower layers; neighbours are strangers. */
const layers: readonly (readonly string[])[] = [
  ['app'],
  ['ingest', 'codec', 'detect', 'live', 'http', 'auth', 'db', 'storage', 'cluster'],
  ['stream'],
  ['rtsp'],
  ['media'],
  ['base'],
];

/** Top-level files every layer may import; in return they know only the layers named here. */
const shared: ReadonlyMap<string, readonly string[]> = new Map([
  ['errors', []],
  ['config', ['errors', 'media', 'base']],
]);

/** Packages with native code that must not be loaded into the service's own process or event loop. */
const confined: ReadonlyMap<string, { readonly folder: string; readonly why: string }> = new Map([
  [
    'node-av',
    { folder: 'src/codec/worker/', why: 'native codecs may crash: only the codec worker process loads them' },
  ],
  [
    'onnxruntime-node',
    { folder: 'src/detect/mtcnn/', why: 'it blocks its event loop: only the detector thread loads it' },
  ],
]);

const pureFolders = new Set(['media', 'stream']);
const inputOutput = new Set(
  'child_process cluster dgram dns fs http http2 https inspector net readline repl sqlite tls tty worker_threads'.split(
    ' ',
  ),
);

export interface Violation {
  /** Path from the project's root, with forward slashes. */
  readonly file: string;
  /** As written in the import statement. */
  readonly imported: string;
  readonly why: string;
}

/** `app` for main, cli and the other entries directly under src/; else the folder, or `errors` and `config`. */
function layerOf(path: string): string {
  const [, first = '', ...rest] = path.split('/');
  if (rest.length > 0) return first;
  const name = first.replace(/\.ts$/, '');
  return shared.has(name) ? name : 'app';
}

function rank(layer: string): number {
  return layers.findIndex((names) => names.includes(layer));
}

function isForTests(file: string): boolean {
  return /(\.test|\/testing)\.ts$/.test(file);
}

function insideReason(file: string, target: string): string | undefined {
  const from = layerOf(file);
  if (isForTests(target)) return 'only tests import helpers of tests';
  // Name and version of the product: data, no code.
  if (target === 'package.json') return undefined;
  if (!target.startsWith('src/')) {
    return from === 'app' ? undefined : 'only the entry files directly under src/ may reach outside of src/';
  }
  const to = layerOf(target);
  for (const { folder, why } of confined.values()) {
    if (target.startsWith(folder) && !file.startsWith(folder)) return why;
  }
  if (from === to) return undefined;
  const known = shared.get(from);
  if (known) return known.includes(to) ? undefined : `${from} is imported by all, so it must not know ${to}`;
  if (shared.has(to)) return undefined;
  if (rank(from) === -1) return `the folder ${from} has no place in the layers of scripts/imports.ts`;
  if (rank(to) === -1) return `the folder ${to} has no place in the layers of scripts/imports.ts`;
  if (rank(from) < rank(to)) return undefined;
  return rank(from) === rank(to)
    ? `${from} and ${to} are neighbours: they meet only in src/app.ts`
    : `${from} is below ${to}: imports run from the top down`;
}

function outsideReason(file: string, specifier: string): string | undefined {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const rule = confined.get(name);
  if (rule && !file.startsWith(rule.folder)) return rule.why;
  const builtin = /^(?:node:)?([a-z0-9_]+)/.exec(specifier)?.[1] ?? '';
  if (pureFolders.has(layerOf(file)) && inputOutput.has(builtin))
    return `src/${layerOf(file)} is pure: no sockets, files or processes`;
  return undefined;
}

/**
 * Checks one import.
 * @param file importing module, from the project's root: `src/stream/stream.ts`.
 * @param specifier as written: `../media/access-unit.ts`, `node:net`, `fastify`.
 * @returns why it is refused; undefined when it is fine.
 */
export function refusal(file: string, specifier: string): string | undefined {
  return specifier.startsWith('.')
    ? insideReason(file, posix.join(posix.dirname(file), specifier))
    : outsideReason(file, specifier);
}

/**
 * Every module named by static imports, re-exports and dynamic imports of a plain string, types included.
 * @throws Error when the text is not TypeScript.
 */
export function importedModules(file: string, source: string): string[] {
  const { module, errors } = parseSync(file, source);
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`);
  const names = module.staticImports.map((statement) => statement.moduleRequest.value);
  for (const statement of module.staticExports) {
    for (const entry of statement.entries) if (entry.moduleRequest) names.push(entry.moduleRequest.value);
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^(['"`])(.*)\1$/.exec(source.slice(moduleRequest.start, moduleRequest.end));
    if (literal?.[2]) names.push(literal[2]);
  }
  return [...new Set(names)];
}

/** Violations in one source text. */
export function checkSource(file: string, source: string): Violation[] {
  return importedModules(file, source).flatMap((imported) => {
    const why = refusal(file, imported);
    return why === undefined ? [] : [{ file, imported, why }];
  });
}

/**
 * Reads every module under `root`/src but the tests.
 * @returns the number of modules read and all violations, in order of path.
 */
export function checkTree(root: string): { files: number; violations: Violation[] } {
  const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !isForTests(file))
    .sort();
  const violations = files.flatMap((file) => checkSource(file, readFileSync(join(root, file), 'utf8')));
  return { files: files.length, violations };
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const { files, violations } = checkTree(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
  for (const { file, imported, why } of violations) console.error(`${file} → ${imported}: ${why}`);
  console.log(`${files} modules, ${violations.length} wrong imports`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
