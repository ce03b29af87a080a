// Builds the page, web/src → web/dist, when its sources are not those it was built from: `node bin/launch.mjs scripts/build-web.ts`.
// How it is built is in vite.config.ts; serving it is the service's business.

import { createHash, type Hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const project = resolve(import.meta.dirname, '..');

/** Beside the built files: the hash of what they were built from. */
const stampName = '.built-from';

/** Whatever decides on the result; folders with everything below them. Only types come from outside of web/. */
const inputs = ['web/src', 'web/static', 'web/index.html', 'vite.config.ts', 'package-lock.json'];

function addFile(hash: Hash, root: string, path: string): void {
  const bytes = readFileSync(join(root, path));
  hash.update(`${path}\0${bytes.length}\0`).update(bytes);
}

/** SHA-256 over names and contents of the page's sources, without its tests. */
export function hashOfSources(root: string = project): string {
  const hash = createHash('sha256');
  for (const input of inputs) {
    if (!/^web\/(src|static)$/.test(input)) {
      if (existsSync(join(root, input))) addFile(hash, root, input);
      continue;
    }
    const files = readdirSync(join(root, input), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(root.length + 1)
          .replaceAll('\\', '/'),
      );
    for (const file of files.sort()) addFile(hash, root, file);
  }
  return hash.digest('hex');
}

async function builtFrom(folder: string): Promise<string | null> {
  const stamp = join(folder, stampName);
  return existsSync(stamp) ? (await readFile(stamp, 'utf8')).trim() : null;
}

/** Whatever is set for the service or by a test runner: with it, React's slow half for developers would be built in. */
async function asProduction(run: () => Promise<unknown>): Promise<void> {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  try {
    await run();
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
}

/**
 * Builds the page unless it is up to date. It appears in one step: whoever serves it never sees half of it, a build that
 * fails leaves the one before, and of two at the same time the last one wins.
 * @param out the folder of the built files.
 * @returns whether it had to be built. Without sources (an image, a package) what is there is taken as it is.
 * @throws Error when the sources cannot be built.
 */
export async function buildWeb(out: string = join(project, 'web', 'dist')): Promise<boolean> {
  if (!existsSync(join(project, 'web', 'src'))) return false;
  const wanted = hashOfSources();
  if ((await builtFrom(out)) === wanted) return false;
  // Loaded only now: at most starts there is nothing to build.
  const { build } = await import('vite');
  const fresh = `${out}.${process.pid}.new`;
  const old = `${out}.${process.pid}.old`;
  try {
    await mkdir(fresh, { recursive: true });
    await asProduction(() =>
      build({
        configFile: join(project, 'vite.config.ts'),
        logLevel: 'warn',
        mode: 'production',
        build: { outDir: fresh, emptyOutDir: true },
      }),
    );
    await writeFile(join(fresh, stampName), `${wanted}\n`);
    if (existsSync(out)) await rename(out, old);
    await rename(fresh, out);
  } catch (error) {
    // Another process may have put the same build there in between.
    if ((await builtFrom(out)) !== wanted) throw error;
  } finally {
    await Promise.all([fresh, old].map((folder) => rm(folder, { recursive: true, force: true })));
  }
  return true;
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const begun = performance.now();
  try {
    const built = await buildWeb();
    if (built) console.error(`The page was built in ${((performance.now() - begun) / 1000).toFixed(1)} s.`);
  } catch (error) {
    console.error(`The page could not be built: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
