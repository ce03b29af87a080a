// One server for a data folder: a second one would store and alert everything twice.
// The lock is SQLite's own, which the system releases when the process ends, however it ends.

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from '../config.ts';
import { makeDataFolder } from './data-folder.ts';
import { isBusy } from './errors.ts';

const fileName = 'in-use.lock';
/** A server that is just being replaced has this long to let go, ms. */
const patienceMs = 1_000;

/**
 * Holds the folder until the returned function is called or the process ends.
 * @throws ConfigError when another process holds it, or the folder cannot be used.
 */
export function lockFolder(folder: string): () => void {
  let file: DatabaseSync | undefined;
  try {
    makeDataFolder(folder);
    const path = join(folder, fileName);
    file = new DatabaseSync(path, { timeout: patienceMs });
    // Whoever may open it could keep the service from starting.
    chmodSync(path, 0o600);
    file.exec('pragma locking_mode = exclusive; begin exclusive');
    const held = file;
    return () => held.close();
  } catch (error) {
    file?.close();
    if (isBusy(error))
      throw new ConfigError(
        'DATA_DIR',
        `${folder} is in use by another running server; stop it, or choose another folder.`,
      );
    throw new ConfigError('DATA_DIR', `${folder} cannot be used: ${(error as Error).message}`);
  }
}
