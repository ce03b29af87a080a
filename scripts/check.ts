// `npm run check`: types, lint with format, the direction of imports, and the container files; `--write` mends format and lint first.
// Runs the tools and counts; our rules are in imports.ts and check-containers.ts, the tools' settings in tsconfig.json and biome.json.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkContainers } from './check-containers.ts';
import { checkTree } from './imports.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

/** Runs a tool of this project's dependencies on this very Node; true when it is content. */
function tool(packageName: string, script: string, args: readonly string[]): boolean {
  const entry = join(dirname(require.resolve(`${packageName}/package.json`)), script);
  const { status, error } = spawnSync(process.execPath, [entry, ...args], { cwd: root, stdio: 'inherit' });
  if (error) console.error(error.message);
  return status === 0;
}

function imports(): boolean {
  const { files, violations } = checkTree(root);
  for (const { file, imported, why } of violations) console.error(`${file} → ${imported}: ${why}`);
  if (files === 0) console.error('No module found under src/: the check looked at nothing.');
  return files > 0 && violations.length === 0;
}

function containers(): boolean {
  const problems = checkContainers(root);
  for (const { file, where, what } of problems) console.error(`${file} (${where}): ${what}`);
  return problems.length === 0;
}

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== '--write');
if (unknown !== undefined) {
  console.error(
    `Unknown argument ${unknown}; usage: npm run check, or npm run format to mend what can be mended.`,
  );
  process.exit(2);
}

const biome = args.includes('--write') ? ['check', '--write'] : ['check'];
const checks: readonly (readonly [string, () => boolean])[] = [
  ['types', () => tool('typescript', 'bin/tsc', ['-p', '.'])],
  ['types of the page', () => tool('typescript', 'bin/tsc', ['-p', 'web'])],
  ['lint and format', () => tool('@biomejs/biome', 'bin/biome', [...biome, '--error-on-warnings'])],
  ['import direction', imports],
  ['container files', containers],
];

let failed = 0;
for (const [name, run] of checks) {
  const good = run();
  if (!good) failed += 1;
  console.log(`${good ? 'passed' : 'FAILED'}: ${name}`);
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
