// Where a codec worker may be started from. What it does is tested with the pool.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

const startOne = `
  import { systemClock } from './src/base/clock.ts';
  import { WorkerChild } from './src/codec/child.ts';
  const end = (words) => { console.log(words); child.kill(); };
  const child = new WorkerChild(
    { onMessage: ({ type }) => end(type), onDeath: (reason) => end('died: ' + reason) },
    systemClock,
  );
`;

test('a codec worker starts where node_modules is a link to another folder', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-linked-'));
  try {
    for (const name of ['src', 'package.json'])
      cpSync(join(packageFolder, name), join(folder, name), { recursive: true });
    for (const name of ['node_modules', 'models'])
      symlinkSync(join(packageFolder, name), join(folder, name), 'dir');
    const program = spawn(process.execPath, ['--input-type=module', '--eval', startOne], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    program.stdout.on('data', (data) => (said += data));
    await once(program, 'close');
    expect(said.trim()).toBe('ready');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
