#!/usr/bin/env node
// The command `rtsp-stream-viewer`: see src/cli.ts for what it can do.

import { buildThePage, installWhatIsMissing, launch } from './launch.mjs';

// Also before `help`, by which whoever may write here prepares an installation for a service that may not.
const [command = 'serve'] = process.argv.slice(2);
if (['serve', 'demo', 'help'].includes(command)) {
  installWhatIsMissing();
  buildThePage();
}
launch('src/cli.ts', process.argv.slice(2));
