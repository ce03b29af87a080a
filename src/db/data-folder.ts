// The folder that holds everything the service keeps.
// Its making only; what lies in it belongs to its owners.

import { mkdirSync } from 'node:fs';

/** Closed to other users of the machine. One that is there already stays as whoever made it wants it. */
export function makeDataFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o750 });
}
