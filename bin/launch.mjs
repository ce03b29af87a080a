#!/usr/bin/env node
// Runs a TypeScript entry of this project on the pinned Node, from a fresh clone: `node bin/launch.mjs FILE [ARG…]`.
// Plain JavaScript for whatever Node ≥ 20 is on the machine; installs the dependencies when they are missing or old.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const neededMajor = 24;
const neededMinor = 12;

/**
 * V8 lets the young generation grow by over a hundred MiB in some hours of steady video, which looks like a leak and
 * brings nothing: what is young here dies within milliseconds.
 */
export const nodeFlags = ['--max-semi-space-size=8'];

/** The lock file's hash is kept beside the modules: an updated checkout installs again by itself. */
export function installWhatIsMissing() {
  const lock = join(root, 'package-lock.json');
  // Installed as a dependency or in an image: whoever installed it is in charge.
  if (!existsSync(lock)) return;
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex');
  const stamp = join(root, 'node_modules', '.installed-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('Installing the dependencies (once; about 250 MB to download)…');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = spawnSync(npm, ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    console.error('The dependencies could not be installed; npm’s message is above. Try again with: npm ci');
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

/** The command that starts a Node that runs TypeScript: this one, the pinned one, or one fetched by npx. */
export function nodeCommand() {
  if (isNewEnough(process.versions.node)) return [process.execPath];
  const pinned = join(
    root,
    'node_modules',
    `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`,
  );
  const binary = join(pinned, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(binary)) return [binary];
  console.error(
    `Node ${process.versions.node} is too old and no pinned one fits this machine; fetching Node ${neededMajor}…`,
  );
  return ['npx', '--yes', '--ignore-scripts=false', `--package=node@${neededMajor}`, '--', 'node'];
}

/** The page is built from its sources when they have changed; an older one is better than none. */
export function buildThePage() {
  const script = join(root, 'scripts', 'build-web.ts');
  if (!existsSync(script)) return;
  const [command, ...prefix] = nodeCommand();
  const { status } = spawnSync(command, [...prefix, script], {
    stdio: ['ignore', 2, 2],
    shell: command === 'npx' && process.platform === 'win32',
  });
  if (status === 0) return;
  if (!existsSync(join(root, 'web', 'dist', 'index.html'))) process.exit(1);
  console.error('The page could not be built; the one of before is served.');
}

/** Runs `entry` in place of this process: same streams, signals passed on, same exit code. */
export function launch(entry, args) {
  installWhatIsMissing();
  const [command, ...prefix] = nodeCommand();
  const child = spawn(command, [...prefix, ...nodeFlags, join(root, entry), ...args], {
    stdio: 'inherit',
    shell: command === 'npx' && process.platform === 'win32',
  });
  // The terminal sends Ctrl-C to the whole group; this process only has to wait for the child's own ending.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  // `npm start` runs this behind a shell that ends without passing a signal on: then nobody is left who could end it.
  if (process.env.npm_lifecycle_event !== undefined) {
    const shell = process.ppid;
    const look = setInterval(() => {
      if (process.ppid === shell) return;
      clearInterval(look);
      child.kill('SIGTERM');
    }, 500);
  }
  child.on('error', (error) => {
    console.error(`Node could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const [entry, ...args] = process.argv.slice(2);
  if (!entry) {
    console.error('usage: node bin/launch.mjs FILE [ARG…]');
    process.exit(2);
  }
  launch(entry, args);
}
