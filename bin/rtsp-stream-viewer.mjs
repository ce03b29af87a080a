#!/usr/bin/env node
// The command `rtsp-stream-viewer`: see src/cli.ts for what it can do.

import { launch } from './launch.mjs';

launch('src/cli.ts', process.argv.slice(2));
