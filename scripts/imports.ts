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

/** Path from the project's root of what `file` means by `specifier`. */
function pathOf(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier);
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
  if (from === to) return undefined;
  const known = shared.get(from);
  if (known) return known.includes(to) ? undefined : `${from} is imported by all, so it must not know ${to}`;
  if (shared.has(to)) return undefined;
  if (rank(from) === -1) return `the folder ${from} has no place in the layers of scripts/imports.ts`;
  if (rank(to) === -1) return `the folder ${to} has no place in the layers of scripts/imports.ts`;
  if (rank(from) < rank(to)) return undefined;
  // The worker process is a program of its own, in which decoder and detector meet as the parts of the service do in app.
  if (file.startsWith('src/codec/worker/') && target.startsWith('src/detect/mtcnn/')) return undefined;
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
    ? insideReason(file, pathOf(file, specifier))
    : outsideReason(file, specifier);
}

export interface Import {
  readonly specifier: string;
  /** `import type`, `export type`: gone when the program runs. */
  readonly typeOnly: boolean;
}

/**
 * Every module named by static imports, re-exports and dynamic imports of a plain string, types included.
 * @throws Error when the text is not TypeScript.
 */
export function importsOf(file: string, source: string): Import[] {
  const { module, errors } = parseSync(file, source);
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`);
  const found = new Map<string, boolean>();
  const add = (specifier: string, typeOnly: boolean) =>
    found.set(specifier, typeOnly && found.get(specifier) !== false);
  // `import { type A }` still loads the module; only the whole statement's `type` makes it vanish.
  const isType = (start: number, end: number) => /^(import|export)\s+type\b/.test(source.slice(start, end));
  for (const { start, end, moduleRequest } of module.staticImports)
    add(moduleRequest.value, isType(start, end));
  for (const { start, end, entries } of module.staticExports) {
    for (const { moduleRequest } of entries) if (moduleRequest) add(moduleRequest.value, isType(start, end));
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^(['"`])(.*)\1$/.exec(source.slice(moduleRequest.start, moduleRequest.end));
    if (literal?.[2]) add(literal[2], false);
  }
  return [...found].map(([specifier, typeOnly]) => ({ specifier, typeOnly }));
}

type Graph = ReadonlyMap<string, readonly Import[]>;

/** The modules that load `packageName` when they are loaded, by themselves or through others. */
function loadersOf(packageName: string, graph: Graph): ReadonlySet<string> {
  const loaders = new Set<string>();
  const loads = (file: string, { specifier, typeOnly }: Import) =>
    !typeOnly &&
    (specifier.startsWith('.')
      ? loaders.has(pathOf(file, specifier))
      : specifier === packageName || specifier.startsWith(`${packageName}/`));
  for (let before = -1; before !== loaders.size; ) {
    before = loaders.size;
    for (const [file, imports] of graph) if (imports.some((each) => loads(file, each))) loaders.add(file);
  }
  return loaders;
}

/** Imports by which native code would come into a module that must not have it, though it does not name it. */
function carriers(graph: Graph): Violation[] {
  return [...confined].flatMap(([name, { folder, why }]) => {
    const loaders = loadersOf(name, graph);
    const outside = [...graph].filter(([file]) => !file.startsWith(folder));
    return outside.flatMap(([file, imports]) =>
      imports
        .filter(({ specifier, typeOnly }) => {
          const target = specifier.startsWith('.') ? pathOf(file, specifier) : '';
          return !typeOnly && target.startsWith(folder) && loaders.has(target);
        })
        .map(({ specifier }) => ({ file, imported: specifier, why: `${why} (it loads ${name})` })),
    );
  });
}

/** @param sources module texts by path from the project's root. @returns all violations, in order of path. */
export function checkSources(sources: ReadonlyMap<string, string>): Violation[] {
  const graph = new Map([...sources].map(([file, source]) => [file, importsOf(file, source)] as const));
  const direct = [...graph].flatMap(([file, imports]) =>
    imports.flatMap(({ specifier: imported }) => {
      const why = refusal(file, imported);
      return why === undefined ? [] : [{ file, imported, why }];
    }),
  );
  return [...direct, ...carriers(graph)].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
}

/** Reads every module under `root`/src but the tests. */
export function checkTree(root: string): { files: number; violations: Violation[] } {
  const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !isForTests(file))
    .sort();
  const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  return { files: files.length, violations: checkSources(sources) };
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const { files, violations } = checkTree(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
  for (const { file, imported, why } of violations) console.error(`${file} → ${imported}: ${why}`);
  console.log(`${files} modules, ${violations.length} wrong imports`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
