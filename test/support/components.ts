// The real programs that some tests work against, and whether this machine has them.
// Starting them is the business of browser.ts and of the tests; npm packages are always there and not listed.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findPostgres } from './postgres-server.ts';
import { findRedis } from './redis-server.ts';

export interface Component {
  /** What is not tested without it, for people. */
  readonly usedFor: string;
  readonly install: string;
  readonly isHere: () => boolean;
}

export type ComponentName = 'chromium' | 'gst-rtsp-server' | 'postgresql' | 'redis';

const browserNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome.exe'];
const browserPlaces = [
  '/usr/bin',
  '/usr/local/bin',
  '/snap/bin',
  '/opt/google/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS',
  '/Applications/Chromium.app/Contents/MacOS',
  'C:\\Program Files\\Google\\Chrome\\Application',
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** Path of a Chromium or Chrome: `CHROMIUM_PATH`, the usual places, then `PATH`. */
export function findChromium(): string | undefined {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  const folders = [...browserPlaces, ...(process.env.PATH ?? '').split(delimiter).filter(Boolean)];
  const names = [...browserNames, 'Google Chrome', 'Chromium'];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

/** Debian's Python: a version manager's own `python3` in front of it would not see the `gi` package. */
export const systemPython = '/usr/bin/python3';

const gstProbe = `
import gi
gi.require_version('GstRtspServer', '1.0')
from gi.repository import Gst, GstRtspServer
Gst.init(None)
missing = [e for e in ('rtph264pay', 'rtph265pay', 'h264parse', 'h265parse', 'x264enc', 'x265enc') if not Gst.ElementFactory.find(e)]
raise SystemExit(1 if missing else 0)
`;

export const components: Readonly<Record<ComponentName, Component>> = {
  chromium: {
    usedFor: 'the tests that watch a camera in a real browser',
    install: 'apt-get install chromium, or set CHROMIUM_PATH to a Chrome or Chromium',
    isHere: () => findChromium() !== undefined,
  },
  'gst-rtsp-server': {
    usedFor: 'the tests against RTSP cameras that are not ours',
    install:
      'apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-rtsp gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav',
    isHere: () => spawnSync(systemPython, ['-c', gstProbe], { stdio: 'ignore' }).status === 0,
  },
  postgresql: {
    usedFor: 'the tests with the rows in PostgreSQL',
    install: 'apt-get install postgresql (15 or newer; its own server need not run)',
    isHere: () => findPostgres() !== undefined,
  },
  redis: {
    usedFor: 'the tests of several instances, joined by Redis',
    install: 'apt-get install redis-server (6.2 or newer; its own server need not run)',
    isHere: () => findRedis() !== undefined,
  },
};

/** Set by `npm test` to the names of the absent components, so that each test file need not look again. */
export const absentVariable = 'ABSENT_COMPONENTS';

export function absentComponents(): ComponentName[] {
  const told = process.env[absentVariable];
  const names = Object.keys(components) as ComponentName[];
  return told === undefined
    ? names.filter((name) => !components[name].isHere())
    : names.filter((name) => told.split(',').includes(name));
}

/**
 * For `describe.skipIf(skipsWithout('gst-rtsp-server'))`.
 * Never true in CI: there the test runs and fails, because a test left out there would be left out for good.
 */
export function skipsWithout(name: ComponentName): boolean {
  return process.env.CI !== 'true' && absentComponents().includes(name);
}
