// The whole service in this process: what a start that fails leaves behind, and what is refused once it closes.
// What it does while it runs is tested in test/.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startApp } from './app.ts';
import { silentLog } from './base/log.ts';
import { loadConfig } from './config.ts';
import { databaseFileName, openDatabase } from './db/database.ts';
import { lockFolder } from './db/folder-lock.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-app-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function start(env: Record<string, string>) {
  const config = loadConfig({ DATA_DIR: folder, ...env }, { envFile: join(folder, '.env') });
  return startApp(config, silentLog);
}

/** Fails while anything of the service still holds the folder. */
async function expectFree(): Promise<void> {
  const unlock = lockFolder(folder);
  const database = await openDatabase(join(folder, databaseFileName));
  await database.db.insertInto('audit').values(anything).execute();
  await database.close();
  unlock();
}

const anything = {
  id: 'x',
  timestamp: 0,
  action: 'signed_out',
  actor: null,
  actor_role: null,
  subject: null,
  detail: null,
  address: 'local',
} as const;

test('a start that fails leaves the data folder free, however far it got', async () => {
  const refused = start({ ADMIN_USERNAME: 'boss', ADMIN_PASSWORD: 'short', PORT: '0' });
  await expect(refused).rejects.toThrow(/^ADMIN_PASSWORD must have/);
  await expectFree();
  rmSync(join(folder, databaseFileName));
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const late = start({ AUTH: 'off', HOST: '127.0.0.1', PORT: String(port) });
  await expect(late).rejects.toThrow(/^PORT .* is in use/);
  other.close();
  await expectFree();
});
