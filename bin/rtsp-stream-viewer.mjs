#!/usr/bin/env node
// The command `rtsp-stream-viewer`: see src/cli.ts for what it can do.

import { buildThePage, installWhatIsMissing, launch } from './launch.mjs';

const [command = 'serve'] = process.argv.slice(2);
if (command === 'serve' || command === 'demo') {
  installWhatIsMissing();
  buildThePage();
}
launch('src/cli.ts', process.argv.slice(2));
